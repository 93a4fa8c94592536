"""How the lists of the API are narrowed."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters

from brokers.base import OrderRole, OrderStatus
from execution.models import IntentStatus

ORDER_STATUSES = [(status.value, status.value) for status in OrderStatus]
ORDER_ROLES = [(role.value, role.value) for role in OrderRole]


class OrderIntentFilter(filters.FilterSet):
    status = filters.MultipleChoiceFilter(choices=IntentStatus.choices)
    signal = filters.UUIDFilter(field_name="signal_id")
    recorder = filters.UUIDFilter(field_name="trader__recorder_id")
    trader = filters.UUIDFilter(field_name="trader_id")
    account = filters.UUIDFilter(field_name="account_id")
    symbol = filters.CharFilter(lookup_expr="iexact")
    since = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")


class OrderFilter(filters.FilterSet):
    status = filters.MultipleChoiceFilter(choices=ORDER_STATUSES)
    role = filters.MultipleChoiceFilter(choices=ORDER_ROLES)
    intent = filters.UUIDFilter(field_name="intent_id")
    recorder = filters.UUIDFilter(field_name="trader__recorder_id")
    trader = filters.UUIDFilter(field_name="trader_id")
    account = filters.UUIDFilter(field_name="account_id")
    symbol = filters.CharFilter(lookup_expr="iexact")
    since = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")


class FillFilter(filters.FilterSet):
    order = filters.UUIDFilter(field_name="order_id")
    recorder = filters.UUIDFilter(field_name="order__trader__recorder_id")
    trader = filters.UUIDFilter(field_name="order__trader_id")
    account = filters.UUIDFilter(field_name="account_id")
    symbol = filters.CharFilter(lookup_expr="iexact")
    since = filters.IsoDateTimeFilter(field_name="filled_at", lookup_expr="gte")


class PositionFilter(filters.FilterSet):
    is_open = filters.BooleanFilter(method="keep_open")
    recorder = filters.UUIDFilter(field_name="trader__recorder_id")
    trader = filters.UUIDFilter(field_name="trader_id")
    account = filters.UUIDFilter(field_name="account_id")
    symbol = filters.CharFilter(lookup_expr="iexact")
    since = filters.IsoDateTimeFilter(field_name="updated_at", lookup_expr="gte")

    def keep_open(self, positions: QuerySet[Any], _name: str, is_open: bool) -> QuerySet[Any]:  # noqa: FBT001
        return positions.exclude(net_qty=0) if is_open else positions.filter(net_qty=0)
