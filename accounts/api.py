"""Tokens for programs, and who one is."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import authenticate
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import exceptions, serializers, status
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import services
from accounts.models import User
from accounts.second_factor import is_demanded, is_proven
from accounts.throttles import PasswordTries
from justtrades.api import ApiErrorSerializer, ApiView, StrictModelSerializer, StrictSerializer
from justtrades.api_input import ApiTokenAuthentication


class SignInSerializer(StrictSerializer):
    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=1024, trim_whitespace=False, write_only=True)
    code = serializers.CharField(
        max_length=32, required=False, default="", help_text="From the authenticator app, where one is set up."
    )


class TokenSerializer(serializers.Serializer[Any]):
    token = serializers.CharField(help_text="Send it as `Authorization: Token …`. It is shown this once.")


class MeSerializer(StrictModelSerializer):
    class Meta:
        model = User
        fields = ("id", "email", "is_approved", "time_zone", "discord_id", "date_joined")
        read_only_fields = fields


class TokenView(ApiView):
    """Trade an e-mail address and password for a token, or revoke the token that the request carries."""

    serializer_class = SignInSerializer

    def get_authenticators(self) -> list[Any]:
        return [ApiTokenAuthentication()]

    def get_permissions(self) -> list[Any]:
        return [IsAuthenticated()] if self.request and self.request.method == "DELETE" else [AllowAny()]

    def get_throttles(self) -> list[Any]:
        return [PasswordTries()] if self.request and self.request.method == "POST" else []

    @extend_schema(
        operation_id="token_create",
        auth=[],
        responses={201: TokenSerializer, 400: ApiErrorSerializer, 401: ApiErrorSerializer, 429: ApiErrorSerializer},
    )
    def post(self, request: Request) -> Response:
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        user = check_sign_in(request, **given.validated_data)
        token = services.create_api_token(user=user)
        return Response({"token": token}, status=status.HTTP_201_CREATED)

    @extend_schema(operation_id="token_revoke", responses={204: OpenApiResponse(description="Revoked.")})
    def delete(self, request: Request) -> Response:
        services.revoke_api_token(token=request.auth)
        return Response(status=status.HTTP_204_NO_CONTENT)


class MeView(ApiView):
    """Who the token belongs to."""

    serializer_class = MeSerializer

    @extend_schema(operation_id="me")
    def get(self, request: Request) -> Response:
        return Response(self.get_serializer(request.user).data)


def check_sign_in(request: Request, email: str, password: str, code: str) -> User:
    """The user, or `AuthenticationFailed` in the same words whether or not there is such a user."""
    user = authenticate(request._request, username=email.lower(), password=password)
    if not isinstance(user, User):
        raise exceptions.AuthenticationFailed("E-mail address or password is wrong.", code="wrong_credentials")
    if is_demanded(user) and not is_proven(user, code):
        raise exceptions.AuthenticationFailed("Send `code` from your authenticator app.", code="second_factor_required")
    return user
