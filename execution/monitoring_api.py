"""The monitoring addresses of the predecessor, for the scripts that call them: true figures, `?limit=`, flat JSON."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from accounts.selectors import signed_in
from execution import selectors
from execution.dialogue import without_secrets
from execution.monitoring import FAILURES, failed_at, intents_seen_by, signals_seen_by, status_for
from execution.timing import SignalTiming, time_signals
from justtrades.api import BaseApiView, OwnRowsViewSet, StrictModelSerializer
from recorders.models import Notice, Signal, SignalStatus
from recorders.selectors import body_text
from recorders.silence import list_notices_for

Plain = serializers.Serializer[Any]
MOST, USUAL = 500, 50


class LimitSerializer(Plain):
    limit = serializers.IntegerField(min_value=1, max_value=MOST, default=USUAL, help_text="How many rows at most.")


class LastErrorSerializer(Plain):
    code = serializers.CharField()
    text = serializers.CharField()
    at = serializers.DateTimeField()


class LaneSerializer(Plain):
    lane = serializers.IntegerField()
    alive = serializers.BooleanField(help_text="Its process beat within the last 10 seconds.")
    beat_age_s = serializers.FloatField(allow_null=True, help_text="Null for a lane that never beat.")
    logins = serializers.IntegerField()
    intents_waiting = serializers.IntegerField(help_text="Intents that are cleared, or still to be.")
    queue_depth = serializers.IntegerField(
        allow_null=True, help_text="Those, and for staff the messages in the lane's queue; null while Redis is away."
    )


class WorkersSerializer(Plain):
    workers_configured = serializers.IntegerField()
    workers_alive = serializers.IntegerField()
    queue_size = serializers.IntegerField(allow_null=True)


class FastWebhookSerializer(WorkersSerializer):
    enabled = serializers.BooleanField()
    queue_size = serializers.IntegerField(help_text="Alerts that are stored and answered, and not planned yet.")


class StatusSerializer(Plain):
    since = serializers.DateTimeField(help_text="The counts are of intents made since then: the last 24 hours.")
    executed = serializers.IntegerField()
    failed = serializers.IntegerField(help_text="Rejected by a broker, or not placed.")
    denied = serializers.IntegerField(help_text="Refused by us.")
    expired = serializers.IntegerField(help_text="Too old to be sent.")
    unknown = serializers.IntegerField(help_text="Nobody knows yet whether the broker has it.")
    last_error = LastErrorSerializer(allow_null=True)
    lanes = LaneSerializer(many=True)
    workers_configured = serializers.IntegerField()
    workers_alive = serializers.IntegerField(help_text="Lanes that are alive.")
    queue_depth = serializers.IntegerField(allow_null=True)
    fast_webhook = FastWebhookSerializer(help_text="The web processes that take alerts in.")
    broker_execution = WorkersSerializer(help_text="The lanes again, by the names that scripts know.")


class FailureSerializer(Plain):
    id = serializers.UUIDField(source="pk")
    status = serializers.CharField()
    signal = serializers.UUIDField(source="signal_id", allow_null=True)
    recorder = serializers.CharField(source="trader.recorder.name")
    trader = serializers.UUIDField(source="trader_id")
    account = serializers.CharField(source="account.name")
    kind = serializers.CharField()
    symbol = serializers.CharField()
    side = serializers.CharField()
    contracts = serializers.IntegerField(source="qty")
    code = serializers.CharField(source="reason_code")
    text = serializers.SerializerMethodField()
    at = serializers.SerializerMethodField()

    def get_text(self, intent: Any) -> str:
        return without_secrets(intent.reason_text)

    @extend_schema_field(serializers.DateTimeField())
    def get_at(self, intent: Any) -> str:
        return str(serializers.DateTimeField().to_representation(failed_at(intent)))


class FailuresSerializer(Plain):
    total_failures = serializers.IntegerField(help_text="Rows in this answer.")
    failures = FailureSerializer(many=True)


class RawWebhookSerializer(Plain):
    id = serializers.UUIDField(source="pk")
    recorder = serializers.CharField(source="recorder.name")
    status = serializers.ChoiceField(choices=SignalStatus.choices)
    reason_code = serializers.CharField()
    reason_text = serializers.CharField()
    action = serializers.CharField(help_text="Empty where it could not be read.")
    ticker = serializers.CharField()
    source_ip = serializers.CharField(allow_null=True)
    received_at = serializers.DateTimeField()
    resend_count = serializers.IntegerField(help_text="How often the same alert came again, and was not acted on.")
    body = serializers.SerializerMethodField()

    def get_body(self, signal: Signal) -> str:
        return body_text(signal)


class RawWebhooksSerializer(Plain):
    total = serializers.IntegerField(help_text="Rows in this answer.")
    webhooks = RawWebhookSerializer(many=True)


class OutcomesSerializer(Plain):
    total = serializers.IntegerField()
    done = serializers.IntegerField()
    denied = serializers.IntegerField()
    failed = serializers.IntegerField()
    unknown = serializers.IntegerField()
    expired = serializers.IntegerField()
    unfinished = serializers.IntegerField()


class ActivitySerializer(Plain):
    id = serializers.UUIDField()
    recorder = serializers.CharField()
    action = serializers.CharField()
    ticker = serializers.CharField()
    status = serializers.ChoiceField(choices=SignalStatus.choices)
    reason_code = serializers.CharField()
    received_at = serializers.DateTimeField()
    planned_at = serializers.DateTimeField(allow_null=True)
    outcomes = OutcomesSerializer(help_text="Its intents by what became of them.")
    to_sent_ms = serializers.FloatField(allow_null=True, help_text="Median from the receipt, over its intents.")
    to_filled_ms = serializers.FloatField(allow_null=True)
    to_protected_ms = serializers.FloatField(allow_null=True)


class ActivitiesSerializer(Plain):
    total = serializers.IntegerField(help_text="Rows in this answer.")
    activity = ActivitySerializer(many=True)


class NoticeSerializer(StrictModelSerializer):
    recorder_name = serializers.CharField(source="recorder.name", read_only=True)
    is_open = serializers.SerializerMethodField()

    class Meta:
        model = Notice
        fields = ("id", "recorder", "recorder_name", "kind", "subject", "text", "is_open", "created_at", "ended_at")
        read_only_fields = fields

    def get_is_open(self, notice: Notice) -> bool:
        return notice.ended_at is None


class MonitoringView(BaseApiView):
    """A staff member sees the whole platform, anybody else what is theirs."""

    http_method_names = ("get", "head", "options")

    @property
    def viewer(self) -> User:
        return signed_in(self.request.user)

    @property
    def limit(self) -> int:
        # As a plain dict: of a form's data an empty value would count as not given.
        given = LimitSerializer(data=self.request.query_params.dict())
        given.is_valid(raise_exception=True)
        return int(given.validated_data["limit"])

    def newest(self, rows: QuerySet[Any], moment: str) -> list[Any]:
        """Over all owners by primary key, which is in order of time, so that no other index is needed."""
        return list(rows.order_by("-pk" if self.viewer.is_staff else f"-{moment}")[: self.limit])


LIMITED: dict[str, Any] = {
    "parameters": [OpenApiParameter("limit", int, description=f"1 to {MOST}, {USUAL} unless said.")]
}


class ExecutionStatusView(MonitoringView):
    """How execution is: counts, lanes, queues and web workers."""

    @extend_schema(responses=StatusSerializer)
    def get(self, request: Request) -> Response:
        return Response(StatusSerializer(status_for(self.viewer)).data)


class ExecutionFailuresView(MonitoringView):
    """Intents that came to nothing, newest first: denied by us, rejected by the broker, expired, or unknown."""

    @extend_schema(responses=FailuresSerializer, **LIMITED)
    def get(self, request: Request) -> Response:
        intents = intents_seen_by(self.viewer).filter(status__in=FAILURES)
        rows = self.newest(intents.select_related("account", "trader__recorder"), "created_at")
        return Response(FailuresSerializer({"total_failures": len(rows), "failures": rows}).data)


class RawWebhooksView(MonitoringView):
    """Every alert that came in, newest first, refused ones included, each with its body."""

    @extend_schema(responses=RawWebhooksSerializer, **LIMITED)
    def get(self, request: Request) -> Response:
        rows = self.newest(signals_seen_by(self.viewer).select_related("recorder"), "received_at")
        return Response(RawWebhooksSerializer({"total": len(rows), "webhooks": rows}).data)


class WebhookActivityView(MonitoringView):
    """Every alert that was processed, newest first: what came of it and how long that took."""

    @extend_schema(responses=ActivitiesSerializer, **LIMITED)
    def get(self, request: Request) -> Response:
        processed = signals_seen_by(self.viewer).exclude(status=SignalStatus.RECEIVED)
        signals = self.newest(processed.select_related("recorder").defer("body"), "received_at")
        ids = [signal.pk for signal in signals]
        outcomes, timings = selectors.count_outcomes(ids), time_signals(ids)
        rows = [_activity(signal, outcomes.get(signal.pk, {}), timings.get(signal.pk)) for signal in signals]
        return Response(ActivitiesSerializer({"total": len(rows), "activity": rows}).data)


NO_OUTCOMES = dict.fromkeys(selectors.OUTCOMES, 0)


def _activity(signal: Signal, outcomes: dict[str, int], timing: SignalTiming | None) -> dict[str, Any]:
    whole = {} if timing is None else {name: phase.p50 for name, phase in timing.whole.items()}
    return {
        "id": signal.pk,
        "recorder": signal.recorder.name,
        **{name: getattr(signal, name) for name in ("action", "ticker", "status", "reason_code", "received_at")},
        "planned_at": signal.planned_at,
        "outcomes": NO_OUTCOMES | outcomes,
        **{f"{name}_ms": whole.get(name) for name in ("to_sent", "to_filled", "to_protected")},
    }


class NoticeViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, OwnRowsViewSet):
    """What one should know of one's recorders: silent, too many alerts, a missed alert. Open ones come first."""

    serializer_class = NoticeSerializer

    def get_queryset(self) -> QuerySet[Notice]:
        return list_notices_for(self.request.user)
