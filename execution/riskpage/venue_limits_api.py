"""The broker's own loss limits of an account over the API."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import signed_in
from accounts.step_up import StepUpSerializer, proof_in, prove
from brokers.models import BrokerAccount
from brokers.selectors import list_accounts_for
from brokers.services import has_venue_limits, known_venue_limits
from brokers.venue import DRAWDOWN_MODES
from execution.riskpage import venue_limits
from justtrades.api import ApiErrorSerializer, ApiView, PlainDecimalField, StrictSerializer


def _dollars(**more: Any) -> PlainDecimalField:
    return PlainDecimalField(max_digits=12, decimal_places=2, allow_null=True, required=False, **more)


class DollarLimitsSerializer(StrictSerializer):
    daily_loss_alert = _dollars()
    daily_loss_liq_only = _dollars(help_text="From here on nothing can be opened or added to.")
    daily_loss_auto_liq = _dollars(help_text="Here the broker closes everything.")
    weekly_loss_auto_liq = _dollars()
    daily_profit_auto_liq = _dollars()
    weekly_profit_auto_liq = _dollars()
    drawdown = _dollars(help_text="Trailing, from the highest worth.")
    drawdown_stops_at = _dollars()


class SettableLimitsSerializer(StepUpSerializer, DollarLimitsSerializer):
    """Dollars; null takes a limit away, and what is not named stays as the broker has it.

    `password` and `code` are for what takes a limit away or raises it.
    """

    drawdown_mode = serializers.ChoiceField(DRAWDOWN_MODES, allow_null=True, required=False)


class BrokersLimitsSerializer(DollarLimitsSerializer):
    drawdown_mode = serializers.CharField(allow_null=True)
    daily_loss_percent_alert = PlainDecimalField(max_digits=12, decimal_places=4, allow_null=True)
    daily_loss_percent_liq_only = PlainDecimalField(max_digits=12, decimal_places=4, allow_null=True)
    daily_loss_percent_auto_liq = PlainDecimalField(max_digits=12, decimal_places=4, allow_null=True)
    flattens_at = serializers.DateTimeField(allow_null=True)
    is_locked = serializers.BooleanField(help_text="Nobody may change them now.")


class VenueLimitsSerializer(serializers.Serializer[Any]):
    """`limits` are what the broker said at `asked_at`; null where it was never asked."""

    account = serializers.UUIDField()
    has_limits = serializers.BooleanField(help_text="Whether this broker enforces limits that we can read and set.")
    asked_at = serializers.DateTimeField(allow_null=True)
    limits = BrokersLimitsSerializer(allow_null=True)


class VenueLimitsView(ApiView):
    """What the broker itself enforces on an account, whether or not this platform runs."""

    serializer_class = VenueLimitsSerializer

    def get_queryset(self) -> QuerySet[BrokerAccount]:
        return list_accounts_for(self.request.user)

    @extend_schema(responses=VenueLimitsSerializer)
    def get(self, request: Request, pk: UUID) -> Response:
        """What the broker said when it was last asked."""
        return _answer(self.get_object())

    @extend_schema(request=None, responses={200: VenueLimitsSerializer, 400: ApiErrorSerializer})
    def post(self, request: Request, pk: UUID) -> Response:
        """Ask the broker now."""
        account = self.get_object()
        venue_limits.ask(account=account)
        return _answer(account)

    @extend_schema(
        request=SettableLimitsSerializer,
        responses={
            200: VenueLimitsSerializer, 400: ApiErrorSerializer, 403: ApiErrorSerializer, 429: ApiErrorSerializer,
        },
    )  # fmt: skip
    def put(self, request: Request, pk: UUID) -> Response:
        """Set limits at the broker; the answer is what it has afterwards.

        What takes a limit away or raises it asks for the password, or the code of a second factor, once more.
        """
        account = self.get_object()
        given = SettableLimitsSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        changes = dict(given.validated_data)
        proof = proof_in(changes)
        if venue_limits.loosens(account, changes):
            prove(request, self, **proof)
        venue_limits.set_limits(actor=signed_in(request.user), account=account, changes=changes)
        return _answer(account)


def _answer(account: BrokerAccount) -> Response:
    said = {
        "account": account.pk,
        "has_limits": has_venue_limits(account),
        "asked_at": account.venue_limits_at,
        "limits": known_venue_limits(account),
    }
    return Response(VenueLimitsSerializer(said).data)
