"""COPY and the many-row UPDATE: the order path's only raw writes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import DataError, IntegrityError, OperationalError, connection, transaction

from execution.bulk import copy_rows, update_rows
from execution.models import ObjectKind, Order, OrderIntent, Transition
from execution.transitions import MAX_DETAIL, Change, record
from justtrades import clock
from tests.factories import OrderFactory, OrderIntentFactory, UserFactory

pytestmark = pytest.mark.django_db
COLUMNS = ("owner_id", "object_kind", "object_id", "from_state", "to_state", "detail", "at")
NASTY = ["\\N", "a\tb", "a\nb", "a\r\nb", "back\\slash", "\\.", "", "…é🙂", "NULL", "'; DROP TABLE x; --", "\\t", " "]


def row(detail: str = "", **changes: Any) -> tuple[object, ...]:
    usual = {
        "owner_id": uuid4(), "object_kind": "intent", "object_id": uuid4(), "from_state": "new", "to_state": "done",
        "detail": detail, "at": clock.now(),
    }  # fmt: skip
    return tuple({**usual, **changes}.values())


@pytest.mark.parametrize("text", NASTY)
def test_copied_text_comes_back_as_it_was(text: str) -> None:
    assert copy_rows(Transition, COLUMNS, [row(text)]) == 1
    assert Transition.objects.get().detail == text


def test_copied_rows_keep_their_order_and_their_times() -> None:
    chicago = timezone(timedelta(hours=-6))
    at = datetime(2026, 11, 23, 8, 35, 0, 123456, tzinfo=chicago)
    copy_rows(Transition, COLUMNS, [row(str(n), at=at) for n in range(1000)])
    rows = list(Transition.objects.order_by("id"))
    assert [one.detail for one in rows] == [str(n) for n in range(1000)]
    assert {one.at for one in rows} == {at.astimezone(UTC)}


def test_nothing_to_copy_is_nothing_done() -> None:
    assert copy_rows(Transition, COLUMNS, []) == 0
    assert update_rows(Order, ("status",), []) == []


def test_a_violated_constraint_undoes_all_of_it_in_djangos_words() -> None:
    copied = OrderIntentFactory()
    columns = [field.attname for field in OrderIntent._meta.concrete_fields]
    values = [getattr(copied, name) for name in columns]
    values[columns.index("id")] = uuid4()
    with pytest.raises(IntegrityError, match="idempotency_key"), transaction.atomic():
        copy_rows(OrderIntent, columns, [values])
    assert OrderIntent.objects.count() == 1


def test_bad_values_are_djangos_errors_too() -> None:
    order = OrderFactory()
    with pytest.raises(DataError), transaction.atomic():
        copy_rows(Transition, COLUMNS, [row("x" * 600)])
    with pytest.raises(DataError), transaction.atomic():
        update_rows(Order, ("queries_without_trace",), [(order.pk, 40_000)])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("write", ["copy", "update"])
def test_a_lost_connection_is_djangos_error_so_that_loops_can_wait_for_the_database(write: str) -> None:
    order = OrderFactory()
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 1")
        try:
            with pytest.raises(OperationalError):
                if write == "copy":
                    copy_rows(Transition, COLUMNS, [row(str(n)) for n in range(50_000)])
                else:
                    update_rows(Order, ("reject_text",), [(order.pk, f"{n}") for n in range(20_000)])
        finally:
            cursor.execute("SET statement_timeout = '5s'")


def test_each_row_gets_its_own_values_of_every_type() -> None:
    first, second, untouched = OrderFactory.create_batch(3)
    now = clock.now()
    columns = ("status", "filled_qty", "avg_price", "queried_at", "reject_text")
    changed = update_rows(
        Order,
        columns,
        [(first.pk, "working", 1, Decimal("0.0000000001"), now, "a'b"), (second.pk, "canceled", 2, None, None, "")],
    )
    assert set(changed) == {first.pk, second.pk}
    rows = {pk: tuple(values) for pk, *values in Order.objects.values_list("pk", *columns)}
    assert rows[first.pk] == ("working", 1, Decimal("0.0000000001"), now, "a'b")
    assert rows[second.pk] == ("canceled", 2, None, None, "")
    assert rows[untouched.pk][0] == "filled"


def test_a_guard_makes_it_compare_and_swap() -> None:
    working, done = OrderFactory(status="working"), OrderFactory(status="filled")
    rows = [(working.pk, "canceled"), (done.pk, "canceled")]
    assert update_rows(Order, ("status",), rows, guard="t.status = 'working'") == [working.pk]
    assert update_rows(Order, ("status",), rows, guard="t.status = 'working'") == []
    done.refresh_from_db()
    assert done.status == "filled"


def test_a_transition_is_written_as_it_happened_and_its_detail_cut_to_fit() -> None:
    owner, at = UserFactory(), clock.now()
    record([Change(owner.pk, ObjectKind.ORDER, uuid4(), "a", "b", at, "é" * 600)])
    written = Transition.objects.get()
    assert (written.owner_id, written.from_state, written.to_state, written.at) == (owner.pk, "a", "b", at)
    assert written.detail == "é" * MAX_DETAIL
