"""The recorder pages: doors only."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from justtrades import clock
from justtrades.forms import add_errors
from justtrades.requests import SignedInRequest
from recorders import selectors, services
from recorders.forms import AlertForm, NewRecorderForm, RecorderForm
from recorders.models import Recorder
from recorders.receive import Inbox, receive_alert
from recorders.template import CANONICAL_TEMPLATE


def find_recorder(request: SignedInRequest, pk: UUID) -> Recorder:
    try:
        return selectors.get_recorder_for(request.user, pk)
    except Recorder.DoesNotExist:
        raise Http404 from None


@require_safe
@login_required
def recorders(request: SignedInRequest) -> HttpResponse:
    found = selectors.list_recorders_for(request.user).annotate(
        followers=Count("traders"), enabled=Count("traders", filter=Q(traders__is_enabled=True))
    )
    return render(request, "recorders/list.html", {"recorders": found})


@require_http_methods(["GET", "POST"])
@login_required
def recorder_new(request: SignedInRequest) -> HttpResponse:
    form = NewRecorderForm(request.POST or None)
    if form.is_valid():
        try:
            recorder, token = services.create_recorder(owner=request.user, **form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        else:
            return show_address(request, recorder, token)
    return render(request, "recorders/form.html", {"form": form})


@require_safe
@login_required
def recorder(request: SignedInRequest, pk: UUID) -> HttpResponse:
    return render(request, "recorders/detail.html", describe(find_recorder(request, pk), AlertForm()))


@require_http_methods(["GET", "POST"])
@login_required
def recorder_edit(request: SignedInRequest, pk: UUID) -> HttpResponse:
    found = find_recorder(request, pk)
    form = RecorderForm(request.POST or None, instance=found)
    if form.is_valid():
        try:
            services.update_recorder(recorder=found, **form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, "Saved. It counts from the next alert.")
            return redirect("recorder", pk)
    return render(request, "recorders/form.html", {"form": form, "recorder": found})


@require_POST
@login_required
def recorder_rotate(request: SignedInRequest, pk: UUID) -> HttpResponse:
    found = find_recorder(request, pk)
    return show_address(request, found, services.rotate_token(recorder=found))


@require_POST
@login_required
def recorder_delete(request: SignedInRequest, pk: UUID) -> HttpResponse:
    found = find_recorder(request, pk)
    try:
        services.delete_recorder(recorder=found)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("recorder", pk)
    messages.success(request, f"{found.name} is deleted.")
    return redirect("recorders")


@require_POST
@login_required
def recorder_test_alert(request: SignedInRequest, pk: UUID) -> HttpResponse:
    found = find_recorder(request, pk)
    form = AlertForm(request.POST)
    if not form.is_valid():
        return render(request, "recorders/detail.html", describe(found, form), status=422)
    # The time makes each press an alert of its own; without it a second one within the window counts as a resend.
    body = json.dumps({**form.alert(), "fired_at": clock.now().isoformat()}).encode()
    inbox = Inbox(found.pk, found.owner_id, found.is_enabled)
    receipt = receive_alert(inbox=inbox, body=body, source_ip=request.META.get("REMOTE_ADDR"))
    return redirect("signal", receipt.signal_id)


def show_address(request: SignedInRequest, recorder: Recorder, token: str) -> HttpResponse:
    """The one time that a webhook address is readable: it goes into this answer and is kept nowhere."""
    url = services.webhook_url(token)
    context = {"recorder": recorder, "webhook_url": url, "alert_template": CANONICAL_TEMPLATE, "curl": curl_line(url)}
    response = render(request, "recorders/address.html", context)
    response["Cache-Control"] = "no-store"
    return response


def curl_line(webhook_url: str) -> str:
    alert = json.dumps({"action": "buy", "ticker": "MNQ1!", "contracts": "1"})
    return f"curl -X POST {webhook_url} -H 'Content-Type: application/json' -d '{alert}'"


def describe(recorder: Recorder, form: AlertForm) -> dict[str, Any]:
    return {
        "recorder": recorder,
        "tokens": selectors.list_live_tokens(recorder),
        "test_form": form,
        "alert_template": CANONICAL_TEMPLATE,
        "signals_url": f"{reverse('signals')}?{urlencode({'recorder': recorder.name})}",
    }
