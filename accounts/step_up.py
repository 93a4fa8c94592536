"""Asking once more who somebody is before something dangerous: on pages by allauth, over the API by this."""

from __future__ import annotations

from typing import Any, TypedDict

from allauth.account.internal.flows.reauthentication import (
    did_recently_reauthenticate,
    raise_if_reauthentication_required,
)
from django.http import HttpRequest
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.second_factor import is_demanded, is_proven
from accounts.selectors import signed_in
from accounts.throttles import PasswordTries
from justtrades.api import StrictSerializer


class StepUpSerializer(StrictSerializer):
    """A browser that confirmed its password within the last minutes need not send it."""

    password = serializers.CharField(
        max_length=1024, required=False, default="", trim_whitespace=False, write_only=True,
        help_text="The user's own, once more.",
    )  # fmt: skip
    code = serializers.CharField(
        max_length=32, required=False, default="", write_only=True,
        help_text="From the authenticator app, where one is set up.",
    )  # fmt: skip


class StepUpTries(PasswordTries):
    """As often as a password may be tried at the sign-in, counted with it."""

    def account_of(self, request: Request) -> str:
        return signed_in(request.user).email


class Proof(TypedDict):
    password: str
    code: str


def proof_in(given: dict[str, Any]) -> Proof:
    """Takes the proof out of validated fields: what is left is what was asked for."""
    return {"password": given.pop("password", ""), "code": given.pop("code", "")}


def confirm(request: HttpRequest) -> None:
    """On a page, before something dangerous that not every request of it is.

    Raises `ReauthenticationRequired`: once the password was typed the same request comes again, with all that it had.
    """
    raise_if_reauthentication_required(request, app="")


def prove(request: Request, view: APIView, *, password: str, code: str) -> None:
    """Raises `PermissionDenied` whose code says what is missing, and `Throttled`.

    A user who has neither a password nor a second factor has nothing to prove it by; the pages ask them nothing either.
    """
    user = signed_in(request.user)
    if request.auth is None and did_recently_reauthenticate(request._request):
        return
    if not user.has_usable_password() and not is_demanded(user):
        return
    tries = StepUpTries()
    if not tries.allow_request(request, view):
        raise exceptions.Throttled(tries.wait())
    if user.has_usable_password() and not user.check_password(password):
        raise exceptions.PermissionDenied("Send your `password` once more for this.", code="step_up_required")
    if is_demanded(user) and not is_proven(user, code):
        raise exceptions.PermissionDenied("Send `code` from your authenticator app.", code="second_factor_required")
