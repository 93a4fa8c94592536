"""Limits, locks and switches for staff: to look at; a lock can be lifted here, and that is written down."""

from __future__ import annotations

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.selectors import signed_in
from justtrades.backoffice import HistoryAdmin
from risk import services, switch
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
from risk.services.limits import name_of


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
    )  # fmt: skip
    list_select_related = ("owner", "account")
    list_filter = ("status", "code", ("unlocked_at", admin.EmptyFieldListFilter))
    search_fields = ("owner__email", "account__name", "limit_key", "^id")
    actions = ("unlock",)

    @admin.action(description="Unlock: let entries through before the session ends")
    def unlock(self, request: HttpRequest, queryset: QuerySet[RiskAction]) -> None:
        for action in queryset.select_related("account", "limit"):
            try:
                services.unlock(action=action, actor=signed_in(request.user))
            except ValidationError as error:
                self.message_user(request, f"{action.account.name}: {' '.join(error.messages)}", messages.ERROR)
            else:
                self.message_user(request, f"{action.account.name} is unlocked.", messages.SUCCESS)


@admin.register(RiskEvent)
class RiskEventAdmin(HistoryAdmin):
    list_display = ("at", "kind", "owner", "actor", "text")
    list_select_related = ("owner", "actor")
    list_filter = ("kind",)
    search_fields = ("owner__email", "actor__email", "text", "^subject")


@admin.register(Switch)
class SwitchAdmin(HistoryAdmin):
    list_display = ("tripped_at", "scope", "mode", "owner", "actor", "reason", "released_at", "released_by")
    list_select_related = ("owner", "actor", "released_by")
    list_filter = ("scope", "mode", ("released_at", admin.EmptyFieldListFilter))
    search_fields = ("owner__email", "reason", "^target")
    actions = ("release",)

    @admin.action(description="Release: let new positions be opened again")
    def release(self, request: HttpRequest, queryset: QuerySet[Switch]) -> None:
        for tripped in queryset:
            try:
                switch.release(switch=tripped, actor=signed_in(request.user))
            except ValidationError as error:
                self.message_user(request, f"{tripped}: {' '.join(error.messages)}", messages.ERROR)
            else:
                self.message_user(request, f"{tripped} is released.", messages.SUCCESS)


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
