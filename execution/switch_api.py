"""The kill switch, and the two commands for when everything is to stop, over the API."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from accounts.selectors import signed_in
from accounts.step_up import StepUpSerializer, prove
from brokers.selectors import get_account_for
from execution import commands, feed
from execution.commands_api import CommandSerializer
from execution.preview import FlattenPreview
from justtrades.api import ApiErrorSerializer, ApiView, OwnRowsViewSet, StrictModelSerializer, StrictSerializer
from recorders.selectors import get_recorder_for
from risk import selectors, switch
from risk.models import Switch, SwitchMode, SwitchScope

STEP_UP_RESPONSES = {400: ApiErrorSerializer, 403: ApiErrorSerializer, 429: ApiErrorSerializer}


class SwitchSerializer(StrictModelSerializer):
    """A switch that is on. `by` is `you`, `staff` or `throttle`; what staff stopped, only staff releases."""

    by = serializers.SerializerMethodField()
    may_release = serializers.SerializerMethodField()

    class Meta:
        model = Switch
        fields = ("id", "scope", "target", "mode", "reason", "by", "tripped_at", "may_release")
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(choices=["you", "staff", "throttle"]))
    def get_by(self, tripped: Switch) -> str:
        if tripped.actor_id is None:
            return "throttle"
        return "you" if tripped.actor_id == self._reader.pk else "staff"

    def get_may_release(self, tripped: Switch) -> bool:
        return switch.may_release(self._reader, tripped)

    @property
    def _reader(self) -> User:
        return signed_in(self.context["request"].user)


class TripSerializer(StrictSerializer):
    scope = serializers.ChoiceField(choices=SwitchScope.choices, help_text="platform is for staff.")
    target = serializers.UUIDField(required=False, help_text="The account or recorder; none for user and platform.")
    mode = serializers.ChoiceField(choices=SwitchMode.choices, default=SwitchMode.REDUCE_ONLY)
    reason = serializers.CharField(max_length=switch.MAX_REASON)


class SwitchViewSet(mixins.ListModelMixin, OwnRowsViewSet):
    """What stops your new exposure now, the platform's switch included. Exits always pass."""

    serializer_class = SwitchSerializer
    filter_backends = ()

    def get_queryset(self) -> QuerySet[Switch]:
        return selectors.list_switches_for(self.request.user)

    @extend_schema(
        request=TripSerializer,
        responses={
            201: SwitchSerializer, 400: ApiErrorSerializer, 403: ApiErrorSerializer,
            404: OpenApiResponse(description="Not yours."),
        },
    )  # fmt: skip
    def create(self, request: Request) -> Response:
        """Trip it: nothing new is opened in the scope, everywhere within a second, until somebody releases it.

        A halt also cancels entries that wait at the broker. What is on already stays on, and becomes a halt if this
        is one. It asks for no password: stopping must be quick.
        """
        given = TripSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        asked, user = given.validated_data, signed_in(request.user)
        scope = SwitchScope(asked["scope"])
        tripped = switch.trip(
            scope=scope,
            target=_target(user, scope, asked.get("target")),
            mode=SwitchMode(asked["mode"]),
            reason=asked["reason"],
            actor_id=user.pk,
            owner_id=None if scope is SwitchScope.PLATFORM else user.pk,
        )
        feed.announce(user.pk, "connections")
        return Response(self.get_serializer(tripped).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=StepUpSerializer, responses={200: SwitchSerializer, **STEP_UP_RESPONSES})
    @action(detail=True, methods=["post"])
    def release(self, request: Request, pk: UUID) -> Response:
        """Let new exposure through again. Asks for the password, or the code of a second factor, once more."""
        tripped = selectors.get_switch_for(request.user, pk)
        _step_up(request, self)
        released = switch.release(switch=tripped, actor=signed_in(request.user))
        feed.announce(signed_in(request.user).pk, "connections")
        return Response(self.get_serializer(released).data)


class FlattenPreviewSerializer(serializers.Serializer[FlattenPreview]):
    text = serializers.CharField(help_text="Closes 7 positions on 4 accounts, cancels 14 orders.")
    accounts = serializers.SerializerMethodField()
    positions = serializers.IntegerField()
    orders = serializers.IntegerField()
    lines = serializers.ListField(child=serializers.CharField(), help_text="Each account with what it has.")

    def get_accounts(self, found: FlattenPreview) -> int:
        return len(found.accounts)


class DisablePreviewSerializer(serializers.Serializer[Any]):
    traders = serializers.IntegerField(help_text="How many are on.")


class FlattenAllView(ApiView):
    """Close all that your accounts hold, whoever opened it, and cancel all that works, until the brokers say flat."""

    serializer_class = StepUpSerializer

    @extend_schema(operation_id="flatten_all_preview", responses=FlattenPreviewSerializer)
    def get(self, request: Request) -> Response:
        """What it would do now."""
        return Response(FlattenPreviewSerializer(commands.preview_flatten(signed_in(request.user))).data)

    @extend_schema(
        operation_id="flatten_all", request=StepUpSerializer, responses={202: CommandSerializer, **STEP_UP_RESPONSES}
    )
    def post(self, request: Request) -> Response:
        """Asks for the password, or the code of a second factor, once more."""
        _step_up(request, self)
        user = signed_in(request.user)
        command = commands.flatten_everything(actor=user, owner=user)
        return Response(CommandSerializer(command).data, status=status.HTTP_202_ACCEPTED)


class DisableAllView(ApiView):
    """Switch every trader of yours off: no signal opens anything any more. What is open keeps its exits."""

    serializer_class = StepUpSerializer

    @extend_schema(operation_id="disable_all_preview", responses=DisablePreviewSerializer)
    def get(self, request: Request) -> Response:
        """What it would do now."""
        return Response({"traders": commands.preview_disable(signed_in(request.user))})

    @extend_schema(
        operation_id="disable_all", request=StepUpSerializer, responses={202: CommandSerializer, **STEP_UP_RESPONSES}
    )
    def post(self, request: Request) -> Response:
        """Asks for the password, or the code of a second factor, once more."""
        _step_up(request, self)
        user = signed_in(request.user)
        command = commands.disable_all(actor=user, owner=user)
        return Response(CommandSerializer(command).data, status=status.HTTP_202_ACCEPTED)


def _step_up(request: Request, view: Any) -> None:
    given = StepUpSerializer(data=request.data)
    given.is_valid(raise_exception=True)
    prove(request, view, **given.validated_data)


def _target(user: User, scope: SwitchScope, target: UUID | None) -> str:
    """What the switch is about, as text. Raises `DoesNotExist` for what is not the user's, `PermissionDenied`."""
    if scope is SwitchScope.PLATFORM:
        if not user.is_staff:
            raise PermissionDenied("Only an administrator may stop the whole platform.")
        return ""
    if scope is SwitchScope.USER:
        if target not in {None, user.pk}:
            raise User.DoesNotExist
        return str(user.pk)
    if target is None:
        raise serializers.ValidationError({"target": ["Say which one."]})
    found = get_account_for(user, target) if scope is SwitchScope.ACCOUNT else get_recorder_for(user, target)
    return str(found.pk)
