"""What came of the signals, over the API: to read only, because rows make orders and requests do not."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.request import Request
from rest_framework.response import Response

from execution import selectors
from execution.filters import FillFilter, OrderFilter, OrderIntentFilter, PositionFilter
from execution.models import Fill, Order, OrderIntent, Position
from execution.serializers import FillSerializer, OrderIntentSerializer, OrderSerializer, PositionSerializer
from execution.trace_serializers import TraceDetailSerializer, TraceSerializer
from execution.trader_trace import list_followers, trace_traders
from justtrades.api import ApiView, OwnRowsViewSet, Pages
from recorders.selectors import get_signal_for


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


class SignalTracesView(ApiView):
    """What one signal came to for each trader of its recorder, by account name."""

    serializer_class = TraceSerializer
    pagination_class = Pages
    filter_backends = ()

    @extend_schema(operation_id="signal_traces_list", responses=TraceSerializer(many=True))
    def get(self, request: Request, pk: UUID) -> Response:
        signal = get_signal_for(request.user, pk)
        page: Any = self.paginate_queryset(list_followers(request.user, signal))
        return self.get_paginated_response(TraceSerializer(trace_traders(signal, page), many=True).data)


class SignalTraceView(ApiView):
    """The whole story of one signal and one trader."""

    serializer_class = TraceDetailSerializer

    @extend_schema(operation_id="signal_traces_retrieve", responses=TraceDetailSerializer)
    def get(self, request: Request, pk: UUID, trader: UUID) -> Response:
        signal = get_signal_for(request.user, pk)
        follower = list_followers(request.user, signal).get(pk=trader)
        return Response(TraceDetailSerializer(trace_traders(signal, [follower])[0]).data)
