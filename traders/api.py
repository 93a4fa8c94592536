"""Traders over the API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import signed_in
from brokers.models import BrokerAccount
from brokers.selectors import list_accounts_for
from justtrades.api import (
    ApiErrorSerializer,
    OwnRowsViewSet,
    PlainDecimalField,
    StrictModelSerializer,
)
from recorders.selectors import list_recorders_for
from recorders.settings import BadSettings
from recorders.settings_api import FlatSettings
from traders import selectors, services
from traders.enabling import check_ready, enable_trader
from traders.models import Trader
from traders.preview_api import OwnedField, PreviewSerializer, PreviewSizeSerializer
from traders.routes import MOST_ROUTES, add_route, conversions_of, create_with_routes, effective_of
from traders.settings import RECORDER, TRADER

_ROUTE = ("is_enabled", "multiplier", "max_contracts", "custom_ticker", "convert_size")


class EffectiveSerializer(serializers.Serializer[Any]):
    value = serializers.JSONField()
    # "source" is also the name of a serializer's own attribute, which an instance of this one never needs.
    source = serializers.ChoiceField(  # type: ignore[assignment]
        choices=[RECORDER, TRADER], help_text="Whose the value is."
    )


class ConversionSerializer(serializers.Serializer[Any]):
    signal = serializers.CharField(help_text="The root that a signal may be for, such as NQ.")
    traded = serializers.CharField(help_text="The root of the custom ticker, such as MNQ.")
    ratio = PlainDecimalField(
        max_digits=None, decimal_places=None, help_text="Contracts of `traded` for one of `signal`."
    )


class RouteSerializer(StrictModelSerializer):
    """A further account: it takes the trader's overrides, and has a size and a ticker of its own."""

    account = OwnedField(selector=list_accounts_for)

    class Meta:
        model = Trader
        fields = ("account", *_ROUTE)


class RouteSummarySerializer(StrictModelSerializer):
    account_name = serializers.CharField(source="account.name", read_only=True)

    class Meta:
        model = Trader
        fields = ("id", "account", "account_name", *_ROUTE)
        read_only_fields = fields


class TraderSerializer(FlatSettings, StrictModelSerializer):
    """A setting of null is inherited from the recorder when the signal comes."""

    settings_source = "overrides"
    is_override = True
    recorder_name = serializers.CharField(source="recorder.name", read_only=True)
    account_name = serializers.CharField(source="account.name", read_only=True)

    class Meta:
        model = Trader
        fields: tuple[str, ...] = (
            "id",
            "recorder",
            "recorder_name",
            "account",
            "account_name",
            "route_of",
            *_ROUTE,
            "created_at",
        )
        read_only_fields = ("id", "route_of", "created_at")


class TraderDetailSerializer(TraderSerializer):
    """A setting of null is inherited from the recorder when the signal comes; `effective` says what that comes to."""

    routes = RouteSummarySerializer(many=True, read_only=True, help_text="The further accounts of this trader.")
    effective = serializers.SerializerMethodField(
        help_text="What it trades with when an alert states nothing itself; null while `effective_problem` says why."
    )
    effective_problem = serializers.SerializerMethodField(help_text="How recorder and trader contradict each other.")
    conversion_offer = serializers.SerializerMethodField(
        help_text="What `convert_size` can scale to the custom ticker: products that quote the same price."
    )

    class Meta(TraderSerializer.Meta):
        fields = (*TraderSerializer.Meta.fields, "routes", "effective", "effective_problem", "conversion_offer")

    @extend_schema_field(serializers.DictField(child=EffectiveSerializer(), allow_null=True))
    def get_effective(self, trader: Trader) -> dict[str, Any] | None:
        try:
            document = effective_of(trader).document
        except BadSettings:
            return None
        return {name: {**item, "value": self._shown(name, item["value"])} for name, item in document.items()}

    def get_effective_problem(self, trader: Trader) -> str:
        try:
            effective_of(trader)
        except BadSettings as error:
            return str(error)
        return ""

    @extend_schema_field(ConversionSerializer(many=True))
    def get_conversion_offer(self, trader: Trader) -> Any:
        return ConversionSerializer(conversions_of(trader), many=True).data


class NewTraderSerializer(FlatSettings, StrictModelSerializer):
    """A setting that is null or not given is inherited from the recorder when the signal comes."""

    settings_source = "overrides"
    is_override = True
    recorder = OwnedField(selector=list_recorders_for)
    account = OwnedField(selector=list_accounts_for)
    routes = serializers.ListField(
        child=RouteSerializer(),
        max_length=MOST_ROUTES,
        required=False,
        help_text="Further accounts. All of it is made, or nothing.",
    )

    class Meta:
        model = Trader
        fields = ("recorder", "account", *_ROUTE, "routes")

    def switched_on(self) -> list[tuple[BrokerAccount, str]]:
        return switched_on([self.validated_data, *self.validated_data.get("routes", ())])


