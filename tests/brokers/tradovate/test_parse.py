"""The wire's own spellings, including its bad ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from brokers.errors import OutcomeUnknown, RateLimited
from brokers.tradovate import parse
from brokers.tradovate.penalty import check_penalty
from brokers.tradovate.types import Fill, Order, Position, Refusal


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-06-14T22:00:22.045Z", datetime(2026, 6, 14, 22, 0, 22, 45_000, UTC)),
        ("2026-05-24T19:52:12Z", datetime(2026, 5, 24, 19, 52, 12, 0, UTC)),
        ("2036-06-13T00:00Z", datetime(2036, 6, 13, 0, 0, 0, 0, UTC)),
    ],
)
def test_times_come_in_three_precisions(text: str, expected: datetime) -> None:
    """L1"""
    assert parse.parse_time(text) == expected


@pytest.mark.parametrize("digits", ["25000.25", "0.0000005", "109.015625", "1.08505", "24998.083333333332", "-37.63"])
def test_prices_keep_their_digits(digits: str) -> None:
    (message,) = parse.messages_of(b'a[{"p":' + digits.encode() + b"}]")
    assert parse.decimal_of(message["p"]) == Decimal(digits)


def test_ids_of_twelve_digits_and_more_stay_exact() -> None:
    (message,) = parse.messages_of(b'a[{"id":9007199254740993}]')
    assert message["id"] == 9007199254740993


def test_messages_may_be_encoded_twice() -> None:
    assert parse.messages_of(b'a["{\\"s\\":200,\\"i\\":1}",{"i":2}]') == [{"s": 200, "i": 1}, {"i": 2}]


@pytest.mark.parametrize("frame", [b"a", b"a[", b'a[{"s":200,"i":1', b"a[NaN]", b"a[1]", b"a{}", b'a["x"]', b"a[\xff]"])
def test_a_garbled_frame_is_an_unknown_outcome(frame: bytes) -> None:
    """F3"""
    if frame == b"a{}":
        assert parse.messages_of(frame) == []
    else:
        with pytest.raises(OutcomeUnknown):
            parse.messages_of(frame)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (b'c[3000,"Go away!"]', "closed by the venue: 3000 Go away!"),
        (b"c", "closed by the venue"),
        (b"c[", "closed by the venue"),
        (b"c[1]", "closed by the venue"),
    ],
)
def test_close_frames(frame: bytes, reason: str) -> None:
    assert parse.close_reason(frame) == reason


def test_an_entity_may_be_an_object_or_a_list() -> None:
    order = {"id": 1, "accountId": 2, "contractId": 3, "action": "Buy", "ordStatus": "Working", "future": {"x": 1}}
    expected = Order(1, 2, 3, "Buy", "Working", None)
    assert parse.entities_of("order", order) == [expected]
    assert parse.entities_of("order", [order, {**order, "id": 2}]) == [expected, Order(2, 2, 3, "Buy", "Working", None)]


def test_types_that_we_do_not_follow_are_ignored() -> None:
    assert parse.entities_of("userSessionStats", {"id": 1}) == []


def test_one_unreadable_entity_does_not_hide_the_others() -> None:
    good = {"id": 1, "accountId": 2, "action": "Buy", "ordStatus": "Working"}
    assert parse.entities_of("order", [{"id": 7}, None, good]) == [Order(1, 2, None, "Buy", "Working", None)]


@pytest.mark.parametrize("price", [None, 0, 0.0])
def test_a_fill_without_a_price_has_none(price: float | None) -> None:
    fill = {"id": 1, "orderId": 2, "contractId": 3, "action": "Buy", "qty": 1, "timestamp": "2026-10-01T14:00Z"}
    (entity,) = parse.entities_of("fill", {**fill, "price": price})
    assert isinstance(entity, Fill)
    assert entity.price is None


def test_a_flat_position_has_no_average() -> None:
    row = {"id": 1, "accountId": 2, "contractId": 3, "netPos": 0, "timestamp": "2026-10-01T14:00:03.482Z"}
    (entity,) = parse.entities_of("position", row)
    assert isinstance(entity, Position)
    assert (entity.net, entity.avg_price) == (0, None)


def test_only_refusing_reports_are_refusals() -> None:
    report = {"id": 1, "commandId": 2, "commandStatus": "RiskPassed"}
    refused = {**report, "commandStatus": "RiskRejected", "rejectReason": "MaxOrderQtyLimitReached", "text": "too many"}
    assert parse.entities_of("commandReport", [report, refused]) == [
        Refusal(1, 2, "MaxOrderQtyLimitReached", "too many")
    ]


@pytest.mark.parametrize(
    ("ticket", "wait"),
    [
        ({"p-ticket": "x", "p-time": 15, "p-captcha": False}, timedelta(seconds=15)),
        ({"p-ticket": "x", "p-time": 15, "p-captcha": True}, timedelta(hours=1)),
        ({"p-ticket": "x"}, timedelta(seconds=60)),
        ({"p-ticket": "x", "p-time": 1e30}, timedelta(days=1)),
    ],
)
def test_a_penalty_ticket_is_a_wait(ticket: dict[str, object], wait: timedelta) -> None:
    """H5"""
    with pytest.raises(RateLimited) as raised:
        check_penalty(ticket)
    assert abs(raised.value.until - datetime.now(UTC) - wait) < timedelta(seconds=5)


@pytest.mark.parametrize("payload", [{"orderId": 1}, [], None, "text", 3])
def test_other_answers_are_no_penalty(payload: object) -> None:
    check_penalty(payload)
