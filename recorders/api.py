"""Recorders and their signals over the API."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import signed_in
from justtrades.api import ApiErrorSerializer, OwnRowsViewSet, StrictModelSerializer, StrictSerializer
from recorders import selectors, services
from recorders.models import Recorder, Signal, SignalStatus, WebhookToken
from recorders.parse import MAX_BODY_BYTES
from recorders.receive import Inbox, receive_alert
from recorders.settings_api import FlatSettings


class AddressSerializer(StrictModelSerializer):
    """A live webhook address, as much of it as may be shown again."""

    class Meta:
        model = WebhookToken
        fields = ("last_four", "created_at", "expires_at")
        read_only_fields = fields


class SymbolMapField(serializers.DictField):
    """Texts to texts; the keys are held to what the values are."""

    child = serializers.CharField(max_length=64)

    def to_internal_value(self, data: Any) -> dict[str, str]:
        if isinstance(data, Mapping):
            for key in data:
                self.child.run_validation(key)
        return super().to_internal_value(data)


class RecorderSerializer(FlatSettings, StrictModelSerializer):
    """A recorder with its settings. What a PATCH does not give stays as it is."""

    symbol_map = SymbolMapField(
        required=False, help_text='Tickers as the alerts write them, and what is meant: {"NAS": "NQ1!"}.'
    )
    addresses = AddressSerializer(source="live_tokens", many=True, read_only=True)

    class Meta:
        model = Recorder
        fields: tuple[str, ...] = (
            "id",
            "name",
            "is_enabled",
            "symbol_map",
            "on_desync",
            "expected_every_minutes",
            "created_at",
            "addresses",
        )
        read_only_fields = ("id", "created_at")
        extra_kwargs = {
            "on_desync": {"help_text": "What a gap in the alerts leads to: converge to where they say, or ask."},
            "expected_every_minutes": {"help_text": "Minutes without an alert until a notice says so; 0 is never."},
        }


class NewRecorderSerializer(RecorderSerializer):
    webhook_url = serializers.CharField(read_only=True, help_text="The address for the alert. It is shown this once.")

    class Meta(RecorderSerializer.Meta):
        fields = (*RecorderSerializer.Meta.fields, "webhook_url")


class RotationSerializer(StrictSerializer):
    overlap_hours = serializers.IntegerField(
        min_value=0,
        max_value=services.LONGEST_OVERLAP // timedelta(hours=1),
        default=services.ROTATION_OVERLAP // timedelta(hours=1),
        help_text="How long the older addresses still work; 0 ends them now.",
    )


class WebhookUrlSerializer(serializers.Serializer[Any]):
    webhook_url = serializers.CharField(help_text="The address for the alert. It is shown this once.")


class ReceiptSerializer(serializers.Serializer[Any]):
    signal_id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=SignalStatus.choices)
    is_resend = serializers.BooleanField(help_text="The same alert was stored before; the id is the first one's.")
    reason_code = serializers.CharField(allow_blank=True)
    reason_text = serializers.CharField(allow_blank=True)


class SignalSerializer(StrictModelSerializer):
    class Meta:
        model = Signal
        fields: tuple[str, ...] = (
            "id",
            "recorder",
            "status",
            "reason_code",
            "reason_text",
            "action",
            "ticker",
            "quantity",
            "price",
            "position",
            "prev_position",
            "fired_at",
            "received_at",
            "planned_at",
            "resend_count",
        )
        read_only_fields = fields


class SignalDetailSerializer(SignalSerializer):
    body = serializers.SerializerMethodField(help_text="The alert as it came; bytes that are no UTF-8 are U+FFFD.")

    class Meta(SignalSerializer.Meta):
        fields = (*SignalSerializer.Meta.fields, "body")

    def get_body(self, signal: Signal) -> str:
        return selectors.body_text(signal)


class SignalFilter(filters.FilterSet):
    status = filters.MultipleChoiceFilter(choices=SignalStatus.choices)
    recorder = filters.UUIDFilter(field_name="recorder_id")
    symbol = filters.CharFilter(field_name="ticker", lookup_expr="iexact")
    since = filters.IsoDateTimeFilter(field_name="received_at", lookup_expr="gte")


class RecorderViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OwnRowsViewSet):
    """Named webhook inboxes and the settings that their traders inherit. A change counts from the next signal."""

    serializer_class = RecorderSerializer

    def get_queryset(self) -> QuerySet[Recorder]:
        return selectors.list_recorders_with_tokens_for(self.request.user)

    @extend_schema(request=RecorderSerializer, responses={201: NewRecorderSerializer, 400: ApiErrorSerializer})
    def create(self, request: Request) -> Response:
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        return self._made(*services.create_recorder(owner=signed_in(request.user), **given.validated_data))

    @extend_schema(request=None, responses={201: NewRecorderSerializer, 400: ApiErrorSerializer})
    @action(detail=True, methods=["post"])
    def clone(self, request: Request, pk: str) -> Response:
        """Another one with the same settings, a name and an address of its own, and nobody who follows it."""
        return self._made(*services.clone_recorder(recorder=self.get_object()))

    @extend_schema(responses={200: RecorderSerializer, 400: ApiErrorSerializer})
    def partial_update(self, request: Request, pk: str) -> Response:
        recorder = self.get_object()
        given = self.get_serializer(recorder, data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        return Response(self.get_serializer(services.update_recorder(recorder=recorder, **given.validated_data)).data)

    @extend_schema(responses={204: OpenApiResponse(description="Deleted."), 400: ApiErrorSerializer})
    def destroy(self, request: Request, pk: str) -> Response:
        """Only a recorder without signals and traders; disable any other."""
        services.delete_recorder(recorder=self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        request=RotationSerializer, responses={200: WebhookUrlSerializer, 400: ApiErrorSerializer}, filters=False
    )
    @action(detail=True, methods=["post"], url_path="rotate-token", serializer_class=RotationSerializer)
    def rotate_token(self, request: Request, pk: str) -> Response:
        recorder = self.get_object()
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        overlap = timedelta(hours=given.validated_data["overlap_hours"])
        token = services.rotate_token(recorder=recorder, overlap=overlap)
        return Response({"webhook_url": services.webhook_url(token)})

    @extend_schema(request=None, responses={204: OpenApiResponse(description="Only the newest address still works.")})
    @action(detail=True, methods=["post"], url_path="revoke-older-tokens")
    def revoke_older_tokens(self, request: Request, pk: str) -> Response:
        services.revoke_older_tokens(recorder=self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _made(self, recorder: Recorder, token: str) -> Response:
        """Read again: the new address is among those that it shows."""
        shown = self.get_serializer(self.get_queryset().get(pk=recorder.pk)).data
        return Response({**shown, "webhook_url": services.webhook_url(token)}, status=status.HTTP_201_CREATED)

    @extend_schema(request={"application/json": OpenApiTypes.OBJECT}, responses={200: ReceiptSerializer}, filters=False)
    @action(detail=True, methods=["post"], url_path="test-alert", parser_classes=())
    def test_alert(self, request: Request, pk: str) -> Response:
        """Take in the body exactly as if it had come to the webhook: a real signal, and real orders if it is sound."""
        recorder = self.get_object()
        inbox = Inbox(recorder.pk, recorder.owner_id, recorder.is_enabled)
        body = request._request.read(MAX_BODY_BYTES + 1)
        receipt = receive_alert(inbox=inbox, body=body, source_ip=request.META.get("REMOTE_ADDR"))
        reason = receipt.refusal
        answer = {
            "signal_id": receipt.signal_id,
            "status": receipt.status,
            "is_resend": receipt.is_resend,
            "reason_code": reason.code if reason is not None else "",
            "reason_text": reason.text if reason is not None else "",
        }
        return Response(ReceiptSerializer(answer).data)


class SignalViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OwnRowsViewSet):
    """Every alert that came to one's recorders, newest first, the refused ones with their reasons."""

    filterset_class = SignalFilter

    def get_queryset(self) -> QuerySet[Signal]:
        signals = selectors.list_signals_for(self.request.user)
        return signals if self.action == "retrieve" else signals.defer("body")

    def get_serializer_class(self) -> type[SignalSerializer]:
        return SignalDetailSerializer if self.action == "retrieve" else SignalSerializer
