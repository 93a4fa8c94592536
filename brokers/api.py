"""Broker logins and accounts over the API: to read, and never a secret."""

from __future__ import annotations

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from rest_framework import mixins, serializers

from brokers import selectors
from brokers.models import BrokerAccount, BrokerLogin
from justtrades.api import OwnRowsViewSet, StrictModelSerializer


class LoginSerializer(StrictModelSerializer):
    class Meta:
        model = BrokerLogin
        fields = (
            "id",
            "venue",
            "environment",
            "username",
            "is_enabled",
            "state",
            "state_detail",
            "state_at",
            "created_at",
        )
        read_only_fields = fields


class AccountSerializer(StrictModelSerializer):
    venue = serializers.CharField(source="login.venue", read_only=True)
    environment = serializers.CharField(source="login.environment", read_only=True)

    class Meta:
        model = BrokerAccount
        fields = ("id", "login", "venue", "environment", "broker_id", "name", "is_enabled", "created_at")
        read_only_fields = fields


class AccountFilter(filters.FilterSet):
    login = filters.UUIDFilter(field_name="login_id")
    is_enabled = filters.BooleanFilter()


class LoginViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OwnRowsViewSet):
    """One's sign-ins at brokers and how their connections are."""

    serializer_class = LoginSerializer

    def get_queryset(self) -> QuerySet[BrokerLogin]:
        return selectors.list_logins_for(self.request.user)


class AccountViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OwnRowsViewSet):
    """The tradable accounts of one's logins."""

    serializer_class = AccountSerializer
    filterset_class = AccountFilter

    def get_queryset(self) -> QuerySet[BrokerAccount]:
        return selectors.list_accounts_for(self.request.user)
