"""Webull's protobuf messages, described at run time: trade events (gRPC) and market data (MQTT).

Field numbers and names are the venue's (Webull wire facts, trade events and market data streaming). Every leaf of a
market data message is a string.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

EVENTS_METHOD = "/grpc.trade.event.EventService/Subscribe"
SUBSCRIBED, AUTH_ERROR, TOO_MANY_CONNECTIONS, EXPIRED = 0, 2, 3, 4
ORDER_EVENT = 1024
ALL_EVENTS = 7

_Field = descriptor_pb2.FieldDescriptorProto
_STRING, _INT64, _UINT32, _INT32 = _Field.TYPE_STRING, _Field.TYPE_INT64, _Field.TYPE_UINT32, _Field.TYPE_INT32
_SESSION_FIELDS = ("trade_time", "price", "high", "low", "volume", "change", "change_ratio")
_SNAPSHOT_FIELDS = (
    *("trade_time", "price", "open", "high", "low", "pre_close", "volume", "change", "change_ratio"),
    *(f"ext_{name}" for name in _SESSION_FIELDS),
    *(f"ovn_{name}" for name in _SESSION_FIELDS),
)


def _add(message: Any, number: int, name: str, kind: int, *, many: bool = False) -> None:
    label = _Field.LABEL_REPEATED if many else _Field.LABEL_OPTIONAL
    message.field.add(name=name, number=number, type=kind, label=label)


def _nest(message: Any, number: int, name: str, type_name: str, *, many: bool = False) -> None:
    label = _Field.LABEL_REPEATED if many else _Field.LABEL_OPTIONAL
    message.field.add(name=name, number=number, type=_Field.TYPE_MESSAGE, label=label, type_name=type_name)


def _events() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="events.proto", package="grpc.trade.event", syntax="proto3")
    request = file.message_type.add(name="SubscribeRequest")
    for number, (name, kind) in enumerate(
        (("subscribeType", _UINT32), ("timestamp", _INT64), ("contentType", _STRING), ("payload", _STRING)), 1
    ):
        _add(request, number, name, kind)
    _add(request, 5, "accounts", _STRING, many=True)
    response = file.message_type.add(name="SubscribeResponse")
    # An open enum on the wire is a varint: business events use numbers that its declaration does not name.
    for number, (name, kind) in enumerate(
        (
            ("eventType", _INT32),
            ("subscribeType", _UINT32),
            ("contentType", _STRING),
            ("payload", _STRING),
            ("requestId", _STRING),
            ("timestamp", _INT64),
        ),
        1,
    ):
        _add(response, number, name, kind)
    return file


def _quotes() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="quotes.proto", package="webull.quotes", syntax="proto3")
    basic = file.message_type.add(name="Basic")
    for number, name in enumerate(("symbol", "instrument_id", "timestamp", "trading_session"), 1):
        _add(basic, number, name, _STRING)
    snapshot = file.message_type.add(name="Snapshot")
    _nest(snapshot, 1, "basic", ".webull.quotes.Basic")
    for number, name in enumerate(_SNAPSHOT_FIELDS, 2):
        _add(snapshot, number, name, _STRING)
    level = file.message_type.add(name="AskBid")
    _add(level, 1, "price", _STRING)
    _add(level, 2, "size", _STRING)
    quote = file.message_type.add(name="Quote")
    _nest(quote, 1, "basic", ".webull.quotes.Basic")
    _nest(quote, 2, "asks", ".webull.quotes.AskBid", many=True)
    _nest(quote, 3, "bids", ".webull.quotes.AskBid", many=True)
    tick = file.message_type.add(name="Tick")
    _nest(tick, 1, "basic", ".webull.quotes.Basic")
    for number, name in enumerate(("time", "price", "volume", "side"), 2):
        _add(tick, number, name, _STRING)
    return file


# A pool of our own: another package may bring the venue's files under the same names.
_pool = descriptor_pool.DescriptorPool()
for _file in (_events(), _quotes()):
    _pool.Add(_file)


def _message(name: str) -> Any:
    return message_factory.GetMessageClass(_pool.FindMessageTypeByName(name))


SUBSCRIBE_REQUEST = _message("grpc.trade.event.SubscribeRequest")
SUBSCRIBE_RESPONSE = _message("grpc.trade.event.SubscribeResponse")
SNAPSHOT = _message("webull.quotes.Snapshot")
QUOTE = _message("webull.quotes.Quote")
TICK = _message("webull.quotes.Tick")
