"""Plans and entitlements."""

from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "billing"
