from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts.models import User
from accounts.selectors import find_user_by_email, list_users_waiting_for_approval
from accounts.services import approve, create_user, withdraw_approval
from justtrades.testing import PASSWORD

pytestmark = pytest.mark.django_db


def test_a_new_user_may_not_trade_before_approval() -> None:
    user = create_user(email="Eve@Example.COM", password=PASSWORD, time_zone="Europe/Berlin")
    assert (user.email, user.may_trade, user.check_password(PASSWORD)) == ("eve@example.com", False, True)
    assert list(list_users_waiting_for_approval()) == [user]
    approve(user=user)
    assert User.objects.get().may_trade
    withdraw_approval(user=user)
    assert not User.objects.get().may_trade


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", ""),
        ("email", "nobody"),
        ("email", "a@b"),
        ("password", ""),
        ("password", "short"),
        ("password", "password1234"),
        ("password", "eve@example.com"),
        ("time_zone", "Mars/Olympus"),
        ("time_zone", ""),
    ],
)
def test_bad_input_names_the_field_and_makes_nobody(field: str, value: str) -> None:
    given: dict[str, Any] = {"email": "eve@example.com", "password": PASSWORD, field: value}
    with pytest.raises(ValidationError) as refused:
        create_user(**given)
    assert list(refused.value.message_dict) == [field]
    assert User.objects.count() == 0


def test_one_user_per_address_in_any_case() -> None:
    create_user(email="eve@example.com", password=PASSWORD)
    with pytest.raises(ValidationError) as refused:
        create_user(email="EVE@example.com", password=PASSWORD)
    assert list(refused.value.message_dict) == ["email"]
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.bulk_create([User(email="Eve@Example.com")])
    assert find_user_by_email("EVE@EXAMPLE.COM") == User.objects.get()
    assert find_user_by_email("adam@example.com") is None


def test_no_secret_in_a_repr() -> None:
    user = create_user(email="eve@example.com", password=PASSWORD)
    assert PASSWORD not in repr(user) + str(user) + user.password
