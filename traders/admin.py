"""Traders for staff."""

from __future__ import annotations

from django.contrib import admin

from justtrades.backoffice import KeptAdmin
from traders.models import Trader


@admin.register(Trader)
class TraderAdmin(KeptAdmin):
    list_display = ("recorder", "account", "owner", "is_enabled", "multiplier", "max_contracts", "created_at")
    list_display_links = ("recorder", "account")
    list_select_related = ("recorder", "account", "owner")
    list_filter = ("is_enabled",)
    search_fields = ("recorder__name", "account__name", "owner__email", "^id")
    fields = (
        "owner",
        "recorder",
        "account",
        "is_enabled",
        "multiplier",
        "initial_position_size",
        "target_ticks",
        "stop_ticks",
        "max_contracts",
        "created_at",
    )
    readonly_fields = ("owner", "recorder", "account", "created_at")
