"""The trading pages: doors only."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from execution.commands import converge
from execution.dashboard import PANELS
from execution.trace import readable_body, trace_signal
from execution.trader_trace import list_followers, trace_traders
from justtrades.requests import SignedInRequest
from recorders.models import Signal
from recorders.selectors import get_signal_for, list_chains_for
from traders.models import Trader

NEWEST = QueryDict("view=newest")
TRACES_PER_PAGE = 50


@require_safe
@login_required
def dashboard(request: SignedInRequest) -> HttpResponse:
    panels: dict[str, dict[str, Any]] = {name: build(request.user, NEWEST) for name, build in PANELS.items()}
    return render(request, "dashboard/index.html", panels)


@require_safe
@login_required
def panel(request: SignedInRequest, name: str) -> HttpResponse:
    """One panel's inside, for the browser to put in place of the old one."""
    if name not in PANELS:
        raise Http404
    context = PANELS[name](request.user, request.GET)
    response = render(request, f"dashboard/{name}.html", {name: context, "query": request.GET})
    response["Cache-Control"] = "no-store"
    return response


@require_safe
@login_required
def signals(request: SignedInRequest) -> HttpResponse:
    return render(request, "dashboard/signals_page.html", {"signals": PANELS["signals"](request.user, request.GET)})


@require_safe
@login_required
def positions(request: SignedInRequest) -> HttpResponse:
    context = {name: PANELS[name](request.user, request.GET) for name in ("status", "positions")}
    return render(request, "dashboard/positions_page.html", context)


@require_safe
@login_required
def orders(request: SignedInRequest) -> HttpResponse:
    context = {name: PANELS[name](request.user, request.GET) for name in ("orders", "fills")}
    return render(request, "dashboard/orders_page.html", context)


@require_safe
@login_required
def signal(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """A page of its own, or the inside of the drawer when htmx asks."""
    found = _signal_or_404(request, pk)
    return render(request, _whole_or_inside(request, "signal"), trace_signal(found, request.GET))


@require_safe
@login_required
def signal_traces(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """Every trader's trace of one signal; where there is only one, that one."""
    found = _signal_or_404(request, pk)
    page = Paginator(list_followers(request.user, found), TRACES_PER_PAGE).get_page(request.GET.get("page"))
    traders = list(page.object_list)
    if page.paginator.count == 1 and not request.htmx:
        return redirect("trace", pk=found.pk, trader=traders[0].pk)
    context = {"signal": found, "page": page, "traces": trace_traders(found, traders)}
    return render(request, _whole_or_inside(request, "traces"), context)


@require_safe
@login_required
def trace(request: SignedInRequest, pk: UUID, trader: UUID) -> HttpResponse:
    """The whole story of one signal and one trader."""
    found = _signal_or_404(request, pk)
    try:
        follower = list_followers(request.user, found).get(pk=trader)
    except Trader.DoesNotExist:
        raise Http404 from None
    context = {"signal": found, "trace": trace_traders(found, [follower])[0], "body": readable_body(found)}
    return render(request, _whole_or_inside(request, "trace"), context)


def _signal_or_404(request: SignedInRequest, pk: UUID) -> Signal:
    try:
        return get_signal_for(request.user, pk)
    except Signal.DoesNotExist:
        raise Http404 from None


def _whole_or_inside(request: SignedInRequest, name: str) -> str:
    """The page, or only its inside when the browser refreshes it."""
    return f"dashboard/{name}.html" if request.htmx else f"dashboard/{name}_page.html"


@require_POST
@login_required
def chain_converge(request: SignedInRequest, recorder: UUID, pk: int) -> HttpResponse:
    """The one click that a gap offers: everybody goes to where the strategy says it stands."""
    chain = list_chains_for(request.user).filter(recorder_id=recorder, pk=pk).first()
    if chain is None:
        raise Http404
    try:
        converge(actor=request.user, chain=chain)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, f"Every trader goes to where the strategy stands on {chain.ticker}.")
    return redirect("recorder", recorder)
