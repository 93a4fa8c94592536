"""Connections, adapters, instruments and the sandbox."""

from django.apps import AppConfig


class BrokersConfig(AppConfig):
    name = "brokers"
