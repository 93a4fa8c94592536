"""One log line is one event: key=value for people, JSON for machines. Secret-looking values never get through."""

from __future__ import annotations

import logging.config
import re
from typing import Any

import structlog

_SECRET_KEY = re.compile(r"token|secret|password|passphrase|authorization|cookie|api_?key|credential", re.IGNORECASE)
_SECRET_TEXT = re.compile(
    r"(/webhook/)[\w-]{16,}|(\bBearer )[\w.\-]+|(\bToken )[\w.\-]+|(://[^:/\s]+:)[^@\s]+(?=@)", re.IGNORECASE
)


def redact(text: str) -> str:
    """`text` with webhook addresses, bearer tokens and URL passwords blanked."""
    return _SECRET_TEXT.sub(lambda match: f"{next(group for group in match.groups() if group)}[redacted]", text)


def redact_event(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = "[redacted]" if _SECRET_KEY.search(key) else redact(value)
    return event


def logging_config(level: str, *, human: bool) -> None:
    """Send both structlog and the standard library's loggers through the same redacting chain to stderr."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact_event,
    ]
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=False) if human else structlog.processors.JSONRenderer(sort_keys=True)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": shared,
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, redact_event, renderer],
    }
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"event": formatter},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "event"}},
            "root": {"handlers": ["stderr"], "level": level},
            "loggers": {
                "django.server": {"level": "WARNING"},
                "django.request": {"level": "ERROR"},
                "kombu": {"level": "WARNING"},
                # A line per bell, while orders wait, says nothing that the rows do not.
                "celery.worker.strategy": {"level": "WARNING"},
                "celery.app.trace": {"level": "WARNING"},
                "celery.beat": {"level": "WARNING"},
                "aiohttp.access": {"level": "WARNING"},
            },
        }
    )
