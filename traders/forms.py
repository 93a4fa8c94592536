"""What a person may type about a trader: its accounts, and the settings that it does not inherit."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, cast
from uuid import UUID

from django import forms
from django.http import QueryDict
from django.urls import reverse_lazy

from accounts.selectors import Person
from brokers.base import Side
from brokers.instruments import UnknownTicker, conversion_ratio, product_of, products
from brokers.models import BrokerAccount
from brokers.selectors import list_accounts_for
from recorders.forms import SettingsForm
from recorders.models import Recorder
from recorders.settings import Settings, merge, read_overrides, read_settings
from recorders.wording import plain, sentence
from traders.models import Trader
from traders.selectors import list_traders_for

ROUTE_FIELDS = ("multiplier", "max_contracts", "custom_ticker", "convert_size")
SHORT = {"autocomplete": "off", "spellcheck": "false"}
CONVERTS = {
    "hx-get": reverse_lazy("conversion"),
    "hx-trigger": "input changed delay:250ms",
    "hx-target": "next .conversion",
}


def conversion_words(ticker: str) -> str:
    """`1 NQ is 10 MNQ`, for each product whose size a signal for it would be converted by; "" where there is none.

    Raises `UnknownTicker`.
    """
    if not ticker.strip():
        return ""
    traded = product_of(ticker)
    said = []
    for signal in products().values():
        ratio = conversion_ratio(signal, traded)
        if ratio is not None and ratio > 1:
            said.append(f"1 {signal.root} is {plain(ratio)} {traded.root}")
        elif ratio is not None and ratio < 1:
            said.append(f"{plain(1 / ratio)} {signal.root} are 1 {traded.root}")
    return ", ".join(said)


class AccountField(forms.ModelChoiceField[BrokerAccount]):
    def label_from_instance(self, obj: BrokerAccount) -> str:
        return f"{obj.name} · {obj.login.venue.title()} {obj.login.get_environment_display().lower()}"


class RouteFields(forms.Form):
    """What belongs to one account of a trader."""

    multiplier = forms.DecimalField(
        required=False,
        min_value=0,
        max_value=1000,
        decimal_places=3,
        help_text="Sizes are multiplied by it and rounded down. 0 follows without trading.",
        widget=forms.TextInput(attrs={**SHORT, "inputmode": "decimal", "placeholder": "1"}),
    )
    max_contracts = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=10_000,
        label="Most contracts held",
        help_text="On this account. Empty: no cap of its own.",
        widget=forms.TextInput(attrs={**SHORT, "inputmode": "numeric", "placeholder": "no cap"}),
    )
    custom_ticker = forms.CharField(
        required=False,
        max_length=32,
        label="Trades instead",
        help_text="A ticker such as MNQ1! for signals of NQ1!. Empty: the signal's own.",
        widget=forms.TextInput(attrs={**SHORT, **CONVERTS, "placeholder": "the signal's own"}),
    )
    convert_size = forms.BooleanField(required=False, label="Convert the size")

    def clean_custom_ticker(self) -> str:
        ticker: str = self.cleaned_data["custom_ticker"].strip().upper()
        try:
            conversion_words(ticker)
        except UnknownTicker as error:
            raise forms.ValidationError(sentence(str(error))) from None
        return ticker

    @property
    def conversion(self) -> str:
        try:
            return conversion_words(str(self["custom_ticker"].value() or ""))
        except UnknownTicker:
            return ""

    def route(self) -> dict[str, Any]:
        """As `services.create_trader` and `update_trader` take them."""
        given = self.cleaned_data
        return {
            "multiplier": Decimal(1) if given["multiplier"] is None else given["multiplier"],
            "max_contracts": given["max_contracts"],
            "custom_ticker": given["custom_ticker"],
            "convert_size": given["convert_size"] and bool(given["custom_ticker"]),
        }


def route_of(trader: Trader) -> dict[str, Any]:
    """The route of a trader as a form prefills it."""
    return {name: getattr(trader, name) for name in ROUTE_FIELDS} | {"multiplier": plain(trader.multiplier)}


class RouteForm(RouteFields):
    """A further account: on, it follows with the trader's settings. What is off is not looked at."""

    is_on = forms.BooleanField(required=False)

    def __init__(self, data: QueryDict | None, account: BrokerAccount, trader: Trader | None, *, is_lead: bool) -> None:
        """`trader` is what the account follows the recorder as, which may be one of its own."""
        self.account, self.trader, self.is_lead = account, trader, is_lead
        held = route_of(trader) | {"is_on": trader.is_enabled} if trader is not None else {}
        super().__init__(data, prefix=f"route-{account.pk}", initial=held, use_required_attribute=False)
        self.fields["is_on"].label = account.name

    @property
    def account_errors(self) -> list[str]:
        """What the services say of the account itself."""
        return [str(text) for text in self.errors.get("is_on", [])]

    @property
    def is_chosen(self) -> bool:
        return not self.is_lead and bool(self["is_on"].value())


