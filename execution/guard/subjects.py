"""From rows to what is watched: a subject for each account, and one for each other thing that has a limit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Q

from execution.guard.days import Day
from execution.guard.elsewhere import Elsewhere
from execution.guard.gone import Left, left_by
from execution.guard.traders import Share, load_shares
from execution.valuation import known_contract
from risk.models import MONEY, AccountDay, LimitScope, RiskLimit
from risk.monitors import Kind, Terms
from risk.terms import terms_of
from risk.watch import Line, Member, Subject, Target
from traders.models import Trader

ZERO = Decimal(0)
NOTHING_LEFT = Left()
SETTING = "setting"
"""How the key of a trader's own `max_daily_loss` begins; see `RiskAction.limit_key`."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits in force, by what they limit. `settings` are traders' own `max_daily_loss`, dollars."""

    by_target: Mapping[tuple[str, UUID], list[RiskLimit]] = field(default_factory=dict)
    settings: Mapping[UUID, Decimal] = field(default_factory=dict)
    packs: Mapping[UUID, tuple[Terms, ...]] = field(default_factory=dict)

    def of(self, scope: LimitScope, target: UUID) -> list[RiskLimit]:
        return self.by_target.get((scope.value, target), [])


def load_limits(owner_ids: Collection[UUID]) -> dict[tuple[str, UUID], list[RiskLimit]]:
    found: dict[tuple[str, UUID], list[RiskLimit]] = defaultdict(list)
    for limit in RiskLimit.objects.filter(owner__in=owner_ids, is_enabled=True, kind__in=sorted(MONEY)):
        target = limit.trader_id or limit.account_id or limit.recorder_id or limit.owner_id
        found[limit.scope, target].append(limit)
    return found


def load_settings(account_ids: Collection[UUID]) -> dict[UUID, Decimal]:
    """Each trader's `max_daily_loss` as its recorder and its own overrides have it, where that is not 0."""
    found: dict[UUID, Decimal] = {}
    rows = Trader.objects.filter(
        Q(overrides__has_key="max_daily_loss")
        | Q(route_of__overrides__has_key="max_daily_loss")
        | Q(recorder__template__has_key="max_daily_loss"),
        account__in=account_ids,
    )
    for trader_id, own, lead, template in rows.values_list(
        "id", "overrides__max_daily_loss", "route_of__overrides__max_daily_loss", "recorder__template__max_daily_loss"
    ):
        stated = next((value for value in (lead, own, template) if value is not None), None)
        amount = _positive(stated)
        if amount is not None:
            found[trader_id] = amount
    return found


def _positive(stated: Any) -> Decimal | None:
    amount = ZERO if stated is None else Decimal(str(stated))
    return amount if amount > ZERO else None


def account_subject(day: Day, limits: Limits) -> Subject:
    """Everything on the account counts, whoever opened it."""
    account = day.account
    own = tuple(terms_of(limit) for limit in limits.of(LimitScope.ACCOUNT, account.id))
    lines, is_complete = account_lines(day)
    return Subject(
        key=f"account:{account.id}",
        owner_id=account.owner_id,
        targets=(Target(account.id),),
        lines=lines,
        terms=(*own, *limits.packs.get(account.id, ())),
        day_base=day.realized,
        week_base=day.week_before + day.realized,
        cash=day.cash,
        start_equity=day.start_cash,
        intraday_high=day.intraday_high,
        end_of_day_high=day.end_of_day_high,
        is_complete=is_complete,
    )


def account_lines(day: Day) -> tuple[tuple[Line, ...], bool]:
    """What the account holds, and whether all of it can be valued."""
    lines: list[Line] = []
    is_complete = not day.unknown
    for symbol, holding in day.book.held.items():
        contract = known_contract(symbol)
        if contract is None or holding.avg_price is None:
            is_complete = False
            continue
        lines.append(Line(symbol, day.account.source, holding.net_qty, holding.avg_price, contract.point_value))
    return tuple(lines), is_complete


