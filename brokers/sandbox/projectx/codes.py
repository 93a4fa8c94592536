"""The Gateway's numbers and texts: error codes per endpoint, order types and statuses (0 is success everywhere)."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

SUCCESS: Final = 0


class Login(IntEnum):
    """Auth/loginKey and Auth/loginApp."""

    USER_NOT_FOUND = 1
    PASSWORD_VERIFICATION_FAILED = 2
    INVALID_CREDENTIALS = 3
    APP_NOT_FOUND = 4
    APP_VERIFICATION_FAILED = 5
    INVALID_DEVICE = 6
    AGREEMENTS_NOT_SIGNED = 7
    UNKNOWN_ERROR = 8
    API_SUBSCRIPTION_NOT_FOUND = 9
    API_KEY_AUTHENTICATION_DISABLED = 10


class Validate(IntEnum):
    INVALID_SESSION = 1
    SESSION_NOT_FOUND = 2
    EXPIRED_TOKEN = 3
    UNKNOWN_ERROR = 4


class Search(IntEnum):
    """Code 1 of a search that asks for one thing: AccountNotFound, ContractNotFound or OrderNotFound."""

    NOT_FOUND = 1


class Bars(IntEnum):
    CONTRACT_NOT_FOUND = 1
    UNIT_INVALID = 2
    UNIT_NUMBER_INVALID = 3
    LIMIT_INVALID = 4


class Place(IntEnum):
    ACCOUNT_NOT_FOUND = 1
    ORDER_REJECTED = 2
    INSUFFICIENT_FUNDS = 3
    ACCOUNT_VIOLATION = 4
    OUTSIDE_TRADING_HOURS = 5
    ORDER_PENDING = 6
    UNKNOWN_ERROR = 7
    CONTRACT_NOT_FOUND = 8
    CONTRACT_NOT_ACTIVE = 9
    ACCOUNT_REJECTED = 10


class Change(IntEnum):
    """Order/modify and Order/cancel; only modify knows the last."""

    ACCOUNT_NOT_FOUND = 1
    ORDER_NOT_FOUND = 2
    REJECTED = 3
    PENDING = 4
    UNKNOWN_ERROR = 5
    ACCOUNT_REJECTED = 6
    CONTRACT_NOT_FOUND = 7


class Close(IntEnum):
    """Position/closeContract."""

    ACCOUNT_NOT_FOUND = 1
    POSITION_NOT_FOUND = 2
    CONTRACT_NOT_FOUND = 3
    CONTRACT_NOT_ACTIVE = 4
    ORDER_REJECTED = 5
    ORDER_PENDING = 6
    UNKNOWN_ERROR = 7
    ACCOUNT_REJECTED = 8


class PartialClose(IntEnum):
    """Position/partialCloseContract: as closeContract up to 4."""

    ACCOUNT_NOT_FOUND = 1
    POSITION_NOT_FOUND = 2
    CONTRACT_NOT_FOUND = 3
    CONTRACT_NOT_ACTIVE = 4
    INVALID_CLOSE_SIZE = 5
    ORDER_REJECTED = 6
    ORDER_PENDING = 7
    UNKNOWN_ERROR = 8
    ACCOUNT_REJECTED = 9


class OrderType(IntEnum):
    LIMIT = 1
    MARKET = 2
    STOP_LIMIT = 3
    STOP = 4
    TRAILING_STOP = 5
    JOIN_BID = 6
    JOIN_ASK = 7


TYPE_NAMES: Final = {
    OrderType.LIMIT: "Limit",
    OrderType.MARKET: "Market",
    OrderType.STOP_LIMIT: "StopLimit",
    OrderType.STOP: "Stop",
    OrderType.TRAILING_STOP: "TrailingStop",
    OrderType.JOIN_BID: "JoinBid",
    OrderType.JOIN_ASK: "JoinAsk",
}


class OrderStatus(IntEnum):
    OPEN = 1
    FILLED = 2
    CANCELED = 3
    EXPIRED = 4
    REJECTED = 5
    PENDING = 6
    PENDING_CANCELLATION = 7
    SUSPENDED = 8


DONE: Final = frozenset({OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.REJECTED})
BID, ASK = 0, 1

NEEDS_AUTO_OCO: Final = "Brackets cannot be used with Position Brackets. You must enable Auto OCO Brackets."
TAG_IN_USE: Final = "custom tag already in use"
INVALID_PRICE: Final = "Invalid price"
INVALID_ORDER_TYPE: Final = "Invalid order type"
INVALID_ORDER_SIZE: Final = "Invalid order size"
NO_TRAIL: Final = "Trail Distance not set."
TRAIL_OFF_GRID: Final = "Invalid trail price. Price is not aligned to tick size."
LONGEST_TRAIL_TICKS: Final = 1000
TRAIL_TOO_FAR: Final = f"Trail Distance exceeds maximum ({LONGEST_TRAIL_TICKS})"
FEWEST_BRACKET_TICKS: Final = 4
OUTSIDE_HOURS: Final = "Order is outside of trading hours"
FOLLOWER: Final = "Follower accounts cannot cancel orders"
LIVE: Final = "Live accounts not supported"
SIGN_AGREEMENTS: Final = "Please log into the ProjectX platform and complete the required agreements"
