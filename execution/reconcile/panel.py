"""What the page of breaks shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import QueryDict

from accounts.selectors import Person
from execution.models import Break, BreakState
from execution.reconcile.resolve import LABELS, How, ways_of
from execution.reconcile.selectors import compared_since_for, list_breaks_for
from justtrades.requests import words_of

PAGE_ROWS = 50


@dataclass(frozen=True, slots=True)
class Way:
    """A button. What is `confirmed` leads to a page that says first what will happen."""

    how: How
    label: str
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Line:
    row: Break
    ways: tuple[Way, ...]


def breaks_panel(user: Person, query: QueryDict) -> dict[str, Any]:
    rows = list_breaks_for(user)
    words, state = words_of(query), query.get("state", "")
    if words:
        rows = rows.filter(Q(account__name__icontains=words) | Q(symbol__icontains=words) | Q(text__icontains=words))
    if state in BreakState.values:
        rows = rows.filter(state=state)
    page = Paginator(rows, PAGE_ROWS).get_page(query.get("page"))
    return {
        "page": page,
        "lines": [Line(row, ways_for(row)) for row in page.object_list],
        "state": state,
        "is_narrowed": bool(words or state),
        "compared_since": compared_since_for(user),
    }


def ways_for(row: Break) -> tuple[Way, ...]:
    return tuple(Way(how, LABELS[how], how is How.FLATTEN) for how in ways_of(row))
