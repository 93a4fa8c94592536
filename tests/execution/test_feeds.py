"""Which login's quote stream a lane listens to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest

from brokers.base import ConnectionState, OnQuote
from brokers.errors import Refused
from execution.lane import feeds
from execution.lane.feeds import Feeds
from tests.execution.feed import ScriptedConnection

MNQ, MES = "MNQZ6", "MESZ6"
LIVE, DEMO = "tradovate/live", "projectx/demo"


class Listeners:
    """A lane's feeds over connections of these sources, and what they have said."""

    def __init__(self, *sources: str) -> None:
        self.connections = [ScriptedConnection() for _ in sources]
        self.sources = {one.login_id: source for one, source in zip(self.connections, sources, strict=True)}
        self.heard: list[tuple[str, str, Decimal | None]] = []
        self.feeds = Feeds(self._listener)

    def _listener(self, source: str) -> OnQuote:
        def on_quote(symbol: str, _bid: object, _ask: object, last: Decimal | None, _at: datetime) -> None:
            self.feeds.heard(source, symbol)
            self.heard.append((source, symbol, last))

        return on_quote

    def refresh(self, *symbols: str, is_open: bool = True) -> None:
        self.feeds.refresh(self.connections, self.sources, symbols=set(symbols), is_open=is_open)

    @property
    def running(self) -> list[list[set[str]]]:
        """What each connection's running streams are subscribed to."""
        return [[one.symbols for one in each.sources if one.is_running] for each in self.connections]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "SILENT_AFTER_S", 0.0)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets the clock that the feeds look at."""
    now = [0.0]
    monkeypatch.setattr(feeds, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return lambda seconds: now.__setitem__(0, float(seconds))


def test_each_venue_and_environment_has_one_stream() -> None:
    lane = Listeners(LIVE, LIVE, DEMO)
    lane.refresh(MNQ, MES)
    lane.refresh(MNQ, MES)
    assert lane.running == [[{MNQ, MES}], [], [{MNQ, MES}]]
    lane.connections[0].source.say(MNQ, "1")
    lane.connections[2].source.say(MES, "2")
    assert lane.heard == [(LIVE, MNQ, Decimal(1)), (DEMO, MES, Decimal(2))]


def test_no_stream_is_opened_for_nothing_or_through_a_login_that_is_down() -> None:
    lane = Listeners(LIVE, LIVE)
    lane.refresh()
    assert lane.running == [[], []]
    lane.connections[0].state = ConnectionState.STALE
    lane.refresh(MNQ)
    assert lane.running == [[], [{MNQ}]]


def test_what_is_no_longer_wanted_is_unsubscribed() -> None:
    lane = Listeners(LIVE)
    lane.refresh(MNQ, MES)
    lane.refresh(MES)
    assert lane.running == [[{MES}]]
    lane.refresh()
    assert lane.running == [[set()]]


@pytest.mark.parametrize("loss", ["state", "gone"])
def test_a_lost_login_is_replaced_by_another_of_its_venue(loss: str) -> None:
    lane = Listeners(LIVE, DEMO, LIVE)
    lane.refresh(MNQ)
    lost = lane.connections[0]
    if loss == "state":
        lost.state = ConnectionState.DOWN
    else:
        lane.connections.remove(lost)
    lane.refresh(MNQ)
    assert not lost.source.is_running
    assert lane.connections[-1].source.symbols == {MNQ}
    assert lane.feeds.names == {LIVE, DEMO}


def test_a_venue_whose_last_login_is_lost_has_no_stream_until_it_is_back() -> None:
    lane = Listeners(LIVE)
    lane.refresh(MNQ)
    lane.connections[0].state = ConnectionState.DOWN
    lane.refresh(MNQ)
    assert lane.feeds.names == frozenset()
    lane.connections[0].state = ConnectionState.LIVE
    lane.refresh(MNQ)
    assert lane.running == [[{MNQ}]]


def test_a_silent_source_gives_way_to_a_login_that_was_not_tried(impatient: None) -> None:
    lane = Listeners(LIVE, LIVE)
    lane.refresh(MNQ)
    lane.refresh(MNQ)
    assert lane.running == [[], [{MNQ}]]
    lane.refresh(MNQ)
    assert lane.running == [[], [{MNQ}]], "the first was silent a moment ago"


def test_a_source_that_speaks_is_kept() -> None:
    lane = Listeners(LIVE, LIVE)
    lane.refresh(MNQ)
    lane.connections[0].source.say(MNQ, "1")
    lane.refresh(MNQ)
    assert lane.running == [[{MNQ}], []]


def test_nobody_is_expected_to_speak_while_the_market_is_closed(impatient: None) -> None:
    lane = Listeners(LIVE, LIVE)
    lane.refresh(MNQ, is_open=False)
    lane.refresh(MNQ, is_open=False)
    assert lane.running == [[{MNQ}], []]


def test_a_silent_source_without_an_alternative_is_kept(impatient: None) -> None:
    lane = Listeners(LIVE, DEMO)
    lane.refresh(MNQ)
    lane.refresh(MNQ)
    assert [len(each.sources) for each in lane.connections] == [1, 1]


def test_what_says_nothing_is_asked_for_again_and_ever_more_rarely(at: Callable[[float], None]) -> None:
    """The first asking may have been refused, or its answer lost: nobody would be told this price again."""
    lane = Listeners(LIVE)
    asked: list[tuple[float, list[str]]] = []
    for second in range(0, 300, 5):
        at(second)
        lane.refresh(MNQ, MES)
        lane.connections[0].source.say(MES, "1")
        if lane.connections[0].source.asked:
            asked.append((second, lane.connections[0].source.asked))
            lane.connections[0].source.asked = []
    assert asked == [(0, [MES, MNQ]), (30, [MNQ]), (90, [MNQ]), (210, [MNQ])]
    lane.connections[0].source.say(MNQ, "1")
    at(325)
    lane.refresh(MNQ)
    assert lane.connections[0].source.asked == [MNQ], "it spoke, and is expected to go on speaking"


def test_what_says_nothing_while_the_market_is_closed_is_not_asked_for_again(impatient: None) -> None:
    lane = Listeners(LIVE)
    lane.refresh(MNQ, is_open=False)
    lane.refresh(MNQ, is_open=False)
    assert lane.connections[0].source.asked == [MNQ]


def test_a_venue_without_a_market_is_no_source() -> None:
    """Else nobody would look for its prices anywhere else."""
    lane = Listeners(LIVE, "paper/live")
    lane.connections[1].has_market = False
    lane.refresh(MNQ)
    assert lane.feeds.names == {LIVE}


def test_a_login_that_gives_no_stream_holds_up_nobody() -> None:
    lane = Listeners(LIVE, DEMO, LIVE)
    lane.connections[0].refusal = Refused("NO_MARKET_DATA", "not in this plan")
    lane.refresh(MNQ)
    assert lane.running == [[], [{MNQ}], []]
    lane.refresh(MNQ)
    assert lane.running == [[], [{MNQ}], [{MNQ}]]


def test_a_login_that_gives_no_stream_is_not_asked_again_at_once() -> None:
    lane = Listeners(LIVE)
    lane.connections[0].refusal = Refused("NO_MARKET_DATA", "not in this plan")
    lane.refresh(MNQ)
    lane.connections[0].refusal = None
    lane.refresh(MNQ)
    assert lane.running == [[]]


def test_all_streams_end_with_the_lane() -> None:
    lane = Listeners(LIVE, DEMO)
    lane.refresh(MNQ)
    lane.feeds.stop()
    assert lane.running == [[], []]
