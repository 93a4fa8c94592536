"""How long positions were without their stop, over the API: the same figures as the page."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from execution import unprotected
from justtrades.api import BaseApiView

Plain = serializers.Serializer[Any]


class UnprotectedSerializer(Plain):
    position = serializers.UUIDField(source="position.pk")
    trader = serializers.UUIDField(source="position.trader_id")
    account = serializers.CharField(source="position.account.name")
    symbol = serializers.CharField(source="position.symbol")
    net_qty = serializers.IntegerField(source="position.net_qty")
    since = serializers.DateTimeField()
    bound_s = serializers.IntegerField(help_text="Seconds after which the account's rule is carried out.")
    rule = serializers.CharField(source="policy")
    done = serializers.CharField(help_text="What was done about it; empty for nothing yet.")


class SpansSerializer(Plain):
    window = serializers.CharField(help_text="24h, 7d or 30d: spans that began since then.")
    count = serializers.IntegerField()
    p50_s = serializers.FloatField(source="p50", allow_null=True)
    p95_s = serializers.FloatField(source="p95", allow_null=True)
    max_s = serializers.FloatField(source="max", allow_null=True)
    acted_on = serializers.IntegerField(help_text="Of these: the stop was placed again, or the position closed.")
    closed = serializers.IntegerField(help_text="Of these: ended with the position, not with a stop.")


class VenueSerializer(Plain):
    venue = serializers.CharField()
    windows = SpansSerializer(many=True)
    entries_24h = serializers.IntegerField(
        source="entries.filled", help_text="Entries of the last 24 hours that wanted a stop and filled."
    )
    protected_at_once_24h = serializers.IntegerField(
        source="entries.at_once", help_text="Those of them whose stop worked in the moment of the fill: no span."
    )


class ProtectionSerializer(Plain):
    unprotected_now = UnprotectedSerializer(many=True, help_text="Longest first, the first 100.")
    venues = VenueSerializer(many=True)


class ProtectionView(BaseApiView):
    """Your positions without their stop now, and how long they have been without, by venue."""

    http_method_names = ("get", "head", "options")

    @extend_schema(responses=ProtectionSerializer)
    def get(self, request: Request) -> Response:
        found = {
            "unprotected_now": unprotected.unprotected_now(request.user),
            "venues": unprotected.figures_for(request.user),
        }
        return Response(ProtectionSerializer(found).data)
