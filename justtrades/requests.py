"""The type of a request that only a signed-in user can have made, and what its address asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpRequest, QueryDict

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

    from accounts.models import User


class SignedInRequest(HttpRequest):
    """What a view behind `login_required` gets."""

    user: User
    htmx: HtmxDetails


def words_of(query: QueryDict, name: str = "q") -> str:
    """What was typed there, trimmed; without the one character that no stored text can have."""
    return query.get(name, "").replace("\x00", "").strip()
