"""When each of our own loops last said that it is alive."""

from __future__ import annotations

from django.db import models


class Heartbeat(models.Model):
    """One row per loop: "sweeper", "lane.0", "lane.1" and so on. Written only by `execution.health.beat`."""

    name = models.CharField(max_length=64, primary_key=True)
    beat_at = models.DateTimeField()
    detail = models.JSONField(default=dict)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
