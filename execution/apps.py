"""From signal to protected position."""

from django.apps import AppConfig


class ExecutionConfig(AppConfig):
    name = "execution"
