"""How limits, rules, packs and locks look over the API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.step_up import StepUpSerializer
from brokers.selectors import list_accounts_for
from justtrades.api import PlainDecimalField, StrictModelSerializer
from recorders.selectors import list_recorders_for
from risk.models import AccountRules, PackAssignment, RiskAction, RiskLimit
from risk.packfile import Pack
from risk.selectors import is_in_force
from risk.services import may_unlock
from traders.preview_api import OwnedField
from traders.selectors import list_traders_for

_PROOF = ("password", "code")
_TERMS = ("amount", "unit", "basis", "is_enabled", "owner_may_unlock")


class LimitSerializer(StrictModelSerializer):
    """One limit; `text` says it for people. Of `trader`, `account` and `recorder` the one that `scope` names is set."""

    text = serializers.CharField(source="__str__", read_only=True)

    class Meta:
        model = RiskLimit
        fields = (
            "id", "scope", "trader", "account", "recorder", "kind", *_TERMS, "text", "created_at", "updated_at",
        )  # fmt: skip
        read_only_fields = fields


class NewLimitSerializer(StrictModelSerializer):
    trader = OwnedField(selector=list_traders_for, required=False, allow_null=True)
    account = OwnedField(selector=list_accounts_for, required=False, allow_null=True)
    recorder = OwnedField(selector=list_recorders_for, required=False, allow_null=True)

    class Meta:
        model = RiskLimit
        fields = ("scope", "trader", "account", "recorder", "kind", *_TERMS)
        # The service says which limit there is already; one of the model's constraints would say it less well.
        validators: list[Any] = []

    def as_given(self) -> dict[str, Any]:
        """As `services.set_limit` takes it."""
        given = dict(self.validated_data)
        target = {name: given.pop(name) for name in ("trader", "account", "recorder") if name in given}
        return {**given, "target": target}


class LimitChangesSerializer(StepUpSerializer, StrictModelSerializer):
    """Its scope, target and kind are what it is.

    `password` and `code` are for what loosens one that only staff may lift.
    """

    class Meta:
        model = RiskLimit
        fields = (*_TERMS, *_PROOF)


class RulesSerializer(StrictModelSerializer):
    """How the account's day is counted. `roll_at` is a wall clock's time in `roll_zone`."""

    class Meta:
        model = AccountRules
        fields = ("fee_per_contract", "roll_at", "roll_zone", "unprotected_policy", "unprotected_after_s")


class AssignmentSerializer(StrictModelSerializer):
    account_name = serializers.CharField(source="account.name", read_only=True)

    class Meta:
        model = PackAssignment
        fields = ("id", "account", "account_name", "pack", "version", "start_balance", "is_enforced", "assigned_at")
        read_only_fields = fields


class NewAssignmentSerializer(StepUpSerializer, StrictModelSerializer):
    """`password` and `code` are for what takes the place of rules that are enforced."""

    account = OwnedField(selector=list_accounts_for)

    class Meta:
        model = PackAssignment
        fields = ("account", "pack", "version", "start_balance", "is_enforced", *_PROOF)


class RulePackSerializer(serializers.Serializer[Any]):
    """A version of a prop firm's rules for one kind of account; check it against `source`."""

    name = serializers.CharField()
    version = serializers.IntegerField()
    title = serializers.CharField()
    account_size = PlainDecimalField(max_digits=20, decimal_places=2)
    source = serializers.CharField()  # type: ignore[assignment]
    checked_on = serializers.DateField()
    note = serializers.CharField()
    rules = serializers.SerializerMethodField()

    @extend_schema_field(serializers.DictField())
    def get_rules(self, pack: Pack) -> dict[str, Any]:
        told = {"name", "version", "firm", "label", "account_size", "source", "checked_on", "note"}
        return pack.model_dump(mode="json", exclude=told, exclude_none=True)


class ActionSerializer(StrictModelSerializer):
    """A limit that was reached; `had` and `allowed` are dollars."""

    account_name = serializers.CharField(source="account.name", read_only=True)
    is_locked = serializers.SerializerMethodField(help_text="It keeps entries out now.")
    may_unlock = serializers.SerializerMethodField(help_text="Whoever asks may lift the lock.")

    class Meta:
        model = RiskAction
        fields = (
            "id", "account", "account_name", "trader", "limit", "limit_key", "session", "code", "text", "had",
            "allowed", "status", "decided_at", "flat_at", "locks_until", "unlocked_at", "is_locked", "may_unlock",
        )  # fmt: skip
        read_only_fields = fields

    def get_is_locked(self, action: RiskAction) -> bool:
        return is_in_force(action)

    def get_may_unlock(self, action: RiskAction) -> bool:
        return may_unlock(self.context["request"].user, action)
