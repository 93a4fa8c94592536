"""What a firm's rules forbid an entry, and in which words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.base import Side
from risk.monitors import Figures, Gauge, gauge_of
from risk.packs import PackFacts, entry_denial, terms_of
from tests.risk.rules import FLAT_BY, NEWS, SCALING, pack

D = Decimal
ALL = pack(daily_loss=1000, scaling=SCALING, flat_by=FLAT_BY, news=NEWS)
MORNING = datetime(2026, 11, 24, 15, tzinfo=UTC)
FOMC_DAY = datetime(2026, 12, 9, tzinfo=UTC)


def gauges(equity: str | Decimal | None = "50500", day: str | Decimal | None = "0") -> tuple[Gauge, ...]:
    """The floor is at 48,500."""
    figures = Figures(
        None if day is None else D(day), None, None if equity is None else D(equity), None, D(50_500), D(50_500)
    )
    return tuple(gauge_of(terms, figures) for terms in terms_of(ALL, D(50_000), "pack:7"))


FACTS = PackFacts(
    now=MORNING, start_balance=D(50_000), equity=D(50_500), day_start_equity=D(50_500), symbol="MNQZ6", side=Side.BUY,
    contracts=10, held={}, stop_risk=D(300), open_risk=D(0), gauges=gauges(),
)  # fmt: skip
NQ = {"symbol": "NQ", "contracts": 3}
SELL = {"side": Side.SELL}


@pytest.mark.parametrize(
    ("changed", "code", "text"),
    [
        ({}, None, ""),
        # The daily loss of $1,000 is nearer than the floor.
        ({"stop_risk": D("999.99")}, None, ""),
        ({"stop_risk": D(1000)}, "PACK_DAILY_LOSS", "had $1,000.00 at risk, limit $1,000.00"),
        ({"stop_risk": D(1140)}, "PACK_DAILY_LOSS", "cross your daily loss limit by $140.00"),
        ({"stop_risk": D(240), "gauges": gauges("48600")}, "PACK_FLOOR", "cross your floor by $140.00"),
        # With what the stops already out would lose.
        ({"stop_risk": D(300), "open_risk": D(800)}, "PACK_DAILY_LOSS", "by $100.00: had $1,100.00 at risk"),
        ({"stop_risk": D(0), "gauges": gauges("48500")}, "PACK_FLOOR", "would reach your floor"),
        # Without a stop the floor denies nothing, however near it is.
        ({"stop_risk": None, "gauges": gauges("48500.01")}, None, ""),
        # A micro counts a tenth, and what is held counts with it.
        ({"contracts": 20}, None, ""),
        ({"contracts": 21}, "PACK_CONTRACTS", "had 2.1, limit 2"),
        ({"contracts": 5, "held": {"NQ": D(-1), "MNQ": D("0.6")}}, "PACK_CONTRACTS", "had 2.1, limit 2"),
        ({"contracts": 5, "held": {"NQ": D(-1), "MNQ": D("0.5")}}, None, ""),
        (NQ, "PACK_CONTRACTS", "had 3, limit 2"),
        # By the end of the last day, not by what was won since.
        ({**NQ, "equity": D(52_000)}, "PACK_CONTRACTS", "had 3, limit 2"),
        ({**NQ, "day_start_equity": D(51_500)}, None, ""),
        ({**NQ, "day_start_equity": None}, "PACK_CONTRACTS", "had 3, limit 2"),
        # Too many already: what makes them fewer passes, and what leaves as many.
        ({**SELL, "held": {"MNQ": D(5)}}, None, ""),
        ({**NQ, **SELL, "contracts": 10, "held": {"NQ": D(5)}}, None, ""),
        ({**NQ, **SELL, "contracts": 11, "held": {"NQ": D(5)}}, "PACK_CONTRACTS", "had 6, limit 2"),
        # 15:10 in Chicago is 21:10 UTC.
        ({"now": datetime(2026, 11, 24, 21, 9, 59, tzinfo=UTC)}, None, ""),
        ({"now": datetime(2026, 11, 24, 21, 10, tzinfo=UTC)}, "PACK_FLAT_BY", "limit Tue 15:10 Chicago"),
        ({"now": datetime(2026, 11, 24, 22, 59, 59, tzinfo=UTC)}, "PACK_FLAT_BY", "entries again Tue 17:00"),
        ({"now": datetime(2026, 11, 24, 23, tzinfo=UTC)}, None, ""),
        # Grains close before the firm's time; bitcoin never closes, the firm does.
        (
            {"now": datetime(2026, 11, 24, 19, 30, tzinfo=UTC), "symbol": "MZC"},
            "PACK_FLAT_BY",
            "limit Tue 13:20 Chicago",
        ),
        ({"now": datetime(2026, 11, 28, 12, tzinfo=UTC), "symbol": "MBT"}, "PACK_FLAT_BY", "entries again Sun 17:00"),
        ({"now": FOMC_DAY.replace(hour=18, minute=59)}, "PACK_NEWS", "limit 2 min before to 2 min after"),
        # Nobody knows how far the floor is.
        ({"gauges": gauges(None)}, "PACK_UNKNOWN", "nobody knows"),
        ({"gauges": gauges(day=None), "stop_risk": None}, "PACK_UNKNOWN", "nobody knows"),
        ({"gauges": ()}, "PACK_UNKNOWN", "nobody knows"),
    ],
)
def test_what_a_firm_forbids_an_entry(changed: dict[str, Any], code: str | None, text: str) -> None:
    denial = entry_denial(ALL, replace(FACTS, **changed))
    assert (None if denial is None else denial.code) == code
    if denial is not None:
        assert text in denial.text


def test_in_a_traders_words_with_had_and_limit() -> None:
    cases: tuple[dict[str, Any], ...] = (
        {"stop_risk": D(240), "gauges": gauges("48600")},
        {"contracts": 21},
        {"now": datetime(2026, 11, 24, 21, 12, tzinfo=UTC)},
        {"now": FOMC_DAY.replace(hour=18, minute=59)},
        {"gauges": ()},
    )
    denials = [denial for case in cases if (denial := entry_denial(ALL, replace(FACTS, **case))) is not None]
    assert [denial.text for denial in denials] == [
        "this stop would cross your floor by $140.00: had $240.00 at risk, limit $100.00 (Firm 50K)",
        "more contracts than Firm allows at this profit: had 2.1, limit 2 (a micro counts 0.1)",
        "Firm wants you flat by now: had Tue 15:12:00, limit Tue 15:10 Chicago, entries again Tue 17:00",
        "Firm allows no entry around FOMC decision at 14:00 New York: had 13:59:00, limit 2 min before to 2 min after",
        "nobody knows how far you are from what Firm lets you lose: wait for it",
    ]
    assert [(denial.had, denial.limit) for denial in denials] == [
        ("$240.00", "$100.00"),
        ("2.1", "2"),
        ("Tue 15:12:00", "Tue 15:10 Chicago"),
        ("13:59:00", "2 min before to 2 min after"),
        ("not known", ""),
    ]


def test_the_first_reason_is_the_time_then_the_news_then_the_size_then_the_money() -> None:
    worst = replace(FACTS, contracts=90, stop_risk=D(9000))
    moments = (FOMC_DAY.replace(hour=21, minute=30), FOMC_DAY.replace(hour=19), MORNING)
    found = [entry_denial(ALL, replace(worst, now=moment)) for moment in moments]
    found.append(entry_denial(ALL, replace(worst, contracts=1)))
    assert [denial and denial.code for denial in found] == [
        "PACK_FLAT_BY", "PACK_NEWS", "PACK_CONTRACTS", "PACK_DAILY_LOSS"
    ]  # fmt: skip


def test_a_rule_that_a_pack_does_not_have_denies_nothing() -> None:
    free = pack(trailing_drawdown=None, profit_target=3000)
    late = replace(FACTS, now=FOMC_DAY.replace(hour=21, minute=30), contracts=500, stop_risk=D(90_000), gauges=())
    assert entry_denial(free, late) is None


@given(
    st.decimals(D("0.01"), D(3000), places=2), st.decimals(D(-500), D(3000), places=2),
    st.decimals(D(48_000), D(52_000), places=2), st.decimals(D(-2000), D(500), places=2),
)  # fmt: skip
def test_an_entry_passes_exactly_when_its_stop_leaves_room_under_every_limit(
    stop_risk: Decimal, open_risk: Decimal, equity: Decimal, day: Decimal
) -> None:
    facts = replace(FACTS, stop_risk=stop_risk, open_risk=open_risk, gauges=gauges(equity, day))
    worst_equity, worst_day = equity - stop_risk - open_risk, day - stop_risk - open_risk
    survives = worst_equity > 48_500 and worst_day > -1000
    assert (entry_denial(ALL, facts) is None) == survives
