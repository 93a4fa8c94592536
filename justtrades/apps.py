"""The composition root: settings, addresses, health and the supervisor."""

from django.apps import AppConfig


class JusttradesConfig(AppConfig):
    name = "justtrades"
