"""No body makes the reader raise, and none makes it say what cannot be acted on."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

import pytest

from recorders import fields
from recorders.alert import Action
from recorders.parse import MAX_ALERTS, MAX_BODY_BYTES, Parsed, parse_body
from recorders.settings import read_overrides
from tests.recorders.corpus import ALL

BODIES = [case.body for case in ALL]
ROUNDS = 20_000
NUMBERS = [
    b"1e400000000", b"1e999999", b"-1e999999999999999999", b"NaN", b"-Infinity", b"sNaN", b"0x10", b"9" * 5000, b"1_0",
    b"1e-400000000", b"-0", b"25,035.75", "\u0661".encode(), b"{{plot_0}}", b"", b"null", b"true", b"[]", b"{}", b'"1"',
]  # fmt: skip
ODDITIES = [
    b"\x00", b"\\ud800", b"\\u0000", "\U0001f680".encode(), b"\xed\xa0\x80", b"\xff", b"\xef\xbb\xbf", b"\r\n", b"|",
    b"k" * 3000,
    b'"', b"'", b"\\", b"{", b"}", b"[", b"]", b",", b":", b";", b"=", "\u201c".encode(), "\u2028".encode(), b"{{",
    b"}}",
    b'{"a":' * 500, b"[" * 2000, b"<script>", b"%s%n", b"token=", b'"token":"', b"/*", b"//",
]  # fmt: skip
STORED_TEXT = re.compile(r"[^\x00\ud800-\udfff]*")


def flipped(body: bytes, chance: random.Random) -> bytes:
    changed = bytearray(body)
    for _ in range(chance.randint(1, 4)):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def cut(body: bytes, chance: random.Random) -> bytes:
    start, end = sorted(chance.choices(range(len(body) + 1), k=2))
    return chance.choice((body[:end], body[start:], body[:start] + body[end:]))


def spliced(body: bytes, chance: random.Random) -> bytes:
    other, at = chance.choice(BODIES), chance.randrange(len(body))
    return chance.choice(
        (body[:at] + other[at:], body + other, body + b"\n" + other, b"[" + body + b"," + other + b"]")
    )


def with_number(body: bytes, chance: random.Random) -> bytes:
    found = list(re.finditer(rb'(?<=[:=,])\s*"?[\d.]+"?', body))
    if not found:
        return body + chance.choice(NUMBERS)
    place = chance.choice(found)
    return body[: place.start()] + chance.choice(NUMBERS) + body[place.end() :]


def with_oddity(body: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(body) + 1)
    return body[:at] + chance.choice(ODDITIES) * chance.randint(1, 3) + body[at:]


def repeated(body: bytes, chance: random.Random) -> bytes:
    return (body + chance.choice((b"", b"\n", b","))) * chance.randint(2, 30)


MUTATIONS = (flipped, cut, spliced, with_number, with_oddity, repeated)


def mutated(seed: int, rounds: int) -> Iterator[bytes]:
    chance = random.Random(seed)
    for _ in range(rounds):
        body = chance.choice(BODIES)
        for _ in range(chance.randint(1, 3)):
            body = chance.choice(MUTATIONS)(body or b"x", chance)
        yield body[: MAX_BODY_BYTES + 1]


def check(body: bytes) -> bool:
    """Whether the body's first alert was understood."""
    found = parse_body(body)
    assert 1 <= len(found) <= MAX_ALERTS
    for parsed in found:
        assert (parsed.alert is None) != (parsed.refusal is None)
        check_refusal(parsed) if parsed.alert is None else check_alert(parsed)
    return found[0].alert is not None


def check_refusal(parsed: Parsed) -> None:
    refusal = parsed.refusal
    assert refusal is not None
    assert re.fullmatch(r"[A-Z0-9_]{3,32}", refusal.code)
    assert len(refusal.text) <= 512
    assert STORED_TEXT.fullmatch(refusal.text)


def check_alert(parsed: Parsed) -> None:
    alert = parsed.alert
    assert alert is not None
    assert alert.ticker.isascii()
    assert alert.ticker.isprintable()
    assert bool(alert.ticker) or alert.action in {Action.CANCEL, Action.HEARTBEAT}
    for size in (alert.quantity, alert.position, alert.prev_position):
        assert size is None or (size.is_finite() and abs(size) <= fields.MAX_QUANTITY)
    assert alert.quantity is None or alert.quantity >= 0
    for price in (alert.price, alert.limit_price, alert.premium):
        assert price is None or (price.is_finite() and abs(price) <= fields.MAX_PRICE)
    assert alert.position_side in {None, -1, 0, 1}
    assert STORED_TEXT.fullmatch(alert.strategy)
    assert len(alert.strategy) <= 64
    assert alert.fired_at is None or alert.fired_at.tzinfo is not None
    assert read_overrides(alert.settings) == dict(alert.settings)


@pytest.mark.parametrize("seed", range(4))
def test_mutations_of_real_alerts(seed: int) -> None:
    understood = sum(check(body) for body in mutated(seed, ROUNDS // 4))
    assert ROUNDS // 4 * 0.1 < understood < ROUNDS // 4 * 0.9, "mutations that leave all or nothing test nothing"


@pytest.mark.parametrize(
    "piece", [*ODDITIES, *NUMBERS, b'{"action":', b"action=buy;", b"a,b,", b"x y ", b'{"a":1}\n', b"\n"]
)
def test_the_largest_bodies_of_one_piece(piece: bytes) -> None:
    piece = piece or b" "
    check((piece * (MAX_BODY_BYTES // len(piece) + 1))[:MAX_BODY_BYTES])


def test_every_beginning_of_every_alert() -> None:
    for body in BODIES[::7]:
        for end in range(len(body)):
            check(body[:end])
