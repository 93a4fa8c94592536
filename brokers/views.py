"""The broker pages: doors only."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from brokers import selectors, services
from brokers.forms import ConnectForm
from brokers.models import BrokerLogin
from justtrades.forms import add_errors
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
    found = selectors.list_logins_for(request.user).prefetch_related("accounts")
    page = Paginator(found, LOGINS_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "brokers/list.html", {"page": page})


@require_http_methods(["GET", "POST"])
@login_required
def connect(request: SignedInRequest) -> HttpResponse:
    form = ConnectForm(request.POST or None)
    if form.is_valid():
        try:
            login = services.connect_login(owner=request.user, **form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, f"{login.username} is connected with {login.accounts.count()} account(s).")
            return redirect("brokers")
    return render(request, "brokers/connect.html", {"form": form})


@require_POST
@login_required
def login_enable(request: SignedInRequest, pk: UUID) -> HttpResponse:
    login = services.enable_login(login=find_login(request, pk))
    messages.success(request, f"{login.username} connects within a few seconds.")
    return redirect("brokers")


@require_POST
@login_required
def login_disable(request: SignedInRequest, pk: UUID) -> HttpResponse:
    login = services.disable_login(login=find_login(request, pk))
    messages.success(request, f"{login.username} is switched off. Stops and targets stay at the broker.")
    return redirect("brokers")