def switched_on(routes: Iterable[Mapping[str, Any]]) -> list[tuple[BrokerAccount, str]]:
    """The accounts that are to follow at once, each with its custom ticker."""
    return [(route["account"], route.get("custom_ticker", "")) for route in routes if route.get("is_enabled", True)]


class TraderChangesSerializer(FlatSettings, StrictModelSerializer):
    """A trader stays on its recorder and account: its position belongs to both."""

    settings_source = "overrides"
    is_override = True

    class Meta:
        model = Trader
        fields = tuple(name for name in _ROUTE if name != "is_enabled")

    def changes_of(self, trader: Trader) -> dict[str, Any]:
        """As `update_trader` takes them: the overrides that were given over the ones that the trader has."""
        changes = dict(self.validated_data)
        given = changes.pop("overrides", {})
        if not given:
            return changes
        if trader.route_of_id is not None:
            refused = sorted(name for name in self.initial_data if name not in self.Meta.fields)
            reason = ["A further account takes the overrides of its trader."]
            raise serializers.ValidationError(dict.fromkeys(refused, reason))
        return {**changes, "overrides": {**trader.overrides, **given}}


class TraderFilter(filters.FilterSet):
    recorder = filters.UUIDFilter(field_name="recorder_id")
    account = filters.UUIDFilter(field_name="account_id")
    is_enabled = filters.BooleanFilter()


class TraderViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OwnRowsViewSet):
    """Which recorder is followed on which accounts, how big, and with which settings of its own."""

    filterset_class = TraderFilter

    def get_queryset(self) -> QuerySet[Trader]:
        traders = selectors.list_traders_for(self.request.user)
        if self.action == "list":
            return traders
        return traders.select_related("route_of").prefetch_related("routes__account")

    def get_serializer_class(self) -> type[TraderSerializer]:
        return TraderSerializer if self.action == "list" else TraderDetailSerializer

    @extend_schema(request=NewTraderSerializer, responses={201: TraderDetailSerializer, 400: ApiErrorSerializer})
    def create(self, request: Request) -> Response:
        given = NewTraderSerializer(data=request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        check_ready(given.validated_data["recorder"], given.switched_on())
        trader = create_with_routes(owner=signed_in(request.user), **given.validated_data)
        return self._answer(trader, status.HTTP_201_CREATED)

    @extend_schema(request=TraderChangesSerializer, responses={200: TraderDetailSerializer, 400: ApiErrorSerializer})
    def partial_update(self, request: Request, pk: str) -> Response:
        trader = self.get_object()
        given = TraderChangesSerializer(trader, data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        return self._answer(services.update_trader(trader=trader, **given.changes_of(trader)))

    @extend_schema(
        request=RouteSerializer, responses={201: TraderDetailSerializer, 400: ApiErrorSerializer}, filters=False
    )
    @action(detail=True, methods=["post"])
    def routes(self, request: Request, pk: str) -> Response:
        """One more account of this trader; the answer is that account's own row."""
        lead = self.get_object()
        given = RouteSerializer(data=request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        check_ready(lead.recorder, switched_on([given.validated_data]))
        return self._answer(add_route(lead=lead, **given.validated_data), status.HTTP_201_CREATED)

    @extend_schema(
        request=PreviewSerializer,
        responses={200: PreviewSizeSerializer(many=True), 400: ApiErrorSerializer},
        filters=False,
    )
    @action(detail=False, methods=["post"], pagination_class=None)
    def preview(self, request: Request) -> Response:
        """Where the exits would be, for positions of one contract to ten. Nothing is stored or sent."""
        given = PreviewSerializer(data=request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        return Response(PreviewSizeSerializer(given.legs(), many=True).data)

    @extend_schema(responses={204: OpenApiResponse(description="Deleted."), 400: ApiErrorSerializer})
    def destroy(self, request: Request, pk: str) -> Response:
        """Only a trader that never traded; disable any other."""
        services.delete_trader(trader=self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=None, responses={200: TraderDetailSerializer, 400: ApiErrorSerializer}, filters=False)
    @action(detail=True, methods=["post"])
    def enable(self, request: Request, pk: str) -> Response:
        """The broker is asked first; a failed check is named, and the trader stays off."""
        return self._answer(enable_trader(trader=self.get_object()))

    @extend_schema(request=None, responses={200: TraderDetailSerializer}, filters=False)
    @action(detail=True, methods=["post"])
    def disable(self, request: Request, pk: str) -> Response:
        """No new entry from now on; the exits of a position it holds still pass."""
        return self._answer(services.disable_trader(trader=self.get_object()))

    def _answer(self, trader: Trader, code: int = status.HTTP_200_OK) -> Response:
        return Response(self.get_serializer(trader).data, status=code)
