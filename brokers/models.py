"""Broker logins and the accounts behind them."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from brokers.base import ConnectionState
from brokers.fields import EncryptedTextField
from justtrades.ids import new_id


class Environment(models.TextChoices):
    SANDBOX = "sandbox", "Sandbox"
    DEMO = "demo", "Demo"
    LIVE = "live", "Live"


class BrokerLogin(models.Model):
    """One sign-in at one venue. It belongs to exactly one lane, `lane_slot` modulo the number of lanes."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="broker_logins")
    venue = models.CharField(max_length=32)
    environment = models.CharField(max_length=16, choices=Environment)
    username = models.CharField(max_length=128)
    password = EncryptedTextField(blank=True)
    app_secret = EncryptedTextField(blank=True)
    token = EncryptedTextField(blank=True)
    device_id = models.CharField(max_length=64)
    lane_slot = models.PositiveIntegerField()
    is_enabled = models.BooleanField(default=True)
    state = models.CharField(
        max_length=16, choices=[(s.value, s.value) for s in ConnectionState], default=ConnectionState.DOWN.value
    )
    state_detail = models.CharField(max_length=255, blank=True)
    state_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint("owner", "venue", "environment", "username", name="one_login_per_username"),
        )

    def __str__(self) -> str:
        return f"{self.venue} {self.environment} {self.username}"


class BrokerAccount(models.Model):
    """A tradable account of a login; `broker_id` is the venue's key, `name` what its screens show.

    `cash` is what the venue last said that it holds, in dollars, realised results included; None until it says so.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="broker_accounts")
    login = models.ForeignKey(BrokerLogin, on_delete=models.CASCADE, related_name="accounts")
    broker_id = models.CharField(max_length=64)
    name = models.CharField(max_length=64)
    is_enabled = models.BooleanField(default=True)
    cash = models.DecimalField(max_digits=20, decimal_places=2, null=True, blank=True)
    cash_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint("login", "broker_id", name="one_account_per_broker_id"),)

    def __str__(self) -> str:
        return self.name
