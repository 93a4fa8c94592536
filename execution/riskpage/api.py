"""The risk page's figures over the API, and the operator's look at the monitors of losses."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import signed_in
from execution.riskpage.page import Card, Overview, overview
from execution.riskpage.status import age_of, monitor_status
from justtrades import clock
from justtrades.api import BaseApiView, PlainDecimalField
from risk.models import ActionStatus
from risk.serializers import ActionSerializer

Plain = serializers.Serializer[Any]


def _money(source: str | None = None, **more: Any) -> PlainDecimalField:
    named = {} if source is None else {"source": source}
    return PlainDecimalField(max_digits=24, decimal_places=4, allow_null=True, **named, **more)


class GaugeSerializer(Plain):
    """Dollars, or contracts and positions where `is_money` is false; null is not known."""

    key = serializers.CharField(help_text="As `limit_key` of an action has it.")
    name = serializers.CharField()
    whose = serializers.CharField()
    scope = serializers.CharField(help_text="trader, account, recorder, user, or pack for a prop firm's rule.")
    limit = serializers.UUIDField(source="limit_id", allow_null=True)
    had = _money()
    allowed = _money()
    room = _money(help_text="What may still be lost, won or added; 0 or less: reached.")
    used_percent = serializers.IntegerField(source="used", allow_null=True)
    state = serializers.CharField(help_text="room, near, reached, unknown or off.")
    is_money = serializers.BooleanField()
    is_target = serializers.BooleanField(help_text="Reached by winning.")


class RiskSwitchSerializer(Plain):
    """One that stops some of the user's trading."""

    id = serializers.UUIDField(source="switch.pk")
    scope = serializers.CharField(source="switch.scope")
    target = serializers.CharField(source="switch.target")
    whose = serializers.CharField(help_text="What it stops, for people.")
    mode = serializers.CharField(source="switch.mode")
    reason = serializers.CharField(source="switch.reason")
    tripped_at = serializers.DateTimeField(source="switch.tripped_at")


class RiskAccountSerializer(Plain):
    """One account's day. Ages are in seconds; `warnings` say why its figures are not to be relied on."""

    id = serializers.UUIDField(source="account.pk")
    name = serializers.CharField(source="account.name")
    venue = serializers.CharField(source="account.login.venue")
    is_watched = serializers.BooleanField(help_text="Its login is on, so that a monitor is to count it.")
    session = serializers.DateField(source="figures.day.session", default=None, allow_null=True)
    ends_at = serializers.DateTimeField(source="figures.day.ends_at", default=None, allow_null=True)
    pnl = _money("figures.pnl")
    realized = _money("figures.day.realized", default=None)
    open_pnl = _money("figures.day.open_pnl", default=None)
    fees = _money("figures.day.fees", default=None)
    venue_pnl = _money("figures.day.venue_pnl", default=None, help_text="What the broker itself counts, where it does.")
    equity = _money("figures.equity.equity", default=None)
    contracts = serializers.IntegerField(source="figures.day.contracts", default=None, allow_null=True)
    open_positions = serializers.IntegerField(source="figures.day.open_positions", default=None, allow_null=True)
    quote_age_s = serializers.SerializerMethodField(help_text="Of the oldest price in it.")
    books_age_s = serializers.SerializerMethodField(help_text="Since the broker last spoke of the account.")
    checked_age_s = serializers.SerializerMethodField()
    warnings = serializers.ListField(child=serializers.CharField())
    gauges = GaugeSerializer(source="every_meter", many=True)
    locks = serializers.SerializerMethodField()

    @extend_schema_field(serializers.FloatField(allow_null=True))
    def get_quote_age_s(self, card: Card) -> float | None:
        return self._age(card, "quote_at")

    @extend_schema_field(serializers.FloatField(allow_null=True))
    def get_books_age_s(self, card: Card) -> float | None:
        return self._age(card, "books_at")

    @extend_schema_field(serializers.FloatField(allow_null=True))
    def get_checked_age_s(self, card: Card) -> float | None:
        return self._age(card, "checked_at")

    @extend_schema_field(ActionSerializer(many=True))
    def get_locks(self, card: Card) -> Any:
        return ActionSerializer([lock.action for lock in card.locks], many=True, context=self.context).data

    def _age(self, card: Card, name: str) -> float | None:
        day = card.figures.day
        return None if day is None else age_of(getattr(day, name), clock.now())