def trader_subjects(
    own: Mapping[UUID, Day], elsewhere: Mapping[UUID, Day], gone: Mapping[UUID, Day], limits: Limits
) -> list[Subject]:
    """Single traders on this lane's accounts, and recorders that have one here, with all their traders anywhere."""
    traders = {target for scope, target in limits.by_target if scope == LimitScope.TRADER}
    recorders = {target for scope, target in limits.by_target if scope == LimitScope.RECORDER}
    wanted = traders | limits.settings.keys()
    if not wanted and not recorders:
        return []
    days = {**gone, **elsewhere, **own}
    shares = load_shares(Q(pk__in=wanted, account__in=own) | Q(recorder__in=recorders), days)
    subjects = [
        _share_subject(f"trader:{one.trader_id}", [one], _trader_terms(one, limits), days)
        for one in shares.values()
        if one.trader_id in wanted and one.account_id in own
    ]
    for recorder_id in recorders:
        rows = limits.of(LimitScope.RECORDER, recorder_id)
        everybody = [one for one in shares.values() if one.recorder_id == recorder_id]
        members = [one for one in everybody if one.account_id not in gone]
        if any(one.account_id in own for one in members):
            left = left_by_shares(one for one in everybody if one.account_id in gone)
            terms = tuple(map(terms_of, rows))
            subjects.append(_share_subject(f"recorder:{recorder_id}", members, terms, days, left))
    return subjects


def _trader_terms(share: Share, limits: Limits) -> tuple[Terms, ...]:
    rows = limits.of(LimitScope.TRADER, share.trader_id)
    own = limits.settings.get(share.trader_id)
    setting = () if own is None else (Terms(f"{SETTING}:{share.trader_id}", Kind.DAILY_LOSS, own, label="Daily loss"),)
    return (*map(terms_of, rows), *setting)


def left_by_shares(shares: Iterable[Share]) -> Left:
    """What traders realised on accounts that nobody watches any more."""
    found = list(shares)
    return Left(sum((one.day for one in found), ZERO), sum((one.week for one in found), ZERO))


def _share_subject(
    key: str, shares: list[Share], terms: tuple[Terms, ...], days: Mapping[UUID, Day], left: Left = NOTHING_LEFT
) -> Subject:
    starts = [days[account_id].start_cash for account_id in {one.account_id for one in shares}]
    won = sum((one.won for one in shares), ZERO)
    began_with = won - sum((one.won_today for one in shares), ZERO)
    return Subject(
        key=key,
        owner_id=shares[0].owner_id,
        targets=tuple(Target(one.account_id, one.trader_id) for one in shares),
        lines=tuple(line for one in shares for line in one.lines),
        terms=terms,
        day_base=sum((one.day for one in shares), left.day),
        week_base=sum((one.week for one in shares), left.week),
        # A share has no cash of its own: its drawdown counts from the best of what it has won.
        cash=won,
        start_equity=_total(starts),
        end_of_day_high=began_with,
        is_complete=all(one.is_complete for one in shares),
        members=tuple(Member(one.trader_id, one.won, tuple(one.lines)) for one in shares),
    )


def user_subject(
    owner_id: UUID, days: Iterable[Day], elsewhere: Elsewhere, gone: Iterable[Day], limits: Limits
) -> Subject:
    """All accounts of a user: those of this lane live, the others as their own lanes last wrote them."""
    left = left_by(gone)
    mine = [(day, *account_lines(day)) for day in days]
    foreign = elsewhere.days.values()
    won = sum((day.realized for day, _, _ in mine), ZERO) + sum((row.pnl or ZERO for row in foreign), ZERO)
    week = won + sum((day.week_before for day, _, _ in mine), ZERO) + sum(elsewhere.week_before.values(), ZERO)
    start = _total([day.start_cash for day, _, _ in mine] + [row.start_cash for row in foreign])
    members = [Member(day.account.id, day.cash, lines) for day, lines, _ in mine]
    members += [Member(account_id, _worth(elsewhere.days.get(account_id))) for account_id in elsewhere.accounts]
    return Subject(
        key=f"user:{owner_id}",
        owner_id=owner_id,
        targets=tuple(Target(member.id) for member in members),
        lines=tuple(line for _, lines, _ in mine for line in lines),
        terms=tuple(map(terms_of, limits.of(LimitScope.USER, owner_id))),
        day_base=won + left.day,
        week_base=week + left.week,
        cash=None if start is None else start + won,
        start_equity=start,
        is_complete=(
            all(is_complete for _, _, is_complete in mine)
            and elsewhere.is_counted
            and all(row.pnl is not None for row in foreign)
        ),
        members=tuple(members),
    )


def _worth(row: AccountDay | None) -> Decimal | None:
    return None if row is None or row.pnl is None or row.start_cash is None else row.start_cash + row.pnl


def _total(parts: list[Decimal | None]) -> Decimal | None:
    known = [part for part in parts if part is not None]
    return sum(known, ZERO) if known and len(known) == len(parts) else None
