"""Connecting a login: sign in at the venue first, store it only if that succeeds."""

from __future__ import annotations

import ipaddress
import uuid
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts.models import User
from brokers.access import Token
from brokers.base import ConnectionState
from brokers.errors import AuthExpired, AuthFailed, BrokerError, RateLimited, Refused
from brokers.models import AuthKind, BrokerAccount, BrokerLogin
from brokers.picker import FIRM_FIELD, NAME_FIELD, fields_of
from brokers.registry import COMING, VENUES
from brokers.services.access import KEY_SEPARATOR, TWO_IN_ONE, access_of
from brokers.services.attempts import check_attempts, note_refusal
from brokers.services.budgets import PersonBudget
from brokers.services.logins import lane_slot_of
from brokers.tokens import DatabaseTokenStore, HeldToken, as_text
from brokers.vault import WrongKey
from brokers.venue import CredentialField, ListedAccount, Venue
from justtrades import clock

TWO_FACTOR_PENDING = "TWO_FACTOR_PENDING"
MISSING_ENDPOINT = "MISSING_ENDPOINT"
LONGEST = 1024
_SECRETS = ("secrets", "token")


def connect_login(*, owner: User, venue: str, environment: str, **given: str) -> BrokerLogin:
    """Sign in at the venue, then store the login with the accounts that the venue named.

    `given` is what the venue's `CredentialField`s ask for. Connecting the same login again replaces its secrets and
    adds accounts that are new; ids and device stay. A venue that wants its owner to approve the sign-in elsewhere
    leaves a login that `awaits_approval`: see `approve_login`. Talks to the venue, so it may not be called inside a
    transaction. Raises `ValidationError` naming the field.
    """
    asked = fields_of(venue_named(venue, environment))
    values = _read(venue, asked, given)
    login = find_or_prepare(owner, venue, environment, values.get(FIRM_FIELD, ""), values[NAME_FIELD])
    secret = {field.name for field in asked if field.is_secret}
    login.auth_kind = AuthKind.CREDENTIALS
    login.secrets = {name: value for name, value in values.items() if name in secret}
    login.settings = {
        name: value for name, value in values.items() if name not in secret and name not in {NAME_FIELD, FIRM_FIELD}
    }
    refuse_transaction()
    held = HeldToken()
    try:
        accounts = ask_venue(login, held)
    except ApprovalPending as pending:
        login.awaits_approval, login.state_detail = True, str(pending)[:255]
        accounts = ()
    return store(login, held.load(), accounts)


def approve_login(*, login: BrokerLogin) -> BrokerLogin:
    """Ask again, after the owner approved the sign-in at the venue, and store the accounts.

    Raises `ValidationError` saying what the venue said, also while it still waits.
    """
    refuse_transaction()
    tokens = DatabaseTokenStore(login.pk)
    try:
        accounts = ask_venue(login, tokens)
        token = tokens.load()
    except ApprovalPending as pending:
        raise ValidationError(f"The broker still waits: {pending}") from None
    login.awaits_approval, login.state_detail = False, ""
    return store(login, token, accounts)


class ApprovalPending(Exception):
    """The venue waits until the owner approves the sign-in in its own app; the text says how."""


def venue_named(name: str, environment: str) -> Venue:
    """Raises `ValidationError` naming what is wrong with either."""
    if name in COMING:
        raise ValidationError({"venue": f"{COMING[name].label} cannot be connected yet. {COMING[name].why}"})
    if name not in VENUES:
        raise ValidationError({"venue": f"Is not one of {', '.join(sorted(VENUES))}."})
    venue = VENUES[name]
    if environment not in venue.environments:
        raise ValidationError({"environment": f"Is not one of {', '.join(venue.environments)}."})
    return venue


def refuse_transaction() -> None:
    """A venue may take seconds to answer: no transaction is held open for that. Raises RuntimeError inside of one."""
    with transaction.atomic(durable=True):
        pass


def find_or_prepare(owner: User, venue: str, environment: str, firm: str, username: str) -> BrokerLogin:
    """The owner's login of this name, deleted or not, or a new one that is not stored. Raises `ValidationError`."""
    known = {"owner": owner, "venue": venue, "environment": environment, "firm": firm, "username": username}
    found = BrokerLogin.objects.filter(**known).defer(*_SECRETS).first()
    if found is not None:
        return found
    login = BrokerLogin(**known, device_id=uuid.uuid4().hex)
    login.lane_slot = lane_slot_of(login.pk)
    login.clean_fields(exclude=("owner", *_SECRETS))
    return login


