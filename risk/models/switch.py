"""The kill switch."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from justtrades import clock
from justtrades.ids import new_id


class SwitchScope(models.TextChoices):
    PLATFORM = "platform", "Everything"
    USER = "user", "User"
    ACCOUNT = "account", "Account"
    RECORDER = "recorder", "Recorder"


class SwitchMode(models.TextChoices):
    """REDUCE_ONLY lets exits pass and nothing else; HALT also cancels entries that wait at the broker."""

    REDUCE_ONLY = "reduce_only", "Exits only"
    HALT = "halt", "Halt"


class Switch(models.Model):
    """One tripping of the switch, in force until `released_at`. `target` is the id of what the scope names, as text.

    `actor` None: tripped by a throttle. `owner` is whose trading it stops, None for the platform.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="kill_switches"
    )
    scope = models.CharField(max_length=8, choices=SwitchScope)
    target = models.CharField(max_length=36, blank=True)
    mode = models.CharField(max_length=12, choices=SwitchMode)
    reason = models.CharField(max_length=255)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    tripped_at = models.DateTimeField(default=clock.now)
    released_at = models.DateTimeField(null=True, blank=True)
    released_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ("-tripped_at",)
        constraints = (
            models.UniqueConstraint(
                fields=["scope", "target"],
                condition=models.Q(released_at__isnull=True),
                name="one_switch_in_force_per_target",
            ),
        )

    def __str__(self) -> str:
        return f"{self.scope} {self.target} {self.mode}"
