"""What a plan says of one alert's orders, as tables, and what must hold for all of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.access import Limit, Priority
from brokers.base import Capabilities
from brokers.budget.gauges import Gauge, gauge_of
from brokers.budget.planner import AT_ONCE, Calls, LoginLoad, Verdict, calls_of, plan
from tests.brokers.budget.hands import HOURLY, MINUTELY, SYNCS

NATIVE = Capabilities(
    native_brackets=True,
    native_multi_bracket=True,
    native_oco=True,
    modifies_orders=True,
    enforces_unique_client_ids=False,
    streams_reports=True,
)
ONE_TARGET = replace(NATIVE, native_multi_bracket=False)
SYNTHETIC = replace(ONE_TARGET, native_brackets=False, native_oco=False)
PLACING = Limit("login", 600, 60, frozenset({"place"}))
OF_ADDRESS = Limit("ip", 100, 60)


def load(name: str = "main", **changes: Any) -> LoginLoad:
    terms: dict[str, Any] = {"venue": "projectx", "limits": (MINUTELY,), "capabilities": SYNTHETIC, "accounts": 1}
    return LoginLoad(name, **{**terms, **changes})


@pytest.mark.parametrize(
    ("capabilities", "targets", "has_stop", "calls"),
    [
        (NATIVE, 0, False, Calls(1, 0, 0)),
        (NATIVE, 3, True, Calls(1, 0, 0)),
        (ONE_TARGET, 1, True, Calls(1, 0, 0)),
        (ONE_TARGET, 3, True, Calls(1, 0, 3)),
        (SYNTHETIC, 0, False, Calls(1, 0, 0)),
        (SYNTHETIC, 0, True, Calls(1, 1, 0)),
        (SYNTHETIC, 2, True, Calls(1, 1, 2)),
        (SYNTHETIC, 2, False, Calls(1, 0, 2)),
    ],
)
def test_what_an_entry_costs(*, capabilities: Capabilities, targets: int, has_stop: bool, calls: Calls) -> None:
    assert calls_of(capabilities, targets=targets, has_stop=has_stop) == calls


def test_native_brackets_over_several_logins_in_one_burst() -> None:
    logins = [
        load(f"login {n}", venue="tradovate", limits=(HOURLY, SYNCS), capabilities=NATIVE, accounts=accounts,
             latency_s=0.2, parallel=AT_ONCE, gauges=(gauge_of(HOURLY, own=own), gauge_of(SYNCS)))
        for n, (accounts, own) in enumerate([(20, 0), (20, 100), (20, 2_000), (3, 0)])
    ]  # fmt: skip
    found = plan(logins)
    assert found.verdict is Verdict.FITS
    assert found.sentence == (
        "63 accounts over 4 logins = 63 calls with native brackets; last order at 0.2 s; budget left 59 %. It fits."
    )


def test_exits_that_are_placed_one_by_one_are_counted_and_timed() -> None:
    found = plan([load(accounts=30, targets=2, latency_s=0.1)])
    assert (found.calls, found.last_entry_s, found.last_exit_s) == (120, 0.1, pytest.approx(0.3))
    assert found.sentence == (
        "30 accounts over 1 login = 120 calls (4 per entry: its exits are placed one by one); "
        "last entry at 0.1 s, last order at 0.3 s; budget left 40 %. It fits."
    )


def test_a_plan_that_would_use_the_reserve_says_how_many_accounts_would_not() -> None:
    found = plan([load("Apex 1", accounts=45, targets=2)])
    assert found.verdict is Verdict.ONLY_WITHOUT_RESERVE
    (need,) = found.trouble
    assert (need.calls, need.room, need.fits_in_s, need.most_accounts) == (180, 152, None, 38)
    assert found.sentence.endswith(
        "It fits only without the reserve for closing positions: Apex 1 (all requests: 200 in 1 min per login): "
        "180 needed, 152 free; 38 accounts would fit."
    )


def test_a_plan_that_cannot_fit_names_the_login_and_the_rule() -> None:
    found = plan([load("small", accounts=2), load("big", accounts=100)])
    assert found.verdict is Verdict.DOES_NOT_FIT
    assert [need.logins for need in found.trouble] == [("big",)]
    assert "It does not fit: big (all requests: 200 in 1 min per login): 300 needed, 152 free" in found.sentence


def test_a_plan_that_fits_once_the_rule_has_drained_says_when() -> None:
    found = plan([load(accounts=20, targets=2, gauges=(gauge_of(MINUTELY, own=120),))])
    (need,) = found.trouble
    assert (need.verdict, need.room, need.fits_in_s, need.most_accounts) == (Verdict.DOES_NOT_FIT, 32, 60, 20)
    assert found.sentence.endswith("80 needed, 32 free; it will in at most 60 s.")


def test_nothing_fits_while_the_venue_wants_silence() -> None:
    until = datetime(2026, 11, 25, 15, 4, tzinfo=UTC)
    found = plan([load("Apex 1", gauges=(gauge_of(MINUTELY, silent_until=until),)), load("other")])
    assert found.verdict is Verdict.DOES_NOT_FIT
    assert [need.silent_until for need in found.trouble] == [until]
    assert found.sentence.endswith("It does not fit: the broker wants silence of Apex 1 until 15:04:00 UTC.")


def test_the_worst_trouble_comes_first() -> None:
    found = plan([load("tight", accounts=45, targets=2), load("over", accounts=100)])
    assert [need.logins for need in found.trouble] == [("over",), ("tight",)]


def test_a_rule_that_names_endpoints_counts_only_those() -> None:
    found = plan([load(limits=(PLACING, SYNCS), accounts=10, entry_endpoint="place", exit_endpoint="amend")])
    assert found.calls == 30
    assert found.left == pytest.approx(590 / 600)


def test_logins_behind_one_address_share_its_rule() -> None:
    alone = plan([load("a", limits=(OF_ADDRESS,), capabilities=NATIVE, accounts=20)])
    both = plan([load(name, limits=(OF_ADDRESS,), capabilities=NATIVE, accounts=20) for name in "ab"])
    apart = plan([load(name, venue=name, limits=(OF_ADDRESS,), capabilities=NATIVE, accounts=20) for name in "ab"])
    assert [found.verdict for found in (alone, both, apart)] == [
        Verdict.FITS,
        Verdict.ONLY_WITHOUT_RESERVE,
        Verdict.FITS,
    ]
    assert both.trouble[0].logins == ("a", "b")
    assert "2 logins together" in both.sentence


def test_a_venue_sends_as_many_at_once_as_it_has_threads() -> None:
    found = plan([load(name, limits=(), capabilities=NATIVE, accounts=65, latency_s=0.1) for name in "ab"])
    assert found.last_entry_s == pytest.approx(0.3)


def test_venues_of_both_kinds_are_told_as_such() -> None:
    found = plan([load("a"), load("b", venue="tradovate", limits=(HOURLY,), capabilities=NATIVE)])
    assert "4 calls (some brokers take the exits along, others need them one by one)" in found.sentence


@pytest.mark.parametrize("logins", [[], [load(accounts=0)]])
def test_a_recorder_that_nobody_follows_sends_nothing(logins: list[LoginLoad]) -> None:
    found = plan(logins)
    assert (found.calls, found.verdict, found.sentence) == (0, Verdict.FITS, "No account follows: nothing is sent.")


limits = st.builds(
    Limit, st.sampled_from(["login", "ip"]), st.integers(2, 500), st.sampled_from([2.0, 60.0, 3_600.0]),
    reserve=st.sampled_from([0.0, 0.1, 0.2]),
)  # fmt: skip
loads = st.builds(
    load,
    st.sampled_from("abcdef"),
    limits=st.tuples(limits),
    capabilities=st.sampled_from([NATIVE, ONE_TARGET, SYNTHETIC]),
    accounts=st.integers(1, 200),
    targets=st.integers(0, 4),
    has_stop=st.booleans(),
)


@st.composite
def loads_with_gauges(draw: st.DrawFn) -> LoginLoad:
    drawn = draw(loads)
    return replace(drawn, gauges=(gauge_of(drawn.limits[0], own=draw(st.integers(0, 300))),))


@given(loads_with_gauges())
def test_a_plan_that_fits_leaves_the_reserve_untouched(one: LoginLoad) -> None:
    found = plan([one])
    gauge: Gauge = one.gauges[0]
    reserve = gauge_of(one.limits[0]).room[Priority.FLATTEN] - gauge_of(one.limits[0]).room[Priority.STOP]
    after = gauge.room[Priority.FLATTEN] - found.calls
    if found.verdict is Verdict.FITS:
        assert after >= reserve
        assert found.trouble == ()
    elif found.verdict is Verdict.ONLY_WITHOUT_RESERVE:
        assert after >= 0
    else:
        assert after < 0


@given(loads_with_gauges())
def test_the_number_of_accounts_that_would_fit_does_fit_and_one_more_does_not(one: LoginLoad) -> None:
    found = plan([one])
    for need in found.trouble:
        if need.fits_in_s is None:
            most = need.most_accounts
            assert most < one.accounts
            assert plan([replace(one, accounts=most, gauges=())]).verdict is Verdict.FITS
            assert plan([replace(one, accounts=most + 1, gauges=())]).verdict is not Verdict.FITS
        else:
            assert plan([replace(one, gauges=())]).verdict is Verdict.FITS


@given(loads_with_gauges(), st.integers(1, 50))
def test_more_accounts_never_make_a_plan_fit(one: LoginLoad, more: int) -> None:
    assert plan([replace(one, accounts=one.accounts + more)]).verdict >= plan([one]).verdict
