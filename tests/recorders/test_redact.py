"""No foreign secret is kept, and nothing else is lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recorders.alert import Flag
from recorders.parse import parse_body
from recorders.redact import redact

unhurried = settings(deadline=None)
SECRET = "s3cr3t-V4lue"
NAMES = (
    "token", "secret", "passphrase", "password", "passwd", "key", "api_key", "apikey", "license", "licenseid",
    "signalToken", "auth", "auth_token", "authorization", "accessToken", "webhook-key", "client_secret", "Pass",
    "TOKEN",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "form",
    [
        '{"action":"buy","%s":"%s","ticker":"MNQ1!"}', '{"a":{"b":[{"%s" : "%s"}]}}', "%s=%s;action=buy",
        "action=buy,%s=%s",
        "%s: %s\naction: buy", "s=MNQ1! b=long %s=%s", "action=buy&%s=%s&x=1", "{'%s': '%s'}", '{"%s":"%s',
        "{\u201c%s\u201d: \u201c%s\u201d}", '{"comment":"TP "x" y","%s":"%s"}', "{%s: %s}", '"{\\"%s\\":\\"%s\\"}"',
        '{"%s":["%s","x"]}', "%s = '%s'",
    ],
)  # fmt: skip
def test_the_value_goes_and_the_name_stays(name: str, form: str) -> None:
    kept = redact((form % (name, SECRET)).encode()).decode()
    assert SECRET not in kept
    assert name in kept
    assert "[removed]" in kept
    assert redact(kept.encode()).decode() == kept


@pytest.mark.parametrize(
    "body",
    [
        b"", b"\xff\xfe\x00", b'{"author":"a","keyword":"k","monkey":"m","tokenize":"t","passed":1,"secretary":"s"}',
        b'{"comment":"the key: breakout, or token","action":"buy"}', b'{"token":null,"secret":"","key": ""}',
        b"buy MNQ1! 2", b"buy,MNQ1!,2", b'\xef\xbb\xbf{"action":"buy"}\r\n', b'{"token":"[removed]"}',
    ],
)  # fmt: skip
def test_a_body_without_secrets_is_untouched(body: bytes) -> None:
    assert redact(body) == body


def test_a_backslash_before_a_value_is_no_quote() -> None:
    assert redact(b'key=\\abc"x;action=buy') == b"key=[removed];action=buy"


def test_a_license_number_has_no_name() -> None:
    assert redact(b"60123456789,buy,MNQ1!,sl=10") == b"[removed],buy,MNQ1!,sl=10"
    assert redact(b"6012 , closelong , MNQ1!\n6013,sell,ES1!") == b"[removed] , closelong , MNQ1!\n[removed],sell,ES1!"


def test_bytes_that_are_no_text_stay_as_they_are() -> None:
    assert redact(b'\xff\xfe{"token":"abc\xfe"}\x80') == b'\xff\xfe{"token":"[removed]"}\x80'


@unhurried
@given(
    st.dictionaries(st.sampled_from([*NAMES, "action", "comment", "ticker"]), st.text(max_size=30), max_size=4),
    st.booleans(),
)
def test_json_stays_the_same_json(fields: dict[str, str], ascii_only: bool) -> None:  # noqa: FBT001 - given
    kept: dict[str, Any] = json.loads(
        redact(json.dumps({"x": fields}, ensure_ascii=ascii_only).encode(errors="replace"))
    )
    assert kept["x"].keys() == fields.keys()
    for name in fields.keys() & {"action", "comment", "ticker"}:
        assert (
            kept["x"][name].encode(errors="replace") == fields[name].encode(errors="replace") or "?" in kept["x"][name]
        )
    for name in fields.keys() & set(NAMES):
        assert kept["x"][name] in {
            "[removed]",
            "",
            *(word for word in fields.values() if word.strip().lower() == "null"),
        }


def test_each_alert_of_a_body_loses_its_own() -> None:
    first, second = parse_body(b'{"action":"buy","ticker":"MNQ1!","token":"a"}\n{"action":"cancel"}')
    assert first.body == b'{"action":"buy","ticker":"MNQ1!","token":"[removed]"}'
    assert first.alert is not None
    assert second.alert is not None
    assert (first.alert.flags, second.alert.flags) == ((Flag.SECRET_REMOVED,), ())


def test_a_refusal_never_shows_a_secret() -> None:
    for body in (
        b'{"token":"s3cr3t"}',
        b"key=s3cr3t;command=x",
        b"s3cr3t,buy,X",
        b"s3cr3t\nlong MNQ1!",
        b'{"token":"s3cr3t',
    ):
        for parsed in parse_body(body):
            assert parsed.refusal is None or "s3cr3t" not in parsed.refusal.text
