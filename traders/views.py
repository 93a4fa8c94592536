"""The trader pages: doors only."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from brokers.selectors import list_accounts_for
from justtrades.forms import add_errors
from justtrades.requests import SignedInRequest
from recorders.selectors import list_recorders_for
from traders import selectors, services
from traders.forms import NewTraderForm, TraderForm
from traders.models import Trader

ROWS_PER_PAGE = 100


def find_trader(request: SignedInRequest, pk: UUID) -> Trader:
    try:
        return selectors.get_trader_for(request.user, pk)
    except Trader.DoesNotExist:
        raise Http404 from None


def search(request: SignedInRequest, rows: QuerySet[Trader]) -> QuerySet[Trader]:
    """Narrowed by the words and the filter of the address."""
    words, show = request.GET.get("q", "").strip(), request.GET.get("show", "")
    if words:
        rows = rows.filter(Q(account__name__icontains=words) | Q(recorder__name__icontains=words))
    if show in {"on", "off"}:
        rows = rows.filter(is_enabled=show == "on")
    secrets = ("account__login__password", "account__login__app_secret", "account__login__token")
    return rows.defer(*secrets).order_by("recorder__name", "account__name", "pk")


@require_safe
@login_required
def traders(request: SignedInRequest) -> HttpResponse:
    rows = search(request, selectors.list_traders_for(request.user))
    context = {
        "page": Paginator(rows, ROWS_PER_PAGE).get_page(request.GET.get("page")),
        "has_recorder": list_recorders_for(request.user).exists(),
        "has_account": list_accounts_for(request.user).exists(),
    }
    return render(request, "traders/list.html", context)


@require_http_methods(["GET", "POST"])
@login_required
def trader_new(request: SignedInRequest) -> HttpResponse:
    initial = {"recorder": request.GET.get("recorder"), "account": request.GET.get("account")}
    form = NewTraderForm(request.POST or None, user=request.user, initial=initial)
    if form.is_valid():
        try:
            services.create_trader(owner=request.user, **form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "It follows from the next signal.")
            return redirect("traders")
    return render(request, "traders/form.html", {"form": form})


@require_http_methods(["GET", "POST"])
@login_required
def trader_edit(request: SignedInRequest, pk: UUID) -> HttpResponse:
    trader = find_trader(request, pk)
    form = TraderForm(request.POST or None, instance=trader, recorder=trader.recorder)
    if form.is_valid():
        try:
            services.update_trader(trader=trader, **form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "Saved. It counts from the next signal.")
            return redirect("traders")
    return render(request, "traders/form.html", {"form": form, "trader": trader})


@require_POST
@login_required
def trader_enable(request: SignedInRequest, pk: UUID) -> HttpResponse:
    trader = services.enable_trader(trader=find_trader(request, pk))
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
