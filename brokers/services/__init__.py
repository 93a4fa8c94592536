"""What can be done with broker logins: connect, ask, switch, forget; and what an adapter needs to sign in."""

from brokers.services.access import access_of, credentials_of, endpoints_of
from brokers.services.agreements import agree
from brokers.services.connecting import approve_login, connect_login
from brokers.services.logins import (
    delete_login,
    disable_login,
    enable_login,
    lane_slot_of,
    reconnect_login,
)
from brokers.services.preflight import first_failure, is_ready, run_preflight

__all__ = [
    "access_of",
    "agree",
    "approve_login",
    "connect_login",
    "credentials_of",
    "delete_login",
    "disable_login",
    "enable_login",
    "endpoints_of",
    "first_failure",
    "is_ready",
    "lane_slot_of",
    "reconnect_login",
    "run_preflight",
]
