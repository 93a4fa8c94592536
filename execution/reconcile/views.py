"""Where our books and a broker's differ: doors only."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from execution.commands import preview_flatten
from execution.models import Break
from execution.reconcile.panel import breaks_panel
from execution.reconcile.resolve import How, resolve, ways_of
from execution.reconcile.selectors import get_break_for
from justtrades.requests import SignedInRequest


@require_safe
@login_required
def breaks(request: SignedInRequest) -> HttpResponse:
    return render(request, "breaks/index.html", {"breaks": breaks_panel(request.user, request.GET)})


@require_http_methods(["GET", "POST"])
@login_required
def break_resolve(request: SignedInRequest, pk: UUID) -> HttpResponse:
    """GET says what closing everything on the account would do; POST does what `how` names."""
    try:
        row = get_break_for(request.user, pk)
    except Break.DoesNotExist:
        raise Http404 from None
    if request.method == "GET" and How.FLATTEN not in ways_of(row):
        messages.error(request, "Closing everything is no way to end that difference.")
        return redirect("breaks")
    if request.method == "GET":
        found = preview_flatten(request.user, [row.account])
        return render(request, "breaks/flatten.html", {"row": row, "found": found})
    try:
        done = resolve(actor=request.user, row=row, how=request.POST.get("how", ""))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, f"{done.account.name}: {done.resolution}.")
    return redirect("breaks")
