"""The Celery application of every worker and of beat: `celery -A celery_app worker`."""

from __future__ import annotations

import os

from celery import Celery, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "justtrades.settings")

app = Celery("justtrades")
app.config_from_object("justtrades.celery_config")
app.autodiscover_tasks()
# Threads of the web processes ring too, and only the default application is theirs.
app.set_default()


@signals.setup_logging.connect
def keep_our_logging(**_: object) -> None:
    """Celery configures logging only if nobody answers this signal; the settings have done it already."""


@signals.worker_init.connect
def become_lane(**_: object) -> None:
    """A worker started for a lane owns its broker connections. The apps are loaded by now, unlike above."""
    from django.conf import settings

    if "LANE" in settings.ENV.model_fields_set:
        from execution.lane.bootstep import LaneStep

        app.steps["worker"].add(LaneStep)
