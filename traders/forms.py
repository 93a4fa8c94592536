"""What a person may type about a trader."""

from __future__ import annotations

from typing import Any, cast

from django import forms

from accounts.selectors import Person
from brokers.models import BrokerAccount
from brokers.selectors import list_accounts_for
from recorders.models import Recorder
from recorders.selectors import list_recorders_for
from traders.models import Trader

OVERRIDES = ("initial_position_size", "target_ticks", "stop_ticks")


class AccountField(forms.ModelChoiceField[BrokerAccount]):
    def label_from_instance(self, obj: BrokerAccount) -> str:
        return f"{obj.name} · {obj.login.venue.title()} {obj.login.get_environment_display().lower()}"


class TraderForm(forms.ModelForm[Trader]):
    """`grouped` puts the fields under the question that each answers; an empty override is inherited."""

    class Meta:
        model = Trader
        fields = ("multiplier", "initial_position_size", "max_contracts", "target_ticks", "stop_ticks")
        labels = {
            "multiplier": "Multiplier",
            "initial_position_size": "Contracts per entry",
            "max_contracts": "Most contracts per order",
            "target_ticks": "Target, ticks",
            "stop_ticks": "Stop, ticks",
        }
        help_texts = {
            "multiplier": "The size is multiplied by this. 0 follows without trading.",
            "max_contracts": "An order for more is denied, not cut.",
            "initial_position_size": "Empty: inherits the recorder's.",
            "target_ticks": "Empty: inherits the recorder's. 0 places none.",
            "stop_ticks": "Empty: inherits the recorder's. 0 places none.",
        }

    groups: tuple[tuple[str, tuple[str, ...]], ...] = (
        ("How big", ("initial_position_size", "multiplier", "max_contracts")),
        ("How it gets out", ("target_ticks", "stop_ticks")),
    )

    def __init__(self, *args: Any, recorder: Recorder | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if recorder is None:
            return
        for name in OVERRIDES:
            inherited = getattr(recorder, name)
            self.fields[name].widget.attrs["placeholder"] = f"inherits {inherited}"
            self.fields[name].help_text = f"Empty: inherits {inherited} from {recorder.name}, also when that changes."

    def grouped(self) -> list[tuple[str, list[forms.BoundField]]]:
        return [(question, [self[name] for name in names]) for question, names in self.groups]


class NewTraderForm(TraderForm):
    recorder = forms.ModelChoiceField(
        Recorder.objects.none(), empty_label="Choose a recorder", help_text="Whose signals it follows."
    )
    account = AccountField(
        BrokerAccount.objects.none(),
        label="Broker account",
        empty_label="Choose an account",
        help_text="Where it trades.",
    )

    class Meta(TraderForm.Meta):
        pass

    groups = (("Who follows whom", ("recorder", "account")), *TraderForm.groups)

    def __init__(self, *args: Any, user: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = {"recorder": list_recorders_for(user), "account": list_accounts_for(user)}
        for name, rows in choices.items():
            cast(forms.ModelChoiceField[Any], self.fields[name]).queryset = rows
