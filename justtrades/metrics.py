"""Prometheus metrics: this process's counters, and gauges that every process reads from the same rows."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

from django.http import HttpResponse
from django_prometheus.exports import ExportToDjangoView
from drf_spectacular.utils import extend_schema
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from execution import health
from justtrades.api import BaseApiView

_FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP")


class StaffOrThisMachine(BasePermission):
    """Staff, by session or API token, or a scraper on this machine.

    Backlogs and counts say how much money moves and when we are weak, so they are not for everyone. A request that a
    reverse proxy passed on also comes from this machine's own address; the proxy's headers give it away.
    """

    def has_permission(self, request: Request, _view: APIView) -> bool:
        if request.user.is_authenticated and getattr(request.user, "is_staff", False):
            return True
        is_forwarded = any(header in request.META for header in _FORWARDED)
        return not is_forwarded and _is_loopback(request.META.get("REMOTE_ADDR", ""))


@extend_schema(exclude=True)
class MetricsView(BaseApiView):
    """Prometheus text format."""

    permission_classes = (StaffOrThisMachine,)

    def get(self, request: Request) -> HttpResponse:
        counters = ExportToDjangoView(request._request)
        registry = CollectorRegistry()
        registry.register(RowsCollector())
        return HttpResponse(counters.content + generate_latest(registry), content_type=counters["Content-Type"])


class RowsCollector(Collector):
    """What the rows say; the names of the loops and states are labels, never ids or tickers."""

    def describe(self) -> list[Any]:
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        count, oldest = health.unprotected_positions()
        yield _gauge(
            "oldest_unfinished_seconds", "Age of the oldest row in a state", "state", health.oldest_unfinished()
        )
        yield _gauge("heartbeat_age_seconds", "Time since a loop's last beat", "loop", health.ages())
        yield _gauge("signals_last_day", "Signals of the last 24 hours", "status", health.signals_by_status())
        yield GaugeMetricFamily("justtrades_unprotected_positions", "Positions without the stop they want", value=count)
        yield GaugeMetricFamily("justtrades_unprotected_seconds", "Age of the oldest of them", value=oldest)


def _gauge(name: str, text: str, label: str, values: dict[str, Any]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"justtrades_{name}", text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
