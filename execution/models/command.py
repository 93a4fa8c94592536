"""What a person asked for by hand."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from justtrades import clock
from justtrades.ids import new_id


class Command(models.Model):
    """A person pressed a button: the second of the three sources of intents. `payload` is what was asked for."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="commands")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    kind = models.CharField(max_length=16)
    payload = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return self.kind
