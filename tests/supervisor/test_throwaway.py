"""The servers that the tests themselves stand on."""

from __future__ import annotations

import psycopg2
import pytest
import redis
from django.conf import settings
from django.db import connection
from redis.backoff import NoBackoff
from redis.retry import Retry

from justtrades.supervisor.throwaway import throwaway_postgres, throwaway_valkey


@pytest.mark.django_db
def test_the_tests_run_on_postgresql() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        assert int(cursor.fetchone()[0]) >= 160000


def test_the_tests_have_a_valkey() -> None:
    assert redis.Redis.from_url(settings.REDIS_URL).ping()


def test_a_throwaway_postgres_is_gone_after_use() -> None:
    with throwaway_postgres() as url:
        psycopg2.connect(url).close()
    with pytest.raises(psycopg2.OperationalError, match="refused"):
        psycopg2.connect(url)


def test_a_throwaway_valkey_asks_for_its_password() -> None:
    with throwaway_valkey() as url:
        assert redis.Redis.from_url(url).ping()
        stranger = redis.Redis(port=int(url.rsplit(":", 1)[1]), retry=Retry(NoBackoff(), 0))
        with pytest.raises(redis.AuthenticationError):
            stranger.ping()
