"""The rows that are the queue: intents, orders, fills, positions, and every transition between their states."""

from execution.models.command import Command
from execution.models.explanation import Explanation
from execution.models.fill import Fill
from execution.models.heartbeat import Heartbeat
from execution.models.intent import IntentKind, IntentSource, IntentStatus, OrderIntent
from execution.models.order import Order
from execution.models.position import BrokerPosition, Position
from execution.models.transition import ObjectKind, Transition

__all__ = [
    "BrokerPosition",
    "Command",
    "Explanation",
    "Fill",
    "Heartbeat",
    "IntentKind",
    "IntentSource",
    "IntentStatus",
    "ObjectKind",
    "Order",
    "OrderIntent",
    "Position",
    "Transition",
]
