"""What the connect page offers: a card for each venue or prop firm, by market, with its rules on automated trading."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from brokers.addresses import endpoints_for
from brokers.registry import COMING, VENUES
from brokers.venue import CredentialField, Venue

PAPER = "paper"
FIRM_FIELD = "firm"
STOCK_MARKETS = frozenset({"stocks", "options"})
TABS = (("futures", "Futures"), ("stocks", "Stocks & options"), ("paper", "Paper"), ("coming", "Coming"))
GENERAL_POLICY = (
    "Orders are placed by software, without anybody's hand on them. Whether that is allowed on an account, and how, is "
    "for the broker's own agreement to say. Keeping to it is up to the owner of the account."
)
NAME_FIELD = "username"


@dataclass(frozen=True, slots=True)
class Card:
    """Something to connect. `firm` is empty where the venue is the broker itself; `platform` is what a firm runs on.

    Without a `policy` there is nothing to agree to before its form, and `note` says why.
    """

    venue: str
    firm: str
    label: str
    platform: str
    environments: tuple[str, ...]
    policy: str
    note: str = ""


def label_of(venue: str, firm: str = "") -> str:
    """What people call it: the firm's name, or the venue's. An unknown one is called by its key."""
    known = VENUES.get(venue)
    if known is None:
        return venue.title()
    return dict(firms_of(known)).get(firm, firm) if firm else known.label


def firms_of(venue: Venue) -> tuple[tuple[str, str], ...]:
    """The presets of a venue that several firms run, as choices; none where the venue is one broker."""
    return next((field.choices for field in venue.fields if field.name == FIRM_FIELD), ())


def has_open_firm(venue: str, firm: str) -> bool:
    """Whether several firms run the venue and none of them is chosen yet."""
    return firm == "" and bool(firms_of(VENUES[venue]))


def fields_of(venue: Venue) -> tuple[CredentialField, ...]:
    """What is asked to connect; a venue that knows its users by a key alone has the owner name the login."""
    if any(field.name == NAME_FIELD for field in venue.fields):
        return venue.fields
    name = CredentialField(NAME_FIELD, "Name", help_text="What this connection is called here.", initial=venue.label)
    return (name, *venue.fields)


def environments_of(name: str, firm: str = "") -> tuple[str, ...]:
    """Those that lead somewhere from here; all of them where none does, so that the form can say so."""
    venue = VENUES[name]
    of_login = {FIRM_FIELD: firm} if firm else {}
    found = tuple(env for env in venue.environments if endpoints_for(name, env, of_login) is not None)
    return found or venue.environments


def policy_of(venue: str, firm: str = "") -> str:
    """The rules that its owner agrees to before connecting; empty where nobody's rules apply.

    Raises KeyError where there is no such venue, or no such firm of it.
    """
    found = VENUES[venue]
    if firm and firm not in dict(firms_of(found)):
        raise KeyError(firm)
    return "" if venue == PAPER else found.automation_policy or GENERAL_POLICY


def policy_hash(venue: str, firm: str = "") -> str:
    """SHA-256 of the rules, by which an agreement knows its text. Raises KeyError as `policy_of` does."""
    return hashlib.sha256(policy_of(venue, firm).encode()).hexdigest()


def tabs_of(venue: str) -> frozenset[str]:
    """Under which tabs a venue stands."""
    if venue in COMING:
        return frozenset({"coming"})
    if venue == PAPER:
        return frozenset({PAPER})
    markets = set(VENUES[venue].markets)
    return frozenset((markets & {"futures"}) | ({"stocks"} if markets & STOCK_MARKETS else set()))


def cards(tab: str) -> list[Card]:
    """Everything of one tab, brokers before the firms of a platform."""
    found = [card for name in VENUES if tab in tabs_of(name) for card in _cards_of(name)]
    return sorted(found, key=lambda card: bool(card.platform))


def _cards_of(name: str) -> list[Card]:
    venue = VENUES[name]
    firms = firms_of(venue)
    where = environments_of(name)
    if not firms:
        note = "Nobody's rules to agree to: nothing leaves this platform." if name == PAPER else ""
        return [Card(name, "", venue.label, "", where, policy_of(name), note)]
    known = [Card(name, firm, label, venue.label, where, policy_of(name, firm)) for firm, label in firms]
    if any(field.name.endswith("_url") for field in venue.fields):
        note = "With addresses of its own. Its rules are asked for beside them."
        known.append(Card(name, "", "Another firm", venue.label, where, "", note))
    return known
