"""The web process: pages, API and webhooks."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import resolve

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "justtrades.settings")
application = get_wsgi_application()
# Loads every view now: else the first alert at each worker would wait a quarter of a second for it.
resolve("/live")
