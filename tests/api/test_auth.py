from __future__ import annotations

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.test import Client, override_settings
from knox.models import AuthToken
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services import create_user
from justtrades.testing import PASSWORD, Cast, api_client_for, browser_of

pytestmark = pytest.mark.usefixtures("fresh_throttle")

SEED = "JBSWY3DPEHPK3PXP"


@pytest.fixture
def dana(db: None) -> User:
    """Somebody who can sign in by password."""
    return create_user(email="Dana@Example.com", password=PASSWORD)


def ask(**given: Any) -> Any:
    return APIClient().post(
        "/api/auth/token/", {"email": "dana@example.com", "password": PASSWORD, **given}, format="json"
    )


def test_a_token_opens_until_it_is_revoked(dana: User) -> None:
    made = ask(email="DANA@example.COM")
    assert made.status_code == 201
    program = APIClient()
    program.credentials(HTTP_AUTHORIZATION=f"Token {made.json()['token']}")
    assert program.get("/api/me/").json()["email"] == "dana@example.com"
    assert not AuthToken.objects.filter(digest=made.json()["token"]).exists()
    assert program.delete("/api/auth/token/").status_code == 204
    assert program.get("/api/me/").status_code == 401
    assert AuthToken.objects.count() == 0


def test_revoking_one_token_leaves_the_others(dana: User) -> None:
    first, second = api_client_for(dana), api_client_for(dana)
    assert first.delete("/api/auth/token/").status_code == 204
    assert second.get("/api/me/").status_code == 200


def test_wrong_password_and_unknown_user_get_the_same_answer(dana: User) -> None:
    answers = [ask(password="wrong"), ask(email="nobody@example.com")]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].json() == answers[1].json()
    assert AuthToken.objects.count() == 0


def test_an_inactive_user_gets_no_token_and_loses_the_old_one(dana: User) -> None:
    program = api_client_for(dana)
    dana.is_active = False
    dana.save()
    assert ask().status_code == 401
    assert program.get("/api/me/").status_code == 401


@pytest.mark.parametrize("field", ["email", "password"])
@pytest.mark.parametrize("value", ["", None, [], "x" * 2000, "a\x00b"])
def test_bad_input_names_the_field(field: str, value: Any, dana: User) -> None:
    answer = ask(**{field: value})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])


@pytest.mark.parametrize("header", ["Token", "Token a b", "Token \xff\xfe", "Token jt_\x01", "Token x", "Bearer x", ""])
def test_a_header_that_is_no_token_is_401(header: str, db: None) -> None:
    assert Client().get("/api/me/", headers={"authorization": header}).status_code == 401


def test_the_sixth_try_in_a_minute_waits(dana: User) -> None:
    assert [ask(password="wrong").status_code for _ in range(6)] == [401] * 5 + [429]
    refused = ask()
    assert (refused.status_code, refused.json()["code"], refused["Retry-After"]) == (429, "throttled", "60")
    assert ask(email="other@example.com").status_code == 401


def test_other_addresses_are_counted_apart_but_not_without_end(dana: User) -> None:
    def try_from(number: int) -> int:
        body = {"email": "dana@example.com", "password": "wrong"}
        return int(APIClient(REMOTE_ADDR=f"10.0.0.{number}").post("/api/auth/token/", body, format="json").status_code)

    answers = [try_from(number) for number in range(31)]
    assert answers == [401] * 30 + [429]


def test_tries_are_counted_while_redis_is_down(dana: User) -> None:
    nowhere = {"default": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}}
    with override_settings(CACHES=nowhere):
        answers = [ask(email="only-here@example.com").status_code for _ in range(6)]
    assert answers == [401] * 5 + [429]


def code_of_now() -> str:
    return format_hotp_value(hotp_value(SEED, next(iter(yield_hotp_counters_from_time()))))


def test_a_second_factor_is_asked_for_here_too_and_counts_once(dana: User) -> None:
    TOTP.activate(dana, SEED)
    assert ask().json()["code"] == "second_factor_required"
    assert ask(code="000000x").status_code == 401
    code = code_of_now()
    assert ask(code=code).status_code == 201
    assert ask(code=code).status_code == 401
    assert Authenticator.objects.get().last_used_at is not None


def test_a_recovery_code_counts_once(dana: User) -> None:
    TOTP.activate(dana, SEED)
    recovery = RecoveryCodes.activate(dana).get_unused_codes()[0]
    assert [ask(code=recovery).status_code for _ in range(2)] == [201, 401]


def test_a_session_needs_the_csrf_token_and_a_program_does_not(cast: Cast) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.cookies = browser_of(cast.alice).cookies
    body = {"name": "x"}
    assert browser.post("/api/recorders/", body, content_type="application/json").status_code == 403
    assert api_client_for(cast.alice).post("/api/recorders/", body, format="json").status_code == 201


def test_a_session_cannot_revoke_a_token_by_accident(cast: Cast) -> None:
    assert browser_of(cast.alice).delete("/api/auth/token/").status_code == 401
