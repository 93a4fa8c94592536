"""How the pages print times, states and addresses. Filters return plain text: the templates' autoescape applies."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django import template
from django.http import QueryDict
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from justtrades import clock

register = template.Library()

MS_PER_SECOND = 1000
SHOWN_WITH_A_DECIMAL = 10

TONES = {
    "good": {"done", "live", "filled", "planned", "protected", "ready"},
    "warn": {
        "unknown", "stale", "connecting", "expired", "pending_cancel", "canceled", "not_placed", "ignored", "none",
    },
    "bad": {"denied", "failed", "rejected", "refused", "down", "unprotected"},
    "info": {"received", "new", "cleared", "dispatched", "submitting", "working", "partially_filled"},
}  # fmt: skip
TONE_OF = {state: tone for tone, states in TONES.items() for state in states}


@register.filter
def tone(state: str) -> str:
    """`good`, `warn`, `bad`, `info` or `quiet`: how a state's badge looks. The word always stands beside the color."""
    return TONE_OF.get(str(state), "quiet")


@register.filter
def words(state: object) -> str:
    """`partially_filled` as people write it."""
    return str(state).replace("_", " ")


@register.filter
def epoch_ms(moment: datetime | None) -> str:
    return "" if moment is None else str(int(moment.timestamp() * 1000))


@register.filter
def clock_time(moment: datetime | None) -> str:
    """In the reader's zone: `14:03:07.412` today, with the day before it otherwise."""
    if moment is None:
        return "—"
    local = timezone.localtime(moment)
    text = f"{local:%H:%M:%S}.{local.microsecond // 1000:03d}"
    return text if local.date() == timezone.localdate() else f"{local.day} {local:%b} {text}"


@register.filter
def short_time(moment: datetime | None) -> str:
    """`14:03:07` today, `23 Nov 14:03` otherwise."""
    if moment is None:
        return "—"
    local = timezone.localtime(moment)
    return f"{local:%H:%M:%S}" if local.date() == timezone.localdate() else f"{local.day} {local:%b %H:%M}"


@register.filter
def duration(ms: float | None) -> str:
    """`0.4 ms`, `12 ms`, `1.84 s`; a dash where nothing was measured."""
    if ms is None:
        return "—"
    if ms >= MS_PER_SECOND:
        return f"{ms / MS_PER_SECOND:.2f} s"
    return f"{ms:.1f} ms" if ms < SHOWN_WITH_A_DECIMAL else f"{ms:.0f} ms"


@register.filter
def direction(amount: Decimal | int | None) -> str:
    """`up`, `down` or `flat`, for color and arrow."""
    if amount is None or amount == 0:
        return "flat"
    return "up" if amount > 0 else "down"


@register.filter
def plain(number: Decimal | None) -> str:
    """Without trailing zeros: `2`, not `2.00000000`."""
    return "" if number is None else f"{number.normalize():f}"


@register.filter
def signed(number: int) -> str:
    return f"+{number:,}" if number > 0 else f"\N{MINUS SIGN}{abs(number):,}" if number < 0 else "0"


@register.filter
def starts(text: str, prefix: str) -> bool:
    return text.startswith(prefix)


@register.filter
def minus(number: int, other: int) -> int:
    return number - other


@register.simple_tag
def now_ms() -> int:
    """The server's time when the page was made: the browser measures ages against it."""
    return int(clock.now().timestamp() * 1000)


@register.simple_tag
def query_only(**values: object) -> str:
    return urlencode(values)


@register.simple_tag
def icon(name: str, size: str = "icon") -> SafeString:
    """A drawing of the sprite; decoration only, so it is hidden from screen readers."""
    return format_html(
        '<svg class="{}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        size, static("dist/icons.svg"), name,
    )  # fmt: skip


@register.simple_tag(takes_context=True)
def query_with(context: dict[str, Any], **changes: object) -> str:
    """The page's own query string with these values changed; an empty value takes its name out."""
    query: QueryDict = context["request"].GET.copy()
    for name, value in changes.items():
        if value in ("", None):
            query.pop(name, None)
        else:
            query[name] = str(value)
    return query.urlencode()


@register.inclusion_tag("components/phases.html")
def phase_bar(timing: Any) -> dict[str, Any]:
    """The median phases of a signal drawn to scale, 100 units wide."""
    phases = [phase for phase in timing.phases if phase.p50 is not None]
    total = sum(phase.p50 for phase in phases)
    bars, left = [], 0.0
    for phase in phases:
        width = 0.0 if total == 0 else 100 * phase.p50 / total
        bars.append({"phase": phase, "x": f"{left:.2f}", "width": f"{max(width - 0.8, 0.4):.2f}"})
        left += width
    return {"bars": bars}
