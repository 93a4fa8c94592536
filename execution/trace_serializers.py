"""A trace as the API shows it: what the page of a trace says, field by field, read-only."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from execution.dialogue import Exchange
from execution.explained import Explained
from execution.serializers import FillSerializer
from execution.trader_trace import TraderTrace, Wish
from justtrades.api import PlainDecimalField
from recorders.models import Signal
from recorders.selectors import body_text

Plain = serializers.Serializer[Any]


def _points(**kwargs: Any) -> PlainDecimalField:
    return PlainDecimalField(max_digits=None, decimal_places=None, **kwargs)


class MomentSerializer(Plain):
    name = serializers.CharField(help_text="alert, received, stored, planned, sent, acknowledged, filled, protected.")
    at = serializers.DateTimeField(allow_null=True, help_text="Null where it has not come, or is not recorded.")
    ms = serializers.FloatField(allow_null=True, help_text="Milliseconds since the last known moment before it.")
    total_ms = serializers.FloatField(allow_null=True, help_text="Milliseconds since the alert was received.")
    note = serializers.CharField(help_text="What to know of how it was measured.")


class SlippageSerializer(Plain):
    """Positive is worse for the trader."""

    ticks = _points(help_text="Per contract; parts of a tick where an average lies between two.")
    dollars = _points(help_text="Of all contracts together.")
    contracts = serializers.IntegerField()
    alert_price = _points(source="reference")
    fill_price = _points(source="average")


class GateSerializer(Plain):
    code = serializers.CharField()
    state = serializers.ChoiceField(choices=["passed", "denied", "off", "not_reached"])
    had = serializers.CharField()
    limit = serializers.CharField()


class SettingSerializer(Plain):
    name = serializers.CharField()
    value = serializers.JSONField()
    text = serializers.CharField(help_text="The value with its unit.")
    # "source" is also the name of a serializer's own attribute, which an instance of this one never needs.
    source = serializers.ChoiceField(choices=["recorder", "trader", "alert"])  # type: ignore[assignment]
    is_default = serializers.BooleanField(help_text="Nobody changed it from what it is anyway.")
    title = serializers.CharField()
    description = serializers.CharField()


class CheckRowSerializer(Plain):
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=["passed", "denied", "not_reached"])
    had = serializers.CharField()
    limit = serializers.CharField()


class CheckSerializer(Plain):
    outcome = serializers.ChoiceField(
        choices=["passed", "denied", "not_asked"], help_text="not_asked: declined before it came to the check."
    )
    code = serializers.CharField()
    text = serializers.CharField()
    had = serializers.CharField(help_text="What the check that denied it found.")
    limit = serializers.CharField(help_text="What it allows.")
    rows = CheckRowSerializer(many=True, help_text="Every check in its order; the first denial is the reason.")


class BracketLineSerializer(Plain):
    contracts = serializers.IntegerField()
    target_points = serializers.CharField(allow_null=True)
    stop_points = serializers.CharField(allow_null=True)
    trail_points = serializers.CharField(allow_null=True)
    trail_after_points = serializers.CharField(allow_null=True)
    trail_step_points = serializers.CharField(allow_null=True)


class AskedSerializer(Plain):
    kind = serializers.ChoiceField(
        choices=["order", "order_with_bracket", "close_position", "bracket_leg", "exit_order"],
        help_text="bracket_leg: it went with its entry's request.",
    )
    side = serializers.CharField()
    contracts = serializers.IntegerField()
    symbol = serializers.CharField()
    order_type = serializers.CharField()
    price = _points(allow_null=True)
    stop_price = _points(allow_null=True)
    client_order_id = serializers.CharField(allow_null=True)
    bracket = BracketLineSerializer(many=True)


class AnsweredSerializer(Plain):
    accepted = serializers.BooleanField(allow_null=True, help_text="Null while nobody knows.")
    status = serializers.CharField()
    broker_order_id = serializers.CharField(allow_null=True)
    broker_strategy_id = serializers.CharField()
    code = serializers.CharField(help_text="The broker's own code of a rejection.")
    text = serializers.CharField(help_text="The broker's own text of a rejection, without secrets.")


class ExchangeSerializer(Plain):
    id = serializers.UUIDField(source="order.pk")
    role = serializers.CharField(source="order.role")
    started_at = serializers.DateTimeField(source="order.submit_started_at", allow_null=True)
    request = AskedSerializer()
    response = AnsweredSerializer()
    filled_contracts = serializers.IntegerField(source="order.filled_qty")
    avg_price = _points(source="order.avg_price", allow_null=True)
    fills = serializers.SerializerMethodField()

    @extend_schema_field(FillSerializer(many=True))
    def get_fills(self, said: Exchange) -> Any:
        return FillSerializer([row.fill for row in said.fills], many=True).data


class WishSerializer(Plain):
    id = serializers.UUIDField(source="intent.pk")
    leg = serializers.CharField(source="intent.leg")
    kind = serializers.CharField(source="intent.kind")
    symbol = serializers.CharField(source="intent.symbol")
    side = serializers.CharField(source="intent.side")
    contracts = serializers.IntegerField(source="intent.qty")
    status = serializers.CharField(source="intent.status")
    reason_code = serializers.CharField(source="intent.reason_code")
    reason_text = serializers.CharField(source="reason")
    attempts = serializers.IntegerField(source="intent.attempts")
    check = CheckSerializer(help_text="The pre-trade checks, when it was planned and when it was sent.")
    orders = serializers.SerializerMethodField()

    @extend_schema_field(ExchangeSerializer(many=True))
    def get_orders(self, wish: Wish) -> Any:
        return ExchangeSerializer(wish.exchanges, many=True).data


class SizeSerializer(Plain):
    asked = serializers.IntegerField(help_text="What the settings came to.")
    contracts = serializers.IntegerField(help_text="What the limits left of it.")
    limit = serializers.CharField(help_text="The setting that cut it; empty where none did.")


class DeclinedSerializer(Plain):
    code = serializers.CharField()
    text = serializers.CharField()


class PlannedExitSerializer(Plain):
    contracts = serializers.IntegerField()
    target_points = serializers.CharField(allow_null=True)
    stop_points = serializers.CharField(allow_null=True)


class PlannedLegSerializer(Plain):
    leg = serializers.CharField()
    kind = serializers.CharField()
    side = serializers.CharField()
    contracts = serializers.IntegerField()
    order_type = serializers.CharField()
    price = serializers.CharField(allow_null=True)
    exits = PlannedExitSerializer(many=True)


class ExplainedSerializer(Plain):
    act = serializers.CharField(help_text="enter, add, exit, reduce, reverse, re_enter, cancel, nothing.")
    held = serializers.IntegerField(help_text="Signed contracts before it, with what was under way.")
    contract = serializers.CharField()
    conversion = serializers.CharField(help_text="Contracts traded for one of the signal's.")
    cash = serializers.CharField(allow_null=True)
    gates = GateSerializer(many=True)
    size = SizeSerializer(allow_null=True)
    plan = PlannedLegSerializer(many=True)
    declined = DeclinedSerializer(allow_null=True)


class EventSerializer(Plain):
    at = serializers.DateTimeField()
    kind = serializers.ChoiceField(choices=["recorded", "stamped"])
    subject = serializers.CharField()
    before = serializers.CharField()
    after = serializers.CharField()
    detail = serializers.CharField()


class TraceSerializer(Plain):
    """One signal and one trader, but for the settings, which the address of the single trace has."""

    trader = serializers.UUIDField(source="trader.pk")
    account = serializers.UUIDField(source="trader.account_id")
    account_name = serializers.CharField(source="trader.account.name")
    outcome = serializers.CharField(help_text="The status of its entry, or of what there is instead.")
    reason_code = serializers.CharField()
    reason_text = serializers.CharField()
    decision = ExplainedSerializer(source="explained", allow_null=True, help_text="Null where nothing was weighed.")
    phases = MomentSerializer(many=True)
    slippage = SlippageSerializer(allow_null=True)
    slippage_note = serializers.CharField(help_text="Why there is no slippage.")
    intents = WishSerializer(source="wishes", many=True)


class ReceivedSerializer(Plain):
    """The alert as it was stored and understood."""

    id = serializers.UUIDField(source="pk")
    recorder = serializers.UUIDField(source="recorder_id")
    status = serializers.CharField()
    reason_code = serializers.CharField()
    reason_text = serializers.CharField()
    body = serializers.SerializerMethodField(help_text="As it is stored: secrets of other services were taken out.")
    dialect = serializers.CharField()
    flags = serializers.SerializerMethodField()
    action = serializers.CharField()
    ticker = serializers.CharField()
    quantity = _points(allow_null=True)
    price = _points(allow_null=True)
    link = serializers.CharField(help_text="first, in_order, reordered, late or gap: its place in the chain of alerts.")
    strategy_before = _points(allow_null=True)
    strategy_after = _points(allow_null=True)
    overrides = serializers.JSONField(help_text="Settings that the alert itself stated.")
    resend_count = serializers.IntegerField()
    received_at = serializers.DateTimeField()

    def get_body(self, signal: Signal) -> str:
        return body_text(signal)

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_flags(self, signal: Signal) -> list[str]:
        return signal.flags.split()


class TraceDetailSerializer(TraceSerializer):
    signal = ReceivedSerializer()
    settings = serializers.SerializerMethodField(help_text="Empty where nothing was weighed.")
    events = EventSerializer(many=True, help_text="Every recorded change, in order of time.")

    @extend_schema_field(SettingSerializer(many=True))
    def get_settings(self, trace: TraderTrace) -> Any:
        known: Explained | None = trace.explained
        return [] if known is None else SettingSerializer(known.settings, many=True).data
