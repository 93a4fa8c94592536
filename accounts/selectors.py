"""Reading users, and the type of whoever asks."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet

from accounts.models import User

Person = User | AnonymousUser
"""Whoever a door serves. An anonymous person owns nothing, so every `list_…_for` of theirs is empty."""


def signed_in(person: Person) -> User:
    """The person as the owner of what they make. Raises `PermissionDenied` for an anonymous one."""
    if isinstance(person, AnonymousUser):
        raise PermissionDenied
    return person


def list_users_waiting_for_approval() -> QuerySet[User]:
    return User.objects.filter(is_approved=False, is_active=True).order_by("date_joined")


def find_user_by_email(email: str) -> User | None:
    """The user with this address in any spelling of case, or None."""
    return User.objects.filter(email__iexact=email).first()
