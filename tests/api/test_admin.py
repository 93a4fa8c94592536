from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from accounts.services import create_api_token
from brokers.models import BrokerAgreement, BrokerLogin, PaperBook
from execution.models import Break, Reconciliation, UnprotectedSpan
from justtrades import clock
from justtrades.testing import PASSWORD, Cast, browser_of
from recorders.models import Notice, NoticeKind, Recorder, Signal, WebhookToken
from risk.models import AccountRules, RiskAction, RiskEvent, Switch
from tests.factories import (
    BrokerPositionFactory,
    Chain,
    CommandFactory,
    ExplanationFactory,
    HeartbeatFactory,
    TransitionFactory,
    UserFactory,
    make_chain,
)
from tests.risk_factories import (
    AccountDayFactory,
    AccountEquityFactory,
    AlarmFactory,
    FlattenFactory,
    PackAssignmentFactory,
    RiskActionFactory,
    SwitchFactory,
)
from traders.models import Trader

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)


def page(model: type[Model], view: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{view}", args=args)


@pytest.fixture
def staff(cast: Cast) -> Client:
    return browser_of(cast.bob)


@pytest.fixture
def one_of_each(hers: Chain, cast: Cast) -> Chain:
    TransitionFactory(owner=cast.alice)
    HeartbeatFactory()
    CommandFactory(owner=cast.alice)
    ExplanationFactory()
    BrokerPositionFactory(account=hers.account)
    BrokerAgreement.objects.create(owner=cast.alice, venue="tradovate", text_hash="0" * 64)
    PaperBook.objects.create(login=hers.login, document="{}")
    Notice.objects.create(owner=cast.alice, recorder=hers.recorder, kind=NoticeKind.SILENT, text="silent for an hour")
    make_risk_rows(hers)
    create_api_token(user=cast.alice)
    cast.alice.emailaddress_set.create(email=cast.alice.email)
    Authenticator.objects.create(
        user=cast.alice, type=Authenticator.Type.TOTP, data={"secret": "the-second-factor-seed"}
    )
    return hers


def make_risk_rows(hers: Chain) -> None:
    account, owner, now = hers.account, hers.recorder.owner, clock.now()
    RiskActionFactory(limit__account=account)
    AccountDayFactory(account=account)
    AccountEquityFactory(account=account)
    AccountRules.objects.create(account=account)
    PackAssignmentFactory(account=account)
    SwitchFactory(owner=owner)
    RiskEvent.objects.create(owner=owner, kind="tripped", text="as said")
    AlarmFactory(account=account)
    FlattenFactory(command__owner=owner, account=account)
    Break.objects.create(owner=owner, account=account, kind="quantity")
    Reconciliation.objects.create(account=account)
    UnprotectedSpan.objects.create(
        owner=owner, account=account, trader=hers.trader, venue="tradovate", symbol="MESZ6", began_at=now, ended_at=now,
        ended_by="flat",
    )  # fmt: skip


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_staff_see_list_search_and_row(model: type[Model], staff: Client, one_of_each: Chain) -> None:
    assert staff.get(page(model, "changelist")).status_code == 200
    assert staff.get(page(model, "changelist"), {"q": "not-a-uuid"}).status_code == 200
    for row in model._default_manager.all()[:1]:
        assert staff.get(page(model, "change", row.pk)).status_code == 200


def test_every_model_of_ours_is_in_the_admin_and_has_a_row_here(one_of_each: Chain) -> None:
    ours = {
        model
        for name in ("accounts", "brokers", "recorders", "traders", "risk", "billing", "execution")
        for model in apps.get_app_config(name).get_models()
    }
    assert ours <= set(MODELS)
    assert [model._meta.label for model in ours if not model._default_manager.exists()] == []


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_others_see_nothing(model: type[Model], cast: Cast, one_of_each: Chain) -> None:
    charlie = browser_of(cast.charlie)
    for response in (charlie.get(page(model, "changelist"), follow=True), Client().get(page(model, "changelist"))):
        assert response.status_code in {302, 403, 404}


def test_secrets_are_on_no_page(staff: Client, one_of_each: Chain) -> None:
    token = WebhookToken.objects.get(pk=one_of_each.token.pk)
    secrets = ("a-broker-password", "an-app-secret", "the-second-factor-seed", token.token_hash)
    for model in MODELS:
        pages = [page(model, "changelist"), *(page(model, "change", row.pk) for row in model._default_manager.all())]
        for address in pages:
            text = staff.get(address).content.decode()
            assert [secret for secret in secrets if secret in text] == [], address


def test_login_pages_do_not_decrypt(staff: Client, one_of_each: Chain) -> None:
    BrokerLogin.objects.update(state_detail="as it was")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE brokers_brokerlogin SET secrets = 'no ciphertext', token = 'no ciphertext'")
    assert staff.get(page(BrokerLogin, "changelist")).status_code == 200
    saved = staff.post(page(BrokerLogin, "change", one_of_each.login.pk), {})
    assert saved.status_code == 302
    assert BrokerLogin.objects.filter(is_enabled=False).exists()


@pytest.mark.parametrize("label", ["recorders.Signal", "execution.Order", "execution.OrderIntent", "execution.Fill"])
def test_history_cannot_be_written(label: str, staff: Client, one_of_each: Chain) -> None:
    model = next(model for model in MODELS if model._meta.label == label)
    row: Any = model._default_manager.get()
    before = model._default_manager.values().get()
    assert staff.post(page(model, "change", row.pk), {"status": "done", "symbol": "XX"}).status_code == 403
    assert staff.post(page(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert staff.post(page(model, "add"), {}).status_code == 403
    assert model._default_manager.values().get() == before


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_lists_ask_as_often_for_many_rows_as_for_few(
    model: type[Model], staff: Client, one_of_each: Chain, django_assert_max_num_queries: Any
) -> None:
    staff.get(page(model, "changelist"))
    with django_assert_max_num_queries(100) as few:
        staff.get(page(model, "changelist"))
    for _ in range(3):
        more = make_chain(UserFactory())
        BrokerPositionFactory(account=more.account)
        TransitionFactory(owner=more.recorder.owner)
    with django_assert_max_num_queries(len(few.captured_queries)):
        staff.get(page(model, "changelist"))


def test_approving(staff: Client, cast: Cast) -> None:
    new = UserFactory(is_approved=False)
    for action, expected in (("approve", True), ("withdraw_approval", False)):
        staff.post(page(type(new), "changelist"), {"action": action, "_selected_action": [str(new.pk)]})
        new.refresh_from_db()
        assert new.is_approved is expected


def lifted_by(row: RiskAction | Switch) -> object:
    row.refresh_from_db()
    return row.unlocked_by if isinstance(row, RiskAction) else row.released_by


@pytest.mark.parametrize("kind", ["unlock", "release", "release everybody"])
def test_staff_lift_locks_and_switches_with_the_password_once_more(kind: str, cast: Cast, hers: Chain) -> None:
    made: dict[str, Callable[[], RiskAction | Switch]] = {
        "unlock": lambda: RiskActionFactory(limit__account=hers.account, limit__owner_may_unlock=False),
        "release": lambda: SwitchFactory(owner=cast.alice, actor=cast.bob),
        "release everybody": lambda: SwitchFactory(owner=None, actor=cast.bob, scope="platform", target=""),
    }
    row, word = made[kind](), kind.partition(" ")[0]
    cast.bob.set_password(PASSWORD)
    cast.bob.save()
    staff = browser_of(cast.bob)
    listed = page(type(row), "changelist")
    staff.post(listed, {"action": word, "_selected_action": [str(row.pk)]})
    assert (lifted_by(row), RiskEvent.objects.count()) == (None, 0), "no list does it by itself"
    address = reverse("risk_unlock" if word == "unlock" else "risk_switch_release", args=[row.pk])
    assert f'href="{address}"' in staff.get(listed).content.decode()
    asked = staff.post(address)
    assert asked["Location"].startswith(reverse("account_reauthenticate"))
    assert lifted_by(row) is None
    staff.post(asked["Location"], {"password": PASSWORD, "next": address}, follow=True)
    assert lifted_by(row) == cast.bob
    assert RiskEvent.objects.get().actor == cast.bob
    assert f'href="{address}"' not in staff.get(listed).content.decode(), "there is nothing left to lift"


def test_staff_cannot_make_themselves_superusers(cast: Cast) -> None:
    clerk = UserFactory(is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="change_user"))
    browser_of(clerk).post(page(type(clerk), "change", clerk.pk), {"is_superuser": "on", "time_zone": "UTC"})
    clerk.refresh_from_db()
    assert clerk.is_superuser is False
    assert clerk.time_zone == "UTC"


def test_alert_text_is_shown_as_text(staff: Client, one_of_each: Chain) -> None:
    Signal.objects.filter(pk=one_of_each.signal.pk).update(body=b"<script>alert(1)</script>\xff")
    text = staff.get(page(Signal, "change", one_of_each.signal.pk)).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\ufffd" in text
    assert "<script>alert(1)" not in text


def test_settings_are_shown_as_text_and_cannot_be_written(staff: Client, one_of_each: Chain) -> None:
    Recorder.objects.update(symbol_map={"<b>": "NQ1!"})
    Trader.objects.update(overrides={"stop_distance": "7.25"}, custom_ticker="MNQ1!")
    recorder, trader = page(Recorder, "change", one_of_each.recorder.pk), page(Trader, "change", one_of_each.trader.pk)
    text = staff.get(recorder).content.decode()
    assert "&quot;every_nth_signal&quot;: 1" in text
    assert "&lt;b&gt;" in text
    assert "&quot;stop_distance&quot;: &quot;7.25&quot;" in staff.get(trader).content.decode()
    before = Trader.objects.values("overrides", "custom_ticker").get(), Recorder.objects.values("template").get()
    staff.post(trader, {"multiplier": "2", "settings": "{}", "overrides": "{}", "custom_ticker": "NOTHING"})
    staff.post(recorder, {"name": "x", "template": "{}", "symbol_map": "{}", "on_desync": "ask"})
    after = Trader.objects.values("overrides", "custom_ticker").get(), Recorder.objects.values("template").get()
    assert after == before
