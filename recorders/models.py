"""Recorders, their webhook tokens, and the Signals they took in."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models

from justtrades import clock
from justtrades.ids import new_id


class Recorder(models.Model):
    """A named webhook inbox with its settings. Sizes are whole contracts, exits are ticks; 0 places no exit."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="recorders")
    name = models.CharField(max_length=80)
    is_enabled = models.BooleanField(default=True)
    initial_position_size = models.PositiveIntegerField(
        default=1, help_text="Contracts of an entry; 0 uses the alert's own quantity."
    )
    target_ticks = models.PositiveIntegerField(default=0, help_text="Take-profit distance in ticks; 0 places none.")
    stop_ticks = models.PositiveIntegerField(default=0, help_text="Stop-loss distance in ticks; 0 places none.")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint("owner", "name", name="one_recorder_per_name"),)

    def __str__(self) -> str:
        return self.name


class WebhookToken(models.Model):
    """A recorder's secret address, kept as a hash. After a rotation the old one works until `expires_at`."""

    recorder = models.ForeignKey(Recorder, on_delete=models.CASCADE, related_name="tokens")
    token_hash = models.CharField(max_length=64, unique=True)
    last_four = models.CharField(max_length=4)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"…{self.last_four}"


class SignalStatus(models.TextChoices):
    RECEIVED = "received", "Received"
    PLANNED = "planned", "Planned"
    IGNORED = "ignored", "Ignored"
    EXPIRED = "expired", "Expired"
    REFUSED = "refused", "Refused"


class Signal(models.Model):
    """One alert as it was stored before it was answered, raw body included.

    `resend_key` and `resend_key_offset` make a resend impossible to store twice: see `recorders.dedupe`.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # The indexes below begin with them. Indexes of their own would cost every insert, and the planner would take the
    # recorder's for the resend look-back and walk through all of its signals.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="signals", db_index=False
    )
    recorder = models.ForeignKey(Recorder, on_delete=models.CASCADE, related_name="signals", db_index=False)
    status = models.CharField(max_length=16, choices=SignalStatus, default=SignalStatus.RECEIVED)
    reason_code = models.CharField(max_length=64, blank=True)
    reason_text = models.CharField(max_length=512, blank=True)
    body = models.BinaryField()
    body_hash = models.CharField(max_length=64)
    resend_key = models.CharField(max_length=96)
    resend_key_offset = models.CharField(max_length=96)
    has_weak_key = models.BooleanField(default=False)
    resend_count = models.PositiveIntegerField(default=0)
    source_ip = models.GenericIPAddressField(null=True)
    action = models.CharField(max_length=16, blank=True)
    ticker = models.CharField(max_length=64, blank=True)
    quantity = models.DecimalField(max_digits=20, decimal_places=8, null=True, validators=[MinValueValidator(0)])
    price = models.DecimalField(max_digits=24, decimal_places=10, null=True)
    position = models.DecimalField(max_digits=20, decimal_places=8, null=True)
    prev_position = models.DecimalField(max_digits=20, decimal_places=8, null=True)
    fired_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField(default=clock.now)
    planned_at = models.DateTimeField(null=True)
    plan_attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ("-received_at",)
        constraints = (
            # Not unique=True on the fields: for text that makes two indexes each, the second one for LIKE.
            models.UniqueConstraint(fields=["resend_key"], name="one_signal_per_resend_key"),
            models.UniqueConstraint(fields=["resend_key_offset"], name="one_signal_per_resend_key_offset"),
        )
        indexes = (
            models.Index(fields=["owner", "-received_at"], name="signals_of_owner"),
            models.Index(fields=["recorder", "body_hash", "received_at"], name="signals_by_body"),
            models.Index(
                fields=["received_at"], name="signals_to_plan", condition=models.Q(status=SignalStatus.RECEIVED)
            ),
        )

    def __str__(self) -> str:
        return f"{self.action or 'refused'} {self.ticker}".strip()
