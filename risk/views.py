"""The pages of limits, of an account's day, and of rule packs: doors only. What loosens asks for the password."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.step_up import confirm
from brokers.models import BrokerAccount
from brokers.selectors import get_account_for
from justtrades.forms import add_errors
from justtrades.requests import SignedInRequest
from risk import packs, selectors, services
from risk.forms import LimitTermsForm, NewLimitForm, PackForm, RulesForm
from risk.models import PackAssignment, RiskLimit
from risk.services.limits import name_of


def find_limit(request: SignedInRequest, pk: UUID) -> RiskLimit:
    try:
        return selectors.get_limit_for(request.user, pk)
    except RiskLimit.DoesNotExist:
        raise Http404 from None


def find_account(request: SignedInRequest, pk: UUID) -> BrokerAccount:
    try:
        return get_account_for(request.user, pk)
    except BrokerAccount.DoesNotExist:
        raise Http404 from None


def find_pack(request: SignedInRequest, account: BrokerAccount) -> PackAssignment | None:
    return selectors.list_assignments_for(request.user).filter(account=account).first()


@require_http_methods(["GET", "POST"])
@login_required
def limit_new(request: SignedInRequest) -> HttpResponse:
    form = NewLimitForm(request.POST or None, user=request.user, target=request.GET.get("on", ""))
    if form.is_valid():
        scope, target = form.scoped()
        user, kind = request.user, form.cleaned_data["kind"]
        try:
            limit = services.set_limit(
                owner=user, actor=user, scope=scope, kind=kind, target=target, **form.terms()
            )  # fmt: skip
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, f"{limit} on {name_of(limit)} is in force.")
            return redirect("risk")
    return render(request, "risk/limit_form.html", {"form": form})


@require_http_methods(["GET", "POST"])
@login_required
def limit_edit(request: SignedInRequest, pk: UUID) -> HttpResponse:
    limit = find_limit(request, pk)
    form = LimitTermsForm(request.POST or None, limit=limit)
    if form.is_valid():
        if services.limit_loosens(limit, form.terms()):  # type: ignore[arg-type]
            confirm(request)
        try:
            services.change_limit(limit=limit, actor=request.user, **form.terms())
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, f"{limit} on {name_of(limit)} is in force.")
            return redirect("risk")
    return render(request, "risk/limit_form.html", {"form": form, "limit": limit, "whose": name_of(limit)})


@require_POST
@login_required
def limit_remove(request: SignedInRequest, pk: UUID) -> HttpResponse:
    limit = find_limit(request, pk)
    if services.binds(limit):
        confirm(request)
    try:
        services.remove_limit(limit=limit, actor=request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("risk_limit_edit", pk)
    messages.success(request, f"{limit} on {name_of(limit)} is removed.")
    return redirect("risk")


@require_http_methods(["GET", "POST"])
@login_required
def rules(request: SignedInRequest, pk: UUID) -> HttpResponse:
    account = find_account(request, pk)
    form = RulesForm(request.POST or None, instance=selectors.rules_of(account), use_required_attribute=False)
    if form.is_valid():
        try:
            services.set_rules(account=account, actor=request.user, **form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, f"{account.name} is counted by these rules from now on.")
            return redirect("risk")
    return render(request, "risk/rules_form.html", {"form": form, "account": account})


@require_POST
@login_required
def high_water(request: SignedInRequest, pk: UUID) -> HttpResponse:
    account = find_account(request, pk)
    confirm(request)
    try:
        services.reset_high_water(account=account, actor=request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, f"Drawdowns of {account.name} count from what it is worth now.")
    return redirect("risk_rules", pk)


@require_http_methods(["GET", "POST"])
@login_required
def pack(request: SignedInRequest, pk: UUID) -> HttpResponse:
    account = find_account(request, pk)
    assignment = find_pack(request, account)
    form = PackForm(request.POST or None, initial=_held(assignment))
    if form.is_valid():
        if services.pack_loosens(assignment, **form.given()):
            confirm(request)
        try:
            services.assign_pack(account=account, actor=request.user, **form.given())
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, f"{account.name} is under these rules from now on.")
            return redirect("risk")
    context = {"form": form, "account": account, "assignment": assignment, "packs": packs.list_packs()}
    return render(request, "risk/pack_form.html", context)


@require_POST
@login_required
def pack_remove(request: SignedInRequest, pk: UUID) -> HttpResponse:
    account = find_account(request, pk)
    assignment = find_pack(request, account)
    if assignment is None:
        raise Http404
    if assignment.is_enforced:
        confirm(request)
    try:
        services.remove_pack(assignment=assignment, actor=request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("risk_pack", pk)
    messages.success(request, f"{account.name} is under no firm's rules any more.")
    return redirect("risk")


def _held(assignment: PackAssignment | None) -> dict[str, Any] | None:
    if assignment is None:
        return None
    return {
        "pack": f"{assignment.pack}:{assignment.version}",
        "start_balance": assignment.start_balance,
        "is_enforced": assignment.is_enforced,
    }
