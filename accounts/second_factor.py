"""A password alone must not open through the API what the sign-in page guards with a second factor."""

from __future__ import annotations

from allauth.mfa.models import Authenticator

from accounts.models import User

_TYPED_IN = (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES)


def is_demanded(user: User) -> bool:
    return bool(Authenticator.objects.filter(user=user).exists())


def is_proven(user: User, code: str) -> bool:
    """Whether `code` is the authenticator app's current one, not used before, or an unused recovery code."""
    if code == "":
        return False
    for authenticator in Authenticator.objects.filter(user=user, type__in=_TYPED_IN):
        if authenticator.wrap().validate_code(code):
            authenticator.record_usage()
            return True
    return False
