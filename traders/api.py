"""Traders over the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import Person, signed_in
from brokers.selectors import list_accounts_for
from justtrades.api import ApiErrorSerializer, OwnRowsViewSet, StrictModelSerializer
from recorders.selectors import list_recorders_for
from traders import selectors, services
from traders.models import Trader

_SETTINGS = ("multiplier", "initial_position_size", "target_ticks", "stop_ticks", "max_contracts")


class OwnedField(serializers.PrimaryKeyRelatedField[Any]):
    """The id of one of the user's own rows; another's does not exist."""

    def __init__(self, *, selector: Callable[[Person], QuerySet[Any]], **kwargs: Any) -> None:
        self.selector = selector
        super().__init__(pk_field=serializers.UUIDField(), **kwargs)

    def get_queryset(self) -> QuerySet[Any]:
        return self.selector(self.context["request"].user)


class TraderSerializer(StrictModelSerializer):
    recorder = OwnedField(selector=list_recorders_for)
    recorder_name = serializers.CharField(source="recorder.name", read_only=True)
    account = OwnedField(selector=list_accounts_for)
    account_name = serializers.CharField(source="account.name", read_only=True)

    class Meta:
        model = Trader
        fields = (
            "id",
            "recorder",
            "recorder_name",
            "account",
            "account_name",
            "is_enabled",
            *_SETTINGS,
            "created_at",
        )
        read_only_fields = ("id", "created_at")


class TraderChangesSerializer(StrictModelSerializer):
    """A trader stays on its recorder and account: its position belongs to both."""

    class Meta:
        model = Trader
        fields = _SETTINGS


class TraderFilter(filters.FilterSet):
    recorder = filters.UUIDFilter(field_name="recorder_id")
    account = filters.UUIDFilter(field_name="account_id")
    is_enabled = filters.BooleanFilter()


class TraderViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OwnRowsViewSet):
    """Which recorder is followed on which account, how big. An override of null is inherited from the recorder."""

    serializer_class = TraderSerializer
    filterset_class = TraderFilter

    def get_queryset(self) -> QuerySet[Trader]:
        return selectors.list_traders_for(self.request.user)

    @extend_schema(responses={201: TraderSerializer, 400: ApiErrorSerializer})
    def create(self, request: Request) -> Response:
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        trader = services.create_trader(owner=signed_in(request.user), **given.validated_data)
        return Response(self.get_serializer(trader).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=TraderChangesSerializer, responses={200: TraderSerializer, 400: ApiErrorSerializer})
    def partial_update(self, request: Request, pk: str) -> Response:
        trader = self.get_object()
        given = TraderChangesSerializer(trader, data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        return Response(self.get_serializer(services.update_trader(trader=trader, **given.validated_data)).data)

    @extend_schema(responses={204: OpenApiResponse(description="Deleted."), 400: ApiErrorSerializer})
    def destroy(self, request: Request, pk: str) -> Response:
        """Only a trader that never traded; disable any other."""
        services.delete_trader(trader=self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=None, responses={200: TraderSerializer}, filters=False)
    @action(detail=True, methods=["post"])
    def enable(self, request: Request, pk: str) -> Response:
        return Response(self.get_serializer(services.enable_trader(trader=self.get_object())).data)

    @extend_schema(request=None, responses={200: TraderSerializer}, filters=False)
    @action(detail=True, methods=["post"])
    def disable(self, request: Request, pk: str) -> Response:
        """No new entry from now on; the exits of a position it holds still pass."""
        return Response(self.get_serializer(services.disable_trader(trader=self.get_object())).data)
