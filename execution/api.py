"""What came of the signals, over the API: to read only, because rows make orders and requests do not."""

from __future__ import annotations

from django.db.models import QuerySet
from rest_framework import mixins

from execution import selectors
from execution.filters import FillFilter, OrderFilter, OrderIntentFilter, PositionFilter
from execution.models import Fill, Order, OrderIntent, Position
from execution.serializers import FillSerializer, OrderIntentSerializer, OrderSerializer, PositionSerializer
from justtrades.api import OwnRowsViewSet


class OrderIntentViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OwnRowsViewSet):
    """What each trader wanted of each signal, and what became of it: denied by us with the reason, failed, done."""

    serializer_class = OrderIntentSerializer
    filterset_class = OrderIntentFilter

    def get_queryset(self) -> QuerySet[OrderIntent]:
        return selectors.list_intents_for(self.request.user)


class OrderViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OwnRowsViewSet):
    """What the broker knows, or may know; a rejection carries the broker's own reason."""

    serializer_class = OrderSerializer
    filterset_class = OrderFilter

    def get_queryset(self) -> QuerySet[Order]:
        return selectors.list_orders_for(self.request.user)


class FillViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OwnRowsViewSet):
    """The broker's executions, each counted once."""

    serializer_class = FillSerializer
    filterset_class = FillFilter

    def get_queryset(self) -> QuerySet[Fill]:
        return selectors.list_fills_for(self.request.user)


class PositionViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OwnRowsViewSet):
    """Net signed contracts per trader and contract; `unprotected_since` is set while a wanted stop is not working."""

    serializer_class = PositionSerializer
    filterset_class = PositionFilter

    def get_queryset(self) -> QuerySet[Position]:
        return selectors.list_positions_for(self.request.user).order_by("account__name", "symbol", "pk")
