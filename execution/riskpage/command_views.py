"""The kill switch, closing everything, and unlocking: doors only. What is dangerous asks for the password once more."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from execution import commands, feed
from execution.models import Command
from execution.riskpage.page import switch_rows
from execution.selectors import list_commands_for, list_flattens_for
from justtrades.forms import add_errors
from justtrades.requests import SignedInRequest
from risk import selectors, services, switch
from risk.forms import TripForm
from risk.models import RiskAction, Switch

TITLES = {"flatten": "Flatten everything", "disable": "Disable all"}


@require_http_methods(["GET", "POST"])
@login_required
def switches(request: SignedInRequest) -> HttpResponse:
    """Tripping needs no password: it only stops what is new, and must be quick."""
    form = TripForm(request.POST or None, user=request.user)
    if form.is_valid():
        try:
            switch.trip(**form.switch())
        except ValidationError as error:
            add_errors(form, error)
        else:
            feed.announce(request.user.pk, "connections")
            messages.success(request, "Nothing new is opened there any more, until somebody releases the switch.")
            return redirect("risk_switches")
    return render(request, "risk/switches.html", {"form": form, "rows": switch_rows(request.user)})


@require_http_methods(["GET", "POST"])
@login_required
@reauthentication_required(allow_get=True)
def switch_release(request: SignedInRequest, pk: UUID) -> HttpResponse:
    try:
        tripped = selectors.get_switch_for(request.user, pk)
    except Switch.DoesNotExist:
        raise Http404 from None
    if request.method == "POST":
        try:
            switch.release(switch=tripped, actor=request.user)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            feed.announce(request.user.pk, "connections")
            messages.success(request, "Released: new positions may be opened again.")
        return redirect("risk_switches")
    context = {
        "title": "Release the kill switch",
        "what": "New positions may be opened there again, from the next signal on.",
        "facts": [f"It was tripped because: {tripped.reason}"],
        "action": "Yes, release it",
        "is_possible": switch.may_release(request.user, tripped),
        "note": "Only an administrator may release it." if not switch.may_release(request.user, tripped) else "",
    }
    return _confirm(request, context, "risk_switches", "Kill switch")


@require_http_methods(["GET", "POST"])
@login_required
@reauthentication_required(allow_get=True)
def unlock(request: SignedInRequest, pk: UUID) -> HttpResponse:
    try:
        action = selectors.get_action_seen_by(request.user, pk)
    except RiskAction.DoesNotExist:
        raise Http404 from None
    if request.method == "POST":
        try:
            services.unlock(action=action, actor=request.user)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            feed.announce(action.owner_id, "connections")
            messages.success(request, f"{action.account.name} is unlocked: entries pass again.")
        return redirect("risk")
    may = services.may_unlock(request.user, action)
    context = {
        "title": f"Unlock {action.account.name}",
        "what": "Entries pass again at once, and this limit acts no more until the session ends.",
        "facts": [action.text, "What is lost from now on is not stopped by it. Your other limits still count."],
        "action": "Yes, unlock it",
        "is_possible": may and selectors.is_in_force(action),
        "note": "" if may else "Only an administrator may lift this lock before its session ends.",
    }
    return _confirm(request, context, "risk", "Risk")


@require_http_methods(["GET", "POST"])
@login_required
@reauthentication_required(allow_get=True)
def flatten(request: SignedInRequest) -> HttpResponse:
    user = request.user
    if request.method == "POST":
        command = commands.flatten_everything(actor=user, owner=user)
        return redirect("risk_command", command.pk)
    found = commands.preview_flatten(user)
    context = {
        "title": TITLES["flatten"],
        "what": found.text,
        "facts": found.lines,
        "action": "Yes, flatten everything",
        "is_possible": not found.is_empty,
        "note": "It goes on until the broker's own books say flat. Signals that come afterwards open positions again: "
        "trip the kill switch first if they must not.",
    }
    return _confirm(request, context, "risk_switches", "Kill switch")


@require_http_methods(["GET", "POST"])
@login_required
@reauthentication_required(allow_get=True)
def disable(request: SignedInRequest) -> HttpResponse:
    user = request.user
    if request.method == "POST":
        commands.disable_all(actor=user, owner=user)
        messages.success(request, "Every trader is off. What is open keeps its stops.")
        return redirect("traders")
    count = commands.preview_disable(user)
    context = {
        "title": TITLES["disable"],
        "what": f"Switches {count} trader{'' if count == 1 else 's'} off.",
        "facts": ["No signal opens anything any more.", "Positions that are open keep their stops and targets."],
        "action": "Yes, disable all",
        "is_possible": count > 0,
        "note": "Each of them has to be switched on again by itself.",
    }
    return _confirm(request, context, "risk_switches", "Kill switch")


@require_safe
@login_required
def command(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """How far a command is, account by account."""
    return render(request, "risk/command.html", _progress(request, pk))


@require_safe
@login_required
def command_progress(request: SignedInRequest, pk: UUID) -> HttpResponse:
    response = render(request, "risk/progress.html", _progress(request, pk))
    response["Cache-Control"] = "no-store"
    return response


def _progress(request: SignedInRequest, pk: UUID) -> dict[str, Any]:
    try:
        found = list_commands_for(request.user).get(pk=pk)
    except Command.DoesNotExist:
        raise Http404 from None
    flattens = list(list_flattens_for(request.user).filter(command=found).order_by("account__name", "pk"))
    done = sum(1 for one in flattens if one.flat_at is not None)
    empty = "There was nothing to close."
    title = TITLES.get(found.kind.partition("_")[0], found.kind)
    return {"command": found, "flattens": flattens, "done": done, "title": title, "empty": empty}


def _confirm(request: SignedInRequest, context: dict[str, Any], back: str, back_label: str) -> HttpResponse:
    return render(request, "risk/confirm.html", context | {"back": back, "back_label": back_label})
