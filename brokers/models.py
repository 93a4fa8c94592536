"""Broker logins and the accounts behind them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models

from brokers.base import ConnectionState
from brokers.fields import EncryptedJsonField, EncryptedTextField
from justtrades import clock
from justtrades.ids import new_id

CONNECTION_STATES = [(state.value, state.value) for state in ConnectionState]


class Environment(models.TextChoices):
    SANDBOX = "sandbox", "Sandbox"
    DEMO = "demo", "Demo"
    PAPER = "paper", "Paper"
    LIVE = "live", "Live"


class AuthKind(models.TextChoices):
    CREDENTIALS = "credentials", "Credentials"
    OAUTH = "oauth", "The broker's sign-in page"


class BrokerLogin(models.Model):
    """One sign-in at one venue. It belongs to exactly one lane, `lane_slot` modulo the number of lanes.

    Venue, environment, firm and username are what it is and never change. Of what the venue asks for, `secrets` holds
    what is secret, None once wiped, and `settings` the rest. `token_expires_at` copies the token's, for screens. A
    connection that is older than `reconnect_at` is dropped and opened again. While it `awaits_approval`, its owner
    must approve the sign-in at the broker. Since `deleted_at` its owner sees no more of it; its history stays.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="broker_logins")
    venue = models.CharField(max_length=32)
    environment = models.CharField(max_length=16, choices=Environment)
    firm = models.CharField(max_length=64, blank=True)
    username = models.CharField(max_length=128)
    auth_kind = models.CharField(max_length=16, choices=AuthKind, default=AuthKind.CREDENTIALS)
    settings = models.JSONField(default=dict, blank=True)
    secrets = EncryptedJsonField(null=False, blank=True, default=None)
    token = EncryptedTextField(blank=True)
    token_expires_at = models.DateTimeField(null=True, blank=True)
    device_id = models.CharField(max_length=64)
    lane_slot = models.PositiveIntegerField()
    is_enabled = models.BooleanField(default=True)
    state = models.CharField(max_length=16, choices=CONNECTION_STATES, default=ConnectionState.DOWN.value)
    state_detail = models.CharField(max_length=255, blank=True)
    state_at = models.DateTimeField(null=True, blank=True)
    reconnect_at = models.DateTimeField(null=True, blank=True)
    awaits_approval = models.BooleanField(default=False)
    deleted_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint("owner", "venue", "environment", "firm", "username", name="one_login_per_username"),
        )

    def __str__(self) -> str:
        return " ".join(part for part in (self.venue, self.environment, self.firm, self.username) if part)

    @property
    def all_settings(self) -> dict[str, str]:
        """As `Credentials.settings` has them, the firm included."""
        return {**self.settings, "firm": self.firm} if self.firm else dict(self.settings)


class BrokerAccount(models.Model):
    """A tradable account of a login; `broker_id` is the venue's key, `name` what its screens show.

    `cash` is what the venue last said that it holds, in dollars, realised results included; None until it says so.
    `kind` is the venue's own class of account. `is_simulated` None: the venue does not say, its environment does.
    `preflight` is the last one's checks, each `{code, is_ok, text}`. `venue_limits` are the loss limits that the venue
    itself enforces, as `brokers.venue.LossLimits` names them; {} where it has none or was not asked.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="broker_accounts")
    login = models.ForeignKey(BrokerLogin, on_delete=models.CASCADE, related_name="accounts")
    broker_id = models.CharField(max_length=64)
    name = models.CharField(max_length=64)
    kind = models.CharField(max_length=64, blank=True)
    is_simulated = models.BooleanField(null=True, blank=True)
    can_trade = models.BooleanField(default=True)
    is_enabled = models.BooleanField(default=True)
    preflight = models.JSONField(default=list, blank=True)
    preflight_at = models.DateTimeField(null=True, blank=True)
    cash = models.DecimalField(max_digits=20, decimal_places=2, null=True, blank=True)
    cash_at = models.DateTimeField(null=True, blank=True)
    venue_limits = models.JSONField(default=dict, blank=True)
    venue_limits_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint("login", "broker_id", name="one_account_per_broker_id"),)

    def __str__(self) -> str:
        return self.name

    @property
    def is_real_money(self) -> bool:
        return self.login.environment == Environment.LIVE if self.is_simulated is None else not self.is_simulated

    @property
    def preflight_failure(self) -> dict[str, Any] | None:
        """The first check of the last pre-flight that failed."""
        return next((check for check in self.preflight if not check["is_ok"]), None)


class PaperBook(models.Model):
    """What a paper login's venue remembers: its orders, fills, positions and cash, as the venue writes them (JSON).

    `revision` counts the writes: who read an older one may not write.
    """

    login = models.OneToOneField(BrokerLogin, on_delete=models.CASCADE, primary_key=True, related_name="paper_book")
    document = models.TextField()
    revision = models.PositiveBigIntegerField(default=1)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"books of {self.login_id}"


class BrokerAgreement(models.Model):
    """An owner's word that a venue's, or a prop firm's, rules on automated trading were read and are kept.

    `text_hash` is the SHA-256 of the text that stood there: a changed text asks anew.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="broker_agreements")
    venue = models.CharField(max_length=32)
    firm = models.CharField(max_length=64, blank=True)
    text_hash = models.CharField(max_length=64)
    agreed_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = (models.UniqueConstraint("owner", "venue", "firm", "text_hash", name="one_agreement_per_text"),)

    def __str__(self) -> str:
        return f"{self.venue} {self.firm}".rstrip()
