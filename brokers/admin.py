"""Broker logins and accounts for staff. Secrets are neither shown nor read: the query leaves them in the database."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from brokers.models import BrokerAccount, BrokerAgreement, BrokerLogin, PaperBook
from brokers.selectors import SECRET_COLUMNS, secrets_of
from justtrades.backoffice import HistoryAdmin, KeptAdmin


@admin.register(BrokerLogin)
class BrokerLoginAdmin(KeptAdmin):
    list_display = (
        "username", "venue", "firm", "environment", "owner", "is_enabled", "state", "state_detail", "state_at",
    )  # fmt: skip
    list_select_related = ("owner",)
    list_filter = ("venue", "environment", "auth_kind", "is_enabled", "state")
    search_fields = ("username", "owner__email", "^id")
    fields = (
        "owner", "venue", "environment", "firm", "username", "auth_kind", "settings", "is_enabled", "awaits_approval",
        "state", "state_detail", "state_at", "token_expires_at", "reconnect_at", "device_id", "lane_slot", "created_at",
        "deleted_at",
    )  # fmt: skip
    readonly_fields = tuple(name for name in fields if name != "is_enabled")

    def get_queryset(self, request: HttpRequest) -> QuerySet[BrokerLogin]:
        logins: QuerySet[BrokerLogin] = super().get_queryset(request)
        return logins.defer(*SECRET_COLUMNS)


@admin.register(BrokerAccount)
class BrokerAccountAdmin(KeptAdmin):
    list_display = ("name", "broker_id", "login", "owner", "kind", "can_trade", "is_enabled", "created_at")
    list_select_related = ("login", "owner")
    list_filter = ("login__venue", "login__environment", "is_enabled", "can_trade")
    search_fields = ("name", "broker_id", "owner__email", "^id")
    fields = (
        "owner", "login", "broker_id", "name", "kind", "is_simulated", "can_trade", "is_enabled", "preflight",
        "preflight_at", "created_at",
    )  # fmt: skip
    readonly_fields = tuple(name for name in fields if name != "is_enabled")

    def get_queryset(self, request: HttpRequest) -> QuerySet[BrokerAccount]:
        accounts: QuerySet[BrokerAccount] = super().get_queryset(request)
        return accounts.defer(*secrets_of("login"))


@admin.register(BrokerAgreement)
class BrokerAgreementAdmin(HistoryAdmin):
    list_display = ("owner", "venue", "firm", "agreed_at")
    list_select_related = ("owner",)
    list_filter = ("venue",)
    search_fields = ("owner__email", "venue", "firm")


@admin.register(PaperBook)
class PaperBookAdmin(HistoryAdmin):
    list_display = ("login", "revision", "updated_at")
    list_select_related = ("login",)
    search_fields = ("login__username", "login__owner__email", "^login__id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[PaperBook]:
        books: QuerySet[PaperBook] = super().get_queryset(request)
        return books.defer(*secrets_of("login"))