class TraderForm(RouteFields, SettingsForm):
    """`routes` has a form for each other account of the owner."""

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        user: Person,
        recorder: Recorder,
        trader: Trader | None = None,
        **kwargs: Any,
    ) -> None:
        held = {} if trader is None else route_of(trader)
        initial = {**held, **kwargs.pop("initial", {})}
        own = {} if trader is None else trader.overrides
        super().__init__(data, own=own, inherited=recorder.settings, initial=initial, **kwargs)
        self.recorder, self.trader = recorder, trader
        self.accounts = list(list_accounts_for(user))
        following = {row.account_id: row for row in list_traders_for(user).filter(recorder=recorder)}
        lead = trader.account_id if trader is not None else self._chosen_account()
        self.routes: list[RouteForm] = []
        self.others: list[Trader] = []
        for account in self.accounts:
            row = following.get(account.pk)
            if row is not None and (trader is None or row.route_of_id != trader.pk):
                self.others += [] if row == trader else [row]
            else:
                self.routes.append(RouteForm(data, account, row, is_lead=account.pk == lead))

    def _chosen_account(self) -> UUID | None:
        """Of a new trader."""
        return None

    def is_valid(self) -> bool:
        routes = [route.is_valid() for route in self.routes if route.is_chosen]
        return super().is_valid() and all(routes)

    def wrong(self) -> list[tuple[str, str]]:
        routes = [route for route in self.routes if route.is_bound and route.is_chosen and route.errors]
        return [*super().wrong(), *((route.account.name, str(route.prefix)) for route in routes)]


class NewTraderForm(TraderForm):
    account = AccountField(
        BrokerAccount.objects.none(),
        label="Broker account",
        empty_label="Choose an account",
        help_text="Where it trades first. Further accounts are below.",
    )

    def __init__(self, data: QueryDict | None = None, *, user: Person, recorder: Recorder, **kwargs: Any) -> None:
        super().__init__(data, user=user, recorder=recorder, **kwargs)
        cast(AccountField, self.fields["account"]).queryset = list_accounts_for(user)

    def _chosen_account(self) -> UUID | None:
        try:
            return UUID(str(self.data.get("account", "")))
        except ValueError:
            return None


class PreviewForm(forms.Form):
    """What the legs are computed for; nothing of it is kept. The multiplier is the trader form's own field."""

    preview_ticker = forms.CharField(max_length=32, label="Ticker")
    preview_side = forms.ChoiceField(choices=[(side.value, side.value.title()) for side in Side], label="Side")
    preview_price = forms.DecimalField(
        required=False, min_value=0, max_value=100_000_000, decimal_places=10, label="Fill"
    )
    multiplier = forms.DecimalField(required=False, min_value=0, max_value=1000, decimal_places=3)

    def asked(self) -> dict[str, Any]:
        given = self.cleaned_data
        return {
            "ticker": given["preview_ticker"],
            "side": Side(given["preview_side"]),
            "price": given["preview_price"],
            "multiplier": Decimal(1) if given["multiplier"] is None else given["multiplier"],
        }


def previewed_settings(data: QueryDict, recorder: Recorder | None) -> tuple[SettingsForm, Settings | None]:
    """The settings as they are typed now, over the recorder's when it is a trader's form; None while one is wrong."""
    inherited = recorder.settings if recorder is not None else None
    form = SettingsForm(data, own={}, inherited=inherited)
    if not form.is_valid():
        return form, None
    if inherited is None:
        return form, read_settings(form.settings())
    return form, merge(inherited, [read_overrides(form.settings())])
