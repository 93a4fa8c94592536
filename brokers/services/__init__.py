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
from brokers.services.venue_limits import (
    check_venue_limits,
    has_venue_limits,
    known_venue_limits,
    read_venue_limits,
    set_venue_limits,
)

__all__ = [
    "access_of",
    "agree",
    "approve_login",
    "check_venue_limits",
    "connect_login",
    "credentials_of",
    "delete_login",
    "disable_login",
    "enable_login",
    "endpoints_of",
    "first_failure",
    "has_venue_limits",
    "is_ready",
    "known_venue_limits",
    "lane_slot_of",
    "read_venue_limits",
    "reconnect_login",
    "run_preflight",
    "set_venue_limits",
]
