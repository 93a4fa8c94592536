"""Why a follower does what it does, as a document that equal decisions share."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from django.db import transaction

from execution.models import Explanation
from execution.plan import Case, Decision, Declined, PlannedLeg
from justtrades import clock
from traders.gates import Verdict

MOST_REMEMBERED = 50_000
_stored: set[str] = set()
"""Digests that a committed transaction of this process wrote: most alerts are decided as others before them."""


class Explanations:
    """The explanations of one plan: collected while it is made, written once at its end."""

    def __init__(self) -> None:
        self._by_decision: dict[int, str] = {}
        self._documents: dict[str, str] = {}
        self._kept: list[Decision] = []

    def of(self, case: Case, decision: Decision) -> str:
        """The digest under which the explanation will be found."""
        known = self._by_decision.get(id(decision))
        if known is not None:
            return known
        digest = self._by_decision[id(decision)] = self._keep(document_of(case, decision))
        # An id is only good while its object lives.
        self._kept.append(decision)
        return digest

    def of_nobody(self, declined: Declined) -> str:
        """For a reason that has nothing to do with who follows."""
        return self._keep({"declined": {"code": declined.code, "text": declined.text}})

    def _keep(self, document: dict[str, Any]) -> str:
        text = json.dumps(document, sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()
        self._documents[digest] = text
        return digest

    def write(self) -> None:
        """Store those that this process has not stored before; they never change and are never deleted."""
        fresh = {digest: text for digest, text in self._documents.items() if digest not in _stored}
        if not fresh:
            return
        rows = [
            Explanation(digest=digest, document=json.loads(text), created_at=clock.now())
            for digest, text in fresh.items()
        ]
        Explanation.objects.bulk_create(rows, ignore_conflicts=True)
        transaction.on_commit(lambda: _remember(fresh))


def _remember(digests: Iterable[str]) -> None:
    if len(_stored) > MOST_REMEMBERED:
        _stored.clear()
    _stored.update(digests)


def document_of(case: Case, decision: Decision) -> dict[str, Any]:
    """Settings with their sources, what was held, each gate's verdict, the size before and after limits, the plan."""
    size = decision.size
    return {
        "settings": case.effective.document,
        "act": decision.act.value,
        "held": case.own,
        "contract": case.contract.symbol,
        "conversion": str(case.ratio),
        "cash": None if case.cash is None else str(case.cash),
        "gates": [_verdict(verdict) for verdict in decision.verdicts],
        "size": None if size is None else {"asked": size.asked, "contracts": size.contracts, "limit": size.limit},
        "plan": [_leg(leg) for leg in decision.legs],
        "declined": None
        if decision.declined is None
        else {"code": decision.declined.code, "text": decision.declined.text},
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {"code": verdict.code, "passes": verdict.passes, "had": verdict.had, "limit": verdict.limit}


def _leg(leg: PlannedLeg) -> dict[str, Any]:
    return {
        "leg": leg.leg,
        "kind": leg.kind.value,
        "side": leg.side.value,
        "contracts": leg.qty,
        "order_type": leg.order_type.value,
        "price": None if leg.price is None else str(leg.price),
        "exits": [
            {
                "contracts": exit_leg.qty,
                "target_points": None if exit_leg.target_distance is None else str(exit_leg.target_distance),
                "stop_points": None if exit_leg.stop_distance is None else str(exit_leg.stop_distance),
            }
            for exit_leg in leg.bracket
        ],
    }
