"""Limits, account rules, rule packs and locks over the API."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.selectors import signed_in
from accounts.step_up import StepUpSerializer, proof_in, prove
from brokers.selectors import get_account_for
from justtrades.api import ApiErrorSerializer, BaseApiView, OwnRowsViewSet
from risk import packs, selectors, services
from risk.models import PackAssignment, RiskAction, RiskLimit
from risk.serializers import (
    ActionSerializer,
    AssignmentSerializer,
    LimitChangesSerializer,
    LimitSerializer,
    NewAssignmentSerializer,
    NewLimitSerializer,
    RulePackSerializer,
    RulesSerializer,
)

REFUSALS = {400: ApiErrorSerializer, 403: ApiErrorSerializer, 429: ApiErrorSerializer}


class LimitFilter(filters.FilterSet):
    """By ids as they are given: a list of what there is to choose from would have every tenant's rows."""

    account = filters.UUIDFilter(field_name="account_id")
    trader = filters.UUIDFilter(field_name="trader_id")
    recorder = filters.UUIDFilter(field_name="recorder_id")

    class Meta:
        model = RiskLimit
        fields = ("scope", "kind", "account", "trader", "recorder", "is_enabled")


class ActionFilter(filters.FilterSet):
    account = filters.UUIDFilter(field_name="account_id")

    class Meta:
        model = RiskAction
        fields = ("account", "status", "session")


class LimitViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OwnRowsViewSet):
    """What may be lost, won or held: by a trader, an account, a recorder's traders or everything of yours."""

    serializer_class = LimitSerializer
    filterset_class = LimitFilter

    def get_queryset(self) -> QuerySet[RiskLimit]:
        return selectors.list_limits_for(self.request.user)

    @extend_schema(request=NewLimitSerializer, responses={201: LimitSerializer, 400: ApiErrorSerializer})
    def create(self, request: Request) -> Response:
        """In force at once. What counts contracts or positions has the unit `count`, money `dollars` or `percent`."""
        given = NewLimitSerializer(data=request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        user = signed_in(request.user)
        limit = services.set_limit(owner=user, actor=user, **given.as_given())
        return Response(self.get_serializer(limit).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=LimitChangesSerializer, responses={200: LimitSerializer, **REFUSALS})
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Tightened it counts at once; it is not loosened while it keeps entries out: unlock first.

        What loosens one that only staff may lift asks for the password, or the code of a second factor, once more.
        """
        limit = self.get_object()
        given = LimitChangesSerializer(limit, data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        changes = dict(given.validated_data)
        proof = proof_in(changes)
        if services.limit_loosens(limit, changes):  # type: ignore[arg-type]
            prove(request, self, **proof)
        changed = services.change_limit(limit=limit, actor=signed_in(request.user), **changes)
        return Response(self.get_serializer(changed).data)

    @extend_schema(responses={204: OpenApiResponse(description="Removed."), **REFUSALS})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """One that only staff may lift asks for the password once more, in the body as unlocking does."""
        limit = self.get_object()
        if services.binds(limit):
            _step_up(request, self)
        services.remove_limit(limit=limit, actor=signed_in(request.user))
        return Response(status=status.HTTP_204_NO_CONTENT)


class RulesView(BaseApiView):
    """How an account's day is counted, and what follows when a position stays without its stop."""

    @extend_schema(operation_id="risk_rules", responses=RulesSerializer)
    def get(self, request: Request, account: UUID) -> Response:
        return Response(RulesSerializer(selectors.rules_of(get_account_for(request.user, account))).data)

    @extend_schema(
        operation_id="risk_rules_set",
        request=RulesSerializer,
        responses={200: RulesSerializer, 400: ApiErrorSerializer},
    )
    def put(self, request: Request, account: UUID) -> Response:
        """What is left out stays."""
        found = get_account_for(request.user, account)
        given = RulesSerializer(data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        rules = services.set_rules(account=found, actor=signed_in(request.user), **given.validated_data)
        return Response(RulesSerializer(rules).data)


class RulePacksView(BaseApiView):
    """Every version of every rule pack that an account can be put under."""

    @extend_schema(responses=RulePackSerializer(many=True))
    def get(self, request: Request) -> Response:
        return Response(RulePackSerializer(packs.list_packs(), many=True).data)


class AssignmentViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OwnRowsViewSet):
    """Which accounts are under which prop firm's rules."""

    serializer_class = AssignmentSerializer

    def get_queryset(self) -> QuerySet[PackAssignment]:
        return selectors.list_assignments_for(self.request.user)

    @extend_schema(request=NewAssignmentSerializer, responses={201: AssignmentSerializer, **REFUSALS})
    def create(self, request: Request) -> Response:
        """In place of any other that the account is under.

        Where that is enforced, anything but the same rules with no lower floors asks for the password once more.
        """
        given = NewAssignmentSerializer(data=request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        wanted = dict(given.validated_data)
        proof, account = proof_in(wanted), wanted.pop("account")
        if services.pack_loosens(self.get_queryset().filter(account=account).first(), **wanted):
            prove(request, self, **proof)
        made = services.assign_pack(account=account, actor=signed_in(request.user), **wanted)
        return Response(self.get_serializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(responses={204: OpenApiResponse(description="Removed."), **REFUSALS})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Rules that are enforced ask for the password once more, in the body as unlocking does."""
        assignment = self.get_object()
        if assignment.is_enforced:
            _step_up(request, self)
        services.remove_pack(assignment=assignment, actor=signed_in(request.user))
        return Response(status=status.HTTP_204_NO_CONTENT)


class ActionViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OwnRowsViewSet):
    """Limits that were reached, newest first: what was had and allowed, whether it is flat, and until when it locks."""

    serializer_class = ActionSerializer
    filterset_class = ActionFilter

    def get_queryset(self) -> QuerySet[RiskAction]:
        if self.action == "unlock":
            return selectors.list_actions_seen_by(signed_in(self.request.user))
        return selectors.list_actions_for(self.request.user)

    @extend_schema(
        request=StepUpSerializer,
        responses={200: ActionSerializer, **REFUSALS},
        filters=False,
    )
    @action(detail=True, methods=["post"])
    def unlock(self, request: Request, pk: Any) -> Response:
        """Let entries through before the session rolls. The limit acts no more in this session. Asks for a password."""
        found = self.get_object()
        _step_up(request, self)
        unlocked = services.unlock(action=found, actor=signed_in(request.user))
        return Response(self.get_serializer(unlocked).data)


def _step_up(request: Request, view: APIView) -> None:
    given = StepUpSerializer(data=request.data)
    given.is_valid(raise_exception=True)
    prove(request, view, **given.validated_data)
