"""Traders for staff."""

from __future__ import annotations

from django.contrib import admin

from justtrades.backoffice import KeptAdmin
from recorders.admin import pretty
from traders.models import Trader


@admin.register(Trader)
class TraderAdmin(KeptAdmin):
    list_display = (
        "recorder",
        "account",
        "owner",
        "is_enabled",
        "route_of",
        "multiplier",
        "max_contracts",
        "custom_ticker",
        "created_at",
    )
    list_display_links = ("recorder", "account")
    list_select_related = ("recorder", "account", "owner", "route_of__recorder", "route_of__account")
    list_filter = ("is_enabled",)
    search_fields = ("recorder__name", "account__name", "owner__email", "^id")
    fields = (
        "owner",
        "recorder",
        "account",
        "route_of",
        "is_enabled",
        "multiplier",
        "max_contracts",
        "custom_ticker",
        "convert_size",
        "settings",
        "created_at",
    )
    # The ticker may only change where the services can see that it is one.
    readonly_fields = (
        "owner",
        "recorder",
        "account",
        "route_of",
        "custom_ticker",
        "convert_size",
        "settings",
        "created_at",
    )

    @admin.display(description="overrides")
    def settings(self, trader: Trader) -> str:
        return pretty(trader.overrides)
