"""Connections, adapters, instruments and the sandbox."""

from django.apps import AppConfig


class BrokersConfig(AppConfig):
    name = "brokers"

    def ready(self) -> None:
        from brokers import paperbooks

        paperbooks.lend()
