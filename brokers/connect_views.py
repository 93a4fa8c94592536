"""The pages on which a login is connected: doors only."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from csp.decorators import csp_update
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from brokers import picker, selectors, services
from brokers.forms import AGREE, ConnectForm
from brokers.models import BrokerLogin, Environment
from brokers.registry import COMING, VENUES
from brokers.services import oauth
from brokers.views import describe, find_login
from justtrades.forms import add_errors
from justtrades.requests import SignedInRequest


@require_safe
@login_required
def pick(request: SignedInRequest) -> HttpResponse:
    tab = request.GET.get("market", "")
    tab = tab if tab in dict(picker.TABS) else picker.TABS[0][0]
    agreed = selectors.agreed_by(request.user)
    cards = [
        {
            "card": card,
            "agreed_at": agreed.get((card.venue, card.firm)),
            "environments": [(name, Environment(name).label) for name in card.environments],
        }
        for card in picker.cards(tab)
    ]
    coming = COMING.values() if tab == "coming" else ()
    context = {"tabs": picker.TABS, "tab": tab, "cards": cards, "coming": coming}
    return render(request, "brokers/pick.html", context)


@require_POST
@login_required
def agree(request: SignedInRequest, venue: str) -> HttpResponse:
    """The owner's word on the rules of a card; then on to connecting."""
    known_or_404(venue)
    firm = request.POST.get("firm", "")
    if request.POST.get(AGREE) != "on":
        messages.error(request, f"{picker.label_of(venue, firm)}: read its rules and tick that you agree to them.")
        return redirect("broker_connect")
    try:
        services.agree(owner=request.user, venue=venue, firm=firm)
    except ValidationError:
        raise Http404 from None
    return redirect(f"{reverse('broker_connect_venue', args=[venue])}?{urlencode({'firm': firm} if firm else {})}")


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
@login_required
def connect(request: SignedInRequest, venue: str) -> HttpResponseBase:
    if venue in COMING:
        messages.error(request, f"{COMING[venue].label} cannot be connected yet. {COMING[venue].why}")
        return redirect(f"{reverse('broker_connect')}?market=coming")
    known_or_404(venue)
    login = chosen_login(request, venue)
    form = form_for(request, venue, login)
    if form.is_valid() and has_agreed(request, venue, form):
        try:
            made = services.connect_login(
                owner=request.user, venue=venue, environment=form.cleaned_data["environment"], **form.credentials()
            )
        except ValidationError as error:
            add_errors(form, error)
        else:
            return connected(request, made)
    return connect_page(request, venue, form, login)


@sensitive_post_parameters()
@require_POST
@login_required
def oauth_start(request: SignedInRequest, venue: str) -> HttpResponseBase:
    """Off to the venue's own sign-in page."""
    known_or_404(venue)
    login = chosen_login(request, venue)
    form = form_for(request, venue, login, by_page=True)
    if form.is_valid() and has_agreed(request, venue, form):
        try:
            address = oauth.begin(
                owner=request.user,
                session=request.session,
                venue=venue,
                environment=form.cleaned_data["environment"],
                redirect_uri=way_back(venue),
                expected=login.username if login is not None else "",
            )
        except ValidationError as error:
            add_errors(form, error)
        else:
            return HttpResponseRedirect(address)
    return connect_page(request, venue, form, login)


@never_cache
@require_safe
@login_required
def oauth_callback(request: SignedInRequest, venue: str) -> HttpResponse:
    """Back from the venue's page, with a code that is worth something only together with our state."""
    known_or_404(venue)
    try:
        claimed = oauth.claim(
            owner=request.user, session=request.session, venue=venue, state=request.GET.get("state", "")
        )
    except oauth.BadState as refused:
        return oauth_refused(request, venue, str(refused))
    # Good once, also when the exchange fails or this process ends in it.
    request.session.save()
    code = request.GET.get("code", "")
    if code == "":
        return oauth_refused(request, venue, "The broker sent no code: access was not allowed there.")
    try:
        login = oauth.finish(owner=request.user, claimed=claimed, code=code, redirect_uri=way_back(venue))
    except ValidationError as error:
        return oauth_refused(request, venue, " ".join(error.messages))
    return connected(request, login)


