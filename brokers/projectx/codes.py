"""The venue's error codes in words: a business failure is HTTP 200 with `success: false` and a number.

Which number means what differs by endpoint (ProjectX wire facts, errorCode enums).
"""

from __future__ import annotations

from brokers.errors import BrokerError, OutcomeUnknown, Refused

BAD_ENVELOPE = "the venue's answer could not be read"
TAG_IN_USE = "already in use"
POSITION_BRACKETS = "Brackets cannot be used with Position Brackets"

LOGIN = "Auth/loginKey"
VALIDATE = "Auth/validate"
PLACE = "Order/place"
MODIFY = "Order/modify"
CANCEL = "Order/cancel"
CLOSE = "Position/closeContract"

ORDER_NOT_FOUND = "OrderNotFound"
POSITION_NOT_FOUND = "PositionNotFound"
API_SUBSCRIPTION_NOT_FOUND = "ApiSubscriptionNotFound"

# From 1 on, in the order of the venue's numbers.
_NAMES: dict[str, tuple[str, ...]] = {
    LOGIN: (
        "UserNotFound",
        "PasswordVerificationFailed",
        "InvalidCredentials",
        "AppNotFound",
        "AppVerificationFailed",
        "InvalidDevice",
        "AgreementsNotSigned",
        "UnknownError",
        API_SUBSCRIPTION_NOT_FOUND,
        "ApiKeyAuthenticationDisabled",
    ),
    VALIDATE: ("InvalidSession", "SessionNotFound", "ExpiredToken", "UnknownError"),
    PLACE: (
        "AccountNotFound",
        "OrderRejected",
        "InsufficientFunds",
        "AccountViolation",
        "OutsideTradingHours",
        "OrderPending",
        "UnknownError",
        "ContractNotFound",
        "ContractNotActive",
        "AccountRejected",
    ),
    MODIFY: (
        "AccountNotFound",
        ORDER_NOT_FOUND,
        "Rejected",
        "Pending",
        "UnknownError",
        "AccountRejected",
        "ContractNotFound",
    ),
    CANCEL: ("AccountNotFound", ORDER_NOT_FOUND, "Rejected", "Pending", "UnknownError", "AccountRejected"),
    CLOSE: (
        "AccountNotFound",
        POSITION_NOT_FOUND,
        "ContractNotFound",
        "ContractNotActive",
        "OrderRejected",
        "OrderPending",
        "UnknownError",
        "AccountRejected",
    ),
    "Contract/searchById": ("ContractNotFound",),
    "Order/search": ("AccountNotFound",),
    "Order/searchOpen": ("AccountNotFound",),
    "Order/searchById": (ORDER_NOT_FOUND,),
    "Position/searchOpen": ("AccountNotFound",),
    "Trade/search": ("AccountNotFound",),
    "History/retrieveBars": ("ContractNotFound", "UnitInvalid", "UnitNumberInvalid", "LimitInvalid"),
}

# The venue itself does not know, or has not decided: no proof that nothing was done.
_UNDECIDED = frozenset({"UnknownError", "OrderPending", "Pending"})

_TEXTS = {
    "UserNotFound": "the venue does not know this username",
    "PasswordVerificationFailed": "the venue refused the API key",
    "InvalidCredentials": "username and API key do not belong together",
    "AgreementsNotSigned": "agreements are waiting: sign in on the firm's platform once and complete them",
    API_SUBSCRIPTION_NOT_FOUND: "this user has no API subscription: it is bought in the firm's platform settings",
    "ApiKeyAuthenticationDisabled": "API keys are switched off for this user in the firm's platform settings",
    "OrderRejected": "the venue refused the order",
    "InsufficientFunds": "the account's funds do not suffice",
    "AccountViolation": "the account has broken one of the firm's rules",
    "OutsideTradingHours": "the market is closed",
    "AccountRejected": "the firm does not let this account trade",
    "AccountNotFound": "the venue does not know this account",
    "ContractNotFound": "the venue does not know this contract",
    "ContractNotActive": "the contract is not traded any more",
    ORDER_NOT_FOUND: "the venue has no such order working",
    POSITION_NOT_FOUND: "there is no position to close",
    "Rejected": "the venue refused the change",
}
_BRACKET_HELP = (
    "the account is set to Position Brackets, which leave no room for an order's own stop and target; "
    "switch on Auto OCO Brackets in the platform's risk settings"
)


def name_of(endpoint: str, code: int) -> str:
    """The venue's own word for an error, or its number where it has none that we know."""
    names = _NAMES.get(endpoint, ())
    return names[code - 1] if 0 < code <= len(names) else f"CODE_{code}"


def failure_of(endpoint: str, code: int, message: str) -> BrokerError:
    """What a `success: false` means: `Refused` with proof, or `OutcomeUnknown` where the venue cannot tell."""
    name = name_of(endpoint, code)
    if name in _UNDECIDED:
        return OutcomeUnknown(f"{endpoint}: {name}{f': {message}' if message else ''}")
    if message.startswith(POSITION_BRACKETS):
        return Refused(name, _BRACKET_HELP)
    return Refused(name, message or _TEXTS.get(name, ""))
