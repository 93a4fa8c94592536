"""What every part of the API has in common: own rows only, strict input, one shape of error, UTC times."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.core.exceptions import ValidationError as ModelValidationError
from django.db import InterfaceError, OperationalError, models
from django.http import HttpRequest
from django.utils import timezone
from redis import RedisError
from rest_framework import exceptions, serializers, status
from rest_framework.authentication import SessionAuthentication
from rest_framework.generics import GenericAPIView
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import APIView, exception_handler
from rest_framework.viewsets import GenericViewSet

from justtrades.api_input import ApiTokenAuthentication, SmallJsonParser


class StorageUnavailable(exceptions.APIException):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "Storage does not answer; nothing was changed. Try again."
    default_code = "storage_unavailable"


class ApiErrorSerializer(serializers.Serializer[Any]):
    """Every error: what kind it is, one sentence for people, and for bad input each field with its reasons."""

    code = serializers.CharField()
    detail = serializers.CharField()
    # "errors" is also the name of a serializer's own attribute, which an instance of this one never needs.
    errors = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(child=serializers.CharField()), required=False
    )


def explain(error: Exception, context: dict[str, Any]) -> Response | None:
    """The answer to an exception, in the shape of `ApiErrorSerializer`; None for a bug, which Django reports."""
    response = exception_handler(_in_terms_of_the_api(error), context)
    if response is None:
        return None
    response.data = _error_body(response.data)
    return response


def _in_terms_of_the_api(error: Exception) -> Exception:
    if isinstance(error, ModelValidationError):
        has_fields = hasattr(error, "error_dict")
        return exceptions.ValidationError(error.message_dict if has_fields else error.messages)
    if isinstance(error, ObjectDoesNotExist):
        return exceptions.NotFound()
    if isinstance(error, OperationalError | InterfaceError | RedisError):
        return StorageUnavailable()
    return error


def _error_body(data: Any) -> dict[str, Any]:
    if isinstance(data, dict) and isinstance(data.get("detail"), exceptions.ErrorDetail):
        return {"code": data["detail"].code, "detail": str(data["detail"])}
    fields = _flatten(data if isinstance(data, dict) else {api_settings.NON_FIELD_ERRORS_KEY: data})
    first, reasons = next(iter(fields.items()))
    detail = reasons[0] if first == api_settings.NON_FIELD_ERRORS_KEY else f"{first}: {reasons[0]}"
    return {"code": "invalid", "detail": detail, "errors": fields}


def _flatten(data: Mapping[str, Any], prefix: str = "") -> dict[str, list[str]]:
    flat: dict[str, list[str]] = {}
    for key, value in data.items():
        if isinstance(value, dict):
            flat |= _flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = [str(reason) for reason in value] if isinstance(value, list) else [str(value)]
    return flat


class PlainDecimalField(serializers.DecimalField):
    """A decimal as text without trailing zeros or exponent: "6021.25"."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"normalize_output": True, **kwargs})


class StrictFieldsMixin:
    """Refuses a field that it does not know: a misspelt `stop_ticks` may not leave a position without a stop."""

    def to_internal_value(self, data: Any) -> Any:
        known = self.fields  # type: ignore[attr-defined]
        unknown = sorted(str(key) for key in data if key not in known) if isinstance(data, Mapping) else []
        if unknown:
            raise serializers.ValidationError({key: ["There is no such field."] for key in unknown})
        return super().to_internal_value(data)  # type: ignore[misc]


class StrictSerializer(StrictFieldsMixin, serializers.Serializer[Any]):
    pass


class StrictModelSerializer(StrictFieldsMixin, serializers.ModelSerializer[Any]):
    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.DecimalField: PlainDecimalField,
    }


class Pages(LimitOffsetPagination):
    default_limit = 50
    max_limit = 200


class BaseApiView(APIView):
    """`explain` for errors, and UTC whatever zone the reader's pages are in."""

    authentication_classes = (ApiTokenAuthentication, SessionAuthentication)
    parser_classes = (SmallJsonParser,)

    def get_exception_handler(self) -> Any:
        return explain

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        with timezone.override(UTC):
            return super().dispatch(request, *args, **kwargs)


class ApiView(BaseApiView, GenericAPIView[Any]):
    pass


class OwnRowsViewSet(BaseApiView, GenericViewSet[Any]):
    """Addressed by UUID. `get_queryset` of each must start at a selector that takes the user."""

    pagination_class = Pages
    lookup_value_converter = "uuid"
    http_method_names = ("get", "post", "patch", "delete", "head", "options")


class NoSuchEndpoint(BaseApiView):
    """An unknown address under `/api/` answers in the API's own shape, not with a page."""

    permission_classes = (AllowAny,)
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise exceptions.NotFound
