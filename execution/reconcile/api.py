"""Breaks and adoptions over the API, and what their owner may do about one."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import signed_in
from execution.models import Break, BreakKind, BreakState
from execution.reconcile import resolve, selectors
from execution.reconcile.resolve import How
from justtrades.api import ApiErrorSerializer, OwnRowsViewSet, StrictModelSerializer, StrictSerializer


class BreakSerializer(StrictModelSerializer):
    """`ours` and `theirs` are what each side says; while it `pauses_entries` nothing is opened on the account."""

    account_name = serializers.CharField(source="account.name", read_only=True)
    ways = serializers.SerializerMethodField(help_text="What `how` may be when it is resolved.")

    class Meta:
        model = Break
        fields = (
            "id", "account", "account_name", "kind", "symbol", "ref", "ours", "theirs", "text", "state",
            "pauses_entries", "sightings", "first_seen_at", "last_seen_at", "resolved_at", "resolution", "ways",
        )  # fmt: skip
        read_only_fields = fields

    def get_ways(self, row: Break) -> list[str]:
        return [how.value for how in resolve.ways_of(row)]


class BreakFilter(filters.FilterSet):
    state = filters.MultipleChoiceFilter(choices=BreakState.choices)
    kind = filters.MultipleChoiceFilter(choices=BreakKind.choices)
    account = filters.UUIDFilter(field_name="account_id")
    symbol = filters.CharFilter(lookup_expr="iexact")
    since = filters.IsoDateTimeFilter(field_name="first_seen_at", lookup_expr="gte")


class ResolveSerializer(StrictSerializer):
    how = serializers.ChoiceField(
        [how.value for how in How],
        help_text="broker: our books say what the broker says, and nothing is traded. flatten: everything on the "
        "account is closed. leave: the difference counts as not ours. cancel: this one order is canceled.",
    )


class BreakViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OwnRowsViewSet):
    """Where our books and the broker's differ or differed, and what of it is not ours. Open ones come first."""

    serializer_class = BreakSerializer
    filterset_class = BreakFilter

    def get_queryset(self) -> QuerySet[Break]:
        return selectors.list_breaks_for(self.request.user)

    @extend_schema(
        request=ResolveSerializer,
        responses={200: BreakSerializer, 400: ApiErrorSerializer, 404: OpenApiResponse(description="Not yours.")},
        filters=False,
    )
    @action(detail=True, methods=["post"])
    def resolve(self, request: Request, pk: Any) -> Response:
        """Do what `how` names, one of the break's `ways`. Nothing is ever traded because of a break but by this."""
        row = self.get_object()
        given = ResolveSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        done = resolve.resolve(actor=signed_in(request.user), row=row, how=given.validated_data["how"])
        return Response(BreakSerializer(done).data)
