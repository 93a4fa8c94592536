"""Rows for tests: each factory makes its model with what it needs, and everything of a chain has one owner."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import factory
from factory.django import DjangoModelFactory

from accounts.models import User
from brokers.base import ConnectionState, OrderRole, OrderStatus, OrderType, Side
from brokers.models import BrokerAccount, BrokerLogin, Environment
from brokers.services import lane_slot_of
from execution.models import (
    BrokerPosition,
    Command,
    Explanation,
    Fill,
    Heartbeat,
    IntentKind,
    IntentSource,
    IntentStatus,
    ObjectKind,
    Order,
    OrderIntent,
    Position,
    Transition,
)
from justtrades import clock
from justtrades.ids import client_order_id, idempotency_key
from recorders.models import Recorder, Signal, SignalStatus, StrategyChain, WebhookToken
from recorders.services import hash_token
from tests.stored import bracket, template
from traders.models import Trader

SYMBOL = "MESZ6"


class UserFactory(DjangoModelFactory[User]):
    class Meta:
        model = User

    email = factory.Sequence("user{}@example.com".format)
    is_approved = True


class RecorderFactory(DjangoModelFactory[Recorder]):
    class Meta:
        model = Recorder

    class Params:
        settings: Any = None

    owner = factory.SubFactory(UserFactory)
    name = factory.Sequence("Recorder {}".format)
    template = factory.LazyAttribute(lambda made: template(**(made.settings or {})))


class WebhookTokenFactory(DjangoModelFactory[WebhookToken]):
    """`WebhookTokenFactory(token="…")` stores that token's hash."""

    class Meta:
        model = WebhookToken

    class Params:
        token = factory.Sequence("token-{:040d}".format)

    recorder = factory.SubFactory(RecorderFactory)
    token_hash = factory.LazyAttribute(lambda made: hash_token(made.token))
    last_four = factory.LazyAttribute(lambda made: made.token[-4:])


class SignalFactory(DjangoModelFactory[Signal]):
    class Meta:
        model = Signal

    recorder = factory.SubFactory(RecorderFactory)
    owner = factory.SelfAttribute("recorder.owner")
    status = SignalStatus.RECEIVED
    body = factory.Sequence(lambda number: b'{"action": "buy", "ticker": "MES1!", "n": %d}' % number)
    body_hash = factory.LazyAttribute(lambda made: hashlib.sha256(made.body).hexdigest())
    resend_key = factory.Sequence("resend-{}".format)
    resend_key_offset = factory.Sequence("resend-offset-{}".format)
    action = "buy"
    ticker = "MES1!"
    quantity = Decimal(1)
    price = Decimal("6021.25")


class StrategyChainFactory(DjangoModelFactory[StrategyChain]):
    """A strategy that is long one, and says that it was flat where we knew it short."""

    class Meta:
        model = StrategyChain

    recorder = factory.SubFactory(RecorderFactory)
    signal = factory.SubFactory(SignalFactory, recorder=factory.SelfAttribute("..recorder"))
    ticker = "MES"
    tip = Decimal(1)
    missing = factory.LazyFunction(lambda: ["-1", "0"])
    changed_at = factory.LazyFunction(clock.now)


class BrokerLoginFactory(DjangoModelFactory[BrokerLogin]):
    class Meta:
        model = BrokerLogin

    owner = factory.SubFactory(UserFactory)
    venue = "tradovate"
    environment = Environment.SANDBOX
    username = factory.Sequence("trader{}".format)
    secrets = factory.LazyFunction(lambda: {"password": "a-broker-password", "app_secret": "1:an-app-secret"})
    device_id = factory.Sequence("device{:026d}".format)
    lane_slot = factory.LazyAttribute(lambda made: lane_slot_of(made.id) if hasattr(made, "id") else 0)
    state = ConnectionState.LIVE.value


class BrokerAccountFactory(DjangoModelFactory[BrokerAccount]):
    class Meta:
        model = BrokerAccount

    login = factory.SubFactory(BrokerLoginFactory)
    owner = factory.SelfAttribute("login.owner")
    broker_id = factory.Sequence(lambda number: str(1000 + number))
    name = factory.Sequence("DEMO{:04d}".format)


class TraderFactory(DjangoModelFactory[Trader]):
    class Meta:
        model = Trader

    recorder = factory.SubFactory(RecorderFactory)
    owner = factory.SelfAttribute("recorder.owner")
    account = factory.SubFactory(BrokerAccountFactory, login__owner=factory.SelfAttribute("...owner"))