def ask_venue(login: BrokerLogin, tokens: HeldToken | DatabaseTokenStore) -> tuple[ListedAccount, ...]:
    """The login's accounts as the venue lists them now; what it is to be asked again with is in `tokens`.

    Raises `ApprovalPending`, or `ValidationError` naming the field.
    """
    venue = VENUES[login.venue]
    typed = next((field.name for field in venue.fields if field.is_secret), NAME_FIELD)
    check_attempts(login)
    try:
        return venue.sign_in_check(access_of(login, tokens, PersonBudget(login)))
    except AuthFailed as error:
        if error.code == TWO_FACTOR_PENDING:
            raise ApprovalPending(error.text) from None
        note_refusal(login)
        raise ValidationError({typed: f"The broker refused to sign in: {error}"}) from None
    except AuthExpired as error:
        raise ValidationError({typed: f"The broker refused to sign in: {error}"}) from None
    except Refused as error:
        field = "environment" if error.code == MISSING_ENDPOINT else "venue"
        raise ValidationError({field: str(error)}) from None
    except RateLimited as error:
        raise ValidationError({"venue": f"The broker wants silence until {error.until:%H:%M:%S} UTC."}) from None
    except BrokerError as error:
        raise ValidationError({"venue": f"The broker could not be reached, try again: {error}"}) from None
    except WrongKey as error:
        raise ValidationError({typed: str(error)}) from None


def store(login: BrokerLogin, token: Token | None, accounts: tuple[ListedAccount, ...]) -> BrokerLogin:
    """The login as it is now, switched on unless it awaits approval, and its accounts; one that the venue no longer
    names cannot trade.
    """
    login.token = as_text(token) if token is not None else ""
    login.token_expires_at = token.expires_at if token is not None else None
    login.is_enabled, login.deleted_at = not login.awaits_approval, None
    login.state, login.reconnect_at = ConnectionState.DOWN.value, clock.now()
    try:
        # durable: refuses to be nested, so the request before cannot have held a transaction open.
        with transaction.atomic(durable=True):
            login.save()
            _store_accounts(login, accounts)
    except IntegrityError:
        raise ValidationError({NAME_FIELD: "Is being connected from elsewhere at this moment."}) from None
    return login


def _store_accounts(login: BrokerLogin, accounts: tuple[ListedAccount, ...]) -> None:
    for account in accounts:
        BrokerAccount.objects.update_or_create(
            login=login,
            broker_id=account.ref.broker_id,
            defaults={
                "owner_id": login.owner_id,
                "name": account.ref.name,
                "kind": account.kind,
                "is_simulated": account.is_simulated,
                "can_trade": account.can_trade,
            },
        )
    if not login.awaits_approval:
        named = [account.ref.broker_id for account in accounts]
        login.accounts.exclude(broker_id__in=named).update(can_trade=False)


def _read(venue: str, asked: tuple[CredentialField, ...], given: Mapping[str, str]) -> dict[str, str]:
    values = {field.name: _value(field, given.get(field.name)) for field in asked}
    wrong = {name: "There is no such field." for name in given if name not in values}
    wrong |= dict(_problems(venue, asked, values))
    if wrong:
        raise ValidationError(wrong)
    return {name: value for name, value in values.items() if value != "" or name == NAME_FIELD}


def _value(field: CredentialField, given: str | None) -> str:
    text = field.initial if given is None else given
    return text if field.is_secret else text.strip()


def _problems(venue: str, asked: tuple[CredentialField, ...], values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for field in asked:
        value = values[field.name]
        if value == "":
            if field.is_required:
                yield field.name, "Is required."
        elif len(value) > LONGEST:
            yield field.name, f"Is longer than {LONGEST} characters."
        elif field.choices and value not in dict(field.choices):
            yield field.name, "Is not one of the choices."
        elif (venue, field.name) in TWO_IN_ONE and KEY_SEPARATOR not in value:
            yield field.name, "Must be the API key's cid and secret with a colon between them."
        elif field.name.endswith("_url") and not is_public(value):
            yield field.name, "Must be an address on the internet that begins with https:// or wss://."


def is_public(url: str) -> bool:
    """Whether credentials may be sent there: encrypted, and to a name that is not this machine's or its network's."""
    try:
        address = urlsplit(url)
        host = address.hostname or ""
    except ValueError:
        return False
    if address.scheme not in {"https", "wss"} or address.username is not None or "." not in host:
        return False
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return not host.endswith((".local", ".internal", ".localhost", ".lan", ".home.arpa"))
