"""The door remembers whose an address is; what has changed since must count all the same."""

from __future__ import annotations

from django.db import connection

from recorders.models import Recorder, WebhookToken
from tests.recorders.door import Door

BODIES = [b'{"action": "buy", "ticker": "MNQ1!", "price": "%d", "contracts": "1"}' % price for price in range(9)]


def test_a_recorder_switched_off_is_off_for_the_next_alert(door: Door) -> None:
    statuses = []
    for body, is_enabled in zip(BODIES, (True, True, False, False, True), strict=False):
        Recorder.objects.filter(pk=door.recorder.pk).update(is_enabled=is_enabled)
        statuses.append(door.post(body)[1]["status"])
    assert statuses == ["received", "received", "ignored", "ignored", "received"]


def test_a_token_that_is_gone_opens_nothing(door: Door) -> None:
    assert [door.post(body)[0] for body in BODIES[:2]] == [200, 200]
    WebhookToken.objects.all().delete()
    assert [door.post(body)[0] for body in BODIES] == [404] * len(BODIES)
    assert len(door.signals()) == 2


def test_a_new_connection_learns_the_statement_anew(committed_door: Door) -> None:
    for body in BODIES[:4]:
        assert committed_door.post(body)[0] == 200
        connection.close()
    assert len(committed_door.signals()) == 4
    assert prepared_here() == 0
    for body in BODIES[4:]:
        assert committed_door.post(body)[0] == 200
    assert prepared_here() == 1


def prepared_here() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements")
        return int(cursor.fetchone()[0])


def test_the_answer_has_a_length(door: Door) -> None:
    from django.test import Client

    for reply in (
        Client().post(door.path, data=BODIES[0], content_type="application/json"),
        Client().get(door.path),
        Client().get("/webhook/nobody/"),
    ):
        assert int(reply["Content-Length"]) == len(reply.content) > 0