@require_http_methods(["GET", "POST"])
@login_required
def login_approve(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """The owner says that the sign-in is approved at the broker; the broker is asked whether it is."""
    login = find_login(request, pk)
    if not login.awaits_approval:
        return redirect("brokers")
    problem = ""
    if request.method == "POST":
        try:
            return connected(request, services.approve_login(login=login))
        except ValidationError as error:
            problem = " ".join(error.messages)
    return render(request, "brokers/approve.html", describe(login) | {"problem": problem})


def known_or_404(venue: str) -> None:
    if venue not in VENUES:
        raise Http404


def chosen_login(request: SignedInRequest, venue: str) -> BrokerLogin | None:
    """The login to sign in again, where the address names one."""
    named = request.GET.get("login", "")
    if named == "":
        return None
    try:
        login = find_login(request, UUID(named))
    except ValueError:
        raise Http404 from None
    if login.venue != venue:
        raise Http404
    return login


def form_for(request: SignedInRequest, venue: str, login: BrokerLogin | None, *, by_page: bool = False) -> ConnectForm:
    firm = login.firm if login is not None else request.GET.get("firm", "")
    try:
        agreed = selectors.find_agreement_for(request.user, venue, firm)
        # A firm that is chosen in the form has rules of its own to agree to.
        asks = picker.policy_of(venue, firm) != "" and (agreed is None or picker.has_open_firm(venue, firm))
    except KeyError:
        raise Http404 from None
    return ConnectForm(request.POST or None, venue=venue, firm=firm, login=login, asks_agreement=asks, by_page=by_page)


def has_agreed(request: SignedInRequest, venue: str, form: ConnectForm) -> bool:
    """Notes an agreement that the form asked for; a firm chosen in the form has rules of its own to agree to."""
    if form.cleaned_data.get(AGREE):
        services.agree(owner=request.user, venue=venue, firm=form.firm_chosen)
    if picker.policy_of(venue, form.firm_chosen) == "":
        return True
    if selectors.find_agreement_for(request.user, venue, form.firm_chosen) is not None:
        return True
    form.add_error(None, f"Agree to the rules of {picker.label_of(venue, form.firm_chosen)} first.")
    return False


def connect_page(
    request: SignedInRequest, venue: str, form: ConnectForm, login: BrokerLogin | None
) -> HttpResponseBase:
    pages = oauth.sign_in_pages(venue)
    offered = dict(form.fields["environment"].choices)  # type: ignore[attr-defined]
    context = {
        "form": form,
        "venue": venue,
        "label": picker.label_of(venue, form.firm),
        "platform": picker.label_of(venue) if form.firm else "",
        "policy": picker.policy_of(venue, form.firm),
        "agreement": selectors.find_agreement_for(request.user, venue, form.firm),
        "login": login,
        "with_page": [label for name, label in offered.items() if name in pages],
        "without_page": [label for name, label in offered.items() if name not in pages],
        "query": request.GET.urlencode(),
    }

    def page(asked: HttpRequest) -> HttpResponse:
        return render(asked, "brokers/connect.html", context)

    # A browser follows the redirect of a form only to where the page that holds the form allows.
    return csp_update({"form-action": sorted(set(pages.values()))})(page)(request) if pages else page(request)


def connected(request: SignedInRequest, login: BrokerLogin) -> HttpResponse:
    if login.awaits_approval:
        return redirect("broker_approve", login.pk)
    count = login.accounts.count()
    messages.success(request, f"{login.username} is connected with {count} account{'' if count == 1 else 's'}.")
    return redirect("brokers")


def oauth_refused(request: HttpRequest, venue: str, reason: str) -> HttpResponse:
    context: dict[str, Any] = {"venue": venue, "label": picker.label_of(venue), "reason": reason}
    return render(request, "brokers/oauth_refused.html", context, status=400)


def way_back(venue: str) -> str:
    """As it is registered at the venue."""
    return f"{settings.BASE_URL}{reverse('broker_oauth_callback', args=[venue])}"
