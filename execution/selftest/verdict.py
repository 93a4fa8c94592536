"""The audit: what the sender was promised, what the owner can see, and what the venue's books say. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from execution.selftest.books import AccountBook, Watch
from execution.selftest.owner import LIVE_INTENTS
from execution.selftest.sender import Delivery

Row = dict[str, Any]
NOTHING_TO_DO = frozenset({"ALREADY_FLAT", "SAME_DIRECTION"})
NEVER_PLACED = frozenset({"NOT_PLACED", "NOT_SENT"})


@dataclass(frozen=True, slots=True)
class Evidence:
    """`entries_before` counts what stood in each account's book before the run; `accounts` gives broker ids by ours."""

    deliveries: Sequence[Delivery]
    signals: Mapping[str, Row]
    intents: Sequence[Row]
    accounts: Mapping[str, str]
    entries_before: Mapping[str, int]
    books: Mapping[str, AccountBook]
    books_after_close: Mapping[str, AccountBook]
    watch: Watch


@dataclass(slots=True)
class Verdict:
    """See the package for what the words mean."""

    acked: int = 0
    executed: int = 0
    not_acked: list[str] = field(default_factory=list)
    nothing_to_do: list[str] = field(default_factory=list)
    reported: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    unprotected: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not (self.lost or self.doubled or self.unprotected)

    def line(self) -> str:
        """The receipt in one line; its first five figures always stand in the same place."""
        line = (
            f"{self.acked} acked, {self.executed} executed, {len(self.lost)} lost, "
            f"{len(self.doubled)} doubled, {len(self.unprotected)} unprotected"
        )
        asides = {
            "with nothing to do": self.nothing_to_do,
            "reported as not executed": self.reported,
            "not acked": self.not_acked,
        }
        return line + "".join(f", {len(texts)} {name}" for name, texts in asides.items() if texts)


def judge(evidence: Evidence) -> Verdict:
    verdict = Verdict()
    by_signal: dict[str, list[Row]] = defaultdict(list)
    for intent in evidence.intents:
        by_signal[intent["signal"]].append(intent)
    placed = _placed(evidence)
    for delivery in evidence.deliveries:
        _judge_delivery(verdict, evidence, delivery, by_signal, placed)
    verdict.doubled += _signals_twice(evidence)
    verdict.doubled += _orders_twice(evidence, placed)
    verdict.doubled += _wrong_positions(evidence)
    verdict.unprotected += _unprotected(evidence)
    return verdict


def _placed(evidence: Evidence) -> dict[str, Counter[str]]:
    """How often each of our ids stands in each account's book since the start of the run."""
    return {
        broker_id: book.client_ids(since=evidence.entries_before.get(broker_id, 0))
        for broker_id, book in evidence.books_after_close.items()
    }


def _judge_delivery(
    verdict: Verdict,
    evidence: Evidence,
    delivery: Delivery,
    by_signal: Mapping[str, list[Row]],
    placed: Mapping[str, Counter[str]],
) -> None:
    name = f"alert {delivery.alert.number} ({delivery.alert.action})"
    if delivery.signal_id is None:
        verdict.not_acked.append(f"{name}: {delivery.sends} sends, the last answer was {delivery.last_status}")
        return
    verdict.acked += 1
    signal, intents = evidence.signals.get(delivery.signal_id), by_signal.get(delivery.signal_id, [])
    contradictions = [
        text for intent in intents if (text := _contradiction(intent, placed[evidence.accounts[intent["account"]]]))
    ]
    if (missing := _missing_outcome(signal, intents)) or contradictions:
        verdict.lost.append(f"{name}: {'; '.join([*missing, *contradictions])}")
    elif signal is not None and signal["reason_code"] in NOTHING_TO_DO:
        verdict.nothing_to_do.append(f"{name}: {signal['reason_code']}")
    elif (reasons := _reasons(signal, intents)) is not None:
        verdict.reported.append(f"{name}: {reasons}")
    else:
        verdict.executed += 1


def _missing_outcome(signal: Row | None, intents: Sequence[Row]) -> list[str]:
    """Why the signal has no outcome that its owner could read; empty when it has."""
    if signal is None:
        return ["acked, and its owner sees no such signal"]
    if signal["status"] == "received":
        return ["stored, and never planned"]
    if signal["status"] == "planned":
        unfinished = [intent["status"] for intent in intents if intent["status"] in LIVE_INTENTS]
        return [f"intents left {dict(Counter(unfinished))}"] if unfinished else [] if intents else ["has no intents"]
    return [] if signal["reason_code"] else [f"{signal['status']} without a reason"]


