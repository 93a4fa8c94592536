"""The addresses under `/api/`."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.urls import URLPattern, URLResolver, include, path, re_path, resolve
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.routers import SimpleRouter

from accounts.api import MeView, TokenView
from brokers.api import AccountViewSet, ConnectView, LoginActionsViewSet, LoginViewSet
from execution.api import (
    FillViewSet,
    OrderIntentViewSet,
    OrderViewSet,
    PositionViewSet,
    SignalTracesView,
    SignalTraceView,
)
from execution.commands_api import ApplyExitsView, ChainViewSet
from execution.monitoring_api import (
    ExecutionFailuresView,
    ExecutionStatusView,
    NoticeViewSet,
    RawWebhooksView,
    WebhookActivityView,
)
from execution.protection_api import ProtectionView
from execution.reconcile.api import BreakViewSet
from execution.riskpage.api import MonitorStatusView, RiskOverviewView
from execution.riskpage.venue_limits_api import VenueLimitsView
from execution.switch_api import DisableAllView, FlattenAllView, SwitchViewSet
from justtrades.api import NoSuchEndpoint
from recorders.api import RecorderViewSet, SignalViewSet
from risk.api import ActionViewSet, AssignmentViewSet, LimitViewSet, RulePacksView, RulesView
from traders.api import TraderViewSet

router = SimpleRouter(use_regex_path=False)
router.register("recorders", RecorderViewSet, basename="recorder")
router.register("signals", SignalViewSet, basename="signal")
router.register("traders", TraderViewSet, basename="trader")
router.register("intents", OrderIntentViewSet, basename="intent")
router.register("orders", OrderViewSet, basename="order")
router.register("fills", FillViewSet, basename="fill")
router.register("positions", PositionViewSet, basename="position")
router.register("chains", ChainViewSet, basename="chain")
router.register("breaks", BreakViewSet, basename="break")
router.register("accounts", AccountViewSet, basename="account")
router.register("logins", LoginViewSet, basename="login")
router.register("brokers/logins", LoginActionsViewSet, basename="broker_login")
router.register("notices", NoticeViewSet, basename="notice")
router.register("switches", SwitchViewSet, basename="switch")
router.register("risk/limits", LimitViewSet, basename="risk_limit")
router.register("risk/assignments", AssignmentViewSet, basename="risk_assignment")
router.register("risk/actions", ActionViewSet, basename="risk_action")


@csrf_exempt
def without_slash(request: HttpRequest, **_path: Any) -> HttpResponseBase:
    """The same address with its slash answers, without a redirect that a script might not follow.

    What answers is a view of the API in any case, and those check a session's CSRF token themselves.
    """
    match = resolve(f"{request.path_info}/")
    answer: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
    return answer


app_name = "api"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", include(router.urls)),
    path("positions/<uuid:pk>/apply-exits/", ApplyExitsView.as_view(), name="apply_exits"),
    path("accounts/<uuid:pk>/venue-limits/", VenueLimitsView.as_view(), name="venue_limits"),
    path("commands/flatten-all/", FlattenAllView.as_view(), name="flatten_all"),
    path("commands/disable-all/", DisableAllView.as_view(), name="disable_all"),
    path("brokers/connect/", ConnectView.as_view(), name="broker_connect"),
    path("auth/token/", TokenView.as_view(), name="token"),
    path("me/", MeView.as_view(), name="me"),
    path("protection/", ProtectionView.as_view(), name="protection"),
    path("signals/<uuid:pk>/traces/", SignalTracesView.as_view(), name="signal_traces"),
    path("signals/<uuid:pk>/traces/<uuid:trader>/", SignalTraceView.as_view(), name="signal_trace"),
    path("risk/overview/", RiskOverviewView.as_view(), name="risk_overview"),
    path("risk/rules/<uuid:account>/", RulesView.as_view(), name="risk_rules"),
    path("risk/packs/", RulePacksView.as_view(), name="risk_packs"),
    path("admin/max-loss-monitor/status/", MonitorStatusView.as_view(), name="max_loss_monitor"),
    path("broker-execution/status/", ExecutionStatusView.as_view(), name="execution_status"),
    path("broker-execution/failures/", ExecutionFailuresView.as_view(), name="execution_failures"),
    path("raw-webhooks/", RawWebhooksView.as_view(), name="raw_webhooks"),
    path("webhook-activity/", WebhookActivityView.as_view(), name="webhook_activity"),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerView.as_view(url_name="api:schema"), name="docs"),
    re_path(".*[^/]$", without_slash),
    re_path("", NoSuchEndpoint.as_view()),
]
