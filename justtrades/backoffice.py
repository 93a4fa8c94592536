"""What the admin pages of every app share."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from unfold.admin import ModelAdmin


class KeptAdmin(ModelAdmin):
    """Rows that people may look at and adjust, but that only services make and nothing deletes."""

    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False


class HistoryAdmin(KeptAdmin):
    """Rows that say what happened: nobody changes them."""

    def has_change_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False
