"""Making users, letting them trade, and the tokens with which their programs speak to the API."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from knox.models import AuthToken

from accounts.models import User, UserManager, check_time_zone


def create_user(
    *, email: str, password: str, time_zone: str = "America/Chicago", discord_id: str = "", is_approved: bool = False
) -> User:
    """A new user, who may not trade before approval. Raises `ValidationError` that names the field."""
    address = UserManager.normalize_email(email).lower()
    user = User(email=address, time_zone=time_zone, discord_id=discord_id, is_approved=is_approved)
    _check("email", lambda: validate_email(address))
    _check("password", lambda: validate_password(password, user))
    _check("time_zone", lambda: check_time_zone(time_zone))
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError:
        raise ValidationError({"email": "A user with this e-mail address exists already."}) from None
    return user


def approve(*, user: User) -> None:
    """Let the user trade."""
    user.is_approved = True
    user.save(update_fields=["is_approved"])


def withdraw_approval(*, user: User) -> None:
    """Refuse every new entry of the user from now on; exits still pass."""
    user.is_approved = False
    user.save(update_fields=["is_approved"])


def create_api_token(*, user: User) -> str:
    """A new API token; only its digest is kept, so this is the one time that it can be read."""
    _row, token = AuthToken.objects.create(user=user)
    return str(token)


def revoke_api_token(*, token: AuthToken) -> None:
    token.delete()


def _check(field: str, check: Callable[[], None]) -> None:
    try:
        check()
    except ValidationError as error:
        raise ValidationError({field: error.messages}) from None
