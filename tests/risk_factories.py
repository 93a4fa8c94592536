"""Rows of risk for tests: limits, what was decided because of them, what stops trading, and what must be seen."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import factory
from factory.django import DjangoModelFactory

from brokers.sessions import session_of
from execution.models import (
    Alarm,
    Break,
    Flatten,
    IntentSource,
)
from justtrades import clock
from risk.models import (
    AccountDay,
    AccountEquity,
    LimitKind,
    LimitScope,
    PackAssignment,
    RiskAction,
    RiskLimit,
    Switch,
    SwitchMode,
    SwitchScope,
)
from tests.factories import SYMBOL, BrokerAccountFactory, CommandFactory, UserFactory


class RiskLimitFactory(DjangoModelFactory[RiskLimit]):
    """A daily loss of 500 $ on an account."""

    class Meta:
        model = RiskLimit

    account = factory.SubFactory(BrokerAccountFactory)
    owner = factory.SelfAttribute("account.owner")
    scope = LimitScope.ACCOUNT
    kind = LimitKind.DAILY_LOSS
    amount = Decimal(500)


class RiskActionFactory(DjangoModelFactory[RiskAction]):
    """A limit that was reached; it is flat, and locks for an hour more."""

    class Meta:
        model = RiskAction

    limit = factory.SubFactory(RiskLimitFactory)
    owner = factory.SelfAttribute("limit.owner")
    account = factory.SelfAttribute("limit.account")
    limit_key = factory.SelfAttribute("limit.key")
    session = factory.LazyFunction(lambda: session_of(clock.now()).day)
    code = "DAILY_LOSS"
    text = "Daily loss: had -$512.50, limit -$500.00"
    had = Decimal("-512.5")
    allowed = Decimal(-500)
    status = "flat"
    locks_until = factory.LazyFunction(lambda: clock.now() + timedelta(hours=1))


class AccountDayFactory(DjangoModelFactory[AccountDay]):
    """Today, counted just now."""

    class Meta:
        model = AccountDay

    account = factory.SubFactory(BrokerAccountFactory)
    session = factory.LazyFunction(lambda: session_of(clock.now()).day)
    starts_at = factory.LazyFunction(lambda: session_of(clock.now()).start)
    ends_at = factory.LazyFunction(lambda: session_of(clock.now()).end)
    start_cash = Decimal(50_000)
    quote_at = factory.LazyFunction(clock.now)
    books_at = factory.LazyFunction(clock.now)


class AccountEquityFactory(DjangoModelFactory[AccountEquity]):
    class Meta:
        model = AccountEquity

    account = factory.SubFactory(BrokerAccountFactory)
    equity = Decimal(49_640)
    intraday_high = Decimal(50_200)
    end_of_day_high = Decimal(50_100)


class PackAssignmentFactory(DjangoModelFactory[PackAssignment]):
    class Meta:
        model = PackAssignment

    account = factory.SubFactory(BrokerAccountFactory)
    pack = "topstep-50k"
    version = 1
    start_balance = Decimal(50_000)


class SwitchFactory(DjangoModelFactory[Switch]):
    """The owner's own, on everything of theirs."""

    class Meta:
        model = Switch

    owner = factory.SubFactory(UserFactory)
    actor = factory.SelfAttribute("owner")
    scope = SwitchScope.USER
    target = factory.LazyAttribute(lambda made: str(made.owner.pk))
    mode = SwitchMode.REDUCE_ONLY
    reason = "the market is closed to me today"


class AlarmFactory(DjangoModelFactory[Alarm]):
    class Meta:
        model = Alarm

    account = factory.SubFactory(BrokerAccountFactory)
    owner = factory.SelfAttribute("account.owner")
    code = "NOT_FLAT"
    ref = factory.Sequence("flatten-{}".format)
    text = "it is not flat after 3 s"


class BreakFactory(DjangoModelFactory[Break]):
    """A quantity that nothing explains, seen twice."""

    class Meta:
        model = Break

    account = factory.SubFactory(BrokerAccountFactory)
    owner = factory.SelfAttribute("account.owner")
    kind = "quantity"
    symbol = SYMBOL
    ours = "+2"
    theirs = "+3"
    text = f"the broker says +3 {SYMBOL}, our books say +2, and no fill that we know of explains it"
    state = "open"
    pauses_entries = True
    sightings = 2


class FlattenFactory(DjangoModelFactory[Flatten]):
    class Meta:
        model = Flatten

    command = factory.SubFactory(CommandFactory)
    owner = factory.SelfAttribute("command.owner")
    account = factory.SubFactory(BrokerAccountFactory, login__owner=factory.SelfAttribute("...owner"))
    source = IntentSource.COMMAND
    key = factory.LazyAttribute(lambda made: f"command:{made.command.pk}:{made.account.pk}")
    reason_code = "FLATTEN"
    reason_text = "asked for by hand"
