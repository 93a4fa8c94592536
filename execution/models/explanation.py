"""Why followers did what they did."""

from __future__ import annotations

from django.db import models

from justtrades import clock


class Explanation(models.Model):
    """Why a follower did what it did: settings with their sources, verdicts, size and plan. Shared by equal ones.

    `digest` is the SHA-256 of the document: what was decided alike is stored once, and never changes.
    """

    digest = models.CharField(max_length=64, primary_key=True)
    document = models.JSONField()
    created_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.digest[:12]
