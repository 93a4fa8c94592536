"""Asking over the API what exits some settings come to."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from accounts.selectors import Person
from brokers.base import Side
from brokers.instruments import UnknownTicker
from justtrades.api import PlainDecimalField
from recorders.selectors import list_recorders_for
from recorders.settings import BadSettings, Settings, merge, read_overrides
from recorders.settings_api import FlatSettings
from traders.preview import PreviewSize, preview_legs

_MOST_PRICE = Decimal(10_000_000)


class OwnedField(serializers.PrimaryKeyRelatedField[Any]):
    """The id of one of the user's own rows; another's does not exist."""

    def __init__(self, *, selector: Callable[[Person], QuerySet[Any]], **kwargs: Any) -> None:
        self.selector = selector
        super().__init__(pk_field=serializers.UUIDField(), **kwargs)

    def get_queryset(self) -> QuerySet[Any]:
        return self.selector(self.context["request"].user)


class PreviewSerializer(FlatSettings):
    """The recorder's settings, or without one the defaults, under the settings that are given."""

    settings_source = "overrides"
    is_override = True
    recorder = OwnedField(selector=list_recorders_for, required=False)
    ticker = serializers.CharField(max_length=64)
    side = serializers.ChoiceField(choices=[side.value for side in Side], help_text="The side of the entry.")
    price = PlainDecimalField(
        max_digits=18,
        decimal_places=10,
        min_value=-_MOST_PRICE,
        max_value=_MOST_PRICE,
        help_text="The price at which the entry fills.",
    )

    def legs(self) -> list[PreviewSize]:
        """Raises `ValidationError` naming the field."""
        given = self.validated_data
        try:
            base = given["recorder"].settings if "recorder" in given else Settings()
            asked = merge(base, [read_overrides(given.get("overrides", {}))])
            return preview_legs(asked, given["ticker"], Side(given["side"]), given["price"])
        except BadSettings as error:
            raise serializers.ValidationError(error.errors) from None
        except UnknownTicker as error:
            raise serializers.ValidationError({"ticker": [str(error)]}) from None


class PreviewLegSerializer(serializers.Serializer[Any]):
    contracts = serializers.IntegerField()
    target_price = PlainDecimalField(max_digits=None, decimal_places=None, allow_null=True)
    stop_price = PlainDecimalField(max_digits=None, decimal_places=None, allow_null=True)


class PreviewSizeSerializer(serializers.Serializer[Any]):
    size = serializers.IntegerField(help_text="Contracts of the position; its legs sum to it.")
    legs = PreviewLegSerializer(many=True)
