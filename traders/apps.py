"""Who follows which recorder on which account, how big."""

from django.apps import AppConfig


class TradersConfig(AppConfig):
    name = "traders"
