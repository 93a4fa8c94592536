"""Django settings: one file, all of it from `justtrades.environment`."""

from pathlib import Path
from typing import Any

import dj_database_url
import django_stubs_ext
from csp.constants import NONE, SELF

from justtrades.environment import ROOT, read_environment
from justtrades.logging import logging_config

django_stubs_ext.monkeypatch()

ENV = read_environment()
BASE_DIR = ROOT
VERSION = "0.1.0"

DEBUG = ENV.DEBUG
SECRET_KEY = ENV.SECRET_KEY
FIELD_ENCRYPTION_KEYS = ENV.FIELD_ENCRYPTION_KEYS
ALLOWED_HOSTS = ENV.ALLOWED_HOSTS
CSRF_TRUSTED_ORIGINS = ENV.CSRF_TRUSTED_ORIGINS
BASE_URL = ENV.BASE_URL.rstrip("/")
LIVE_URL = ENV.LIVE_URL.rstrip("/")
STATE_DIR: Path = ENV.STATE_DIR
LANES = ENV.LANES
LANE = ENV.LANE
DEBUG_FAULTS = ENV.DEBUG_FAULTS
KILL_POINT = ENV.JT_KILL if ENV.DEBUG_FAULTS else ""

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django_htmx",
    "django_prometheus",
    "channels",
    "justtrades",
    "accounts",
    "billing",
    "brokers",
    "recorders",
    "traders",
    "risk",
    "execution",
]

MIDDLEWARE = [
    "recorders.middleware.WebhooksFirst",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.middleware.UserTimeZoneMiddleware",
]

ROOT_URLCONF = "justtrades.urls"
WSGI_APPLICATION = "justtrades.wsgi.application"
ASGI_APPLICATION = "justtrades.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "justtrades.context.site",
            ],
        },
    },
]

_DATABASE: dict[str, Any] = dict(
    dj_database_url.parse(ENV.DATABASE_URL or "postgresql://postgres@127.0.0.1:5432/justtrades")
)
DATABASES = {
    "default": {
        **_DATABASE,
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            **_DATABASE.get("OPTIONS", {}),
            "connect_timeout": 1,
            "options": "-c lock_timeout=3s -c statement_timeout=5s -c idle_in_transaction_session_timeout=10s",
            "application_name": "justtrades",
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = (ENV.REDIS_URL or "redis://127.0.0.1:6379").rstrip("/")
CELERY_BROKER_URL = f"{REDIS_URL}/0"
BUDGETS_URL = f"{REDIS_URL}/3"
# Pre-trade limits of the platform itself; whoever asks for more than twice a rate has the kill switch tripped.
ENTRIES_PER_MINUTE_ACCOUNT = ENV.ENTRIES_PER_MINUTE_ACCOUNT
SIGNALS_PER_MINUTE_RECORDER = ENV.SIGNALS_PER_MINUTE_RECORDER
ENTRIES_PER_MINUTE_PLATFORM = ENV.ENTRIES_PER_MINUTE_PLATFORM
MOST_WORKING_ORDERS = ENV.MOST_WORKING_ORDERS
PRICE_COLLAR_PERCENT = ENV.PRICE_COLLAR_PERCENT
# Where the exchange's hours count: sandboxes and paper accounts trade around the clock.
SESSION_CHECKED_ENVIRONMENTS = ENV.SESSION_CHECKED_ENVIRONMENTS
RECONCILE_EVERY_S = ENV.RECONCILE_EVERY_S
# Prices for screens only, delayed as TradingView says; lane 0 asks for them.
TRADINGVIEW_QUOTES = ENV.TRADINGVIEW_QUOTES
# All processes behind one public address share what venues allow an address.
EGRESS_ADDRESS = ENV.EGRESS_ADDRESS
CHANNELS_URL = f"{REDIS_URL}/1"
CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": f"{REDIS_URL}/2",
        "OPTIONS": {"SOCKET_CONNECT_TIMEOUT": 0.25, "SOCKET_TIMEOUT": 0.25},
    }
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {
            # channels_redis waits up to 5 s for news, which is as long as redis-py waits for any answer by default.
            "hosts": [{"address": CHANNELS_URL, "socket_timeout": 15, "socket_connect_timeout": 2}],
            "capacity": 200,
            "prefix": "jt",
        },
    }
}
SESSION_ENGINE = "django.contrib.sessions.backends.db"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "optional"
CSRF_FAILURE_VIEW = "justtrades.pages.csrf_failed"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "dashboard"
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"

