"""Users, approval, and the keys with which they come in: to see and to take away, never to read or to make."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from knox.models import AuthToken
from unfold.admin import ModelAdmin

from accounts import services
from accounts.models import User
from justtrades.backoffice import KeptAdmin

for theirs in (EmailAddress, Authenticator, Group, AuthToken):
    admin.site.unregister(theirs)


@admin.register(User)
class UserAdmin(KeptAdmin):
    list_display = ("email", "is_approved", "is_active", "is_staff", "time_zone", "date_joined", "last_login")
    list_filter = ("is_approved", "is_active", "is_staff")
    search_fields = ("email", "discord_id")
    ordering = ("-date_joined",)
    actions = ("approve", "withdraw_approval")
    fields = (
        "email",
        "is_approved",
        "is_active",
        "time_zone",
        "discord_id",
        "is_staff",
        "is_superuser",
        "groups",
        "date_joined",
        "last_login",
    )
    filter_horizontal = ("groups",)
    readonly_fields = ("email", "date_joined", "last_login")

    def get_readonly_fields(self, request: HttpRequest, _obj: User | None = None) -> tuple[str, ...]:
        # Who may give out power must have all of it: else a member of staff could promote themselves.
        power = () if request.user.is_superuser else ("is_staff", "is_superuser", "groups")
        return (*self.readonly_fields, *power)

    @admin.action(description="Approve: may trade", permissions=["change"])
    def approve(self, request: HttpRequest, users: QuerySet[User]) -> None:
        for user in users:
            services.approve(user=user)
        self.message_user(request, f"{len(users)} approved.", messages.SUCCESS)

    @admin.action(description="Withdraw approval: no new entries", permissions=["change"])
    def withdraw_approval(self, request: HttpRequest, users: QuerySet[User]) -> None:
        for user in users:
            services.withdraw_approval(user=user)
        self.message_user(request, f"{len(users)} may no longer trade.", messages.SUCCESS)


class RevocableAdmin(KeptAdmin):
    """A key: deleting it revokes it, and its secret is not on the page."""

    list_select_related = ("user",)
    search_fields = ("user__email",)

    def has_change_permission(self, _request: HttpRequest, _obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return bool(super(KeptAdmin, self).has_delete_permission(request, obj))


@admin.register(Authenticator)
class AuthenticatorAdmin(RevocableAdmin):
    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    fields = ("user", "type", "created_at", "last_used_at")


@admin.register(AuthToken)
class ApiTokenAdmin(RevocableAdmin):
    list_display = ("token_key", "user", "created", "expiry")
    fields = ("token_key", "user", "created", "expiry")


@admin.register(EmailAddress)
class EmailAddressAdmin(KeptAdmin):
    list_display = ("email", "user", "verified", "primary")
    list_select_related = ("user",)
    list_filter = ("verified",)
    search_fields = ("email", "user__email")
    readonly_fields = ("email", "user", "primary")


@admin.register(Group)
class GroupAdmin(ModelAdmin):
    search_fields = ("name",)
    filter_horizontal = ("permissions",)
