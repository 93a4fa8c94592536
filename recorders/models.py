"""Recorders, their webhook tokens, and the Signals they took in."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from justtrades import clock
from justtrades.ids import new_id
from recorders.settings import Settings, defaults, read_settings


class OnDesync(models.TextChoices):
    """What a gap in a strategy's alerts leads to."""

    CONVERGE = "converge", "Follow to where the strategy now says it stands"
    ASK = "ask", "Do nothing, and offer it as one click"


class Recorder(models.Model):
    """A named webhook inbox. `template` holds the fields of `recorders.settings`, which its traders inherit.

    `symbol_map` has tickers as alerts write them, upper case, and what is meant. After `expected_every_minutes`
    without an alert the owner gets a notice; 0 expects nothing.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="recorders")
    name = models.CharField(max_length=80)
    is_enabled = models.BooleanField(default=True)
    template = models.JSONField(default=defaults)
    symbol_map = models.JSONField(default=dict, blank=True)
    on_desync = models.CharField(max_length=8, choices=OnDesync, default=OnDesync.CONVERGE)
    expected_every_minutes = models.PositiveIntegerField(default=0, validators=[MaxValueValidator(10_080)])
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint("owner", "name", name="one_recorder_per_name"),)

    def __str__(self) -> str:
        return self.name

    @property
    def settings(self) -> Settings:
        return read_settings(defaults() | self.template)


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

    `resend_key` and `resend_key_offset` make a resend impossible to store twice: see `recorders.dedupe`. `flags` are
    words of `recorders.alert.Flag`. `link`, `strategy_before` and `strategy_after` are what planning made of the
    alert's place in the chain: see `recorders.chain`.
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
    position_side = models.SmallIntegerField(null=True)
    fired_at = models.DateTimeField(null=True)
    dialect = models.CharField(max_length=16, blank=True)
    strategy = models.CharField(max_length=64, blank=True)
    limit_price = models.DecimalField(max_digits=24, decimal_places=10, null=True)
    premium = models.DecimalField(max_digits=20, decimal_places=8, null=True)
    overrides = models.JSONField(default=dict)
    flags = models.CharField(max_length=128, blank=True)
    link = models.CharField(max_length=12, blank=True)
    strategy_before = models.DecimalField(max_digits=20, decimal_places=8, null=True)
    strategy_after = models.DecimalField(max_digits=20, decimal_places=8, null=True)
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


class StrategyChain(models.Model):
    """Where a strategy stands on a product by its own alerts: `recorders.chain.Chain` as a row.

    `edges` and `found` are lists of pairs of decimals as text. Changed only under the recorder's planning lock.
    """

    recorder = models.ForeignKey(Recorder, on_delete=models.CASCADE, related_name="chains")
    ticker = models.CharField(max_length=64)
    tip = models.DecimalField(max_digits=20, decimal_places=8)
    base = models.DecimalField(max_digits=20, decimal_places=8, null=True)
    second = models.DateTimeField(null=True)
    edges = models.JSONField(default=list)
    missing = models.JSONField(null=True)
    found = models.JSONField(default=list)
    signal = models.ForeignKey(Signal, on_delete=models.CASCADE, related_name="+")
    changed_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint("recorder", "ticker", name="one_chain_per_recorder_and_ticker"),)

    def __str__(self) -> str:
        return f"{self.ticker} {self.tip:+f}"


class NoticeKind(models.TextChoices):
    SILENT = "silent", "Silent"
    TOO_MANY = "too_many", "Too many alerts"
    DESYNC = "desync", "Missed alert"
    CONTRACT = "contract", "Contract month"


class Notice(models.Model):
    """Something about a recorder that its owner should know. `ended_at` is when it stopped being so."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices")
    recorder = models.ForeignKey(Recorder, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=16, choices=NoticeKind)
    subject = models.CharField(max_length=64, blank=True)
    text = models.CharField(max_length=512)
    created_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.UniqueConstraint(
                fields=["recorder", "kind", "subject"],
                condition=models.Q(ended_at__isnull=True),
                name="one_open_notice_of_a_kind",
            ),
        )
        indexes = (models.Index(fields=["owner", "-created_at"], name="notices_of_owner"),)

    def __str__(self) -> str:
        return self.text
