"""Users, sign-in and who may trade."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
