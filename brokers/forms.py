"""What a person types to connect a broker login: whatever the venue asks for."""

from __future__ import annotations

from typing import Any

from django import forms

from brokers.models import BrokerLogin, Environment
from brokers.picker import FIRM_FIELD, NAME_FIELD, environments_of, fields_of, firms_of
from brokers.registry import VENUES
from brokers.venue import CredentialField

KEPT = "Stored encrypted, used only to sign in at the broker, never shown again."
ENVIRONMENT_HELP = "Live may trade real money. The others never do."
AGREE = "agree"


class ConnectForm(forms.Form):
    """`login` is one to sign in again: what it is stays. `by_page` asks for no credentials, the venue's page does."""

    environment = forms.ChoiceField(choices=(), help_text=ENVIRONMENT_HELP)

    def __init__(
        self,
        data: Any,
        *,
        venue: str,
        firm: str = "",
        login: BrokerLogin | None = None,
        asks_agreement: bool,
        by_page: bool = False,
    ) -> None:
        super().__init__(data)
        self._venue = VENUES[venue]
        self.firm = login.firm if login is not None else firm
        offered = environments_of(venue, self.firm)
        self._set("environment", choices=[(name, Environment(name).label) for name in offered])
        self.fields["environment"].initial = offered[0]
        self._asked = [
            # A firm that we know has its addresses.
            asked
            for asked in fields_of(self._venue)
            if not (self.firm and asked.name.endswith("_url"))
        ]
        for asked in self._asked:
            self.fields[asked.name] = _field(asked)
            if by_page:
                self.fields[asked.name].required = False
        if asks_agreement:
            self.fields[AGREE] = forms.BooleanField(
                label="I have read this and I agree", error_messages={"required": "Connecting needs your agreement."}
            )
        self._fix(login)

    @property
    def who(self) -> list[forms.BoundField]:
        """What the venue asks for, in its order."""
        hidden = {FIRM_FIELD} if self.firm else set()
        return [self[asked.name] for asked in self._asked if asked.name not in hidden]

    @property
    def firm_chosen(self) -> str:
        """After validation: the firm that the login is at, empty where the venue is the broker itself."""
        return str(self.cleaned_data.get(FIRM_FIELD, ""))

    def credentials(self) -> dict[str, str]:
        return {asked.name: self.cleaned_data[asked.name] for asked in self._asked}

    def _fix(self, login: BrokerLogin | None) -> None:
        fixed: dict[str, str] = {}
        if self.firm and firms_of(self._venue):
            fixed[FIRM_FIELD] = self.firm
        if login is not None:
            fixed |= {"environment": login.environment, NAME_FIELD: login.username}
            for name in login.settings.keys() & self.fields.keys():
                self.fields[name].initial = login.settings[name]
        for name, value in fixed.items():
            self._set(name, initial=value, disabled=True)

    def _set(self, name: str, **attributes: Any) -> None:
        for attribute, value in attributes.items():
            setattr(self.fields[name], attribute, value)


def _field(asked: CredentialField) -> forms.Field:
    common: dict[str, Any] = {
        "label": asked.label,
        "required": asked.is_required,
        "help_text": asked.help_text or (KEPT if asked.is_secret else ""),
    }
    if asked.choices:
        choices = list(asked.choices) if asked.initial or asked.is_required else [("", "—"), *asked.choices]
        return forms.ChoiceField(choices=choices, initial=asked.initial, **common)
    if asked.is_secret:
        # A secret that was typed is not shown again, also not when something else was wrong.
        widget = forms.PasswordInput(attrs={"autocomplete": "new-password"}, render_value=False)
        return forms.CharField(widget=widget, strip=False, **common)
    widget_text = forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    longest = 128 if asked.name == NAME_FIELD else 1024
    return forms.CharField(widget=widget_text, max_length=longest, initial=asked.initial, **common)
