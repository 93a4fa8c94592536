"""The bodies of all cases, and what could become of them on a bad day. Seeded: what broke something comes again."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from tests.streams.case import Alert, Case, Raw

LONGEST = 70_000
FIRED_AT = datetime(2026, 11, 23, 14, 35, tzinfo=UTC)
NUMBERS = (
    b"1e400", b"-0", b"1E-400", b"9" * 400, b"0." + b"0" * 300 + b"1", b"NaN", b"-Infinity", b"1_000", b"0x10", b"1e",
    b"1.7976931348623157e309", b"99999999999999999999", b"-1", b"00012", b"\xd9\xa3", b".5", b"5.", b"+5", b"1,500.25",
)  # fmt: skip
SNIPPETS = (
    b"\x00", b"\xff", b"\xc3\x28", b"\xed\xa0\x80", b"\xef\xbb\xbf", "\U0001f680".encode(), "\u202e\u0000".encode(),
    b"{{ticker}}", b"{{", b"}}", b"\\u0000", b"\\ud800", b"\\", b'"', b"'", b",", b":", b"null", b"true", b"[]", b"{}",
    b"\r\n", b"|", b";", b"=", b"&", b"%00", b"%", "\u2028".encode(), "\u00a0".encode(), b"<script>", b"'; --",
)  # fmt: skip
_NUMBER = re.compile(rb"\d+(?:\.\d+)?")
_VALUE = re.compile(rb':\s*("[^"]*"|[\d.]+)')
Change = Callable[[random.Random, bytes, list[bytes]], bytes]


def corpus_of(cases: tuple[Case, ...]) -> list[bytes]:
    """Each different body once."""
    bodies: dict[bytes, None] = {}
    for case in cases:
        for step, _ in case.slots():
            for sent in step if isinstance(step, tuple) else (step,):
                if isinstance(sent, Alert | Raw):
                    bodies[sent.body(f"{case.market}1!", FIRED_AT, 1)] = None
    return list(bodies)


def mutated(seed: int, corpus: list[bytes]) -> Iterator[bytes]:
    """Without end: one body of the corpus after the other, changed in one to four ways."""
    chance = random.Random(seed)
    while True:
        body = chance.choice(corpus)
        for _ in range(chance.choice((1, 1, 2, 4))):
            body = chance.choice(CHANGES)(chance, body, corpus)[:LONGEST]
        yield body


def _flip_bits(chance: random.Random, body: bytes, _corpus: list[bytes]) -> bytes:
    changed = bytearray(body)
    for _ in range(chance.randint(1, 5) if changed else 0):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _cut(chance: random.Random, body: bytes, _corpus: list[bytes]) -> bytes:
    start, end = sorted(chance.randint(0, len(body)) for _ in range(2))
    return chance.choice((body[:end], body[start:], body[start:end], body[:start] + body[end:]))


def _splice(chance: random.Random, body: bytes, corpus: list[bytes]) -> bytes:
    other = chance.choice(corpus)
    at, start = chance.randint(0, len(body)), chance.randint(0, len(other))
    return chance.choice(
        (body[:at] + other[start:], body + other, body + b"\n" + other, b"[" + body + b"," + other + b"]")
    )


def _put_in(chance: random.Random, body: bytes, _corpus: list[bytes]) -> bytes:
    at = chance.randint(0, len(body))
    return body[:at] + chance.choice(SNIPPETS) * chance.choice((1, 1, 2, 50)) + body[at:]


def _other_number(chance: random.Random, body: bytes, _corpus: list[bytes]) -> bytes:
    found = list(_NUMBER.finditer(body))
    if not found:
        return body
    one = chance.choice(found)
    return body[: one.start()] + chance.choice(NUMBERS) + body[one.end() :]


def _other_value(chance: random.Random, body: bytes, _corpus: list[bytes]) -> bytes:
    """A value of another kind, up to one that is nested deeper than any reader goes."""
    found = list(_VALUE.finditer(body))
    if not found:
        return body
    one, depth = chance.choice(found), chance.choice((1, 5, 40, 5000))
    nested = b"[" * depth + b"1" + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth
    value = chance.choice((*nested, b"null", b"true", b'""', b'"' + b"x" * 5000 + b'"', *SNIPPETS))
    return body[: one.start(1)] + value + body[one.end(1) :]


def _double(chance: random.Random, body: bytes, _corpus: list[bytes]) -> bytes:
    start, end = sorted(chance.randint(0, len(body)) for _ in range(2))
    return body[:end] + body[start:end] * chance.choice((1, 3, 200)) + body[end:]


def _noise(chance: random.Random, _body: bytes, _corpus: list[bytes]) -> bytes:
    return chance.randbytes(chance.choice((0, 1, 10, 300)))


CHANGES: tuple[Change, ...] = (
    _flip_bits, _flip_bits, _cut, _splice, _put_in, _put_in, _other_number, _other_number, _other_value, _double,
    _noise,
)  # fmt: skip
