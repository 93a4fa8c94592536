"""What may come in at the API's doors: tokens that are tokens, and JSON that is small and shallow enough to read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, Any

from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from knox.auth import TokenAuthentication
from rest_framework import exceptions, status
from rest_framework.parsers import BaseParser

MAX_BODY_BYTES = 64 * 1024


class BodyTooBig(exceptions.APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = f"The body is longer than {MAX_BODY_BYTES} bytes."
    default_code = "body_too_big"


class ApiTokenAuthentication(TokenAuthentication):
    """Knox decodes and looks up whatever stands in the header; what cannot be a token is refused before that."""

    def authenticate_credentials(self, token: bytes) -> Any:
        if not token.isascii() or not token.decode("ascii").isprintable():
            raise exceptions.AuthenticationFailed("Invalid token.")
        return super().authenticate_credentials(token)


class ApiTokenScheme(KnoxTokenScheme):
    target_class = "justtrades.api_input.ApiTokenAuthentication"
    name = "apiToken"


class SmallJsonParser(BaseParser):
    """JSON of at most 64 KB. DRF's own parser reads without a bound and turns 10,000 brackets into a server error."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        body = stream.read(MAX_BODY_BYTES + 1)
        if len(body) > MAX_BODY_BYTES:
            raise BodyTooBig
        try:
            return json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
            raise exceptions.ParseError(f"The body is not JSON: {reason}") from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")