LANGUAGE_CODE = "en-us"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = STATE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = True

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ENV.SECURE_COOKIES
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 7 * 24 * 3600
SECURE_HSTS_SECONDS = 31_536_000 if ENV.SECURE_COOKIES else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENV.SECURE_COOKIES else None
X_FRAME_OPTIONS = "DENY"
_LIVE_ADDRESS = LIVE_URL.replace("http", "ws", 1)
_LIVE_SOURCES = sorted({_LIVE_ADDRESS, _LIVE_ADDRESS.replace("127.0.0.1", "localhost", 1)}) if LIVE_URL else []
CONTENT_SECURITY_POLICY = {
    # The admin and the API docs bring inline scripts of their own; they are behind sign-in and carry no alert text
    # that is not escaped.
    "EXCLUDE_URL_PREFIXES": ["/admin/", "/api/docs/"],
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF, *_LIVE_SOURCES],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
    },
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "knox.auth.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.LimitOffsetPagination",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "PAGE_SIZE": 50,
    "COERCE_DECIMAL_TO_STRING": True,
    "NUM_PROXIES": ENV.PROXIES,
}
REST_KNOX = {"TOKEN_TTL": None, "AUTH_HEADER_PREFIX": "Token", "TOKEN_PREFIX": "jt_"}
SPECTACULAR_SETTINGS = {
    "TITLE": "Just Trades API",
    "VERSION": VERSION,
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "DistanceUnit": "recorders.settings_api.UNITS",
        "SignalStatus": "recorders.models.SignalStatus",
        "IntentStatus": "execution.models.IntentStatus",
        "OrderStatus": "execution.filters.ORDER_STATUSES",
        "ConnectionState": "brokers.models.CONNECTION_STATES",
        "LimitScope": "risk.models.LimitScope",
        "SwitchScope": "risk.models.SwitchScope",
        "RiskActionStatus": "risk.models.ActionStatus",
        "LimitKind": "risk.models.LimitKind",
        "LimitUnit": "risk.models.Unit",
    },
}

# What this installation says; every other address is the venue's own, see `brokers.venue.Venue.endpoints`.
_TRADOVATE_SANDBOX = (
    ENV.SANDBOX_TRADOVATE_REST_URL,
    ENV.SANDBOX_TRADOVATE_WS_URL,
    ENV.SANDBOX_TRADOVATE_MD_URL,
)
BROKER_ENDPOINTS = {
    ("tradovate", "sandbox"): _TRADOVATE_SANDBOX,
    ("ninjatrader", "sandbox"): _TRADOVATE_SANDBOX,
    ("projectx", "sandbox"): (
        ENV.SANDBOX_PROJECTX_REST_URL,
        ENV.SANDBOX_PROJECTX_WS_URL,
        ENV.SANDBOX_PROJECTX_MD_URL,
    ),
    ("webull", "sandbox"): (ENV.SANDBOX_WEBULL_REST_URL, ENV.SANDBOX_WEBULL_WS_URL, ENV.SANDBOX_WEBULL_MD_URL),
}

# By venue: client id, secret, and the addresses of its sign-in page and its tokens where they are not the usual ones.
_TRADOVATE_CLIENT = (
    ENV.OAUTH_TRADOVATE_CLIENT_ID,
    ENV.OAUTH_TRADOVATE_CLIENT_SECRET,
    ENV.OAUTH_TRADOVATE_AUTHORIZE_URL.rstrip("/"),
    ENV.OAUTH_TRADOVATE_TOKEN_URL.rstrip("/"),
)
OAUTH_CLIENTS = {"tradovate": _TRADOVATE_CLIENT, "ninjatrader": _TRADOVATE_CLIENT}

LOGGING_CONFIG = None
logging_config(ENV.LOG_LEVEL, human=DEBUG)
