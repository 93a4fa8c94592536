"""Alerts that are text: each line becomes fields, and the fields' names say which dialect the line speaks.

`a=1;b=2`, `a=1, b=2`, `a=1&b=2` and `a=1 b=2` are names with values; a block of `a: 1` lines is one alert. What stands
without a name is called by its place: `csv 1` between commas, `word 1` between spaces, `part 1` between semicolons.
TradingView's own default message of a strategy is read as what it says; its last number has a sign.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_plus

from recorders.alert import Refusal
from recorders.fields import Fields

LINE = "(line)"
"""Under this name stands the whole line; JSON has no such field."""
COMMAND = "command"
_LINE_ENDS = re.compile(r"[\r\n|]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_PAIR = re.compile(r"\s*([A-Za-z_][\w.-]{0,40})\s{0,8}(?:=|:(?=\s))(.*)", re.ASCII | re.DOTALL)
_SEVERAL = re.compile(r"[=;&]|:\s|,\s{0,8}[A-Za-z_]")
_FILLED = re.compile(
    r"(?:(?P<strategy>[^\n]{1,200}): )?order (?P<action>buy|sell) @ (?P<contracts>[\d.]{1,32}) "
    r"filled on (?P<ticker>\S{1,64})\. New strategy position is (?P<sign>-?)(?P<position_size>[\d.]{1,32})\.?",
    re.ASCII,
)
_SPLITS = ((";", "part"), ("&", "part"), (",", "csv"))


def documents(text: str) -> list[tuple[str, Fields]]:
    """The text's alerts, each with the lines that it stands on. Raises `Refusal`."""
    if _CONTROL.search(text) is not None:
        raise Refusal("NOT_JSON", "body: is neither JSON nor text: it holds control characters")
    lines = [line.strip() for line in _LINE_ENDS.split(text) if line.strip()]
    if not lines:
        raise Refusal("NOT_JSON", "body: holds no words")
    filled = [_FILLED.fullmatch(line) for line in lines]
    if all(filled):
        return [(found[0], _filled(found)) for found in filled if found is not None]
    block = [_PAIR.fullmatch(line.rstrip(",;")) for line in lines]
    pairs = [pair for pair in block if pair is not None and _SEVERAL.search(pair[2]) is None]
    if len(pairs) == len(lines):
        return [(text, {LINE: text.strip(), **_named([(pair[1], pair[2]) for pair in pairs])})]
    return [(line, {LINE: line, **_fields_of(line)}) for line in lines]


def _filled(found: re.Match[str]) -> Fields:
    told: Fields = {LINE: found[0], **found.groupdict()}
    sign = told.pop("sign")
    return {**told, "position": "short" if sign else "long"}


def _fields_of(line: str) -> Fields:
    for separator, place in _SPLITS:
        if separator in line:
            parts = [part.strip() for part in line.split(separator)]
            decoded = [unquote_plus(part) for part in parts] if separator == "&" else parts
            return _named(_placed([part for part in decoded if part], place))
    return _named(_placed(line.split(), "word"))


def _placed(parts: list[str], place: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    nameless = 0
    for part in parts:
        pair = _PAIR.fullmatch(part)
        nameless += pair is None
        found.append((pair[1], pair[2]) if pair is not None else (f"{place} {nameless}", part))
    return found


def _named(pairs: list[tuple[str, str]]) -> Fields:
    """Names in small letters, values without their quotes. Two values under one name are refused."""
    found: Fields = {}
    for name, raw in pairs:
        key, value = name.lower(), raw.strip().strip("\"'").strip()
        if found.get(key, value) != value:
            raise Refusal("DUPLICATE_FIELD", f"{key}: is given twice with different values")
        found[key] = value
    return found
