"""What a person may type about risk: a limit, how an account's day is counted, a rule pack, and the kill switch."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.http import QueryDict

from accounts.models import User
from brokers.selectors import list_accounts_for
from recorders.selectors import list_recorders_for
from risk import packs
from risk.models import MONEY, AccountRules, Basis, LimitKind, LimitScope, RiskLimit, SwitchMode, SwitchScope, Unit
from risk.services.limits import Target
from traders.selectors import list_traders_for

SHORT = {"autocomplete": "off", "spellcheck": "false"}
DECIMAL = {**SHORT, "inputmode": "decimal"}
Choice = tuple[str, str]
Choices = list[tuple[str, list[Choice]] | Choice]
MONEY_UNITS: list[Choice] = [(Unit.DOLLARS.value, "$"), (Unit.PERCENT.value, "% of the day's start")]


class TermsForm(forms.Form):
    """How much, and what follows. Also the whole form of a limit that is there already."""

    amount = forms.DecimalField(min_value=0, max_digits=20, decimal_places=4, widget=forms.TextInput(attrs=DECIMAL))
    unit = forms.ChoiceField(choices=MONEY_UNITS, initial=Unit.DOLLARS, required=False)
    basis = forms.ChoiceField(
        choices=Basis.choices, initial=Basis.INTRADAY, required=False, label="Its high-water mark counts",
    )  # fmt: skip
    is_enabled = forms.BooleanField(required=False, initial=True, label="In force")
    owner_may_unlock = forms.BooleanField(
        required=False, initial=True, label="I may unlock it myself",
        help_text="Off: once it is reached only an administrator lets entries through before the session ends.",
    )  # fmt: skip

    kind: str = ""

    def terms(self) -> dict[str, Any]:
        """As `services.set_limit` and `change_limit` take them."""
        given = dict(self.cleaned_data)
        kind = given.pop("kind", self.kind)
        given.pop("target", None)
        if kind not in MONEY:
            given["unit"] = Unit.COUNT.value
        given["unit"] = given["unit"] or Unit.DOLLARS.value
        given["basis"] = given["basis"] or Basis.INTRADAY.value
        return given


class LimitTermsForm(TermsForm):
    """Of a limit that is there already."""

    def __init__(self, data: QueryDict | None, *, limit: RiskLimit) -> None:
        self.kind = limit.kind
        names = ("unit", "basis", "is_enabled", "owner_may_unlock")
        held = {name: getattr(limit, name) for name in names} | {"amount": f"{limit.amount.normalize():f}"}
        super().__init__(data, initial=held, use_required_attribute=False)


class NewLimitForm(TermsForm):
    target = forms.ChoiceField(label="On")
    kind = forms.ChoiceField(choices=LimitKind.choices, initial=LimitKind.DAILY_LOSS, label="Limit")  # type: ignore[assignment]
    field_order = ("target", "kind", "amount", "unit", "basis", "is_enabled", "owner_may_unlock")

    def __init__(self, data: QueryDict | None, *, user: User, target: str = "") -> None:
        super().__init__(data, initial={"target": target}, use_required_attribute=False)
        self.fields["target"].choices = _targets(user, everything="Everything of mine")  # type: ignore[attr-defined]
        self.user = user

    def scoped(self) -> tuple[str, Target]:
        """The scope and what it names, of the user's own."""
        scope, _, pk = self.cleaned_data["target"].partition(":")
        if scope == LimitScope.USER:
            return scope, {}
        selectors = {"account": list_accounts_for, "recorder": list_recorders_for, "trader": list_traders_for}
        return scope, {scope: selectors[scope](self.user).get(pk=pk)}  # type: ignore[misc]


class RulesForm(forms.ModelForm[AccountRules]):
    roll_zone = forms.ChoiceField(
        choices=lambda: [(name, name.replace("_", " ")) for name in sorted(zoneinfo.available_timezones())],
        label="Time zone",
    )

    class Meta:
        model = AccountRules
        fields = ("fee_per_contract", "roll_at", "roll_zone", "unprotected_policy", "unprotected_after_s")
        labels = {
            "fee_per_contract": "Fee per contract and side, $",
            "roll_at": "The day ends at",
            "unprotected_policy": "Without a stop for too long",
            "unprotected_after_s": "Too long is, in seconds",
        }
        help_texts = {
            "fee_per_contract": "It counts in the day's result as soon as a contract is traded.",
            "roll_at": "Losses count from then, and locks end then. Usual for futures is 17:00 Chicago.",
            "unprotected_after_s": "3 to 60. Before that, a missing stop is placed again.",
        }
        widgets = {
            "roll_at": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
            "fee_per_contract": forms.TextInput(attrs=DECIMAL),
            "unprotected_after_s": forms.TextInput(attrs={**SHORT, "inputmode": "numeric"}),
        }


