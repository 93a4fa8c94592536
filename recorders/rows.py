"""Targets, time windows, symbols: what a form repeats. Rows need no numbers, as browsers send a list per column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import time
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.http import QueryDict
from pydantic import BaseModel, ValidationError

from recorders.setting_types import Target, TimeWindow, TrimUnit, Unit
from recorders.wording import label_of, plain, sentence

UNITS = [(unit.value, label_of(unit)) for unit in Unit if unit is not Unit.PRICE]
NARROW = {"inputmode": "decimal", "autocomplete": "off"}


class RowForm(forms.Form):
    """One row. It counts for nothing while no text is typed in it: what is chosen from a list says nothing alone."""

    part: type[BaseModel] | None = None

    def __init__(self, *args: Any, stored: Sequence[Mapping[str, Any]] = (), **kwargs: Any) -> None:
        """`stored` are all the rows that were saved before."""
        super().__init__(*args, **kwargs)
        self.stored = stored

    @property
    def is_blank(self) -> bool:
        typed = [name for name, field in self.fields.items() if not isinstance(field, forms.ChoiceField)]
        return not any(str(self[name].value() or "").strip() for name in typed)

    def clean(self) -> dict[str, Any]:
        if self.part is None or self.errors:
            return self.cleaned_data
        try:
            self.part.model_validate(self.values())
        except ValidationError as error:
            for item in error.errors(include_url=False, include_context=False):
                about, _, rest = item["msg"].removeprefix("Value error, ").partition(": ")
                name, text = (str(item["loc"][0]), item["msg"]) if item["loc"] else (about, rest)
                self.add_error(name if name in self.fields else None, sentence(text or about))
        return self.cleaned_data

    def values(self) -> dict[str, Any]:
        return dict(self.cleaned_data)


class TargetRow(RowForm):
    """Take-profits, nearest first."""

    part = Target
    distance = forms.DecimalField(
        min_value=0, decimal_places=10, max_value=100_000_000, widget=forms.TextInput(attrs=NARROW)
    )
    unit = forms.ChoiceField(choices=UNITS)
    trim = forms.DecimalField(
        label="Closes",
        required=False,
        decimal_places=4,
        max_value=10_000,
        widget=forms.TextInput(attrs={**NARROW, "placeholder": "the rest"}),
    )
    trim_unit = forms.ChoiceField(
        label="In", choices=[(TrimUnit.PERCENT.value, "%"), (TrimUnit.CONTRACTS.value, "contracts")]
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if any(row.get("unit") == Unit.PRICE for row in self.stored):
            # Only an API client can have set it. It stays until somebody chooses another one.
            unit = cast(forms.ChoiceField, self.fields["unit"])
            unit.choices = [*UNITS, (Unit.PRICE.value, label_of(Unit.PRICE))]


class WindowRow(RowForm):
    """Entries outside all of them are not taken; none: always. Times are in your time zone."""

    part = TimeWindow
    start = forms.TimeField(
        input_formats=["%H:%M", "%H:%M:%S", "%I:%M %p"], widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    end = forms.TimeField(
        input_formats=["%H:%M", "%H:%M:%S", "%I:%M %p"], widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )


class SymbolRow(RowForm):
    """What the alert calls it, and what is meant: GOLD and MGC1!. Anything else is read as it is written."""

    name = forms.CharField(
        label="In the alert",
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "GOLD", "spellcheck": "false"}),
    )
    ticker = forms.CharField(
        label="Means",
        max_length=32,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "MGC1!", "spellcheck": "false"}),
    )


class Rows:
    """The filled rows, and `spare`: an empty one for those who have no script to add one with."""

    def __init__(
        self, form: type[RowForm], name: str, most: int, data: QueryDict | None, held: Sequence[Mapping[str, Any]]
    ) -> None:
        self.name, self.most, self.errors = name, most, list[str]()
        self._form, self._held, self._is_bound = form, held, data is not None
        if data is None:
            made = [self._row(at, initial=_shown(row)) for at, row in enumerate(held)]
        else:
            made = self._typed(data)
        self.forms = [row for row in made if not (row.is_bound and row.is_blank)]
        self.spare = self._row("new")
        self.title = form.__name__.removesuffix("Row")
        if len(self.forms) > most:
            self.errors.append(f"Had more than {most} rows, limit {most}.")

    def _typed(self, data: QueryDict) -> list[RowForm]:
        columns = {name: data.getlist(f"{self.name}-{name}") for name in self._form.base_fields}
        count = min(max(map(len, columns.values())), self.most + 1)
        return [
            self._row(at, data={f"{self.name}-{name}": "".join(had[at : at + 1]) for name, had in columns.items()})
            for at in range(count)
        ]

    def _row(self, at: int | str, **given: Any) -> RowForm:
        place: dict[str, Any] = {"prefix": self.name, "auto_id": f"id_{self.name}_{at}_%s"}
        return self._form(**place, stored=self._held, use_required_attribute=False, **given)

    @property
    def is_filled(self) -> bool:
        return bool(self.forms)

    @property
    def is_wrong(self) -> bool:
        return self._is_bound and (bool(self.errors) or not all(row.is_valid() for row in self.forms))

    def add_errors(self, texts: Iterable[str]) -> None:
        """A text that begins with what a row's first field holds belongs to that row, any other to all of them."""
        for text in texts:
            about, _, rest = text.partition(": ")
            first = next(iter(self._form.base_fields))
            row = next((row for row in self.forms if str(row[first].value()).strip().upper() == about.upper()), None)
            if row is not None and rest:
                row.add_error(list(self._form.base_fields)[-1], rest)
            else:
                self.errors.append(text)

    def values(self) -> list[dict[str, Any]]:
        return [row.values() for row in self.forms]


def _shown(held: Mapping[str, Any]) -> dict[str, Any]:
    """JSON values as a field prefills them."""
    found = dict(held)
    for name in ("distance", "trim"):
        if found.get(name) is not None:
            found[name] = plain(Decimal(str(found[name])))
    return {name: f"{value:%H:%M}" if isinstance(value, time) else value for name, value in found.items()}
