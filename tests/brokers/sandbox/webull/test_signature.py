"""Signatures against published vectors, worked examples and the library's own signer (wire facts, 3.1, 3.2 and 8)."""

import pytest

from brokers.sandbox.webull.messages import SubscribeRequest
from brokers.sandbox.webull.protobuf import MalformedError, decode, encode
from brokers.sandbox.webull.signature import grpc_signature, hosts_of, http_signature

SECRET = "app_secret_demo"
PRODUCTION, SANDBOX = "api.webull.com", "api.sandbox.webull.com"
ORDER = (
    b'{"account_id":"ACCT123","new_orders":[{"client_order_id":"cli0000000001","combo_type":"NORMAL","symbol":"AAPL",'
    b'"instrument_type":"EQUITY","market":"US","order_type":"LIMIT","limit_price":"180.00","quantity":"1","side":"BUY",'
    b'"time_in_force":"DAY","entrust_type":"QTY","support_trading_session":"CORE"}]}'
)
SUBSCRIPTION = bytes.fromhex("080110888dbec7a0342a0741434354313233")


def headers(algorithm):
    return {
        "x-app-key": "app_key_demo",
        "x-timestamp": "2026-11-23T15:04:05Z",
        "x-signature-version": "1.0",
        "x-signature-algorithm": algorithm,
        "x-signature-nonce": "11111111-2222-3333-4444-555555555555",
    }


@pytest.mark.parametrize(
    ("algorithm", "host", "expected"),
    [
        ("HMAC-SHA256", PRODUCTION, "jfvdBWvywSGXbDb9EFTvEdBOSjeuyH/+wDP+pPdo4b4="),
        ("HMAC-SHA1", PRODUCTION, "jYzffkkIs2tVpW0GQrKD/6q1kVo="),
        ("HMAC-SHA256", SANDBOX, "A0JFrjLangqnQup29BXhJrD6iR+4GLLTXNMWlPawgig="),
        ("HMAC-SHA256", "127.0.0.1", "M7l1dwXTRFiYYnq90SiR/INSfDR7d8SMMyn3HmvWLiA="),
    ],
)
def test_a_query_is_signed(algorithm, host, expected):
    query = [("account_id", "ACCT123")]
    assert http_signature(SECRET, headers(algorithm), host, "/trading/assets/balances/get", query) == expected


@pytest.mark.parametrize(
    ("algorithm", "host", "expected"),
    [
        ("HMAC-SHA256", PRODUCTION, "CGiQeLfeuXCcVVYTU+ElS9MSaBhbhYVFVmLLEpA8qxE="),
        ("HMAC-SHA256", SANDBOX, "SLZfxSb0uks5UWb/R4vJETBTFKNcdBuRC3nhelCpXog="),
        ("HMAC-SHA1", PRODUCTION, "oCxsibZzYvWjrNpBk9SxDNL9kY8="),
    ],
)
def test_a_body_is_signed(algorithm, host, expected):
    assert len(ORDER) == 302
    assert http_signature(SECRET, headers(algorithm), host, "/trading/orders/place", body=ORDER) == expected


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        ("HMAC-SHA256", "WT4Yw1fB0aXbw1TScHKxoGSoS8K7ocGa7EF9AzYf3tU="),
        ("HMAC-SHA1", "SsPpgFIlQBU24F5ZGiwEp4hG8VU="),
    ],
)
def test_an_empty_object_is_a_body(algorithm, expected):
    assert http_signature(SECRET, headers(algorithm), PRODUCTION, "/auth/tokens/create", body=b"{}") == expected


def test_the_published_vector():
    sent = {
        "x-app-key": "776da210ab4a452795d74e726ebd74b6",
        "x-timestamp": "2022-01-04T03:55:31Z",
        "x-signature-version": "1.0",
        "x-signature-algorithm": "HMAC-SHA1",
        "x-signature-nonce": "48ef5afed43d4d91ae514aaeafbc29ba",
    }
    query = [("a1", "webull"), ("a2", "123"), ("a3", "xxx"), ("q1", "yyy")]
    body = b'{"k1":123,"k2":"this is the api request body","k3":true,"k4":{"foo":[1,2]}}'
    secret = "0f50a2e853334a9aae1a783bee120c1f"
    signed = http_signature(secret, sent, PRODUCTION, "/trade/place_order", query, body)
    assert signed == "kvlS6opdZDhEBo5jq40nHYXaLvM="


def test_the_order_of_repeated_parameters_does_not_matter():
    one, other = ([("a", "2"), ("a", "1")], [("a", "1"), ("a", "2")])
    signed = [http_signature(SECRET, headers("HMAC-SHA256"), PRODUCTION, "/p", query) for query in (one, other)]
    assert signed[0] == signed[1]


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        ("HMAC-SHA256", "HM6AlCSUwX0Tso3pDV2Ph2ioYYlGVDAVkwguCrE39Mk="),
        ("HMAC-SHA1", "2n1CvaR8L54BCqBM0+e8FORrpcs="),
    ],
)
def test_a_subscription_is_signed_differently(algorithm, expected):
    assert grpc_signature(SECRET, headers(algorithm), SUBSCRIPTION) == expected


def test_a_loopback_client_may_call_its_host_by_four_names():
    assert hosts_of("127.0.0.1:8000") == (
        "127.0.0.1:8000",
        "127.0.0.1",
        "http://127.0.0.1:8000",
        "http://127.0.0.1",
    )


def test_a_subscription_is_read_from_its_bytes():
    assert SubscribeRequest.parse(SUBSCRIPTION) == SubscribeRequest(1, 1_795_446_245_000, ("ACCT123",))
    assert encode((1, 1), (2, 1_795_446_245_000), (5, "ACCT123")) == SUBSCRIPTION


def test_fields_that_nobody_knows_are_passed_over():
    assert decode(bytes.fromhex("090102030405060708") + b"\x15abcd" + encode((3, "x"))) == [
        (1, bytes(range(1, 9))),
        (2, b"abcd"),
        (3, b"x"),
    ]


@pytest.mark.parametrize("broken", [b"\x0a\x05abc", b"\x08", b"\x0f\x01", b"\x09\x01"])
def test_bytes_that_are_no_message_are_refused(broken):
    with pytest.raises(MalformedError):
        decode(broken)
