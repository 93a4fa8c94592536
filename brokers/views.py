"""The page of one's broker logins: doors only."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from brokers import selectors, services
from brokers.models import BrokerLogin
from brokers.picker import label_of
from brokers.registry import VENUES
from brokers.services.budgets import gauges_for
from justtrades.requests import SignedInRequest

LOGINS_PER_PAGE = 50


def find_login(request: SignedInRequest, pk: UUID) -> BrokerLogin:
    try:
        return selectors.get_login_for(request.user, pk)
    except BrokerLogin.DoesNotExist:
        raise Http404 from None


@require_safe
@login_required
def logins(request: SignedInRequest) -> HttpResponse:
    found = selectors.list_logins_with_accounts_for(request.user)
    page = Paginator(found, LOGINS_PER_PAGE).get_page(request.GET.get("page"))
    gauges = gauges_for(page.object_list)
    rows = [describe(login) | {"gauges": gauges.get(login.pk, ())} for login in page.object_list]
    return render(request, "brokers/list.html", {"page": page, "rows": rows})


def describe(login: BrokerLogin) -> dict[str, Any]:
    return {
        "login": login,
        "label": label_of(login.venue, login.firm),
        "platform": label_of(login.venue) if login.firm else "",
        "has_loss_limits": login.venue in VENUES and VENUES[login.venue].loss_limits is not None,
    }


@require_POST
@login_required
def login_enable(request: SignedInRequest, pk: UUID) -> HttpResponse:
    login = find_login(request, pk)
    try:
        services.enable_login(login=login)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, f"{login.username} connects within a few seconds.")
    return redirect("brokers")


@require_POST
@login_required
def login_disable(request: SignedInRequest, pk: UUID) -> HttpResponse:
    login = services.disable_login(login=find_login(request, pk))
    messages.success(request, f"{login.username} is switched off. Stops and targets stay at the broker.")
    return redirect("brokers")


@require_POST
@login_required
def login_reconnect(request: SignedInRequest, pk: UUID) -> HttpResponse:
    login = find_login(request, pk)
    try:
        services.reconnect_login(login=login)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, f"{login.username} is dropped and connected anew within a few seconds.")
    return redirect("brokers")


@require_POST
@login_required
def login_preflight(request: SignedInRequest, pk: UUID) -> HttpResponse:
    login = find_login(request, pk)
    accounts = list(selectors.list_accounts_for(request.user).filter(login=login))
    failed = [account.name for account in accounts if not services.is_ready(services.run_preflight(account=account))]
    if failed:
        messages.error(request, f"Not ready to trade: {', '.join(failed)}. Each check stands below.")
    else:
        messages.success(request, f"All {len(accounts)} account(s) of {login.username} are ready to trade.")
    return redirect("brokers")


@require_http_methods(["GET", "POST"])
@login_required
def login_delete(request: SignedInRequest, pk: UUID) -> HttpResponse:
    login = find_login(request, pk)
    if request.method == "POST":
        try:
            services.delete_login(login=login)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            messages.success(request, f"{login.username} is deleted, and its secrets with it.")
            return redirect("brokers")
    accounts = selectors.list_accounts_for(request.user).filter(login=login)
    context = describe(login) | {"accounts": accounts, "obstacles": selectors.obstacles_to_deleting(login)}
    return render(request, "brokers/delete.html", context)
