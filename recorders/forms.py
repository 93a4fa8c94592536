"""What a person may type about a recorder. A field for each setting comes from the catalogue, `recorders.settings`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from recorders.alert import Action
from recorders.models import OnDesync, Recorder
from recorders.rows import RowForm, Rows, SymbolRow, TargetRow, WindowRow
from recorders.settings import FIELDS, BadSettings, Settings, merge, read_overrides, read_settings
from recorders.wording import default_of, in_words, setting_field

ROW_FORMS: dict[str, tuple[type[RowForm], int]] = {"targets": (TargetRow, 20), "time_windows": (WindowRow, 5)}

GROUPS: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...]], ...] = (
    (
        "How big", "Limits, and sizes that follow the risk",
        ("initial_position_size", "add_position_size"),
        ("max_contracts_per_trade", "max_contracts_per_position", "max_open_positions", "at_least_one",
         "risk_dollars", "risk_percent", "equity_percent"),
    ),
    (
        "How it gets out", "Trailing and break even",
        ("targets", "stop_distance", "stop_unit", "stop_type"),
        ("trail_trigger_ticks", "trail_step_ticks", "break_even_ticks", "break_even_offset_ticks"),
    ),
    (
        "How it gets in", "Market or limit, and a delay",
        (), ("entry_type", "limit_offset_ticks", "limit_timeout_s", "entry_delay_s"),
    ),
    (
        "Signals while in a position", "The same side again, the other side, a cool-down",
        (), ("same_direction", "opposite_direction", "signal_blocking", "signal_cooldown_s"),
    ),
    (
        "When it may trade", "Hours, directions, losses, how many signals",
        (), ("time_windows", "auto_flat_after_cutoff", "direction_filter", "inverse_signals", "max_daily_loss",
             "max_signals_per_session", "every_nth_signal", "min_option_premium"),
    ),
)  # fmt: skip
SYMBOLS = (
    "Symbols and silence", "Names that alerts use, missed alerts, a notice when it goes quiet",
    (), ("symbol_map", "on_desync", "expected_every_minutes"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """One setting on the page: a field or rows. `inherited` says in words what an empty one means."""

    name: str
    label: str
    help_text: str
    field: forms.BoundField
    rows: Rows | None
    inherited: str
    is_set: bool

    @property
    def is_wrong(self) -> bool:
        return bool(self.field.errors) or (self.rows is not None and self.rows.is_wrong)


@dataclass(frozen=True, slots=True)
class Group:
    """`more` stays folded unless something in it is set or wrong."""

    question: str
    hint: str
    parts: list[Part]
    more: list[Part]

    @property
    def set_count(self) -> int:
        return sum(part.is_set for part in self.more)

    @property
    def is_open(self) -> bool:
        return any(part.is_set or part.is_wrong for part in self.more)


class SettingsForm(forms.Form):
    """`own` holds settings as JSON values. With `inherited` they are overrides of it, and empty means inherited."""

    groups = GROUPS

    def __init__(
        self, data: QueryDict | None = None, *, own: Mapping[str, Any], inherited: Settings | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data, use_required_attribute=False, **kwargs)
        self.own, self.inherited = own, inherited
        self.rows: dict[str, Rows] = {}
        for name in FIELDS:
            if name in ROW_FORMS:
                form, most = ROW_FORMS[name]
                self.rows[name] = Rows(form, name, most, data, own.get(name) or ())
                self.fields[f"own_{name}"] = forms.BooleanField(
                    required=False, label=f"Own {name.replace('_', ' ')}", initial=name in own
                )
            else:
                self.fields[name] = setting_field(name, inherited, own.get(name))

    def is_valid(self) -> bool:
        return super().is_valid() and not any(self.rows[name].is_wrong for name in self.rows if self.uses_rows(name))

    def uses_rows(self, name: str) -> bool:
        return self.inherited is None or bool(self[f"own_{name}"].value()) if name in ROW_FORMS else True

    def clean(self) -> dict[str, Any]:
        """Once each field is good by itself: what they say together."""
        if not self.errors and not any(self.rows[name].is_wrong for name in self.rows if self.uses_rows(name)):
            try:
                self._check_together()
            except BadSettings as error:
                self.place_errors(ValidationError(error.errors))
        return self.cleaned_data

    def _check_together(self) -> None:
        if self.inherited is None:
            read_settings(self.settings())
        else:
            merge(self.inherited, [read_overrides(self.settings())])

    def settings(self) -> dict[str, Any]:
        """As the services take them. What is empty has its default, or None where it is inherited."""
        found: dict[str, Any] = {}
        for name in FIELDS:
            if name in self.rows:
                found[name] = self.rows[name].values() if self.uses_rows(name) else None
                continue
            value = self.cleaned_data.get(name)
            is_empty = value is None or value == ""
            found[name] = value if not is_empty else default_of(name) if self.inherited is None else None
        return found

    def place_errors(self, error: ValidationError) -> None:
        """Each message beside the field or the rows that it is about."""
        if not hasattr(error, "error_dict"):
            self.add_error(None, error)
            return
        for name, errors in error.error_dict.items():
            if name in self.rows:
                self.rows[name].add_errors([text for each in errors for text in each.messages])
            else:
                self.add_error(name if name in self.fields else None, errors)

    def grouped(self) -> list[Group]:
        return [
            Group(question, hint, [self.part(name) for name in parts], [self.part(name) for name in more])
            for question, hint, parts, more in self.groups
        ]

    def part(self, name: str) -> Part:
        rows = self.rows.get(name)
        field = self[f"own_{name}" if rows is not None and name in ROW_FORMS else name]
        info = Settings.model_fields.get(name)
        inherited = in_words(name, self.inherited) if self.inherited is not None and info is not None else ""
        label, text = field.label, field.help_text
        if rows is not None and info is not None:
            label, text = str(info.title), str(info.description)
        return Part(name, str(label), str(text), field, rows, inherited, self._is_set(name))

    def _is_set(self, name: str) -> bool:
        """Whether it is not what it would be if nobody had touched it."""
        if name in self.rows:
            return self.rows[name].is_filled if self.inherited is None else self.uses_rows(name)
        value = self[name].value()
        untouched = None if self.inherited is not None or name not in FIELDS else default_of(name)
        return str("" if value is None or value is False else value) != str(
            "" if untouched is None or untouched is False else untouched
        )

    def wrong(self) -> list[tuple[str, str]]:
        """The label and the element of everything that needs another look."""
        rows = [name for name, rows in self.rows.items() if rows.is_wrong and self.uses_rows(name)]
        fields = [self[name] for name in self.errors if name in self.fields]
        return [
            *((str(field.label), field.id_for_label) for field in fields),
            *((self.part(name).label, f"rows_{name}") for name in rows),
        ]


class RecorderForm(SettingsForm):
    name = forms.CharField(
        max_length=80,
        help_text="What you call the strategy that sends the alerts.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "NQ opening range"}),
    )
    is_enabled = forms.BooleanField(
        required=False,
        label="Act on alerts",
        help_text="Switched off, alerts are still stored and shown, and none is acted on.",
    )
    on_desync = forms.ChoiceField(
        choices=OnDesync.choices,
        required=False,
        label="When an alert went missing",
        help_text="The next alert says where the strategy stands. Its followers can go there, or wait for your word.",
    )
    expected_every_minutes = forms.IntegerField(
        min_value=0,
        max_value=10_080,
        required=False,
        label="Expect an alert every, minutes",
        help_text="After so long without one you get a notice. 0 expects nothing.",
    )

    groups = (*GROUPS, SYMBOLS)

    def __init__(self, data: QueryDict | None = None, *, recorder: Recorder | None = None) -> None:
        self.recorder = recorder
        held = recorder if recorder is not None else Recorder()
        columns = {name: getattr(held, name) for name in ("name", "is_enabled", "on_desync", "expected_every_minutes")}
        super().__init__(data, own=held.settings.dump(), initial=columns)
        if recorder is None:
            del self.fields["is_enabled"]
        symbols = [{"name": name, "ticker": ticker} for name, ticker in held.symbol_map.items()]
        self.rows["symbol_map"] = Rows(SymbolRow, "symbol_map", 100, data, symbols)
        self.fields["symbol_map"] = forms.Field(required=False, label="Symbols", help_text=SymbolRow.__doc__ or "")

    def values(self) -> dict[str, Any]:
        """As `services.create_recorder` and `update_recorder` take them."""
        given = self.cleaned_data
        return {
            "name": given["name"],
            "is_enabled": given.get("is_enabled", True),
            "settings": self.settings(),
            "symbol_map": {row["name"]: row["ticker"] for row in self.rows["symbol_map"].values()},
            "on_desync": given["on_desync"] or OnDesync.CONVERGE.value,
            "expected_every_minutes": given["expected_every_minutes"] or 0,
        }

    def _is_set(self, name: str) -> bool:
        if name == "on_desync":
            return self[name].value() not in {None, "", OnDesync.CONVERGE}
        if name == "expected_every_minutes":
            return str(self[name].value() or 0) != "0"
        return super()._is_set(name)


class AlertForm(forms.Form):
    """An alert typed by hand; it goes through the same door as one from the network."""

    action = forms.ChoiceField(choices=[(item.value, item.value.replace("_", " ").capitalize()) for item in Action])
    ticker = forms.CharField(max_length=64, initial="MNQ1!", widget=forms.TextInput(attrs={"autocomplete": "off"}))
    contracts = forms.DecimalField(
        required=False, min_value=0, initial=1, help_text="Of an entry: counts where the recorder's own size is 0."
    )
    price = forms.DecimalField(required=False, help_text="Empty: the alert states none.")
    position_before = forms.DecimalField(
        required=False, label="Position before", help_text="The strategy's own, short is negative. Empty: not stated."
    )
    position_after = forms.DecimalField(required=False, label="Position after")

    def alert(self) -> dict[str, Any]:
        """In our own JSON; what is empty is left out."""
        given = self.cleaned_data
        stated = {
            "action": given["action"],
            "ticker": given["ticker"],
            "contracts": given["contracts"],
            "price": given["price"],
            **_stated_position("position", given["position_after"]),
            **_stated_position("prev_position", given["position_before"]),
        }
        return {name: str(value) for name, value in stated.items() if value is not None}


def _stated_position(name: str, signed: Any) -> dict[str, Any]:
    """A side and a size, as TradingView states a position."""
    if signed is None:
        return {}
    side = "flat" if signed == 0 else "long" if signed > 0 else "short"
    return {name: side, f"{name}_size": abs(signed)}
