"""What a person may type about a recorder."""

from __future__ import annotations

from typing import Any

from django import forms

from recorders.alert import Action
from recorders.models import Recorder


class RecorderForm(forms.ModelForm[Recorder]):
    class Meta:
        model = Recorder
        fields: tuple[str, ...] = ("name", "initial_position_size", "target_ticks", "stop_ticks", "is_enabled")
        labels = {
            "initial_position_size": "Contracts per entry",
            "target_ticks": "Target, ticks",
            "stop_ticks": "Stop, ticks",
            "is_enabled": "Act on alerts",
        }
        help_texts = {
            "name": "What you call the strategy that sends the alerts.",
            "initial_position_size": "0 uses the quantity that the alert carries.",
            "target_ticks": "Distance from the fill. 0 places no target.",
            "stop_ticks": "Distance from the fill. 0 places no stop: the position is then shown as having none.",
            "is_enabled": "Switched off, alerts are still stored and shown, and none is acted on.",
        }
        widgets = {"name": forms.TextInput(attrs={"autocomplete": "off", "placeholder": "NQ opening range"})}


class NewRecorderForm(RecorderForm):
    class Meta(RecorderForm.Meta):
        fields = ("name", "initial_position_size", "target_ticks", "stop_ticks")


class AlertForm(forms.Form):
    """An alert typed by hand; it goes through the same door as one from the network."""

    action = forms.ChoiceField(choices=[(item.value, item.value.title()) for item in Action])
    ticker = forms.CharField(max_length=64, initial="MNQ1!", widget=forms.TextInput(attrs={"autocomplete": "off"}))
    contracts = forms.DecimalField(min_value=0, initial=1, help_text="Counts where the recorder's own size is 0.")

    def alert(self) -> dict[str, Any]:
        given = self.cleaned_data
        return {key: str(given[key]) for key in ("action", "ticker", "contracts")}
