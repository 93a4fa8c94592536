"""The acceptance cases of this backend, as Tradovate passes them, through NinjaTrader's own `VENUE`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from brokers.base import OrderRole, Side
from brokers.ninjatrader.venue import VENUE
from brokers.sandbox.testing import RunningSandbox
from tests.brokers.tradovate import test_acceptance as acceptance
from tests.brokers.tradovate import test_budget as budget
from tests.brokers.tradovate import test_cases as cases
from tests.brokers.tradovate import test_faults as faults
from tests.brokers.tradovate import test_hosts as hosts
from tests.brokers.tradovate import test_order_fate as fate
from tests.brokers.tradovate import test_sandbox as desk
from tests.brokers.tradovate import test_sandbox_changes as changes
from tests.brokers.tradovate import test_sandbox_exits as exits
from tests.brokers.tradovate import test_session as sessions
from tests.brokers.tradovate.purse import Purse
from tests.brokers.tradovate.trader import Trader
from tests.brokers.tradovate.venue import Client, Venue


@pytest.mark.parametrize("side", list(Side))
def test_market_orders(trader: Trader, side: Side) -> None:
    """A1, A2, G4"""
    acceptance.test_a_market_order_is_filled(trader, side)


def test_an_exit_by_flatten(trader: Trader) -> None:
    """A3, J1"""
    acceptance.test_an_exit_closes_the_position_and_the_order_of_a_flatten_is_known(trader)


def test_a_limit_order_from_working_to_canceled(trader: Trader) -> None:
    """B1, B2, B3"""
    acceptance.test_a_limit_order_works_is_changed_and_canceled(trader)


def test_a_cancel_that_comes_too_late(trader: Trader) -> None:
    """B4"""
    desk.test_a_limit_order_is_canceled_once_and_then_too_late(trader)


def test_a_change_that_comes_too_late(trader: Trader) -> None:
    """B5"""
    changes.test_an_ended_order_cannot_be_changed(trader)


def test_a_stop_order(trader: Trader) -> None:
    """C1"""
    acceptance.test_a_stop_order_waits_for_its_price(trader)


def test_a_trailing_stop(trader: Trader) -> None:
    """C2"""
    acceptance.test_a_stop_may_trail_from_the_start(trader)


def test_a_bracket(trader: Trader) -> None:
    """D1, D4"""
    acceptance.test_a_bracket_is_armed_from_the_fill_and_one_exit_ends_the_other(trader)


def test_a_bracket_of_an_entry_in_parts(trader: Trader) -> None:
    """D2, G3"""
    changes.test_exits_grow_with_an_entry_that_fills_in_parts_and_stay_when_the_rest_is_canceled(trader)


def test_a_refused_leg(trader: Trader) -> None:
    """D3"""
    cases.test_a_leg_that_is_refused_is_told_with_its_parent_and_the_other_works(
        trader, "stop", OrderRole.STOP, OrderRole.TARGET
    )


def test_legs_of_another_size(trader: Trader) -> None:
    """D5"""
    exits.test_a_pair_can_be_changed_and_canceled_as_a_whole(trader)


def test_a_price_between_ticks(trader: Trader) -> None:
    """E1"""
    acceptance.test_a_price_between_two_ticks_is_refused(trader)


def test_a_size_above_the_limit(trader: Trader) -> None:
    """E2"""
    acceptance.test_a_size_above_the_limit_is_refused_with_the_venues_reason(trader)


def test_a_closed_session(trader: Trader) -> None:
    """E3"""
    acceptance.test_a_closed_session_refuses(trader)


def test_margin(sandbox: RunningSandbox) -> None:
    """E4"""
    cases.test_an_order_beyond_the_accounts_margin_is_a_rejected_order(sandbox, VENUE.connect)


def test_an_unknown_symbol(trader: Trader) -> None:
    """E5"""
    acceptance.test_an_unknown_symbol_is_refused(trader)


@pytest.mark.parametrize("kind", ["drop_after_accept", "garbled"])
def test_a_lost_and_an_unreadable_answer(trader: Trader, kind: str) -> None:
    """F1, F3"""
    faults.test_f33_f34_an_order_without_a_readable_answer_is_unknown_and_then_found(trader, kind)


def test_an_order_lost_on_its_way(trader: Trader) -> None:
    """F2"""
    faults.test_f33_an_order_lost_before_the_venue_took_it_is_unknown_and_not_found(trader)


def test_a_cancel_in_doubt(venue: Venue, client: Client) -> None:
    """F4"""
    cases.test_a_change_without_an_answer_is_in_doubt_and_not_repeated(venue, client, cases.CANCEL, "order/cancelorder")


def test_a_client_id_twice(trader: Trader) -> None:
    """F5"""
    cases.test_the_same_client_id_twice_is_two_orders_at_this_venue(trader)


def test_an_open_order(trader: Trader) -> None:
    """G1, G2"""
    cases.test_a_resting_order_is_open_until_it_is_filled(trader)


def test_a_strangers_order(trader: Trader) -> None:
    """G5"""
    desk.test_a_trade_by_hand_is_external(trader)


def test_reports_told_again(trader: Trader) -> None:
    """G6, I4"""
    faults.test_f42_a_replay_after_a_reconnect_tells_no_fill_twice(trader)


def test_a_report_before_the_reply(trader: Trader) -> None:
    """G7"""
    faults.test_f43_events_before_the_answer_are_applied_once(trader)


def test_an_expired_token(new_trader: Callable[..., Trader]) -> None:
    """H1"""
    faults.test_f39_over_rest_one_401_costs_one_renewal(new_trader)


def test_a_refused_token(venue: Venue, client: Client) -> None:
    """H2"""
    sessions.test_a_login_whose_every_token_is_refused_has_failed(venue, client)


def test_too_many_requests(trader: Trader) -> None:
    """H3"""
    faults.test_f37_a_429_is_no_success_and_silences_the_login(trader)


def test_a_bad_password(sandbox: RunningSandbox) -> None:
    """H4"""
    acceptance.test_the_sign_in_check_names_the_accounts_and_a_bad_password_is_refused(VENUE, sandbox)


def test_a_penalty_ticket(trader: Trader) -> None:
    """H5"""
    faults.test_f37_a_penalty_ticket_is_waited_out_and_the_order_placed_once(trader)


def test_a_login_that_moves(sandbox: RunningSandbox, trader: Trader) -> None:
    """H6"""
    hosts.test_a_login_that_moves_is_found_again_and_trades(sandbox, trader)


def test_an_evicted_session(sandbox: RunningSandbox, trader: Trader, monkeypatch: pytest.MonkeyPatch) -> None:
    """H7"""
    hosts.test_a_third_sign_in_costs_one_more_and_no_hammering(sandbox, trader, monkeypatch)


def test_a_lost_stream(trader: Trader) -> None:
    """I1"""
    desk.test_a_reconnect_tells_everything_again(trader)


def test_a_silent_stream(venue: Venue, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """I2"""
    sessions.test_silence_is_stale_then_a_reconnect_and_a_new_snapshot(venue, client, monkeypatch)


def test_frames_in_pieces(venue: Venue, client: Client) -> None:
    """I3"""
    cases.test_frames_may_be_split_and_merged_in_any_way(venue, client)


def test_a_flatten_of_nothing(trader: Trader) -> None:
    """J2"""
    acceptance.test_a_flatten_of_nothing_is_accepted_and_trades_nothing(trader)


def test_polls_without_requests_left(venue: Venue, purse: Purse, paying: Client) -> None:
    """K1"""
    budget.test_orders_pass_when_polls_have_no_requests_left(venue, purse, paying)


def test_entries_without_requests_left(venue: Venue, purse: Purse, paying: Client) -> None:
    """K2"""
    budget.test_a_flatten_passes_when_an_entry_has_no_requests_left(venue, purse, paying)


def test_recorded_frames(venue: Venue, client: Client) -> None:
    """L1"""
    cases.test_a_session_in_the_shapes_that_were_recorded_is_read_whole(venue, client)


def test_secrets(sandbox: RunningSandbox, trader: Trader, caplog: pytest.LogCaptureFixture) -> None:
    """L2"""
    cases.test_no_secret_reaches_a_log_or_an_event(sandbox, trader, caplog)


def test_a_401_on_an_order(venue: Venue, client: Client) -> None:
    """H1"""
    fate.test_a_401_is_renewed_once_and_placed_once(venue, client)
