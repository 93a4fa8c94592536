"""The recorder's list, form and page: every setting can be set and comes back, and a mistake costs nothing typed."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from justtrades import clock
from recorders.models import Notice, NoticeKind, Recorder, SignalStatus, StrategyChain, WebhookToken
from recorders.setting_types import Target, TimeWindow
from recorders.settings import FIELDS, Settings
from tests.factories import Chain, RecorderFactory, SignalFactory, WebhookTokenFactory
from tests.pages.test_forms import shown_token, typed, words_of
from tests.stored import template

ROWS = {"targets", "time_windows"}
TYPED: dict[str, tuple[str, Any]] = {
    "initial_position_size": ("0", 0),
    "add_position_size": ("3", 3),
    "at_least_one": ("on", True),
    "risk_dollars": ("250.50", Decimal("250.50")),
    "risk_percent": ("1.25", Decimal("1.25")),
    "equity_percent": ("150", Decimal(150)),
    "max_contracts_per_trade": ("4", 4),
    "max_contracts_per_position": ("6", 6),
    "max_open_positions": ("2", 2),
    "stop_distance": ("12.5", Decimal("12.5")),
    "stop_unit": ("points", "points"),
    "stop_type": ("trailing", "trailing"),
    "trail_trigger_ticks": ("8", 8),
    "trail_step_ticks": ("2", 2),
    "break_even_ticks": ("16", 16),
    "break_even_offset_ticks": ("1", 1),
    "entry_type": ("limit", "limit"),
    "limit_offset_ticks": ("4", 4),
    "limit_timeout_s": ("30", 30),
    "same_direction": ("re_enter", "re_enter"),
    "opposite_direction": ("block_while_dca", "block_while_dca"),
    "inverse_signals": ("on", True),
    "direction_filter": ("long_only", "long_only"),
    "signal_blocking": ("on", True),
    "signal_cooldown_s": ("90", 90),
    "max_signals_per_session": ("5", 5),
    "every_nth_signal": ("3", 3),
    "entry_delay_s": ("25", 25),
    "min_option_premium": ("0.35", Decimal("0.35")),
    "max_daily_loss": ("1000", Decimal(1000)),
    "auto_flat_after_cutoff": ("on", True),
}


def edit(recorder: Recorder) -> str:
    return reverse("recorder_edit", args=[recorder.pk])


def saved(client: Client, recorder: Recorder, **form: Any) -> Settings:
    path = edit(recorder)
    response = client.post(path, typed(client, path) | form)
    assert response.status_code == 302, words_of(response)
    recorder.refresh_from_db()
    return recorder.settings


def test_every_setting_has_a_way_to_be_typed_here() -> None:
    assert set(TYPED) | ROWS == set(FIELDS)


@pytest.mark.parametrize("name", sorted(TYPED))
def test_each_setting_can_be_set_and_comes_back(name: str, alice: Client, hers: Chain) -> None:
    text, expected = TYPED[name]
    form = {"time_windows-start": ["08:30"], "time_windows-end": ["15:00"]} if name == "auto_flat_after_cutoff" else {}
    before = hers.recorder.settings
    settings = saved(alice, hers.recorder, **{name: text}, **form)
    assert getattr(settings, name) == expected
    changed = {field for field in FIELDS if getattr(settings, field) != getattr(before, field)}
    assert changed == {name, *(["time_windows"] if form else [])}
    assert typed(alice, edit(hers.recorder))[name] == [text.removesuffix("0") if "." in text else text]


def test_a_form_saved_as_it_came_changes_nothing(alice: Client, hers: Chain) -> None:
    hers.recorder.template = template(
        targets=[{"distance": "0.25", "unit": "percent", "trim": "33.5"}, {"distance": 80, "unit": "dollars"}],
        time_windows=[{"start": "22:00", "end": "02:30"}],
        inverse_signals=True,
        stop_unit="percent",
    )
    hers.recorder.symbol_map = {"GOLD": "MGC1!", "SPX": "MES1!"}
    hers.recorder.on_desync, hers.recorder.expected_every_minutes = "ask", 45
    hers.recorder.save()
    before = Recorder.objects.values().get()
    saved(alice, hers.recorder)
    after = Recorder.objects.values().get()
    assert Settings.model_validate(after.pop("template")) == Settings.model_validate(before.pop("template"))
    assert after == before


def test_what_is_emptied_is_as_by_default(alice: Client, hers: Chain) -> None:
    hers.recorder.template = template(initial_position_size=7, limit_timeout_s=10)
    hers.recorder.save()
    settings = saved(alice, hers.recorder, initial_position_size="", limit_timeout_s="", stop_distance="")
    assert (settings.initial_position_size, settings.limit_timeout_s, settings.stop_distance) == (1, 60, 0)


def test_rows_come_and_go_and_empty_ones_count_for_nothing(alice: Client, hers: Chain) -> None:
    form = {
        "targets-distance": ["20", "", "1.5", ""],
        "targets-unit": ["ticks", "points", "percent", "ticks"],
        "targets-trim": ["2", "", "25", " "],
        "targets-trim_unit": ["contracts", "percent", "percent", "percent"],
    }
    settings = saved(alice, hers.recorder, **form)
    assert settings.targets == (
        Target(distance=Decimal(20), trim=Decimal(2), trim_unit="contracts"),
        Target(distance=Decimal("1.5"), unit="percent", trim=Decimal(25)),
    )
    assert typed(alice, edit(hers.recorder))["targets-distance"] == ["20", "1.5", ""]
    assert saved(alice, hers.recorder, **{"targets-distance": ["", "", ""], "targets-trim": ["", "", ""]}).targets == ()


def test_windows_and_symbols_are_rows_too(alice: Client, hers: Chain) -> None:
    windows = {"time_windows-start": ["08:30", "22:00"], "time_windows-end": ["15:00", "02:00"]}
    symbols = {"symbol_map-name": ["gold", ""], "symbol_map-ticker": ["mgc1!", ""]}
    settings = saved(alice, hers.recorder, **windows, **symbols, on_desync="ask", expected_every_minutes="60")
    assert settings.time_windows == (TimeWindow(start="08:30", end="15:00"), TimeWindow(start="22:00", end="02:00"))
    assert hers.recorder.symbol_map == {"GOLD": "MGC1!"}
    assert (hers.recorder.on_desync, hers.recorder.expected_every_minutes) == ("ask", 60)


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"name": ""}, "Name", "This field is required"),
    ({"stop_distance": "-1"}, "Stop", "greater than or equal to 0"),
    ({"stop_distance": "far"}, "Stop", "Enter a number"),
    ({"initial_position_size": "1.5"}, "Contracts per entry", "Enter a whole number"),
    ({"max_contracts_per_trade": "10001"}, "Most contracts per order", "less than or equal to 10000"),
    ({"entry_delay_s": "26"}, "Delay, seconds", "less than or equal to 25"),
    ({"stop_unit": "price"}, "Stop unit", "Select a valid choice"),
    ({"same_direction": "sideways"}, "Signal on the side that is held", "Select a valid choice"),
    ({"auto_flat_after_cutoff": "on"}, "Flat at the cut-off", "needs a time window"),
    ({"targets-distance": ["x"]}, "Targets", "Enter a number"),
    ({"targets-distance": ["20"], "targets-trim": ["150"]}, "Targets", "Had 150 percent, limit 100"),
    ({"targets-distance": ["20"], "targets-trim": ["0"]}, "Targets", "greater than 0"),
    ({"targets-distance": ["20"], "targets-unit": ["price"]}, "Targets", "Select a valid choice"),
    ({"targets-distance": ["20", "40"], "targets-trim": ["60", "60"]}, "Targets", "sum to 120 percent, limit 100"),
    ({"targets-distance": ["", "5"], "targets-trim": ["50", ""]}, "Targets", "This field is required"),
    ({"targets-distance": ["9"] * 21}, "Targets", "limit 20"),
    ({"time_windows-start": ["08:30"], "time_windows-end": ["08:30"]}, "Time windows", "Is the same as start"),
    ({"time_windows-start": ["25:00"], "time_windows-end": ["08:30"]}, "Time windows", "Enter a valid time"),
    ({"symbol_map-name": ["GOLD"], "symbol_map-ticker": ["GOLD"]}, "Symbols", "names no product"),
    ({"symbol_map-name": ["GOLD"], "symbol_map-ticker": [""]}, "Symbols", "This field is required"),
]


@pytest.mark.parametrize(("form", "label", "words"), WRONG)
def test_a_mistake_is_explained_beside_its_field_and_what_was_typed_stays(
    form: dict[str, Any], label: str, words: str, alice: Client, hers: Chain
) -> None:
    before = Recorder.objects.values().get()
    path = edit(hers.recorder)
    units = {"targets-unit": ["ticks"] * 21, "targets-trim_unit": ["percent"] * 21}
    typed_now = typed(alice, path) | {"max_daily_loss": "777", "limit_offset_ticks": "13"} | units | form
    response = alice.post(path, typed_now)
    page = words_of(response)
    assert response.status_code == 200
    assert re.search(rf'class="field-error" role="alert">[^<]*{re.escape(words)}', page)
    summary = page[page.index("Nothing was saved yet") :].partition("</div>")[0]
    assert f">{label}</a>" in summary
    for name, value in {"max_daily_loss": "777", "limit_offset_ticks": "13", **form}.items():
        for text in [value] if isinstance(value, str) else value:
            assert text in ("", "on", "price", "sideways") or f'value="{text}"' in page, name
    assert Recorder.objects.values().get() == before


def test_a_wrong_field_that_is_folded_away_is_unfolded(alice: Client, hers: Chain) -> None:
    def is_open(page: str, hint: str) -> bool:
        return "open" in re.findall(r"<details class=\"more\"([^>]*)>", page[: page.index(hint)])[-1]

    path = edit(hers.recorder)
    assert not is_open(alice.get(path).content.decode(), "Market or limit")
    wrong = alice.post(path, typed(alice, path) | {"entry_delay_s": "99"}).content.decode()
    assert is_open(wrong, "Market or limit")
    assert not is_open(wrong, "Hours, directions")
    hers.recorder.template = template(entry_delay_s=3)
    hers.recorder.save()
    assert is_open(alice.get(path).content.decode(), "Market or limit")


def test_a_price_is_for_alerts_but_one_that_is_stored_is_not_lost(alice: Client, hers: Chain) -> None:
    assert "at the price" not in words_of(alice.get(edit(hers.recorder)))
    hers.recorder.template = template(
        stop_distance="6000", stop_unit="price", targets=[{"distance": "6100", "unit": "price"}]
    )
    hers.recorder.save()
    settings = hers.recorder.settings
    assert saved(alice, hers.recorder, entry_delay_s="2") == settings.model_copy(update={"entry_delay_s": 2})


def test_a_clone_has_the_settings_and_an_address_of_its_own(alice: Client, hers: Chain) -> None:
    response = alice.post(reverse("recorder_clone", args=[hers.recorder.pk]))
    token = shown_token(response.content.decode())
    copy = Recorder.objects.exclude(pk=hers.recorder.pk).get()
    assert response["Cache-Control"] == "no-store"
    assert (copy.name, copy.settings) == (f"{hers.recorder.name} (copy)", hers.recorder.settings)
    assert copy.tokens.get().last_four == token[-4:]
    assert copy.traders.count() == 0


def test_the_older_addresses_can_be_stopped_now(alice: Client, hers: Chain) -> None:
    newest = WebhookTokenFactory(recorder=hers.recorder)
    page = words_of(alice.get(reverse("recorder", args=[hers.recorder.pk])))
    assert "Stop the older now" in page
    assert alice.post(reverse("recorder_revoke", args=[hers.recorder.pk])).status_code == 302
    live = WebhookToken.objects.filter(expires_at__isnull=True)
    assert [token.pk for token in live] == [newest.pk]
    assert "Stop the older now" not in words_of(alice.get(reverse("recorder", args=[hers.recorder.pk])))


@pytest.mark.parametrize("name", ["recorder", "recorder_edit", "recorder_clone", "recorder_revoke", "recorder_delete"])
def test_charlie_finds_none_of_it(name: str, charlie: Client, hers: Chain) -> None:
    path = reverse(name, args=[hers.recorder.pk])
    posted = {"name": "Mine", "stop_distance": "0"}
    assert (charlie.get if name == "recorder" else charlie.post)(path, posted).status_code == 404
    assert charlie.get(f"{reverse('recorder', args=[hers.recorder.pk])}?part=log").status_code == 404
    assert [recorder.name for recorder in Recorder.objects.all()] == [hers.recorder.name]
    assert WebhookToken.objects.filter(expires_at__isnull=True).count() == 1


def test_the_page_says_what_is_not_usual_and_nothing_else(alice: Client, hers: Chain) -> None:
    hers.recorder.template = template(
        targets=[{"distance": 20, "trim": 50}, {"distance": "2.5", "unit": "points"}], break_even_ticks=15
    )
    hers.recorder.save()
    page = alice.get(reverse("recorder", args=[hers.recorder.pk]))
    assert page.context["summary"] == [
        (
            "How it gets out",
            [("Targets", "20 ticks (50 %), 2.5 points"), ("Stop", "20 ticks"), ("Break even after, ticks", "15 ticks")],
        )
    ]


def test_open_notices_and_where_the_strategy_stands_are_said_first(alice: Client, hers: Chain) -> None:
    made = {"owner": hers.recorder.owner, "recorder": hers.recorder}
    Notice.objects.create(**made, kind=NoticeKind.DESYNC, subject="MES1!", text="MES1!: an alert is missing.")
    Notice.objects.create(**made, kind=NoticeKind.SILENT, text="Silent since noon.", ended_at=clock.now())
    StrategyChain.objects.create(
        recorder=hers.recorder, ticker="MES1!", tip=Decimal(-2), missing=["0", "1"], signal=hers.signal,
        changed_at=clock.now(),
    )  # fmt: skip
    page = words_of(alice.get(reverse("recorder", args=[hers.recorder.pk])))
    assert "DESYNC" in page
    assert "MES1!: an alert is missing." in page
    assert "Silent since noon." not in page
    assert re.search(r'class="side-short">-2<', page)
    assert "between 0 and 1" in page
    assert "1 notice" in words_of(alice.get(reverse("recorders")))


def test_a_recorder_without_a_stop_says_so(alice: Client, hers: Chain) -> None:
    assert "unprotected by choice" not in words_of(alice.get(reverse("recorder", args=[hers.recorder.pk])))
    hers.recorder.template = template(stop_distance=0)
    hers.recorder.save()
    assert "unprotected by choice" in words_of(alice.get(reverse("recorder", args=[hers.recorder.pk])))


def test_the_log_has_the_newest_twenty_of_this_recorder(alice: Client, hers: Chain) -> None:
    other = RecorderFactory(owner=hers.recorder.owner)
    strange = SignalFactory(recorder=other)
    signals = [SignalFactory(recorder=hers.recorder, status=SignalStatus.PLANNED) for _ in range(21)]
    refused = SignalFactory(
        recorder=hers.recorder, status=SignalStatus.REFUSED, reason_text="ticker: had FOO", flags="repaired clock_skew"
    )
    for path in (reverse("recorder", args=[hers.recorder.pk]), f"/recorders/{hers.recorder.pk}/?part=log"):
        page = words_of(alice.get(path))
        assert page.count('id="log-') == 20
        assert reverse("signal", args=[refused.pk]) in page
        assert "ticker: had FOO" in page
        assert "clock skew" in page
        assert str(strange.pk) not in page
        assert str(signals[0].pk) not in page


def test_the_list_says_how_each_recorder_is(alice: Client, hers: Chain) -> None:
    RecorderFactory(owner=hers.recorder.owner, settings={"initial_position_size": 0, "targets": [], "stop_distance": 0})
    hers.signal.received_at = clock.now() - timedelta(minutes=5)
    hers.signal.save()
    page = words_of(alice.get(reverse("recorders")))
    for words in ("the alert's own", "40 ticks", "20 ticks", "no alert yet", "data-age-of"):
        assert words in page.replace("&#x27;", "'"), words
