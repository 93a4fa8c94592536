"""The addresses of the live process."""

from django.urls import path

from execution.consumers import LiveConsumer

websocket_urlpatterns = [path("ws/live/", LiveConsumer.as_asgi())]
