from __future__ import annotations

from datetime import UTC, datetime, timedelta


def test_ids_use_the_venues_roots_and_names_the_exchanges(client):
    listed = {row["name"][:-2]: row for row in client.call("Contract/available", live=False)["contracts"]}
    roots = {name: row["symbolId"].removeprefix("F.US.") for name, row in listed.items()}
    wanted = {
        "ES": "EP",
        "NQ": "ENQ",
        "MNQ": "MNQ",
        "MCL": "MCLE",
        "CL": "CLE",
        "GC": "GCE",
        "MGC": "MGC",
        "MET": "GMET",
    }
    assert wanted.items() <= roots.items()
    assert len(set(roots.values())) == len(roots)
    micro = listed["MNQ"]
    assert micro["id"].startswith("CON.F.US.MNQ.") and micro["id"][-1] == micro["name"][-1]
    assert (micro["tickSize"], micro["tickValue"], micro["activeContract"]) == (0.25, 0.5, True)
    assert (listed["ES"]["tickSize"], listed["ES"]["tickValue"]) == (0.25, 12.5)


def test_search_finds_what_merely_contains_the_text_and_twenty_at_most(client):
    found = client.call("Contract/search", searchText="ES", live=False)["contracts"]
    roots = {row["name"][:-2] for row in found}
    assert {"ES", "MES", "6J"} <= roots
    assert any("Notes" in row["description"] for row in found)
    assert found[0]["name"][:-2] != "ES"
    micro_first = client.call("Contract/search", searchText="NQ", live=False)["contracts"]
    assert [row["name"][:-2] for row in micro_first if row["activeContract"]][-2:] == ["MNQ", "NQ"]
    assert {row["activeContract"] for row in found if row["name"].startswith("ES")} == {True, False}
    assert len(client.call("Contract/search", searchText="", live=False)["contracts"]) == 20
    assert client.call("Contract/search", searchText="nothing such", live=False)["contracts"] == []


def test_search_may_know_only_the_active_contract_of_each_product(client, sandbox):
    sandbox.switches(next_months=False)
    found = client.call("Contract/search", searchText="MNQ", live=False)["contracts"]
    assert [(row["id"], row["activeContract"]) for row in found] == [(client.contract_id, True)]


def test_live_data_is_not_subscribed(client):
    assert client.call("Contract/search", searchText="MNQ", live=True)["contracts"] == []
    assert client.call("Contract/available", live=True)["contracts"] == []
    assert bars(client, live=True)["errorCode"] == 1


def test_a_contract_is_found_by_its_id_only(client):
    row = client.call("Contract/searchById", contractId=client.contract_id)["contract"]
    assert row["id"] == client.contract_id
    for wrong in ("MNQZ6", "CON.F.US.ES.Z26", "CON.F.US.MNQ.A26", "", client.contract_id.replace(".US.", ".XX.")):
        assert client.call("Contract/searchById", contractId=wrong)["errorCode"] == 1


def test_micro_gas_goes_by_either_name(client, sandbox):
    assert client.contract("MNG")["symbolId"] == "F.US.MNG"
    sandbox.switches(mng_root="MNGE")
    row = client.contract("MNG")
    assert row["symbolId"] == "F.US.MNGE"
    assert client.call("Contract/searchById", contractId=row["id"])["contract"] == row


def bars(client, **changes):
    now = datetime.now(UTC)
    body = {
        "contractId": client.contract_id,
        "live": False,
        "startTime": (now - timedelta(hours=1)).isoformat(),
        "endTime": now.isoformat(),
        "unit": 2,
        "unitNumber": 5,
        "limit": 100,
        "includePartialBar": False,
    }
    return client.call("History/retrieveBars", **body | changes)


def test_bars_come_newest_first_and_the_same_every_time(client):
    found = bars(client)["bars"]
    assert len(found) in {11, 12}
    times = [datetime.fromisoformat(bar["t"]) for bar in found]
    assert times == sorted(times, reverse=True)
    assert all(bar["l"] <= min(bar["o"], bar["c"]) <= max(bar["o"], bar["c"]) <= bar["h"] for bar in found)
    again = {bar["t"]: bar for bar in bars(client, limit=5)["bars"]}
    assert len(again) == 5
    assert all(again.get(bar["t"], bar) == bar for bar in found)
    assert times[0] in [datetime.fromisoformat(text) for text in again]


def test_the_partial_bar_ends_at_the_current_price(client):
    whole, partial = bars(client)["bars"], bars(client, includePartialBar=True)["bars"]
    assert partial[0]["t"] > whole[0]["t"]
    assert partial[0]["c"] == 25_000.0


def test_bars_refuse_what_they_cannot_give(client):
    for code, change in (
        (1, {"contractId": "CON.F.US.XXX.Z26"}),
        (2, {"unit": 9}),
        (3, {"unitNumber": 0}),
        (4, {"limit": 20_001}),
        (4, {"limit": 0}),
    ):
        refused = bars(client, **change)
        assert (refused["errorCode"], refused["bars"]) == (code, None)
