"""Housekeeping that belongs to no app."""

from __future__ import annotations

from celery import shared_task
from django.core.management import call_command


@shared_task(name="justtrades.clean_up")
def clean_up() -> None:
    """Delete expired sessions."""
    call_command("clearsessions")
