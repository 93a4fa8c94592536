"""Celery as a doorbell. A message says "look at the rows now"; losing one, or all of Redis, may only cost latency.

The rows are the queue: no task carries an order, has an eta or a countdown, or keeps a result.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings

broker_url = settings.CELERY_BROKER_URL
broker_connection_retry_on_startup = True
broker_connection_max_retries = None
broker_channel_error_retry = True
# kombu restores what a dead worker held after the visibility timeout plus interval times throttle, by default up to
# 100 s more. The sweeper does not wait for either.
visibility_timeout = 60
broker_transport_options: dict[str, Any] = {
    "socket_timeout": 2,
    "socket_connect_timeout": 1,
    "visibility_timeout": visibility_timeout,
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
}
result_backend_transport_options = {"visibility_timeout": visibility_timeout}

task_acks_late = True
# Without it a task whose process was killed counts as done; with it rows need, and have, an attempt counter.
task_reject_on_worker_lost = True
task_ignore_result = True
task_default_queue = "chores"
task_serializer = "json"
result_serializer = "json"
accept_content = ["json"]

# Celery's Django fix-up closes the database connection around every task unless told how often one may be used again;
# signing in anew took longer than planning. `execution.tasks` drops a connection that failed.
CELERY_DB_REUSE_MAX = 1_000_000_000

worker_prefetch_multiplier = 1
worker_disable_prefetch = True
worker_soft_shutdown_timeout = 15
worker_hijack_root_logger = False
worker_redirect_stdouts = False
worker_send_task_events = False
worker_enable_remote_control = False

timezone = "UTC"
RISK_POLL_S = 5
beat_schedule = {
    # One for each lane, straight into its own queue: see `execution.polls`.
    **{
        f"risk-poll-{lane}": {
            "task": "execution.poll_risk",
            "schedule": timedelta(seconds=RISK_POLL_S),
            "options": {"queue": f"lane.{lane}", "expires": RISK_POLL_S},
        }
        for lane in range(settings.LANES)
    },
    "clean-up": {
        "task": "justtrades.clean_up",
        "schedule": timedelta(days=1),
        "options": {"expires": timedelta(hours=1).total_seconds()},
    },
}