class PackForm(forms.Form):
    pack = forms.ChoiceField(label="Rules")
    start_balance = forms.DecimalField(
        required=False, min_value=Decimal("0.01"), max_digits=20, decimal_places=2, label="Balance it began with, $",
        help_text="Floors count from it. Empty: the size that the rules are for.",
        widget=forms.TextInput(attrs={**DECIMAL, "placeholder": "the account's size"}),
    )  # fmt: skip
    is_enforced = forms.BooleanField(
        required=False, initial=True, label="Enforce",
        help_text="Entries that would break a rule are denied, a floor that is reached closes all. Off: shown only.",
    )  # fmt: skip

    def __init__(self, data: QueryDict | None, *, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial, use_required_attribute=False)
        self.fields["pack"].choices = _packs(str((initial or {}).get("pack", "")))  # type: ignore[attr-defined]

    def given(self) -> dict[str, Any]:
        """As `services.assign_pack` takes it."""
        name, _, version = self.cleaned_data["pack"].rpartition(":")
        pack = packs.get(name, int(version))
        balance = self.cleaned_data["start_balance"]
        return {
            "pack": name,
            "version": pack.version,
            "start_balance": pack.account_size if balance is None else balance,
            "is_enforced": self.cleaned_data["is_enforced"],
        }


class TripForm(forms.Form):
    target = forms.ChoiceField(label="Stops")
    mode = forms.ChoiceField(
        choices=[
            (SwitchMode.REDUCE_ONLY.value, "Exits only: nothing new is opened"),
            (SwitchMode.HALT.value, "Halt: also cancel entries that wait at the broker"),
        ],
        initial=SwitchMode.REDUCE_ONLY,
    )
    reason = forms.CharField(max_length=255, widget=forms.TextInput(attrs=SHORT), help_text="For whoever finds it on.")

    def __init__(self, data: QueryDict | None = None, *, user: User) -> None:
        super().__init__(data, use_required_attribute=False)
        platform: list[Choice] = [("platform", "The whole platform, everybody")] if user.is_staff else []
        found = _targets(user, everything="Everything of mine", with_traders=False)
        self.fields["target"].choices = [*found, *platform]  # type: ignore[attr-defined]
        self.user = user

    def switch(self) -> dict[str, Any]:
        """As `risk.switch.trip` takes it."""
        scope, _, pk = self.cleaned_data["target"].partition(":")
        owner_id: UUID | None = None if scope == SwitchScope.PLATFORM else self.user.pk
        return {
            "scope": SwitchScope(scope),
            "target": str(self.user.pk) if scope == SwitchScope.USER else pk,
            "mode": SwitchMode(self.cleaned_data["mode"]),
            "reason": self.cleaned_data["reason"],
            "owner_id": owner_id,
            "actor_id": self.user.pk,
        }


def _targets(user: User, *, everything: str, with_traders: bool = True) -> Choices:
    """The user's own, each as `<scope>:<id>`."""
    groups: list[tuple[str, str, Iterable[Any]]] = [
        ("account", "An account", list_accounts_for(user)),
        ("recorder", "A recorder and all its traders", list_recorders_for(user)),
    ]
    if with_traders:
        groups.append(("trader", "A trader", list_traders_for(user)))
    found: Choices = [("user", everything)]
    for scope, label, rows in groups:
        choices = [(f"{scope}:{row.pk}", str(row)) for row in rows]
        if choices:
            found.append((label, choices))
    return found


def _packs(held: str) -> Choices:
    """The newest version of each, and the one that is held, by firm."""
    firms: dict[str, list[Choice]] = {}
    for pack in packs.list_packs():
        key, is_newest = f"{pack.name}:{pack.version}", pack == packs.newest(pack.name)
        if is_newest or key == held:
            label = pack.title if is_newest else f"{pack.title}, version {pack.version}"
            firms.setdefault(pack.firm, []).append((key, label))
    return list(firms.items())
