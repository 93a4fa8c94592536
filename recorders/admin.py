"""Recorders and signals for staff. An address is only ever shown by its last four characters."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from unfold.admin import TabularInline

from justtrades.backoffice import HistoryAdmin, KeptAdmin
from recorders import selectors
from recorders.models import Notice, Recorder, Signal, StrategyChain, WebhookToken


def pretty(document: Mapping[str, Any]) -> str:
    """A JSON column as people read it."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    return format_html('<pre style="white-space: pre-wrap">{}</pre>', text)


class WebhookTokenInline(TabularInline):
    model = WebhookToken
    fields = ("last_four", "created_at", "expires_at")
    readonly_fields = fields
    extra = 0
    can_delete = False

    def has_add_permission(self, _request: HttpRequest, _obj: Recorder | None = None) -> bool:
        return False


@admin.register(Recorder)
class RecorderAdmin(KeptAdmin):
    list_display = ("name", "owner", "is_enabled", "on_desync", "expected_every_minutes", "created_at")
    list_select_related = ("owner",)
    list_filter = ("is_enabled", "on_desync")
    search_fields = ("name", "owner__email", "^id")
    fields = (
        "name",
        "owner",
        "is_enabled",
        "on_desync",
        "expected_every_minutes",
        "symbols",
        "settings",
        "created_at",
    )
    readonly_fields = ("owner", "symbols", "settings", "created_at")
    inlines = (WebhookTokenInline,)

    @admin.display(description="symbol map")
    def symbols(self, recorder: Recorder) -> str:
        return pretty(recorder.symbol_map)

    @admin.display(description="settings")
    def settings(self, recorder: Recorder) -> str:
        return pretty(recorder.template)


@admin.register(WebhookToken)
class WebhookTokenAdmin(HistoryAdmin):
    list_display = ("last_four", "recorder", "owner", "created_at", "expires_at")
    list_select_related = ("recorder__owner",)
    search_fields = ("last_four", "recorder__name", "recorder__owner__email")
    fields = ("recorder", "last_four", "created_at", "expires_at")

    @admin.display(ordering="recorder__owner__email")
    def owner(self, token: WebhookToken) -> str:
        return token.recorder.owner.email


@admin.register(Signal)
class SignalAdmin(HistoryAdmin):
    list_display = (
        "received_at",
        "owner",
        "recorder",
        "status",
        "reason_code",
        "action",
        "ticker",
        "quantity",
        "price",
    )
    list_select_related = ("owner", "recorder")
    list_filter = ("status", "has_weak_key")
    search_fields = ("ticker", "reason_code", "owner__email", "recorder__name", "^id")
    fields = (
        "id",
        "owner",
        "recorder",
        "status",
        "reason_code",
        "reason_text",
        "body_text",
        "action",
        "ticker",
        "quantity",
        "price",
        "position",
        "prev_position",
        "fired_at",
        "received_at",
        "planned_at",
        "plan_attempts",
        "resend_count",
        "has_weak_key",
        "source_ip",
    )

    @admin.display(description="alert")
    def body_text(self, signal: Signal) -> str:
        return selectors.body_text(signal)


@admin.register(StrategyChain)
class StrategyChainAdmin(HistoryAdmin):
    list_display = ("recorder", "ticker", "tip", "base", "missing", "changed_at")
    list_select_related = ("recorder",)
    search_fields = ("ticker", "recorder__name", "recorder__owner__email")
    ordering = ("-changed_at",)


@admin.register(Notice)
class NoticeAdmin(HistoryAdmin):
    list_display = ("created_at", "owner", "recorder", "kind", "subject", "text", "ended_at")
    list_select_related = ("owner", "recorder")
    list_filter = ("kind", ("ended_at", admin.EmptyFieldListFilter))
    search_fields = ("text", "subject", "owner__email", "recorder__name")
