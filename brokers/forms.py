"""What a person types to connect a broker login."""

from __future__ import annotations

from django import forms

from brokers.models import Environment
from brokers.registry import VENUES


class ConnectForm(forms.Form):
    venue = forms.ChoiceField(choices=lambda: [(name, venue.label) for name, venue in VENUES.items()])
    environment = forms.ChoiceField(
        choices=Environment, initial=Environment.DEMO, help_text="Live trades real money. Demo and sandbox do not."
    )
    username = forms.CharField(max_length=128, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    password = forms.CharField(
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Stored encrypted, used only to sign in at the broker, never shown again.",
    )
