"""Intents, orders, fills and positions as the API shows them: field by field, read-only."""

from __future__ import annotations

from execution.models import Fill, Order, OrderIntent, Position
from justtrades.api import StrictModelSerializer


class OrderIntentSerializer(StrictModelSerializer):
    class Meta:
        model = OrderIntent
        fields = (
            "id",
            "source",
            "signal",
            "trader",
            "account",
            "leg",
            "kind",
            "symbol",
            "side",
            "qty",
            "target_distance",
            "stop_distance",
            "status",
            "reason_code",
            "reason_text",
            "reason_had",
            "reason_limit",
            "attempts",
            "client_order_id",
            "created_at",
            "expires_at",
            "cleared_at",
            "dispatched_at",
            "sent_at",
            "acknowledged_at",
            "filled_at",
            "protected_at",
            "finished_at",
        )
        read_only_fields = fields


class OrderSerializer(StrictModelSerializer):
    class Meta:
        model = Order
        fields = (
            "id",
            "intent",
            "trader",
            "account",
            "role",
            "client_order_id",
            "broker_order_id",
            "symbol",
            "side",
            "qty",
            "order_type",
            "price",
            "stop_price",
            "status",
            "filled_qty",
            "avg_price",
            "reject_code",
            "reject_text",
            "submit_started_at",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields


class FillSerializer(StrictModelSerializer):
    class Meta:
        model = Fill
        fields = (
            "id",
            "account",
            "order",
            "broker_fill_id",
            "broker_order_id",
            "symbol",
            "side",
            "qty",
            "price",
            "filled_at",
        )
        read_only_fields = fields


class PositionSerializer(StrictModelSerializer):
    class Meta:
        model = Position
        fields = (
            "id",
            "trader",
            "account",
            "symbol",
            "net_qty",
            "avg_price",
            "realized_pnl",
            "stop_distance",
            "unprotected_since",
            "opened_at",
            "updated_at",
        )
        read_only_fields = fields