class RiskOverviewSerializer(Plain):
    at = serializers.DateTimeField()
    pnl = _money(help_text="Of all watched accounts; null as soon as one of them is not known.")
    nearest = GaugeSerializer(allow_null=True, help_text="The limit of losses that is used up most.")
    unreliable = serializers.IntegerField(help_text="Watched accounts with a warning.")
    accounts = RiskAccountSerializer(source="cards", many=True)
    across = GaugeSerializer(many=True, help_text="Limits on a recorder's traders, or on everything.")
    switches = RiskSwitchSerializer(many=True)


class RiskOverviewView(BaseApiView):
    """How far every limit is away, and how fresh what is known of each account is."""

    @extend_schema(responses=RiskOverviewSerializer)
    def get(self, request: Request) -> Response:
        found: Overview = overview(signed_in(request.user))
        shown = {name: getattr(found, name) for name in ("pnl", "nearest", "unreliable", "cards", "across", "switches")}
        return Response(RiskOverviewSerializer({"at": clock.now(), **shown}, context={"request": request}).data)


class PaperMonitorSerializer(Plain):
    monitor_running = serializers.BooleanField()


class BreachSerializer(Plain):
    account = serializers.CharField()
    owner = serializers.CharField()
    code = serializers.CharField()
    text = serializers.CharField()
    had = _money()
    allowed = _money()
    status = serializers.ChoiceField(choices=ActionStatus.choices)
    locked = serializers.BooleanField()
    decided_at = serializers.DateTimeField()


class LiveMonitorSerializer(Plain):
    running = serializers.BooleanField(help_text="The monitor of every lane that has accounts beat within 5 seconds.")
    tradovate_accounts = serializers.IntegerField()
    projectx_accounts = serializers.IntegerField()
    breached_today = BreachSerializer(many=True)
    webull_accounts = serializers.IntegerField()
    ninjatrader_accounts = serializers.IntegerField()
    paper_accounts = serializers.IntegerField()


class WatchedAccountSerializer(Plain):
    """How old what is known of one account is, in seconds; null is never."""

    id = serializers.UUIDField()
    account = serializers.CharField()
    owner = serializers.CharField()
    venue = serializers.CharField()
    environment = serializers.CharField()
    lane = serializers.IntegerField()
    watched = serializers.BooleanField()
    session = serializers.DateField(allow_null=True)
    pnl = _money()
    open_positions = serializers.IntegerField(allow_null=True)
    quote_age_s = serializers.FloatField(allow_null=True)
    books_age_s = serializers.FloatField(allow_null=True)
    checked_age_s = serializers.FloatField(allow_null=True)
    warning = serializers.CharField()


class MonitorLaneSerializer(Plain):
    lane = serializers.IntegerField()
    running = serializers.BooleanField()
    heartbeat_age_s = serializers.FloatField(allow_null=True)
    accounts = serializers.IntegerField(allow_null=True)
    warnings = serializers.IntegerField(allow_null=True)


class MonitorStatusSerializer(Plain):
    paper_trades = PaperMonitorSerializer()
    live_accounts = LiveMonitorSerializer()
    accounts = WatchedAccountSerializer(many=True)
    lanes = MonitorLaneSerializer(many=True)


class MonitorStatusView(BaseApiView):
    """Whether losses are watched, on which accounts, by what data, and who reached a limit today. For staff."""

    permission_classes = (IsAdminUser,)

    @extend_schema(responses=MonitorStatusSerializer)
    def get(self, request: Request) -> Response:
        return Response(MonitorStatusSerializer(monitor_status()).data)
