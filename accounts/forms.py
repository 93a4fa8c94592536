"""What a user may change about themselves."""

from __future__ import annotations

import zoneinfo

from django import forms

from accounts.models import User


class ProfileForm(forms.ModelForm[User]):
    time_zone = forms.ChoiceField(
        choices=lambda: [(name, name.replace("_", " ")) for name in sorted(zoneinfo.available_timezones())],
        help_text="Every time on every page is shown in it.",
    )

    class Meta:
        model = User
        fields = ("time_zone",)
