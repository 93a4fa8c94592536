"""The broker pages: doors only."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from brokers import selectors, services
from brokers.forms import ConnectForm
from brokers.models import BrokerLogin
from justtrades.forms import add_errors


def find_login(request: HttpRequest, pk: UUID) -> BrokerLogin:
    try:
        return selectors.get_login_for(request.user, pk)
    except BrokerLogin.DoesNotExist:
        raise Http404 from None


@require_safe
@login_required
def logins(request: HttpRequest) -> HttpResponse:
    found = selectors.list_logins_for(request.user).prefetch_related("accounts")
    return render(request, "brokers/list.html", {"logins": found})


@require_http_methods(["GET", "POST"])
@login_required
def connect(request: HttpRequest) -> HttpResponse:
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
def login_enable(request: HttpRequest, pk: UUID) -> HttpResponse:
    login = services.enable_login(login=find_login(request, pk))
    messages.success(request, f"{login.username} connects within a few seconds.")
    return redirect("brokers")


@require_POST
@login_required
def login_disable(request: HttpRequest, pk: UUID) -> HttpResponse:
    login = services.disable_login(login=find_login(request, pk))
    messages.success(request, f"{login.username} is switched off. Stops and targets stay at the broker.")
    return redirect("brokers")
