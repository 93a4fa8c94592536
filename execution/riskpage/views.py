"""The live risk page, what happened, and what a person must see: doors only."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from execution.alarms import list_alarms_for, mark_seen
from execution.models import Alarm
from execution.riskpage.page import accounts_panel, alarms_of, flattens_of
from justtrades.requests import SignedInRequest
from risk import selectors

ROWS_PER_PAGE = 50


@require_safe
@login_required
def risk(request: SignedInRequest) -> HttpResponse:
    return render(request, "risk/index.html", _accounts(request))


@require_safe
@login_required
def risk_accounts(request: SignedInRequest) -> HttpResponse:
    """The inside of the page, for the browser to put in place of the old one."""
    response = render(request, "risk/accounts.html", _accounts(request))
    response["Cache-Control"] = "no-store"
    return response


def _accounts(request: SignedInRequest) -> dict[str, Any]:
    user = request.user
    return accounts_panel(user, request.GET) | {"alarms": alarms_of(user), "flattens": flattens_of(user)}


@require_safe
@login_required
def history(request: SignedInRequest) -> HttpResponse:
    """What was decided, and who changed what."""
    show = "actions" if request.GET.get("show") == "actions" else "events"
    rows = {"actions": selectors.list_actions_for, "events": selectors.list_events_for}[show]
    page = Paginator(rows(request.user), ROWS_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "risk/history.html", {"page": page, "show": show})


@require_safe
@login_required
def alarms(request: SignedInRequest) -> HttpResponse:
    page = Paginator(list_alarms_for(request.user), ROWS_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "risk/alarms.html", {"page": page})


@require_POST
@login_required
def alarm_seen(request: SignedInRequest, pk: UUID) -> HttpResponse:
    try:
        mark_seen(list_alarms_for(request.user).get(pk=pk))
    except Alarm.DoesNotExist:
        raise Http404 from None
    return redirect("risk_alarms")
