"""One signal's followers as cases for `execution.plan`: equal cases are decided once, however many they are."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from brokers import instruments
from brokers.instruments import Contract, Product, UnknownTicker
from execution import situation
from execution.followers import Follower, Holding, HoldingKey, legs_at_work
from execution.moves import Move, MoveKind
from execution.plan import Case, Decision, Declined, decide
from execution.situation import Needs, Situation
from recorders.alert import ParsedAlert
from recorders.models import Recorder
from recorders.settings import BadSettings
from risk.around import Watch
from traders import exits
from traders.settings import EffectiveSettings, resolve


@dataclass(frozen=True, slots=True)
class Subject:
    """What the followers are asked about. `ticker` is the alert's, after the recorder's symbol map."""

    alert: ParsedAlert
    ticker: str
    product: Product
    move: Move


@dataclass(slots=True)
class Casebook:
    recorder: str
    subject: Subject
    today: date
    holdings: dict[HoldingKey, Holding]
    effective: dict[UUID, EffectiveSettings | Declined]
    situation: Situation
    at_work: dict[tuple[UUID, str], dict[int, int]] = field(default_factory=dict)
    _decided: dict[Case, Decision] = field(default_factory=dict)

    @classmethod
    def open(
        cls,
        recorder: Recorder,
        subject: Subject,
        followers: list[Follower],
        holdings: dict[HoldingKey, Holding],
        now: datetime,
    ) -> Casebook:
        """Resolve everybody's settings, and look up what any of them needs."""
        template, alert = json.dumps(recorder.template), json.dumps(dict(subject.alert.settings))
        effective = {f.trader_id: _resolve(template, f, alert) for f in followers}
        needs = Needs.of({e.settings for e in effective.values() if isinstance(e, EffectiveSettings)})
        price = subject.alert.price
        own = {} if price is None else {instruments.resolve(subject.ticker, now.date()).symbol: price}
        found = situation.look(
            needs, now, [f.trader_id for f in followers], [f.account_id for f in followers], own,
            subject.alert.premium,
        )  # fmt: skip
        grows = subject.move.kind in {MoveKind.TO, MoveKind.ENTER} and any(h.expected_qty for h in holdings.values())
        at_work = legs_at_work(recorder) if grows else {}
        return cls(template, subject, now.date(), holdings, effective, found, at_work)

    def case_of(self, follower: Follower) -> Case | Declined:
        """The follower's case, or why it has none."""
        effective = self.effective[follower.trader_id]
        if isinstance(effective, Declined):
            # What only reduces must not fail on a setting that no longer makes sense.
            if not self.subject.move.only_reduces:
                return effective
            effective = resolve("", "", "", follower.route)
        try:
            contract = instruments.resolve(follower.route.custom_ticker or self.subject.ticker, self.today)
        except UnknownTicker as error:
            return Declined("UNKNOWN_TICKER", f"custom_ticker: {error}")
        ratio = self._ratio(follower, contract)
        if ratio is None and not self.subject.move.only_reduces:
            text = f"convert_size: {self.subject.product.root} and {contract.root} are not of one family"
            return Declined("NO_CONVERSION", text)
        is_same_scale = contract.product.family == self.subject.product.family
        holding = self.holdings.get((follower.trader_id, contract.root))
        own = holding.expected_qty if holding is not None else 0
        return Case(
            effective=effective,
            contract=contract,
            facts=self.situation.facts_of(follower.trader_id, follower.account_id, follower.zone),
            own=own,
            at_work=self._at_work(follower, effective, contract, holding) if own else (),
            price=self.subject.alert.price if is_same_scale else None,
            limit_price=self.subject.alert.limit_price if is_same_scale else None,
            cash=follower.cash,
            ratio=Decimal(1) if ratio is None else ratio,
        )

    def watches(self) -> dict[UUID, Watch]:
        """Of those whose own settings limit the day's loss: how long ago a monitor counted their account."""
        return {
            trader_id: self.situation.watch_of(trader_id)
            for trader_id in self.situation.standings
            if _limits_its_loss(self.effective[trader_id])
        }

    def decide(self, case: Case) -> Decision:
        decision = self._decided.get(case)
        if decision is None:
            decision = self._decided[case] = decide(self.subject.move, case)
        return decision

    def holding_of(self, follower: Follower, case: Case) -> Holding | None:
        return self.holdings.get((follower.trader_id, case.contract.root))

    def _at_work(
        self, follower: Follower, effective: EffectiveSettings, contract: Contract, holding: Holding | None
    ) -> tuple[int, ...]:
        sizes = self.at_work.get((follower.trader_id, holding.symbol if holding is not None else contract.symbol))
        if sizes is None:
            return ()
        template = exits.template_of(effective.settings, contract, effective.route.multiplier)
        return tuple(sizes.get(index, 0) for index in range(len(template.targets) + 1))

    def _ratio(self, follower: Follower, contract: Contract) -> Decimal | None:
        """Contracts traded for one of the signal's; None where the owner wants a conversion that there is not."""
        if follower.route.convert_size is False:
            return Decimal(1)
        return instruments.conversion_ratio(self.subject.product, contract.product)


def _limits_its_loss(effective: EffectiveSettings | Declined) -> bool:
    return isinstance(effective, EffectiveSettings) and effective.settings.max_daily_loss > 0


def _resolve(recorder: str, follower: Follower, alert: str) -> EffectiveSettings | Declined:
    try:
        return resolve(recorder, follower.overrides, alert, follower.route)
    except BadSettings as error:
        return Declined("BAD_SETTINGS", str(error))