class OrderIntentFactory(DjangoModelFactory[OrderIntent]):
    class Meta:
        model = OrderIntent

    trader = factory.SubFactory(TraderFactory)
    owner = factory.SelfAttribute("trader.owner")
    account = factory.SelfAttribute("trader.account")
    signal = factory.SubFactory(SignalFactory, recorder=factory.SelfAttribute("..trader.recorder"))
    source = IntentSource.SIGNAL
    lane_slot = factory.SelfAttribute("account.login.lane_slot")
    leg = "entry"
    kind = IntentKind.ENTRY
    idempotency_key = factory.LazyAttribute(
        lambda made: idempotency_key(made.source, made.signal.pk, made.trader.pk, made.leg)
    )
    client_order_id = factory.LazyAttribute(lambda made: client_order_id(made.idempotency_key))
    symbol = SYMBOL
    side = Side.BUY.value
    qty = 1
    target_distance = Decimal(10)
    stop_distance = Decimal(5)
    bracket = factory.LazyAttribute(lambda made: bracket(made.qty, made.target_distance, made.stop_distance))
    status = IntentStatus.DONE


class OrderFactory(DjangoModelFactory[Order]):
    class Meta:
        model = Order

    intent = factory.SubFactory(OrderIntentFactory)
    owner = factory.SelfAttribute("intent.owner")
    trader = factory.SelfAttribute("intent.trader")
    account = factory.SelfAttribute("intent.account")
    role = OrderRole.ENTRY.value
    client_order_id = factory.SelfAttribute("intent.client_order_id")
    broker_order_id = factory.Sequence(lambda number: str(70_000 + number))
    symbol = factory.SelfAttribute("intent.symbol")
    side = factory.SelfAttribute("intent.side")
    qty = factory.SelfAttribute("intent.qty")
    order_type = OrderType.MARKET.value
    status = OrderStatus.FILLED.value
    version = "test"


class FillFactory(DjangoModelFactory[Fill]):
    class Meta:
        model = Fill

    order = factory.SubFactory(OrderFactory)
    account = factory.SelfAttribute("order.account")
    broker_fill_id = factory.Sequence(lambda number: str(90_000 + number))
    broker_order_id = factory.SelfAttribute("order.broker_order_id")
    symbol = factory.SelfAttribute("order.symbol")
    side = factory.SelfAttribute("order.side")
    qty = factory.SelfAttribute("order.qty")
    price = Decimal("6021.25")
    filled_at = factory.LazyFunction(clock.now)


class PositionFactory(DjangoModelFactory[Position]):
    class Meta:
        model = Position

    trader = factory.SubFactory(TraderFactory)
    owner = factory.SelfAttribute("trader.owner")
    account = factory.SelfAttribute("trader.account")
    symbol = SYMBOL
    net_qty = 1
    avg_price = Decimal("6021.25")


class BrokerPositionFactory(DjangoModelFactory[BrokerPosition]):
    class Meta:
        model = BrokerPosition

    account = factory.SubFactory(BrokerAccountFactory)
    symbol = SYMBOL
    net_qty = 1
    avg_price = Decimal("6021.25")
    reported_at = factory.LazyFunction(clock.now)


class TransitionFactory(DjangoModelFactory[Transition]):
    class Meta:
        model = Transition

    owner = factory.SubFactory(UserFactory)
    object_kind = ObjectKind.SIGNAL
    object_id = factory.Faker("uuid4", cast_to=None)
    to_state = SignalStatus.RECEIVED


class CommandFactory(DjangoModelFactory[Command]):
    class Meta:
        model = Command

    owner = factory.SubFactory(UserFactory)
    actor = factory.SelfAttribute("owner")
    kind = "apply_exits"


class ExplanationFactory(DjangoModelFactory[Explanation]):
    class Meta:
        model = Explanation

    digest = factory.Sequence("{:064d}".format)
    document = factory.LazyFunction(dict)


class HeartbeatFactory(DjangoModelFactory[Heartbeat]):
    class Meta:
        model = Heartbeat

    name = factory.Sequence("lane.{}".format)
    beat_at = factory.LazyFunction(clock.now)


@dataclass(frozen=True, slots=True)
class Chain:
    """One alert's whole way, all of it the same owner's."""

    recorder: Recorder
    token: WebhookToken
    login: BrokerLogin
    account: BrokerAccount
    trader: Trader
    signal: Signal
    intent: OrderIntent
    order: Order
    fill: Fill
    position: Position
    chain: StrategyChain

    @property
    def rows(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self.__slots__)


def make_chain(owner: User) -> Chain:
    recorder = RecorderFactory(owner=owner)
    login = BrokerLoginFactory(owner=owner)
    account = BrokerAccountFactory(login=login)
    trader = TraderFactory(recorder=recorder, account=account)
    signal = SignalFactory(recorder=recorder)
    intent = OrderIntentFactory(trader=trader, signal=signal)
    order = OrderFactory(intent=intent)
    return Chain(
        recorder=recorder,
        token=WebhookTokenFactory(recorder=recorder),
        login=login,
        account=account,
        trader=trader,
        signal=signal,
        intent=intent,
        order=order,
        fill=FillFactory(order=order),
        position=PositionFactory(trader=trader),
        chain=StrategyChainFactory(recorder=recorder, signal=signal),
    )
