"""What happened, for staff: every row of the machinery, read-only."""

from __future__ import annotations

from django.contrib import admin

from execution.models import (
    Alarm,
    Break,
    BrokerPosition,
    Command,
    Explanation,
    Fill,
    Flatten,
    Heartbeat,
    Order,
    OrderIntent,
    Position,
    Reconciliation,
    Transition,
    UnprotectedSpan,
)
from justtrades.backoffice import HistoryAdmin


@admin.register(OrderIntent)
class OrderIntentAdmin(HistoryAdmin):
    list_display = (
        "created_at",
        "owner",
        "account",
        "kind",
        "side",
        "qty",
        "symbol",
        "status",
        "reason_code",
        "attempts",
        "client_order_id",
    )
    list_select_related = ("owner", "account")
    list_filter = ("status", "kind", "source")
    search_fields = ("client_order_id", "symbol", "reason_code", "owner__email", "account__name", "^signal__id", "^id")


@admin.register(Order)
class OrderAdmin(HistoryAdmin):
    list_display = (
        "created_at",
        "owner",
        "account",
        "role",
        "side",
        "qty",
        "symbol",
        "order_type",
        "status",
        "filled_qty",
        "avg_price",
        "reject_code",
        "broker_order_id",
    )
    list_select_related = ("owner", "account")
    list_filter = ("status", "role", "order_type")
    search_fields = ("client_order_id", "broker_order_id", "symbol", "owner__email", "account__name", "^id")


@admin.register(Fill)
class FillAdmin(HistoryAdmin):
    list_display = ("filled_at", "account", "side", "qty", "symbol", "price", "broker_fill_id", "order", "applied_at")
    list_select_related = ("account", "order")
    list_filter = ("side", ("applied_at", admin.EmptyFieldListFilter))
    search_fields = ("broker_fill_id", "broker_order_id", "symbol", "account__name")


@admin.register(Position)
class PositionAdmin(HistoryAdmin):
    list_display = (
        "account",
        "owner",
        "trader",
        "symbol",
        "net_qty",
        "avg_price",
        "realized_pnl",
        "stop_distance",
        "unprotected_since",
        "updated_at",
    )
    list_select_related = ("account", "owner", "trader__recorder", "trader__account")
    list_filter = (("unprotected_since", admin.EmptyFieldListFilter),)
    search_fields = ("symbol", "account__name", "owner__email", "^trader__id")
    ordering = ("-updated_at",)


@admin.register(BrokerPosition)
class BrokerPositionAdmin(HistoryAdmin):
    list_display = ("account", "symbol", "net_qty", "avg_price", "reported_at")
    list_select_related = ("account",)
    search_fields = ("symbol", "account__name")
    ordering = ("-reported_at",)


@admin.register(Transition)
class TransitionAdmin(HistoryAdmin):
    list_display = ("at", "owner", "object_kind", "object_id", "from_state", "to_state", "detail")
    list_select_related = ("owner",)
    list_filter = ("object_kind",)
    search_fields = ("^object_id", "owner__email", "detail")
    ordering = ("-id",)


@admin.register(Heartbeat)
class HeartbeatAdmin(HistoryAdmin):
    list_display = ("name", "beat_at", "detail")


@admin.register(Command)
class CommandAdmin(HistoryAdmin):
    list_display = ("created_at", "kind", "owner", "actor")
    list_select_related = ("owner", "actor")
    list_filter = ("kind",)
    search_fields = ("owner__email", "^id")


@admin.register(Explanation)
class ExplanationAdmin(HistoryAdmin):
    list_display = ("digest", "created_at")
    search_fields = ("^digest",)


@admin.register(Flatten)
class FlattenAdmin(HistoryAdmin):
    list_display = (
        "began_at", "owner", "account", "trader", "source", "reason_code", "status", "tries", "flat_at", "alarmed_at",
        "detail",
    )  # fmt: skip
    list_select_related = ("owner", "account", "trader__recorder", "trader__account")
    list_filter = ("status", "source", ("alarmed_at", admin.EmptyFieldListFilter))
    search_fields = ("owner__email", "account__name", "reason_code", "^key", "^id")


@admin.register(Break)
class BreakAdmin(HistoryAdmin):
    list_display = (
        "first_seen_at", "owner", "account", "kind", "symbol", "ours", "theirs", "state", "pauses_entries",
        "sightings", "resolved_at", "resolved_by", "resolution",
    )  # fmt: skip
    list_select_related = ("owner", "account", "resolved_by")
    list_filter = ("state", "kind", "pauses_entries")
    search_fields = ("owner__email", "account__name", "symbol", "^ref", "^id")


@admin.register(Alarm)
class AlarmAdmin(HistoryAdmin):
    list_display = ("raised_at", "owner", "account", "code", "text", "seen_at", "ended_at")
    list_select_related = ("owner", "account")
    list_filter = ("code", ("ended_at", admin.EmptyFieldListFilter))
    search_fields = ("owner__email", "account__name", "text", "^ref")


@admin.register(UnprotectedSpan)
class UnprotectedSpanAdmin(HistoryAdmin):
    list_display = ("began_at", "owner", "account", "venue", "symbol", "ended_at", "ended_by", "was_acted_on")
    list_select_related = ("owner", "account")
    list_filter = ("venue", "ended_by", "was_acted_on")
    search_fields = ("owner__email", "account__name", "symbol")
    ordering = ("-began_at",)


@admin.register(Reconciliation)
class ReconciliationAdmin(HistoryAdmin):
    list_display = ("account", "compared_at", "failed_looks", "failed_at", "failure")
    list_select_related = ("account",)
    search_fields = ("account__name", "account__owner__email")
    ordering = ("compared_at",)
