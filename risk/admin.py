"""Limits, locks and switches for staff: to look at. What lifts one is a page that asks for the password once more."""

from __future__ import annotations

from uuid import UUID

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html

from justtrades.backoffice import HistoryAdmin
from risk.models import (
    AccountDay,
    AccountEquity,
    AccountRules,
    PackAssignment,
    RiskAction,
    RiskEvent,
    RiskLimit,
    Switch,
)
from risk.selectors import is_in_force
from risk.services.limits import name_of


def _door(name: str, pk: UUID, text: str) -> str:
    return format_html('<a href="{}">{}</a>', reverse(name, args=[pk]), text)


@admin.register(RiskLimit)
class RiskLimitAdmin(HistoryAdmin):
    """Changed on the risk page or over the API, where it is checked and written down."""

    list_display = ("owner", "scope", "target", "kind", "amount", "unit", "is_enabled", "owner_may_unlock")
    list_select_related = ("owner", "trader__recorder", "trader__account", "account", "recorder")
    list_filter = ("scope", "kind", "is_enabled")
    search_fields = ("owner__email", "account__name", "recorder__name", "^id")

    @admin.display(description="on")
    def target(self, limit: RiskLimit) -> str:
        return name_of(limit)


@admin.register(RiskAction)
class RiskActionAdmin(HistoryAdmin):
    list_display = (
        "decided_at", "owner", "account", "code", "had", "allowed", "status", "flat_at", "locks_until", "unlocked_at",
        "lift",
    )  # fmt: skip
    list_select_related = ("owner", "account")
    list_filter = ("status", "code", ("unlocked_at", admin.EmptyFieldListFilter))
    search_fields = ("owner__email", "account__name", "limit_key", "^id")

    @admin.display(description="lock")
    def lift(self, action: RiskAction) -> str:
        return _door("risk_unlock", action.pk, "Unlock") if is_in_force(action) else "over"


@admin.register(RiskEvent)
class RiskEventAdmin(HistoryAdmin):
    list_display = ("at", "kind", "owner", "actor", "text")
    list_select_related = ("owner", "actor")
    list_filter = ("kind",)
    search_fields = ("owner__email", "actor__email", "text", "^subject")


@admin.register(Switch)
class SwitchAdmin(HistoryAdmin):
    list_display = ("tripped_at", "scope", "mode", "owner", "actor", "reason", "released_at", "released_by", "lift")
    list_select_related = ("owner", "actor", "released_by")
    list_filter = ("scope", "mode", ("released_at", admin.EmptyFieldListFilter))
    search_fields = ("owner__email", "reason", "^target")

    @admin.display(description="in force")
    def lift(self, tripped: Switch) -> str:
        return _door("risk_switch_release", tripped.pk, "Release") if tripped.released_at is None else "no"


@admin.register(AccountDay)
class AccountDayAdmin(HistoryAdmin):
    list_display = (
        "account", "session", "realized", "fees", "open_pnl", "venue_pnl", "contracts", "checked_at", "warning",
    )  # fmt: skip
    list_select_related = ("account",)
    search_fields = ("account__name", "account__owner__email", "warning")
    ordering = ("-session", "account__name")


@admin.register(AccountEquity)
class AccountEquityAdmin(HistoryAdmin):
    list_display = ("account", "equity", "intraday_high", "end_of_day_high", "reset_at", "updated_at")
    list_select_related = ("account",)
    search_fields = ("account__name", "account__owner__email")
    ordering = ("account__name",)


@admin.register(AccountRules)
class AccountRulesAdmin(HistoryAdmin):
    list_display = (
        "account", "fee_per_contract", "roll_at", "roll_zone", "unprotected_policy", "unprotected_after_s",
    )  # fmt: skip
    list_select_related = ("account",)
    search_fields = ("account__name", "account__owner__email")


@admin.register(PackAssignment)
class PackAssignmentAdmin(HistoryAdmin):
    list_display = ("account", "pack", "version", "start_balance", "is_enforced", "assigned_at")
    list_select_related = ("account",)
    list_filter = ("pack", "is_enforced")
    search_fields = ("account__name", "account__owner__email")
