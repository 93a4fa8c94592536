"""The recorder pages: doors only."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db.models import Count, OuterRef, Q, Subquery
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from justtrades import clock
from justtrades.requests import SignedInRequest
from recorders import selectors, services
from recorders.forms import GROUPS, AlertForm, RecorderForm
from recorders.models import Recorder
from recorders.receive import Inbox, receive_alert
from recorders.settings import Settings
from recorders.templates import TEMPLATES
from recorders.wording import changed_in_words, in_words

SIGNALS_SHOWN = 20
GLANCE = ("initial_position_size", "targets", "stop_distance")


def find_recorder(request: SignedInRequest, pk: UUID) -> Recorder:
    try:
        return selectors.get_recorder_for(request.user, pk)
    except Recorder.DoesNotExist:
        raise Http404 from None


@require_safe
@login_required
def recorders(request: SignedInRequest) -> HttpResponse:
    newest = selectors.list_signals_for(request.user).filter(recorder=OuterRef("pk")).order_by("-received_at")
    found = selectors.list_recorders_for(request.user).annotate(
        followers=Count("traders", distinct=True),
        enabled=Count("traders", distinct=True, filter=Q(traders__is_enabled=True)),
        open_notices=Count("notices", distinct=True, filter=Q(notices__ended_at__isnull=True)),
        heard_at=Subquery(newest.values("received_at")[:1]),
    )
    return render(request, "recorders/list.html", {"rows": [glance(row) for row in found]})


def glance(recorder: Recorder) -> dict[str, Any]:
    settings = recorder.settings
    return {"recorder": recorder, "words": {name: in_words(name, settings) for name in GLANCE}, "settings": settings}


@require_http_methods(["GET", "POST"])
@login_required
def recorder_new(request: SignedInRequest) -> HttpResponse:
    form = RecorderForm(request.POST or None)
    if form.is_valid():
        try:
            recorder, token = services.create_recorder(owner=request.user, **form.values())
        except ValidationError as error:
            form.place_errors(error)
        else:
            return show_address(request, recorder, token)
    return render(request, "recorders/form.html", {"form": form})


@require_safe
@login_required
def recorder(request: SignedInRequest, pk: UUID) -> HttpResponse:
    found = find_recorder(request, pk)
    if request.GET.get("part") == "log":
        return render(request, "recorders/log.html", log_of(found))
    return render(request, "recorders/detail.html", describe(found, AlertForm()))


@require_http_methods(["GET", "POST"])
@login_required
def recorder_edit(request: SignedInRequest, pk: UUID) -> HttpResponse:
    found = find_recorder(request, pk)
    form = RecorderForm(request.POST or None, recorder=found)
    if form.is_valid():
        try:
            services.update_recorder(recorder=found, **form.values())
        except ValidationError as error:
            form.place_errors(error)
        else:
            messages.success(request, "Saved. It counts from the next alert.")
            return redirect("recorder", pk)
    ticker = found.signals.exclude(ticker="").values_list("ticker", flat=True).first()
    return render(request, "recorders/form.html", {"form": form, "recorder": found, "preview_ticker": ticker})


@require_POST
@login_required
def recorder_clone(request: SignedInRequest, pk: UUID) -> HttpResponse:
    try:
        copy, token = services.clone_recorder(recorder=find_recorder(request, pk))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("recorder", pk)
    return show_address(request, copy, token)


@require_POST
@login_required
def recorder_rotate(request: SignedInRequest, pk: UUID) -> HttpResponse:
    found = find_recorder(request, pk)
    return show_address(request, found, services.rotate_token(recorder=found))


@require_POST
@login_required
def recorder_revoke(request: SignedInRequest, pk: UUID) -> HttpResponse:
    ended = services.revoke_older_tokens(recorder=find_recorder(request, pk))
    messages.success(request, "Only the newest address works now." if ended else "There was no older address.")
    return redirect("recorder", pk)


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
    inbox = Inbox(found.pk, found.owner_id, found.is_enabled, found.symbol_map)
    receipt = receive_alert(inbox=inbox, body=body, source_ip=request.META.get("REMOTE_ADDR"))
    return redirect("signal", receipt.signal_id)


def show_address(request: SignedInRequest, recorder: Recorder, token: str) -> HttpResponse:
    """The one time that a webhook address is readable: it goes into this answer and is kept nowhere."""
    url = services.webhook_url(token)
    context = {"recorder": recorder, "webhook_url": url, "templates": TEMPLATES, "curl": curl_line(url)}
    response = render(request, "recorders/address.html", context)
    response["Cache-Control"] = "no-store"
    return response


def curl_line(webhook_url: str) -> str:
    alert = json.dumps({"action": "buy", "ticker": "MNQ1!", "contracts": "1"})
    return f"curl -X POST {webhook_url} -H 'Content-Type: application/json' -d '{alert}'"


def describe(recorder: Recorder, form: AlertForm) -> dict[str, Any]:
    return {
        **glance(recorder),
        "heard_at": recorder.signals.order_by("-received_at").values_list("received_at", flat=True).first(),
        "followers": recorder.traders.count(),
        "enabled": recorder.traders.filter(is_enabled=True).count(),
        "summary": summary_of(recorder.settings),
        "chains": recorder.chains.order_by("-changed_at"),
        "notices": recorder.notices.filter(ended_at__isnull=True),
        "tokens": selectors.list_live_tokens(recorder),
        "test_form": form,
        "templates": TEMPLATES,
        **log_of(recorder),
    }


def summary_of(settings: Settings) -> list[tuple[str, list[tuple[str, str]]]]:
    """What is not as it is by default, under the question that it answers."""
    changed = changed_in_words(settings)
    titles = {name: str(Settings.model_fields[name].title) for name in changed}
    grouped = [
        (question, [(titles[name], changed[name]) for name in (*first, *more) if name in changed])
        for question, _, first, more in GROUPS
    ]
    return [(question, lines) for question, lines in grouped if lines]


def log_of(recorder: Recorder) -> dict[str, Any]:
    query = urlencode({"recorder": recorder.name})
    return {
        "recorder": recorder,
        "signals": recorder.signals.order_by("-received_at")[:SIGNALS_SHOWN],
        "signals_url": f"{reverse('signals')}?{query}",
    }
