"""The page about positions without their stop: a door only."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from execution import unprotected
from justtrades.requests import SignedInRequest


@require_safe
@login_required
def page(request: SignedInRequest) -> HttpResponse:
    """What is unprotected now, and how long it has been so by venue; of the first only, when the browser refreshes."""
    context: dict[str, Any] = {"now": unprotected.unprotected_now(request.user)}
    if request.htmx:
        response = render(request, "protection/now.html", context)
        response["Cache-Control"] = "no-store"
        return response
    return render(request, "protection/page.html", context | {"venues": unprotected.figures_for(request.user)})
