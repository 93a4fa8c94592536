"""The trading pages: doors only."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe

from execution.dashboard import PANELS
from execution.trace import trace_signal
from justtrades.requests import SignedInRequest
from recorders.models import Signal
from recorders.selectors import get_signal_for

NEWEST = QueryDict("view=newest")


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
    try:
        found = get_signal_for(request.user, pk)
    except Signal.DoesNotExist:
        raise Http404 from None
    template = "dashboard/signal.html" if request.htmx else "dashboard/signal_page.html"
    return render(request, template, trace_signal(found, request.GET))
