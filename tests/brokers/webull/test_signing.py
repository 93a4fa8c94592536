"""The signature's published and independently computed vectors."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from brokers.webull.protos import SUBSCRIBE_REQUEST
from brokers.webull.signing import Algorithm, sign_grpc, sign_http, signed_headers, stamp_of

AT = datetime(2026, 11, 23, 15, 4, 5, tzinfo=UTC)
NONCE = "11111111-2222-3333-4444-555555555555"
PLACE = (
    b'{"account_id":"ACCT123","new_orders":[{"client_order_id":"cli0000000001","combo_type":"NORMAL","symbol":"AAPL",'
    b'"instrument_type":"EQUITY","market":"US","order_type":"LIMIT","limit_price":"180.00","quantity":"1","side":"BUY",'
    b'"time_in_force":"DAY","entrust_type":"QTY","support_trading_session":"CORE"}]}'
)
BALANCES = ("/trading/assets/balances/get", (("account_id", "ACCT123"),), b"")
PLACING = ("/trading/orders/place", (), PLACE)
TOKEN = ("/auth/tokens/create", (), b"{}")


def _headers(algorithm: Algorithm) -> dict[str, str]:
    return signed_headers("app_key_demo", algorithm, at=AT, nonce=NONCE)


@pytest.mark.parametrize(
    ("call", "host", "algorithm", "signature"),
    [
        (BALANCES, "api.webull.com", Algorithm.SHA256, "jfvdBWvywSGXbDb9EFTvEdBOSjeuyH/+wDP+pPdo4b4="),
        (BALANCES, "api.webull.com", Algorithm.SHA1, "jYzffkkIs2tVpW0GQrKD/6q1kVo="),
        (BALANCES, "api.sandbox.webull.com", Algorithm.SHA256, "A0JFrjLangqnQup29BXhJrD6iR+4GLLTXNMWlPawgig="),
        (BALANCES, "127.0.0.1", Algorithm.SHA256, "M7l1dwXTRFiYYnq90SiR/INSfDR7d8SMMyn3HmvWLiA="),
        (PLACING, "api.webull.com", Algorithm.SHA256, "CGiQeLfeuXCcVVYTU+ElS9MSaBhbhYVFVmLLEpA8qxE="),
        (PLACING, "api.sandbox.webull.com", Algorithm.SHA256, "SLZfxSb0uks5UWb/R4vJETBTFKNcdBuRC3nhelCpXog="),
        (PLACING, "api.webull.com", Algorithm.SHA1, "oCxsibZzYvWjrNpBk9SxDNL9kY8="),
        (TOKEN, "api.webull.com", Algorithm.SHA256, "WT4Yw1fB0aXbw1TScHKxoGSoS8K7ocGa7EF9AzYf3tU="),
        (TOKEN, "api.webull.com", Algorithm.SHA1, "SsPpgFIlQBU24F5ZGiwEp4hG8VU="),
    ],
)
def test_http_signatures_match_the_vectors(
    call: tuple[str, tuple[tuple[str, str], ...], bytes], host: str, algorithm: Algorithm, signature: str
) -> None:
    """L1"""
    path, query, body = call
    headers = _headers(algorithm)
    assert sign_http("app_secret_demo", headers, host=host, path=path, query=query, body=body) == signature


def test_the_published_vector_is_reproduced() -> None:
    """L1"""
    headers = signed_headers(
        "776da210ab4a452795d74e726ebd74b6",
        Algorithm.SHA1,
        at=datetime(2022, 1, 4, 3, 55, 31, tzinfo=UTC),
        nonce="48ef5afed43d4d91ae514aaeafbc29ba",
    )
    signature = sign_http(
        "0f50a2e853334a9aae1a783bee120c1f",
        headers,
        host="api.webull.com",
        path="/trade/place_order",
        query=(("a1", "webull"), ("a2", "123"), ("a3", "xxx"), ("q1", "yyy")),
        body=b'{"k1":123,"k2":"this is the api request body","k3":true,"k4":{"foo":[1,2]}}',
    )
    assert signature == "kvlS6opdZDhEBo5jq40nHYXaLvM="


@pytest.mark.parametrize(
    ("algorithm", "signature"),
    [
        (Algorithm.SHA256, "HM6AlCSUwX0Tso3pDV2Ph2ioYYlGVDAVkwguCrE39Mk="),
        (Algorithm.SHA1, "2n1CvaR8L54BCqBM0+e8FORrpcs="),
    ],
)
def test_the_streaming_call_has_a_signature_of_its_own(algorithm: Algorithm, signature: str) -> None:
    """L1"""
    request = SUBSCRIBE_REQUEST(subscribeType=1, timestamp=1795446245000, accounts=["ACCT123"])
    data = request.SerializeToString()
    assert data.hex() == "080110888dbec7a0342a0741434354313233"
    assert sign_grpc("app_secret_demo", _headers(algorithm), data) == signature


def test_a_parameter_that_comes_twice_is_signed_once_with_its_values_in_order() -> None:
    headers = _headers(Algorithm.SHA256)
    one_way = sign_http("s", headers, host="h", path="/p", query=(("symbol", "B"), ("symbol", "A")))
    other_way = sign_http("s", headers, host="h", path="/p", query=(("symbol", "A"), ("symbol", "B")))
    assert one_way == other_way
    assert one_way != sign_http("s", headers, host="h", path="/p", query=(("symbol", "A"),))


def test_every_request_has_a_nonce_of_its_own_and_the_time_in_utc() -> None:
    first, second = (signed_headers("k", Algorithm.SHA256) for _ in range(2))
    assert first["x-signature-nonce"] != second["x-signature-nonce"]
    assert stamp_of(datetime.fromisoformat("2026-11-23T10:04:05-05:00")) == "2026-11-23T15:04:05Z"
