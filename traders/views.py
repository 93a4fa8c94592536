"""The trader pages: doors only."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from brokers.instruments import UnknownTicker
from brokers.selectors import list_accounts_for, secrets_of
from justtrades.forms import add_errors
from justtrades.requests import SignedInRequest, words_of
from recorders.models import Recorder
from recorders.selectors import get_recorder_for, list_recorders_for
from recorders.settings import BadSettings
from recorders.wording import in_words
from traders import selectors, services
from traders.enabling import check_ready, enable_trader
from traders.forms import (
    NewTraderForm,
    PreviewForm,
    RouteFields,
    RouteForm,
    TraderForm,
    conversion_words,
    previewed_settings,
    route_of,
)
from traders.legs import preview_of
from traders.models import Trader
from traders.quota import quota_of
from traders.routes import add_route, effective_of

ROWS_PER_PAGE = 100


def find_trader(request: SignedInRequest, pk: UUID) -> Trader:
    try:
        return selectors.get_trader_for(request.user, pk)
    except Trader.DoesNotExist:
        raise Http404 from None


def find_recorder(request: SignedInRequest, pk: str) -> Recorder | None:
    """The one that the page is about; None where it is not chosen yet."""
    try:
        return get_recorder_for(request.user, pk) if pk else None
    except (Recorder.DoesNotExist, ValidationError):
        raise Http404 from None


def search(request: SignedInRequest, rows: QuerySet[Trader]) -> QuerySet[Trader]:
    """Narrowed by the words and the filter of the address; by recorder, further accounts below their trader."""
    words, show = words_of(request.GET), request.GET.get("show", "")
    if words:
        rows = rows.filter(Q(account__name__icontains=words) | Q(recorder__name__icontains=words))
    if show in {"on", "off"}:
        rows = rows.filter(is_enabled=show == "on")
    return (
        rows.select_related("route_of__account")
        .defer(*secrets_of("account__login"))
        .order_by(
            "recorder__name",
            "recorder_id",
            Coalesce("route_of__account__name", "account__name"),
            Coalesce("route_of_id", "pk"),
            F("route_of_id").asc(nulls_first=True),
            "account__name",
            "pk",
        )
    )


def find_recorder_or_404(request: SignedInRequest, pk: UUID) -> Recorder:
    try:
        return get_recorder_for(request.user, pk)
    except Recorder.DoesNotExist:
        raise Http404 from None


@require_safe
@login_required
def traders(request: SignedInRequest) -> HttpResponse:
    rows = search(request, selectors.list_traders_for(request.user))
    page = Paginator(rows, ROWS_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": [describe(trader) for trader in page.object_list],
        "has_recorder": list_recorders_for(request.user).exists(),
        "has_account": list_accounts_for(request.user).exists(),
    }
    return render(request, "traders/list.html", context)


def describe(trader: Trader) -> dict[str, Any]:
    """A trader with what it trades with, in words, each with whether it is its own or inherited."""
    row: dict[str, Any] = {"trader": trader, "recorder": trader.recorder, "own_count": len(trader.overrides)}
    try:
        effective = effective_of(trader)
    except BadSettings as error:
        return row | {"problem": str(error)}
    for name in ("initial_position_size", "targets", "stop_distance"):
        row[name] = {"words": in_words(name, effective.settings), "is_own": name in effective.sources}
    return row | {"no_stop": effective.settings.stop_distance == 0}


@require_http_methods(["GET", "POST"])
@login_required
def trader_new(request: SignedInRequest) -> HttpResponse:
    recorder = chosen_recorder(request)
    if recorder is None:
        found = list_recorders_for(request.user)
        return render(request, "traders/choose.html", {"recorders": found, "account": request.GET.get("account", "")})
    initial = {"account": request.GET.get("account")}
    form = NewTraderForm(request.POST or None, user=request.user, recorder=recorder, initial=initial)
    if form.is_valid() and save(form, request.user):
        messages.success(request, "It follows from the next signal.")
        return redirect("traders")
    return render(request, "traders/form.html", {"form": form, "recorder": recorder})


def chosen_recorder(request: SignedInRequest) -> Recorder | None:
    """The one named, or the only one there is."""
    named = request.POST.get("recorder") or request.GET.get("recorder")
    if named:
        return find_recorder(request, named)
    found = list(list_recorders_for(request.user)[:2])
    return found[0] if len(found) == 1 else None


@require_http_methods(["GET", "POST"])
@login_required
def trader_edit(request: SignedInRequest, pk: UUID) -> HttpResponse:
    trader = find_trader(request, pk)
    if trader.route_of_id is not None:
        return route_edit(request, trader)
    form = TraderForm(request.POST or None, user=request.user, recorder=trader.recorder, trader=trader)
    if form.is_valid() and save(form, request.user):
        messages.success(request, "Saved. It counts from the next signal.")
        return redirect("traders")
    return render(request, "traders/form.html", {"form": form, "trader": trader, "recorder": trader.recorder})


def route_edit(request: SignedInRequest, trader: Trader) -> HttpResponse:
    """A further account has a size of its own and nothing else."""
    form = RouteFields(request.POST or None, initial=route_of(trader), use_required_attribute=False)
    if form.is_valid():
        try:
            services.update_trader(trader=trader, **form.route())
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "Saved. It counts from the next signal.")
            return redirect("traders")
    return render(request, "traders/route.html", {"form": form, "trader": trader})


def save(form: TraderForm, owner: User) -> bool:
    """The trader and its further accounts, all of it or nothing; False once each error stands beside its field."""
    try:
        ask_brokers(form)
        with transaction.atomic():
            lead = save_lead(form, owner)
            for row in form.routes:
                save_route(lead, row)
    except ValidationError:
        return False
    return True


def ask_brokers(form: TraderForm) -> None:
    """Whether each account that is to follow anew could trade; the first that could not has its error beside it."""
    if form.trader is None:
        try:
            check_ready(form.recorder, [(form.cleaned_data["account"], form.cleaned_data["custom_ticker"])])
        except ValidationError as error:
            form.place_errors(error)
            raise
    for row in form.routes:
        if row.is_chosen and (row.trader is None or not row.trader.is_enabled):
            try:
                check_ready(form.recorder, [(row.account, row.cleaned_data["custom_ticker"])])
            except ValidationError as error:
                add_errors(row, named(error, account="is_on"))
                raise


def save_lead(form: TraderForm, owner: User) -> Trader:
    given = {**form.route(), "overrides": form.settings()}
    try:
        if form.trader is not None:
            return services.update_trader(trader=form.trader, **given)
        account = form.cleaned_data["account"]
        return services.create_trader(owner=owner, recorder=form.recorder, account=account, **given)
    except ValidationError as error:
        form.place_errors(error)
        raise


def save_route(lead: Trader, row: RouteForm) -> None:
    try:
        if row.trader is None and row.is_chosen:
            add_route(lead=lead, account=row.account, **row.route())
        elif row.trader is not None and row.is_chosen:
            services.update_trader(trader=row.trader, **row.route())
            services.switch_on(trader=row.trader)
        elif row.trader is not None and row.trader.is_enabled:
            services.disable_trader(trader=row.trader)
    except ValidationError as error:
        add_errors(row, named(error, account="is_on"))
        raise


def named(error: ValidationError, **fields: str) -> ValidationError:
    """The same errors, under the names that a form has for these fields."""
    if not hasattr(error, "error_dict"):
        return error
    return ValidationError({fields.get(name, name): texts for name, texts in error.error_dict.items()})


@require_POST
@login_required
def leg_preview(request: SignedInRequest) -> HttpResponse:
    """What the exits come to with the settings as they stand in the form now. Nothing is saved."""
    form, settings = previewed_settings(request.POST, find_recorder(request, request.POST.get("recorder", "")))
    asked = PreviewForm(request.POST)
    if settings is None or not asked.is_valid():
        wrong = [*(label for label, _ in form.wrong()), *(str(asked[name].label) for name in asked.errors)]
        return render(request, "traders/preview.html", {"wrong": wrong})
    return render(request, "traders/preview.html", preview_of(settings, **asked.asked()))


@require_safe
@login_required
def conversion(request: SignedInRequest) -> HttpResponse:
    """How sizes convert to the ticker that is being typed."""
    ticker = next((str(value) for name, value in request.GET.items() if name.endswith("custom_ticker")), "")
    try:
        words, problem = conversion_words(ticker), ""
    except UnknownTicker as error:
        words, problem = "", str(error)
    return render(request, "traders/conversion.html", {"conversion": words, "problem": problem})


@require_safe
@login_required
def recorder_quota(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """A part of a page: what one alert costs the brokers' budgets, and whether it fits."""
    return render(request, "traders/quota.html", {"plan": quota_of(find_recorder_or_404(request, pk))})


@require_POST
@login_required
def trader_enable(request: SignedInRequest, pk: UUID) -> HttpResponse:
    trader = find_trader(request, pk)
    try:
        enable_trader(trader=trader)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, f"{trader.account.name} follows {trader.recorder.name} from the next signal.")
    return redirect("traders")


@require_POST
@login_required
def trader_disable(request: SignedInRequest, pk: UUID) -> HttpResponse:
    trader = services.disable_trader(trader=find_trader(request, pk))
    messages.success(request, f"{trader.account.name} takes no new entry. Its open position and its exits stay.")
    return redirect("traders")


@require_POST
@login_required
def trader_delete(request: SignedInRequest, pk: UUID) -> HttpResponse:
    trader = find_trader(request, pk)
    try:
        services.delete_trader(trader=trader)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("trader_edit", pk)
    messages.success(request, "The trader is deleted.")
    return redirect("traders")
