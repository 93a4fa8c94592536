"""Foreign secrets taken out of an alert before it is stored. Pure, linear in the body, and no JSON parser.

Alerts written for other services carry those services' tokens, passphrases and license numbers. We need none of them
and must not keep them (integration facts §1.7). Only the value goes, so that what is left still shows what was sent;
a body without secrets comes back byte for byte.
"""

from __future__ import annotations

import re

REMOVED = "[removed]"

_SECRET = re.compile(
    r"(?:[\w-]*(?:token|secret|passphrase|passwd|password)|pass|pwd|key|(?:[\w-]*[_-])?(?:api|access|private|webhook)"
    r"[_-]?key|licen[sc]e(?:[_-]?(?:id|key|no|number))?|auth|auth[_-]\w*|authorization|authentication|auth(?:key|code))",
    re.ASCII | re.IGNORECASE,
)
# Half of all bodies never get past this one.
_HINT = re.compile(r"token|secret|pass|pwd|key|licen|auth", re.IGNORECASE)

_QUOTES = "\"'\u2018\u2019\u201c\u201d\u201e\u201f"
# Names are bounded and what repeats is possessive: no body makes this look at a character more than so many times.
_NAMED = re.compile(
    rf"(?P<open>\\{{0,8}}[{_QUOTES}])(?P<name>[\w-]{{1,40}})(?P<gap>\\{{0,8}}[{_QUOTES}]\s*+:\s*+)"
    r'(?P<value>"(?:[^"\\]|\\.)*+(?:"|\Z)'  # a text, also one that does not end
    r"|'(?:[^'\\]|\\.)*+(?:'|\Z)"
    r"|[\u2018\u201c\u201d\u201e\u201f][^\"\u2018\u2019\u201c\u201d\u201e\u201f]*+.?"
    r'|\\{1,8}"[^"\\]*+(?:\\{1,8}")?'  # JSON within a JSON text
    r"|\[[^\[\]{}]*+\]?"
    r"|[^\s,;}\]\[{\"']++)",
    re.ASCII | re.DOTALL,
)
_BARE = re.compile(
    r"(?P<open>(?:^|[\s,;&|{(]))(?P<name>[\w-]{1,40})(?P<gap>[^\S\r\n]{0,40}(?:=|:[^\S\r\n])[^\S\r\n]{0,40})"
    r"(?P<value>\"[^\"\r\n]*+\"?|'[^'\r\n]*+'?"
    r"|(?:[^\s,;&|]|[^\S\r\n](?![\w-]{1,40}[^\S\r\n]{0,8}[=:]))++)",  # up to the next name
    re.ASCII,
)
_BARE_IN_JSON = re.compile(
    r"(?P<open>[{,]\s{0,40})(?P<name>[\w-]{1,40})(?P<gap>\s{0,40}:\s{0,40})"
    r"(?P<value>\"(?:[^\"\\]|\\.)*+\"?|'[^']*+'?|[^\s,;{}\[\]\"']++)",
    re.ASCII | re.DOTALL,
)
# A word before `command,symbol`: PineConnector's license number has no name.
_FIRST_OF_LINE = re.compile(
    r"^(?P<open>[^\S\r\n]{0,40})(?P<value>[^\s,;=:{}\[\]\"']{1,128})"
    r"(?P<rest>[^\S\r\n]{0,40},[^\S\r\n]{0,40}(?:buy|sell|long|short|close|exit|flat|cancel|new|ea)\w{0,40}"
    r"[^\S\r\n]{0,40},)",
    re.MULTILINE | re.IGNORECASE,
)
_ESCAPED_QUOTE = re.compile(r'\\{1,8}"')
_ACTION = re.compile(r"(?:buy|sell|long|short|close|exit|flat|flatten)", re.IGNORECASE)
_NOTHING = frozenset({'""', "''", "null", "none", "true", "false", REMOVED, f'"{REMOVED}"', f"'{REMOVED}'"})


def redact(body: bytes) -> bytes:
    """`body` with the values of foreign secrets replaced by `[removed]`."""
    text = body.decode("utf-8", "surrogateescape")
    is_json = was_meant_as_json(text)
    cleaned = text
    if _HINT.search(text) is not None:
        cleaned = _NAMED.sub(_without_value, cleaned)
        cleaned = (_BARE_IN_JSON if is_json else _BARE).sub(_without_value, cleaned)
    if not is_json:
        cleaned = _FIRST_OF_LINE.sub(_without_license, cleaned)
    return body if cleaned == text else cleaned.encode("utf-8", "surrogateescape")


def was_meant_as_json(text: str) -> bool:
    """By its first character; a line whose license number was removed starts with a bracket, too."""
    start = text.lstrip("\ufeff \t\r\n")
    return start[:1] in ("{", "[", '"') and not start.startswith(REMOVED)


def _without_value(found: re.Match[str]) -> str:
    value = found["value"]
    if not _SECRET.fullmatch(found["name"]) or value.strip().lower() in _NOTHING:
        return found[0]
    return f"{found['open']}{found['name']}{found['gap']}{_in_place_of(value, quoted=found.re is not _BARE)}"


def _in_place_of(value: str, *, quoted: bool) -> str:
    """What keeps the body the kind of text that it was: a JSON value stays one."""
    escaped_quote = _ESCAPED_QUOTE.match(value)
    if escaped_quote is not None:
        return f"{escaped_quote[0]}{REMOVED}{escaped_quote[0]}"
    if value[0] in _QUOTES:
        return f"{value[0]}{REMOVED}{value[0]}" if value[0] in "\"'" else f'"{REMOVED}"'
    return f'"{REMOVED}"' if quoted else REMOVED


def _without_license(found: re.Match[str]) -> str:
    if _ACTION.fullmatch(found["value"]) or found["value"] == REMOVED:
        return found[0]
    return f"{found['open']}{REMOVED}{found['rest']}"
