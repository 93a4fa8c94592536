"""The strategy's chain as a row: read, moved on by one signal, written. Call while holding the recorder's plan lock."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from justtrades import clock
from recorders.chain import Chain, Edge, Link, Step, advance
from recorders.models import Notice, NoticeKind, OnDesync, Recorder, Signal, StrategyChain


def tip_of(recorder: Recorder, ticker: str) -> Decimal | None:
    """Where the strategy stood last, None when it never said."""
    return StrategyChain.objects.filter(recorder=recorder, ticker=ticker).values_list("tip", flat=True).first()


def move_on(recorder: Recorder, ticker: str, signal: Signal, before: Decimal, after: Decimal) -> Step:
    """Take the signal into the chain of its ticker, and open or end the notice of a gap."""
    row = StrategyChain.objects.filter(recorder=recorder, ticker=ticker).first()
    chain = Chain() if row is None else _chain_of(row)
    step = advance(chain, before, after, signal.fired_at)
    _write(recorder, ticker, signal, step.chain)
    if step.chain.is_desynced != chain.is_desynced or step.link is Link.GAP:
        _tell(recorder, ticker, step)
    return step


def converge(recorder: Recorder, ticker: str) -> Decimal | None:
    """Accept where the strategy says it stands: the gap is history. Its position, None when it has none."""
    row = StrategyChain.objects.filter(recorder=recorder, ticker=ticker).first()
    if row is None:
        return None
    row.missing, row.found = None, []
    row.save(update_fields=["missing", "found"])
    _end_notice(recorder, ticker)
    return row.tip


def _chain_of(row: StrategyChain) -> Chain:
    return Chain(
        tip=row.tip,
        base=row.base,
        second=row.second,
        edges=tuple(_edge(pair) for pair in row.edges),
        missing=None if row.missing is None else _edge(row.missing),
        found=tuple(_edge(pair) for pair in row.found),
    )


def _edge(pair: list[str]) -> Edge:
    return Decimal(pair[0]), Decimal(pair[1])


def _pair(edge: Edge) -> list[str]:
    return [str(edge[0]), str(edge[1])]


def _write(recorder: Recorder, ticker: str, signal: Signal, chain: Chain) -> None:
    values: dict[str, Any] = {
        "tip": chain.tip,
        "base": chain.base,
        "second": chain.second,
        "edges": [_pair(edge) for edge in chain.edges],
        "missing": None if chain.missing is None else _pair(chain.missing),
        "found": [_pair(edge) for edge in chain.found],
        "signal": signal,
        "changed_at": clock.now(),
    }
    StrategyChain.objects.update_or_create(recorder=recorder, ticker=ticker, defaults=values)


def _tell(recorder: Recorder, ticker: str, step: Step) -> None:
    missing = step.chain.missing
    if missing is None:
        _end_notice(recorder, ticker)
        return
    stood, said = missing
    done = "followed" if recorder.on_desync == OnDesync.CONVERGE else "not followed until you say so"
    text = (
        f"{ticker}: the strategy was at {stood.normalize():f}, and its next alert says it was at "
        f"{said.normalize():f}: an alert is missing. Where it stands now, {step.after.normalize():f}, is {done}."
    )
    Notice.objects.update_or_create(
        recorder=recorder,
        kind=NoticeKind.DESYNC,
        subject=ticker,
        ended_at=None,
        defaults={"owner_id": recorder.owner_id, "text": text, "created_at": clock.now()},
    )


def _end_notice(recorder: Recorder, ticker: str) -> None:
    open_notice = Notice.objects.filter(
        recorder=recorder, kind=NoticeKind.DESYNC, subject=ticker, ended_at__isnull=True
    )
    open_notice.update(ended_at=clock.now())
