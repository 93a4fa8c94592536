"""The live process: the browsers' sockets under `/ws/`, and nothing else."""

import os

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "justtrades.settings")
http = get_asgi_application()

from justtrades.routing import websocket_urlpatterns  # noqa: E402 - models need the apps that the line above loads

application = ProtocolTypeRouter(
    {
        "http": http,
        "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(websocket_urlpatterns))),
    }
)
