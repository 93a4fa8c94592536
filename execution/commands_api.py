"""What a person asks for by hand, over the API: each answer names the command whose intents follow from it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import signed_in
from execution import commands, selectors
from execution.models import Command
from justtrades.api import ApiErrorSerializer, ApiView, OwnRowsViewSet, StrictModelSerializer, StrictSerializer
from recorders.models import StrategyChain
from recorders.selectors import list_chains_for


class CommandSerializer(StrictModelSerializer):
    class Meta:
        model = Command
        fields = ("id", "kind", "payload", "created_at")
        read_only_fields = fields


class ExitsSerializer(StrictSerializer):
    """Exit settings by their names in the recorder; what is left out is the trader's or the recorder's."""

    targets = serializers.ListField(child=serializers.DictField(), required=False, max_length=20)
    stop_distance = serializers.DecimalField(max_digits=24, decimal_places=10, min_value=0, required=False)
    stop_unit = serializers.ChoiceField(["ticks", "points", "percent", "dollars", "price"], required=False)
    break_even_ticks = serializers.IntegerField(min_value=0, required=False)
    break_even_offset_ticks = serializers.IntegerField(min_value=0, required=False)


class ApplyExitsView(ApiView):
    """Put targets and a stop around a position that is open; exits that it has are moved, missing ones placed."""

    serializer_class = ExitsSerializer

    @extend_schema(request=ExitsSerializer, responses={202: CommandSerializer, 400: ApiErrorSerializer})
    def post(self, request: Request, pk: UUID) -> Response:
        position = selectors.get_position_for(request.user, pk)
        given = ExitsSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        command = commands.apply_exits(
            actor=signed_in(request.user), position=position, exits=dict(given.validated_data)
        )
        return Response(CommandSerializer(command).data, status=status.HTTP_202_ACCEPTED)


class ChainSerializer(StrictModelSerializer):
    """Where a strategy stands by its own alerts; `missing` is the stretch that no alert told of, null when none is."""

    class Meta:
        model = StrategyChain
        fields = ("id", "recorder", "ticker", "tip", "missing", "changed_at")
        read_only_fields = fields


class ChainViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OwnRowsViewSet):
    """Each recorder's strategy on each product: its position, and whether an alert is missing."""

    serializer_class = ChainSerializer
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[StrategyChain]:
        return list_chains_for(self.request.user)

    @extend_schema(
        request=None,
        responses={202: CommandSerializer, 400: ApiErrorSerializer, 404: OpenApiResponse(description="Not yours.")},
        filters=False,
    )
    @action(detail=True, methods=["post"])
    def converge(self, request: Request, pk: Any) -> Response:
        """Have every follower go to where the strategy says that it stands now."""
        command = commands.converge(actor=signed_in(request.user), chain=self.get_object())
        return Response(CommandSerializer(command).data, status=status.HTTP_202_ACCEPTED)
