"""Broker logins and accounts for staff. Secrets are neither shown nor read: the query leaves them in the database."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from brokers.models import BrokerAccount, BrokerLogin
from justtrades.backoffice import KeptAdmin


@admin.register(BrokerLogin)
class BrokerLoginAdmin(KeptAdmin):
    list_display = ("username", "venue", "environment", "owner", "is_enabled", "state", "state_detail", "state_at")
    list_select_related = ("owner",)
    list_filter = ("venue", "environment", "is_enabled", "state")
    search_fields = ("username", "owner__email", "^id")
    fields = (
        "owner",
        "venue",
        "environment",
        "username",
        "is_enabled",
        "state",
        "state_detail",
        "state_at",
        "device_id",
        "lane_slot",
        "created_at",
    )
    readonly_fields = tuple(name for name in fields if name != "is_enabled")

    def get_queryset(self, request: HttpRequest) -> QuerySet[BrokerLogin]:
        logins: QuerySet[BrokerLogin] = super().get_queryset(request)
        return logins.defer("password", "app_secret", "token")


@admin.register(BrokerAccount)
class BrokerAccountAdmin(KeptAdmin):
    list_display = ("name", "broker_id", "login", "owner", "is_enabled", "created_at")
    list_select_related = ("login", "owner")
    list_filter = ("login__venue", "login__environment", "is_enabled")
    search_fields = ("name", "broker_id", "owner__email", "^id")
    fields = ("owner", "login", "broker_id", "name", "is_enabled", "created_at")
    readonly_fields = ("owner", "login", "broker_id", "name", "created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[BrokerAccount]:
        accounts: QuerySet[BrokerAccount] = super().get_queryset(request)
        return accounts.defer("login__password", "login__app_secret", "login__token")
