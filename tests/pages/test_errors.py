"""The pages for when something is wrong."""

from __future__ import annotations

import re

import pytest
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path

from justtrades.urls import handler400, handler403, handler404, handler500  # noqa: F401 - Django reads them here


def fails(_request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError("secret detail")


def loses_the_database(_request: HttpRequest) -> HttpResponse:
    raise OperationalError("server closed the connection")


def forbids(_request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


urlpatterns = [path("fails/", fails), path("database/", loses_the_database), path("forbids/", forbids)]


@pytest.fixture
def visitor() -> Client:
    return Client(raise_request_exception=False)


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("/nowhere/", 404, "There is nothing here"),
        ("/forbids/", 403, "not for you to open"),
        ("/fails/", 500, "went wrong on our side"),
        ("/database/", 503, "Back in a moment"),
    ],
)
@override_settings(ROOT_URLCONF=__name__)
def test_an_error_page_belongs_to_the_product(address: str, status: int, words: str, visitor: Client) -> None:
    response = visitor.get(address)
    text = response.content.decode()
    assert response.status_code == status
    assert words in text
    assert "app.css" in text
    assert "secret detail" not in text


@override_settings(ROOT_URLCONF=__name__)
def test_a_failure_has_a_number_that_stands_in_the_log(visitor: Client, caplog: pytest.LogCaptureFixture) -> None:
    number = re.search(r">([0-9a-f]{8})<", visitor.get("/fails/").content.decode())
    assert number is not None
    assert any(number[1] in record.getMessage() for record in caplog.records)


@override_settings(ROOT_URLCONF=__name__)
def test_maintenance_says_when_to_come_again(visitor: Client) -> None:
    assert visitor.get("/database/")["Retry-After"] == "5"
