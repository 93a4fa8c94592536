"""Broker logins and accounts over the API: to connect, ask and switch, and never a secret in an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from accounts.selectors import signed_in
from brokers import picker, selectors, services
from brokers.models import BrokerAccount, BrokerLogin, Environment
from brokers.registry import VENUES
from justtrades.api import ApiErrorSerializer, ApiView, OwnRowsViewSet, StrictModelSerializer, StrictSerializer

_LONGEST = 1024


class PreflightCheckSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    is_ok = serializers.BooleanField()
    text = serializers.CharField()


class AccountSerializer(StrictModelSerializer):
    venue = serializers.CharField(source="login.venue", read_only=True)
    environment = serializers.CharField(source="login.environment", read_only=True)
    preflight = PreflightCheckSerializer(
        many=True, read_only=True, help_text="What the broker last said to each question."
    )

    class Meta:
        model = BrokerAccount
        fields = (
            "id", "login", "venue", "environment", "broker_id", "name", "kind", "is_simulated", "can_trade",
            "is_enabled", "preflight", "preflight_at", "created_at",
        )  # fmt: skip
        read_only_fields = fields


class LoginSerializer(StrictModelSerializer):
    class Meta:
        model = BrokerLogin
        fields: tuple[str, ...] = (
            "id", "venue", "environment", "firm", "username", "auth_kind", "is_enabled", "awaits_approval", "state",
            "state_detail", "state_at", "token_expires_at", "reconnect_at", "created_at",
        )  # fmt: skip
        read_only_fields = fields


class ConnectedLoginSerializer(LoginSerializer):
    accounts = AccountSerializer(many=True, read_only=True)

    class Meta(LoginSerializer.Meta):
        fields = (*LoginSerializer.Meta.fields, "accounts")
        read_only_fields = fields


class ConnectSerializer(StrictSerializer):
    """What a venue asks for is named in its refusal of empty `fields`."""

    venue = serializers.CharField(max_length=32)
    environment = serializers.CharField(max_length=16)
    agree = serializers.BooleanField(
        default=False, help_text="You have read the venue's rules on automated trading and keep to them."
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # `fields` is what a serializer calls its own fields, so one of that name cannot be declared in the class.
        asked = serializers.DictField(
            child=serializers.CharField(allow_blank=True, max_length=_LONGEST, trim_whitespace=False),
            help_text="What the venue asks for, by name.",
        )
        return {**super().get_fields(), "fields": asked}


class PreflightRequestSerializer(StrictSerializer):
    account = serializers.UUIDField(required=False, help_text="Only this one of the login's accounts.")
    symbol = serializers.CharField(max_length=32, required=False, help_text="A contract such as MNQZ6.")


class AccountFilter(filters.FilterSet):
    login = filters.UUIDFilter(field_name="login_id")
    is_enabled = filters.BooleanFilter()


class LoginViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OwnRowsViewSet):
    """One's sign-ins at brokers and how their connections are."""

    serializer_class = LoginSerializer

    def get_queryset(self) -> QuerySet[BrokerLogin]:
        return selectors.list_logins_for(self.request.user)


class LoginActionsViewSet(OwnRowsViewSet):
    """What can be done with a login."""

    serializer_class = LoginSerializer

    def get_queryset(self) -> QuerySet[BrokerLogin]:
        return selectors.list_logins_for(self.request.user)

    @extend_schema(
        request=PreflightRequestSerializer,
        responses={200: AccountSerializer(many=True), 400: ApiErrorSerializer},
        filters=False,
    )
    @action(detail=True, methods=["post"], pagination_class=None)
    def preflight(self, request: Request, pk: str) -> Response:
        """Ask the broker whether the login's accounts could trade right now; each check stands in the answer."""
        login = self.get_object()
        given = PreflightRequestSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        accounts = selectors.list_accounts_for(request.user).filter(login=login)
        if "account" in given.validated_data:
            accounts = accounts.filter(pk=given.validated_data["account"])
            if not accounts.exists():
                raise ValidationError({"account": "There is no such account of this login."})
        asked = list(accounts)
        for account in asked:
            services.run_preflight(account=account, symbol=given.validated_data.get("symbol"))
        return Response(AccountSerializer(asked, many=True).data)

    @extend_schema(request=None, responses={200: LoginSerializer, 400: ApiErrorSerializer}, filters=False)
    @action(detail=True, methods=["post"])
    def reconnect(self, request: Request, pk: str) -> Response:
        """Drop the login's connection and open a new one."""
        return self._answer(services.reconnect_login(login=self.get_object()))

    @extend_schema(request=None, responses={200: LoginSerializer, 400: ApiErrorSerializer}, filters=False)
    @action(detail=True, methods=["post"])
    def enable(self, request: Request, pk: str) -> Response:
        return self._answer(services.enable_login(login=self.get_object()))

    @extend_schema(request=None, responses={200: LoginSerializer}, filters=False)
    @action(detail=True, methods=["post"])
    def disable(self, request: Request, pk: str) -> Response:
        """Nothing is sent for its accounts until it is enabled again; stops and targets stay at the broker."""
        return self._answer(services.disable_login(login=self.get_object()))

    def _answer(self, login: BrokerLogin) -> Response:
        return Response(self.get_serializer(login).data)


class ConnectView(ApiView):
    """Connect a login: the broker is asked now, and named accounts come with the answer."""

    serializer_class = ConnectSerializer

    @extend_schema(request=ConnectSerializer, responses={201: ConnectedLoginSerializer, 400: ApiErrorSerializer})
    def post(self, request: Request) -> Response:
        given = ConnectSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        user, asked = signed_in(request.user), given.validated_data
        check_agreement(user, **asked)
        login = services.connect_login(
            owner=user, venue=asked["venue"], environment=asked["environment"], **asked["fields"]
        )
        return Response(ConnectedLoginSerializer(login).data, status=status.HTTP_201_CREATED)


def check_agreement(user: User, venue: str, environment: str, fields: Mapping[str, str], *, agree: bool) -> None:
    """Our own sandbox has no rules; elsewhere they are agreed to now or were before. Raises `ValidationError`.

    What does not exist has no rules either: connecting refuses it.
    """
    firm = fields.get(picker.FIRM_FIELD, "")
    if venue not in VENUES or environment not in set(VENUES[venue].environments) - {Environment.SANDBOX}:
        return
    try:
        policy = picker.policy_of(venue, firm)
    except KeyError:
        return
    if agree and policy:
        services.agree(owner=user, venue=venue, firm=firm)
    elif policy and selectors.find_agreement_for(user, venue, firm) is None:
        raise ValidationError({"agree": f"Connecting needs your agreement: {policy}"})


class AccountViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OwnRowsViewSet):
    """The tradable accounts of one's logins."""

    serializer_class = AccountSerializer
    filterset_class = AccountFilter

    def get_queryset(self) -> QuerySet[BrokerAccount]:
        return selectors.list_accounts_for(self.request.user)
