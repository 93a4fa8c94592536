"""Where our books and the broker's differ."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from brokers.models import BrokerAccount
from justtrades import clock
from justtrades.ids import new_id


class BreakKind(models.TextChoices):
    MISSING_FILL = "missing_fill", "Missing fill"
    EXTERNAL_ORDER = "external_order", "Order that is not ours"
    EXTERNAL_POSITION = "external_position", "Position that is not ours"
    QUANTITY = "quantity", "Different quantity"
    ORPHANED_EXIT = "orphaned_exit", "Exit without a position"
    MISSING_EXIT = "missing_exit", "Missing exit"
    EXTRA_EXIT = "extra_exit", "More exits than contracts"
    UNREADABLE = "unreadable", "The broker could not be asked"


class BreakState(models.TextChoices):
    """ADOPTED is shown and left alone; RESOLVED is over."""

    OPEN = "open", "Open"
    ADOPTED = "adopted", "Adopted"
    RESOLVED = "resolved", "Resolved"


class Break(models.Model):
    """One difference, from its first sighting to what ended it. `ref` tells several of a kind apart (an order's id).

    `ours` and `theirs` are what each side says, for people. While it `pauses_entries` nothing new is opened on the
    account. `resolution` says what was done and why, `resolved_by` None: it went away, or we repaired it ourselves.
    What `is_suspected` was seen once and is shown to nobody: a second look makes it certain, or drops it.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="breaks")
    account = models.ForeignKey(BrokerAccount, on_delete=models.CASCADE, related_name="breaks")
    kind = models.CharField(max_length=20, choices=BreakKind)
    symbol = models.CharField(max_length=32, blank=True)
    ref = models.CharField(max_length=64, blank=True)
    ours = models.CharField(max_length=255, blank=True)
    theirs = models.CharField(max_length=255, blank=True)
    text = models.CharField(max_length=512, blank=True)
    state = models.CharField(max_length=8, choices=BreakState, default=BreakState.OPEN)
    is_suspected = models.BooleanField(default=False, db_default=False)
    pauses_entries = models.BooleanField(default=False)
    sightings = models.PositiveIntegerField(default=1)
    first_seen_at = models.DateTimeField(default=clock.now)
    last_seen_at = models.DateTimeField(default=clock.now)
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    resolution = models.CharField(max_length=512, blank=True)

    class Meta:
        ordering = ("-first_seen_at",)
        constraints = (
            models.UniqueConstraint(
                fields=["account", "kind", "symbol", "ref"],
                condition=~models.Q(state="resolved"),
                name="one_unresolved_break_of_a_kind",
            ),
        )
        indexes = (
            models.Index(fields=["owner", "-first_seen_at"], name="breaks_of_owner"),
            models.Index(fields=["account"], name="suspected_breaks", condition=models.Q(is_suspected=True)),
            models.Index(
                fields=["account"], name="breaks_that_pause", condition=models.Q(state="open", pauses_entries=True)
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.symbol}"
