"""The addresses of the product."""

from __future__ import annotations

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from justtrades import health
from justtrades.metrics import MetricsView
from recorders.webhook import WebhookView

# Its senders have no cookie to be abused, so it has no CSRF check (DRF exempts its views); the token is the authority.
webhook = WebhookView.as_view(schema=None)

# The admin's own sign-in form knows nothing of second factors and rate limits: send staff through the product's.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns: list[URLPattern | URLResolver] = [
    path("webhook/<str:token>", webhook),
    path("webhook/<str:token>/", webhook, name="webhook"),
    path("live", health.live, name="live"),
    path("ready", health.ready, name="ready"),
    path("metrics", MetricsView.as_view(), name="metrics"),
    path("api/", include("justtrades.api_urls")),
    path("admin/", admin.site.urls),
    path("", include("accounts.urls")),
    path("", include("brokers.urls")),
    path("", include("recorders.urls")),
    path("", include("traders.urls")),
    path("", include("execution.urls")),
]

handler400 = "justtrades.pages.bad_request"
handler403 = "justtrades.pages.permission_denied"
handler404 = "justtrades.pages.not_found"
handler500 = "justtrades.pages.server_error"
