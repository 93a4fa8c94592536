"""The people of every test: Alice owns things, Bob is staff, Charlie must have no access to anything of Alice's."""

from __future__ import annotations

from dataclasses import dataclass

from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services import create_api_token

PASSWORD = "correct horse battery staple"  # noqa: S105 - nobody real has it


@dataclass(frozen=True, slots=True)
class Cast:
    alice: User
    bob: User
    charlie: User


def make_cast() -> Cast:
    """Three approved users who cannot sign in by password: hashing one costs more than most tests."""
    return Cast(
        alice=User.objects.create_user("alice@example.com", is_approved=True),
        bob=User.objects.create_user("bob@example.com", is_approved=True, is_staff=True, is_superuser=True),
        charlie=User.objects.create_user("charlie@example.com", is_approved=True),
    )


def api_client_for(user: User) -> APIClient:
    """A program of the user's, with a real token."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {create_api_token(user=user)}")
    return client


def browser_of(user: User) -> Client:
    """The user's browser, signed in."""
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client
