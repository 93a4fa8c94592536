"""The webhook door, Signals and alert dialects."""

from django.apps import AppConfig


class RecordersConfig(AppConfig):
    name = "recorders"
