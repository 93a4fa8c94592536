"""The page of the broker's own loss limits of an account: doors only."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.step_up import confirm
from brokers.models import BrokerAccount
from brokers.picker import label_of
from brokers.selectors import get_account_for
from brokers.services import has_venue_limits, known_venue_limits
from brokers.venue import DOLLAR_LIMITS, SETTABLE_LIMITS, LossLimits
from execution.riskpage import venue_limits
from execution.riskpage.venue_limits import LABELS
from justtrades.forms import add_errors
from justtrades.requests import SignedInRequest

CLOSES_ON_LOSS = "daily_loss_auto_liq"
MODES = {"": "-", "EOD": "From the end of each day", "RealTime": "From every moment"}
PERCENTAGES = ("daily_loss_percent_alert", "daily_loss_percent_liq_only", "daily_loss_percent_auto_liq")


class VenueLimitsForm(forms.Form):
    """Filled in with what the broker has; where it has no daily loss that closes, with the owner's own as an offer."""

    def __init__(self, data: Any = None, *, known: LossLimits, offered: Decimal | None) -> None:
        super().__init__(data, use_required_attribute=False)
        self.known = known
        for name in DOLLAR_LIMITS:
            self.fields[name] = forms.DecimalField(
                label=f"{LABELS[name]}, $", required=False, initial=getattr(self.known, name), localize=False
            )
        self.is_offer = offered is not None and self.known.daily_loss_auto_liq is None
        if self.is_offer:
            self.fields[CLOSES_ON_LOSS].initial = offered
        mode = self.known.drawdown_mode or ""
        choices = MODES if mode in MODES else {**MODES, mode: mode}
        self.fields["drawdown_mode"] = forms.ChoiceField(
            label=LABELS["drawdown_mode"], required=False, initial=mode, choices=tuple(choices.items())
        )

    def changes(self) -> dict[str, Decimal | str | None]:
        """What differs from what the broker has."""
        typed = {name: self.cleaned_data[name] for name in SETTABLE_LIMITS}
        wanted = {name: None if value == "" else value for name, value in typed.items()}
        return {name: value for name, value in wanted.items() if value != getattr(self.known, name)}


@require_http_methods(["GET", "POST"])
@login_required
def page(request: SignedInRequest, pk: UUID) -> HttpResponse:
    try:
        account = get_account_for(request.user, pk)
    except BrokerAccount.DoesNotExist:
        raise Http404 from None
    if request.method == "POST" and "ask" in request.POST:
        return _ask(request, account)
    known, offered = known_venue_limits(account), venue_limits.own_daily_loss(request.user, account)
    data = request.POST if request.method == "POST" else None
    # Before the broker was asked there is nothing to change.
    form = None if known is None else VenueLimitsForm(data, known=known, offered=offered)
    if form is not None and form.is_valid() and _set(request, account, form):
        return redirect("venue_limits", pk)
    context = {
        "account": account,
        "label": label_of(account.login.venue, account.login.firm),
        "form": form,
        "known": known,
        "offered": offered,
        "has_limits": has_venue_limits(account),
        "percentages": [(LABELS[n], getattr(known, n)) for n in PERCENTAGES if getattr(known, n, None) is not None],
    }
    return render(request, "risk/venue_limits.html", context)


def _ask(request: SignedInRequest, account: BrokerAccount) -> HttpResponse:
    try:
        venue_limits.ask(account=account)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, f"The broker said what it has for {account.name}.")
    return redirect("venue_limits", account.pk)


def _set(request: SignedInRequest, account: BrokerAccount, form: VenueLimitsForm) -> bool:
    changes = form.changes()
    if not changes:
        messages.success(request, "The broker has these already; nothing was sent.")
        return True
    try:
        if venue_limits.loosens(account, changes):
            confirm(request)
        venue_limits.set_limits(actor=request.user, account=account, changes=changes)
    except ValidationError as error:
        add_errors(form, error)
        return False
    messages.success(request, f"The broker enforces these on {account.name} from now on, whether or not we run.")
    return True
