"""The Celery application of every worker and of beat: `celery -A celery_app worker`."""

from __future__ import annotations

import os
import warnings

from celery import Celery, signals
from celery.exceptions import CPendingDeprecationWarning

# Said at every loss of Redis: that tasks run on and may be delivered again. The rows are the queue, so they may.
warnings.filterwarnings("ignore", message=r"\s*In Celery 5\.1 we introduced", category=CPendingDeprecationWarning)
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
