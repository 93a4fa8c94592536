"""The second look at a body that is not JSON but was meant to be: what its author meant is read, or nothing is.

No library does this for us. json-repair 0.64 takes `2 3` for 2, ends a text that was cut off, reads floats, and needs
79 s for 64 KB of `{"a"{"a"...`; dirtyjson and pyjson5 know neither a stray quote nor an empty place, and read floats
too. So: one pass, a depth limit, exact decimals, and an error for whatever has more than one reading.

Repaired are trailing commas, quotes that an editor made curly, single quotes, a quote left behind a number
(`"price":25035.75",`), a place that nothing was put in (`"q": ,`), bare words as keys and values (`NaN` and `na` are
left as text for the field to judge), Python's True and None, line breaks within texts, a missing last brace, and a
label before the object (`Order: {...}`).
"""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

MAX_DEPTH = 30

_CURLY = "\u201c\u201d\u201e\u201f\u2033"
_SPACE = re.compile(r"[ \t\r\n\u00a0\ufeff]*")
_TEXT = json.JSONDecoder(strict=False)
"""Not strict: an alert's comment may hold a line break."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_LABEL = re.compile(r"[A-Za-z][\w ]{0,40}[:=]\s{0,8}(?=\{)", re.ASCII)
_REST = re.compile(r"[\s,;}\]]*")
_BARE_KEY = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)
_BARE_VALUE = re.compile(rf"\{{\{{[^{{}}]*\}}\}}|[^\s,{{}}\[\]\"'{_CURLY}]+")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_STRAY_QUOTE = re.compile(rf"[\"{_CURLY}](?=\s*(?:[,}}\]]|$))")
_CURLY_TEXT = re.compile(rf"[{_CURLY}]([^\"{_CURLY}\\]*(?:\\.[^\"{_CURLY}\\]*)*)[\"{_CURLY}]", re.DOTALL)
_SINGLE_TEXT = re.compile(r"['\u2018\u2019]([^'\u2018\u2019\\]*(?:\\.[^'\u2018\u2019\\]*)*)['\u2018\u2019]", re.DOTALL)
_WORDS: dict[str, bool | None] = {
    "true": True, "True": True, "false": False, "False": False, "null": None, "None": None
}  # fmt: skip


class Document(NamedTuple):
    """One value of a body, and where in the text it stands."""

    start: int
    end: int
    value: Any


class Unreadable(ValueError):
    """What stands in the way, and where (a character's index)."""

    def __init__(self, problem: str, at: int) -> None:
        super().__init__(problem)
        self.problem = problem
        self.at = at


def documents(text: str) -> list[Document]:
    """The objects of `text`: one, several behind each other, or those of one array. Raises `Unreadable`."""
    control = _CONTROL.search(text)
    if control is not None:
        raise Unreadable("a control character", control.start())
    label = _LABEL.match(text, after_space(text, 0))
    reader = _Reader(text, label.end() if label is not None else 0)
    if reader.peek() == "[":
        reader.take()
    found: list[Document] = []
    while reader.peek() == "{":
        start = reader.at
        value = reader.value(0)
        found.append(Document(start, reader.at, value))
        if reader.peek() == ",":
            reader.take()
    rest = _REST.match(text, reader.at)
    if not found or rest is None or rest.end() != len(text):
        raise Unreadable("something that is no object", reader.at)
    return found


def after_space(text: str, at: int) -> int:
    """The place of the first character from `at` on that is no space."""
    found = _SPACE.match(text, at)
    return found.end() if found is not None else at


class _Reader:
    """Reads one value after the other; each character is looked at a bounded number of times."""

    def __init__(self, text: str, at: int) -> None:
        self.text = text
        self.at = at
        self._may_end = False

    def peek(self) -> str:
        """The next character that is no space, "" at the end."""
        self.at = after_space(self.text, self.at)
        return self.text[self.at : self.at + 1]

    def take(self) -> None:
        """Pass over one character of punctuation; behind it something must follow."""
        self.at += 1
        self._may_end = False

    def value(self, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise Unreadable(f"more than {MAX_DEPTH} levels", self.at)
        first = self.peek()
        if first == "{" and not self.text.startswith("{{", self.at):
            return self._object(depth)
        if first == "[":
            return self._array(depth)
        if first and first in "\"'\u2018\u2019" + _CURLY:
            return self._text(first)
        return self._bare()

    def _object(self, depth: int) -> dict[str, Any]:
        self.take()
        pairs: list[tuple[str, Any]] = []
        while not self._closes("}"):
            name = self._key()
            if self.peek() != ":":
                raise Unreadable("no colon after a name", self.at)
            self.take()
            is_empty = self.peek() in (",", "}")
            pairs.append((name, None if is_empty else self.value(depth + 1)))
            self._separator("}")
        return one_meaning(pairs)

    def _array(self, depth: int) -> list[Any]:
        self.take()
        found: list[Any] = []
        while not self._closes("]"):
            found.append(self.value(depth + 1))
            self._separator("]")
        return found

    def _closes(self, closer: str) -> bool:
        """Whether the object or array is over; its closer may be missing at the very end, behind a whole value."""
        following = self.peek()
        if following == closer:
            self.take()
            self._may_end = True
        elif not following and self._may_end:
            return True
        return following == closer

    def _separator(self, closer: str) -> None:
        following = self.peek()
        if following == ",":
            self.take()
        elif following and following != closer:
            raise Unreadable("no comma between two values", self.at)

    def _key(self) -> str:
        first = self.peek()
        if first and first in "\"'\u2018\u2019" + _CURLY:
            return self._text(first)
        bare = _BARE_KEY.match(self.text, self.at)
        if bare is None:
            raise Unreadable("no name where one belongs", self.at)
        self.at = bare.end()
        return bare[0]

    def _text(self, quote: str) -> str:
        if quote == '"':
            try:
                value, self.at = _TEXT.raw_decode(self.text, self.at)
            except json.JSONDecodeError as error:
                raise Unreadable("a text that does not end", error.pos) from None
            self._may_end = True
            return str(value)
        pattern = _CURLY_TEXT if quote in _CURLY else _SINGLE_TEXT
        found = pattern.match(self.text, self.at)
        if found is None:
            raise Unreadable("a text that does not end", self.at)
        self.at = found.end()
        self._may_end = True
        return re.sub(r"\\(.)", r"\1", found[1], flags=re.DOTALL)

    def _bare(self) -> Any:
        found = _BARE_VALUE.match(self.text, self.at)
        if found is None:
            raise Unreadable("no value where one belongs", self.at)
        self.at = found.end()
        # A number at the very end may have lost digits with the brace.
        self._may_end = False
        if not _NUMBER.fullmatch(found[0]):
            return _WORDS.get(found[0], found[0])
        stray = _STRAY_QUOTE.match(self.text, self.at)
        self.at = stray.end() if stray is not None else self.at
        try:
            return Decimal(found[0])
        except InvalidOperation:
            raise Unreadable("a number that is too long to read", found.start()) from None


def one_meaning(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of `pairs`. Raises `Contradiction` when a name has two values: taking either would be a guess."""
    found = dict(pairs)
    if len(found) != len(pairs):
        for name, value in pairs:
            if found[name] != value:
                raise Contradiction(name)
    return found


class Contradiction(ValueError):
    """One name has two values in one object."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name
