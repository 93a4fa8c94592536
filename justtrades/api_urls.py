"""The addresses under `/api/`."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.routers import SimpleRouter

from accounts.api import MeView, TokenView
from brokers.api import AccountViewSet, LoginViewSet
from execution.api import FillViewSet, OrderIntentViewSet, OrderViewSet, PositionViewSet
from execution.commands_api import ApplyExitsView, ChainViewSet
from justtrades.api import NoSuchEndpoint
from recorders.api import RecorderViewSet, SignalViewSet
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
router.register("accounts", AccountViewSet, basename="account")
router.register("logins", LoginViewSet, basename="login")

app_name = "api"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", include(router.urls)),
    path("positions/<uuid:pk>/apply-exits/", ApplyExitsView.as_view(), name="apply_exits"),
    path("auth/token/", TokenView.as_view(), name="token"),
    path("me/", MeView.as_view(), name="me"),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerView.as_view(url_name="api:schema"), name="docs"),
    re_path("", NoSuchEndpoint.as_view()),
]
