"""The only doors to a user's recorders and signals: what is not theirs does not exist for them."""

from __future__ import annotations

import uuid

from django.db.models import Prefetch, Q, QuerySet

from accounts.selectors import Person
from justtrades import clock
from recorders.models import Notice, Recorder, Signal, StrategyChain, WebhookToken


def list_recorders_for(user: Person) -> QuerySet[Recorder]:
    return Recorder.objects.filter(owner_id=user.pk)


def list_recorders_with_tokens_for(user: Person) -> QuerySet[Recorder]:
    """Each with `live_tokens`: the addresses at which it takes alerts now, newest first."""
    tokens = Prefetch("tokens", queryset=_newest_live(WebhookToken.objects.all()), to_attr="live_tokens")
    return list_recorders_for(user).prefetch_related(tokens)


def get_recorder_for(user: Person, pk: uuid.UUID | str) -> Recorder:
    """Raises `Recorder.DoesNotExist`."""
    return list_recorders_for(user).get(pk=pk)


def list_signals_for(user: Person) -> QuerySet[Signal]:
    """Newest first, with their recorders."""
    return Signal.objects.filter(owner_id=user.pk).select_related("recorder")


def get_signal_for(user: Person, pk: uuid.UUID | str) -> Signal:
    """Raises `Signal.DoesNotExist`."""
    return list_signals_for(user).get(pk=pk)


def list_chains_for(user: Person) -> QuerySet[StrategyChain]:
    """Where each strategy stands, by recorder and product."""
    return StrategyChain.objects.filter(recorder__owner_id=user.pk).select_related("recorder").order_by("pk")


def list_open_notices_for(user: Person) -> QuerySet[Notice]:
    """Newest first, with their recorders."""
    return Notice.objects.filter(owner_id=user.pk, ended_at__isnull=True).select_related("recorder")


def list_live_tokens(recorder: Recorder) -> QuerySet[WebhookToken]:
    """The addresses at which the recorder takes alerts now, newest first."""
    return _newest_live(recorder.tokens.all())


def body_text(signal: Signal) -> str:
    """The alert as it came, for people: bytes that are no UTF-8 are shown as U+FFFD."""
    return bytes(signal.body).decode("utf-8", errors="replace")


def _newest_live(tokens: QuerySet[WebhookToken]) -> QuerySet[WebhookToken]:
    is_live = Q(expires_at__isnull=True) | Q(expires_at__gt=clock.now())
    return tokens.filter(is_live).order_by("-created_at", "-pk")