def _contradiction(intent: Row, placed: Counter[str]) -> str:
    """Where an intent's outcome and the book of its account disagree."""
    if intent["kind"] != "entry":
        return ""
    is_placed = placed[intent["client_order_id"]] > 0
    if intent["status"] == "done" and not is_placed:
        return f"{intent['client_order_id']} is done, and the venue has no such entry"
    never = intent["status"] in {"denied", "expired"} or intent["reason_code"] in NEVER_PLACED
    if never and is_placed:
        return f"{intent['client_order_id']} is {_outcome(intent)}, and the venue has the entry"
    return ""


def _reasons(signal: Row | None, intents: Sequence[Row]) -> str | None:
    """What the owner reads instead of an execution; None when everything was executed."""
    if signal is not None and signal["status"] != "planned":
        return f"{signal['status']} {signal['reason_code']}"
    counted = Counter(_outcome(intent) for intent in intents if intent["status"] != "done")
    if not counted:
        return None
    return ", ".join(f"{outcome} on {count} of {len(intents)}" for outcome, count in counted.items())


def _outcome(intent: Row) -> str:
    return f"{intent['kind']} {intent['status']} {intent['reason_code']}".rstrip()


def _signals_twice(evidence: Evidence) -> Iterator[str]:
    """Each alert has a price of its own, so two signals of one price are one alert stored twice."""
    prices = Counter(signal["price"] for signal in evidence.signals.values())
    yield from (f"the alert at {price} became {count} signals" for price, count in prices.items() if count > 1)
    ids = Counter(delivery.signal_id for delivery in evidence.deliveries if delivery.signal_id is not None)
    yield from (f"signal {name} answered {count} different alerts" for name, count in ids.items() if count > 1)


def _orders_twice(evidence: Evidence, placed: Mapping[str, Counter[str]]) -> Iterator[str]:
    wanted: dict[str, set[str]] = defaultdict(set)
    for intent in evidence.intents:
        wanted[evidence.accounts[intent["account"]]].add(intent["client_order_id"])
    for broker_id in _followed(evidence):
        for name, count in placed[broker_id].items():
            if count > 1:
                yield f"account {broker_id}: {name} stands {count} times in the book"
            if name not in wanted[broker_id]:
                yield f"account {broker_id}: nobody asked for {name}"


def _wrong_positions(evidence: Evidence) -> Iterator[str]:
    """The net of each account against what its executed intents add up to, before and after the closing alert."""
    expected = expected_positions(evidence.intents, evidence.accounts)
    for broker_id in _followed(evidence):
        net = sum(evidence.books_after_close[broker_id].positions.values())
        if net != expected.get(broker_id, 0):
            yield f"account {broker_id}: holds {net:+d}, its intents say {expected.get(broker_id, 0):+d}"


def expected_positions(intents: Iterable[Row], accounts: Mapping[str, str]) -> dict[str, int]:
    """Net contracts per broker account after all executed intents, oldest first."""
    net: dict[str, int] = defaultdict(int)
    for intent in intents:
        if intent["status"] != "done":
            continue
        broker_id = accounts[intent["account"]]
        if intent["kind"] == "exit":
            net[broker_id] = 0
        else:
            net[broker_id] += intent["qty"] if intent["side"] == "buy" else -intent["qty"]
    return net


def _unprotected(evidence: Evidence) -> Iterator[str]:
    bound = evidence.watch.bound_s
    yield from (f"account {name}: exposed for more than {bound:.0f} s" for name in sorted(evidence.watch.violations))
    for broker_id in _followed(evidence):
        if evidence.books[broker_id].is_exposed():
            yield f"account {broker_id}: holds {evidence.books[broker_id].positions} without a stop of full size"
        book = evidence.books_after_close[broker_id]
        if not book.positions and book.working:
            yield f"account {broker_id}: flat, with {len(book.working)} orders still working"


def _followed(evidence: Evidence) -> list[str]:
    return sorted(set(evidence.accounts.values()) & evidence.books_after_close.keys())
