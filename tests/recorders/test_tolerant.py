"""What is repaired, what is not, and that the work stays in proportion to the text."""

from __future__ import annotations

import json
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recorders import tolerant
from recorders.tolerant import MAX_DEPTH, Contradiction, Unreadable, documents

unhurried = settings(deadline=None)


def value_of(text: str) -> Any:
    (document,) = documents(text)
    assert text[document.start : document.end].lstrip()[:1] == "{"
    return document.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a":1,}', {"a": 1}), ('{"a":[1,2,],}', {"a": [1, 2]}), ('{"a": ,"b":2}', {"a": None, "b": 2}),
        ('{"a":}', {"a": None}), ('{"p":25035.75","b":"x"}', {"p": Decimal("25035.75"), "b": "x"}),
        ('{"p":25035.75"}', {"p": Decimal("25035.75")}), ("{'a':'b'}", {"a": "b"}),
        ("{\u2018a\u2019:\u2018b\u2019}", {"a": "b"}),
        ("{\u201ca\u201d:\u201cb c\u201d}", {"a": "b c"}), ("{a: b, c-d: MNQ1!}", {"a": "b", "c-d": "MNQ1!"}),
        ("{'a': True, 'b': None, 'c': False}", {"a": True, "b": None, "c": False}),
        ('{"a":NaN,"b":na,"c":-Infinity}', {"a": "NaN", "b": "na", "c": "-Infinity"}),
        ('{"a":"x\ny"}', {"a": "x\ny"}), ('{"a":"b"', {"a": "b"}), ('{"a":{"b":"c"}', {"a": {"b": "c"}}),
        ('{"a":"b"}}', {"a": "b"}), ('{"a":"b"};', {"a": "b"}), ('Order: {"a":"b"}', {"a": "b"}),
        ("{'a':'it\\'s'}", {"a": "it's"}), ('{"a":{{close}}}', {"a": "{{close}}"}),
        ('\ufeff{"a":1.50,}', {"a": Decimal("1.50")}),
        ('{"n":0.10000000000000000001,}', {"n": Decimal("0.10000000000000000001")}), ('{"n":007,}', {"n": "007"}),
        ('{"n":1.2.3}', {"n": "1.2.3"}), ("{}", {}), ('{"e":"\\u00e9\\n",}', {"e": "\u00e9\n"}),
    ],
)  # fmt: skip
def test_what_is_repaired(text: str, value: object) -> None:
    assert value_of(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "", "buy", "5", "[]", "[1]", '{"q":1,000,"a":"b"}', '{"q":25,035.75}', '{"q":2 3}', '{"a":"b" "c":1}', '{"a":1',
        '{"a":buy', '{"a":"b",', '{"a":', '{"a"', '{"a":"b', "{'a':'it's'}", '{"c":"TP "x" y"}', '{"a":"b"}x',
        'x {"a":1}',
        '{"a":"b"}","q":"5"}', '{"a":\x00}', '{"a":"\x01"}', '{"a" 1}', "{1:2}", '{"a":]}', '{"a":[1}', '{"a":1}{',
        '{,}',
        '{"a":1e99999999999999999999}', "Order {\"a\":1}", "x=1 y: {\"a\":1}", '{"n":1,,"b":2}',
    ],
)  # fmt: skip
def test_what_is_not(text: str) -> None:
    with pytest.raises(Unreadable):
        documents(text)


def test_two_values_under_one_name_are_no_meaning() -> None:
    with pytest.raises(Contradiction) as caught:
        documents('{"a":1,"a":2,}')
    assert caught.value.name == "a"
    assert value_of('{"a":1,"a":1,}') == {"a": 1}


@pytest.mark.parametrize("text", ['{"a":1}{"b":2}', '{"a":1}\n{"b":2},', '[{"a":1},{"b":2},]', '{"a":1},\r\n{"b":2}'])
def test_several_objects(text: str) -> None:
    found = documents(text)
    assert [document.value for document in found] == [{"a": 1}, {"b": 2}]
    assert [text[document.start : document.end] for document in found] == ['{"a":1}', '{"b":2}']


def test_depth_has_a_limit() -> None:
    def nested(depth: int) -> str:
        return '{"a":' * depth + "1" + "}" * depth + ","

    assert value_of(nested(MAX_DEPTH))
    for depth in (MAX_DEPTH + 1, 10_000):
        with pytest.raises(Unreadable):
            documents(nested(depth))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@unhurried
@given(st.dictionaries(st.text(max_size=8), _JSON, max_size=4))
def test_json_is_read_as_json(fields: dict[str, Any]) -> None:
    for text in (json.dumps(fields), json.dumps(fields, indent=1)):
        assert value_of(text) == json.loads(text)


HOSTILE = (
    '{"a":', '{"a"', '{"a"{"a"', "{'", '{"', '"', "[", "{", "}", '{"a":"\\"', "{a:", "{a:[", '{"a":1"', "{\u201c", ",",
    " ",
    '{"a":1},', "{{", '{"a":{{', "{a:b,", '{"a":"b",', "\\", "{'a':'\\'", "Order: ", "{\u201ca\\", '{"a":-', "1",
    "{a:1 ",
)  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_each_character_is_looked_at_a_bounded_number_of_times(piece: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps of the reader and characters that its patterns take, counted, for a text and for one four times as long."""
    short, long = (steps_for((piece * 8192)[:size], monkeypatch) for size in (4_000, 16_000))
    assert long <= 4 * short + 1_000


def steps_for(text: str, monkeypatch: pytest.MonkeyPatch) -> int:
    steps = 0
    peek, value = tolerant._Reader.peek, tolerant._Reader.value

    def counting_peek(reader: tolerant._Reader) -> str:
        nonlocal steps
        before = reader.at
        found = peek(reader)
        steps += 1 + reader.at - before
        return found

    def counting_value(reader: tolerant._Reader, depth: int) -> Any:
        nonlocal steps
        before = reader.at
        try:
            return value(reader, depth)
        finally:
            steps += 1 + (reader.at - before if depth == 0 else 0)

    with monkeypatch.context() as patched:
        patched.setattr(tolerant._Reader, "peek", counting_peek)
        patched.setattr(tolerant._Reader, "value", counting_value)
        with suppress(Unreadable, Contradiction):
            documents(text)
    return steps
