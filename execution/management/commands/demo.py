"""`manage.py demo --accounts N`: a user, a recorder, and N sandbox accounts that follow it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import requests
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from knox.models import AuthToken
from knox.settings import CONSTANTS

from accounts.models import User
from accounts.services import create_api_token, create_user
from brokers.models import BrokerAccount, Environment
from brokers.services import connect_login
from execution.management.everywhere import follow_everywhere
from recorders.models import Recorder
from recorders.services import create_recorder, rotate_token, webhook_url
from traders.models import Trader
from traders.services import create_trader

EMAIL = "demo@justtrades.local"
RECORDER = "Demo MNQ breakout"
EVERYWHERE = "Demo every broker"
SETTINGS = {"targets": [{"distance": 80}], "stop_distance": 40}
CONTROL_TIMEOUT_S = 30
MOST_AT_ONCE = 200
MOST_ACCOUNTS = 1000


class Command(BaseCommand):
    help = "Make the demo: N sandbox accounts following one recorder. Run again with another N to change the number."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--accounts", type=int, default=5, help="how many accounts follow the demo recorder")
        parser.add_argument("--each", type=int, default=1, help="accounts of every venue that follow the second")
        parser.add_argument("--state", type=Path, default=settings.STATE_DIR / "demo.json", help="what was made before")

    def handle(self, *_args: Any, accounts: int, each: int, state: Path, **_options: Any) -> None:
        for name, number in (("accounts", accounts), ("each", each)):
            if not 1 <= number <= MOST_ACCOUNTS:
                raise CommandError(f"--{name}: was {number}, must be 1 to {MOST_ACCOUNTS}")
        before = json.loads(state.read_text()) if state.exists() else {}
        venue_accounts = _venue_accounts(before, accounts)
        user, password = _user(before)
        recorder, address = _recorder(user, RECORDER, before)
        _follow(user, recorder, venue_accounts[:accounts])
        every_before = before.get("every_venue", {})
        everywhere, every_address = _recorder(user, EVERYWHERE, every_before)
        follow_everywhere(user, everywhere, before.get("sandbox", {}), each)
        made = {
            "email": EMAIL,
            "password": password,
            "webhook_url": address,
            "recorder_id": str(recorder.pk),
            "api_token": _api_token(user, before),
            "every_venue": {"webhook_url": every_address, "recorder_id": str(everywhere.pk)},
            "accounts": venue_accounts,
        }
        if before:
            merged = {key: value for key, value in made.items() if key != "accounts"}
            before.setdefault("sandbox", {}).setdefault("tradovate", {})["accounts"] = venue_accounts
            _write(state, {**before, **merged})
        self.stdout.write(json.dumps(made))


def _venue_accounts(before: dict[str, Any], wanted: int) -> list[dict[str, Any]]:
    """The sandbox's accounts with their sign-ins; asks the sandbox for more when there are too few."""
    known = list(before.get("sandbox", {}).get("tradovate", {}).get("accounts", []))
    control = settings.ENV.SANDBOX_CONTROL_URL
    if not control:
        raise CommandError("SANDBOX_CONTROL_URL is not set: start the product with `make run` first")
    while len(known) < wanted:
        count = min(MOST_AT_ONCE, wanted - len(known))
        answer = requests.post(f"{control}/accounts", json={"count": count}, timeout=CONTROL_TIMEOUT_S)
        if not answer.ok:
            raise CommandError(f"the sandbox made no accounts: {answer.text[:200]}")
        known += answer.json()
    return known


def _user(before: dict[str, Any]) -> tuple[User, str]:
    user = User.objects.filter(email=EMAIL).first()
    password = str(before.get("password") or "")
    if user is not None and password and user.check_password(password):
        return user, password
    password = secrets.token_urlsafe(12)
    if user is None:
        user = create_user(email=EMAIL, password=password, is_approved=True)
    user.is_staff = user.is_superuser = user.is_approved = True
    user.set_password(password)
    user.save()
    return user, password


def _recorder(user: User, name: str, before: dict[str, Any]) -> tuple[Recorder, str]:
    recorder = Recorder.objects.filter(owner=user, name=name).first()
    address = str(before.get("webhook_url") or "")
    if recorder is None:
        recorder, token = create_recorder(owner=user, name=name, settings=SETTINGS)
        return recorder, webhook_url(token)
    if not address or before.get("recorder_id") != str(recorder.pk):
        return recorder, webhook_url(rotate_token(recorder=recorder))
    return recorder, webhook_url(address.rstrip("/").rsplit("/", 1)[-1])


def _follow(user: User, recorder: Recorder, venue_accounts: Iterable[dict[str, Any]]) -> None:
    """Connect what is not connected, and have exactly these accounts follow the recorder."""
    known = {
        (account.login.username, account.broker_id): account
        for account in BrokerAccount.objects.filter(owner=user).select_related("login")
    }
    following = {trader.account_id: trader for trader in Trader.objects.filter(recorder=recorder)}
    wanted = set()
    for row in venue_accounts:
        account = known.get((row["username"], str(row["id"])))
        if account is None:
            login = connect_login(
                owner=user,
                venue="tradovate",
                environment=Environment.SANDBOX.value,
                username=row["username"],
                password=row["password"],
            )
            known |= {(row["username"], found.broker_id): found for found in login.accounts.all()}
            account = known[row["username"], str(row["id"])]
        if account.pk not in following:
            create_trader(owner=user, recorder=recorder, account=account, multiplier=Decimal(1))
        wanted.add(account.pk)
    Trader.objects.filter(recorder=recorder).exclude(account_id__in=wanted).update(is_enabled=False)
    Trader.objects.filter(recorder=recorder, account_id__in=wanted).update(is_enabled=True)


def _api_token(user: User, before: dict[str, Any]) -> str:
    token = str(before.get("api_token") or "")
    if token and AuthToken.objects.filter(user=user, token_key=token[: CONSTANTS.TOKEN_KEY_LENGTH]).exists():
        return token
    return create_api_token(user=user)


def _write(path: Path, content: dict[str, Any]) -> None:
    draft = path.with_suffix(".tmp")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(content, indent=2))
    draft.replace(path)
