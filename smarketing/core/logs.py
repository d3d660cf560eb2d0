"""Logs: one JSON object a line, with the request's id, without secrets and personal data.

No bodies are logged. E-mail addresses become a keyed hash (the same address gives the same hash, so
its trail can be followed), tokens keep only their prefix, addresses of the network are cut, and
members whose names say that they are secret are masked. JSON also ends log injection: a line break
in a value stays inside it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import sys
from collections.abc import Mapping, MutableMapping
from ipaddress import ip_address, ip_network
from typing import Any

import structlog

_EMAIL = re.compile(r"[A-Za-z0-9._%+\-']{1,64}(?:@|%40)[A-Za-z0-9.\-]{1,255}\.[A-Za-z]{2,24}")
_TOKEN = re.compile(r"\bsm_([0-9A-Za-z]{8})_[0-9A-Za-z]{8,}")
_WEBHOOK_SECRET = re.compile(r"\bwhsec_[A-Za-z0-9+/=]+")
_URL_PASSWORD = re.compile(r"(?<=://)[^/\s:@]*:[^/\s@]+(?=@)")
_SECRET_NAME = re.compile(
    r"secret|passw|token|authorization|cookie|session|csrf|credential|api_?key", re.IGNORECASE
)
_MASK = "•••"
_MAX_TEXT = 8_000
_MAX_DEPTH = 5


_LEVELS: dict[str, dict[str, Any]] = {
    "django": {"level": "INFO", "handlers": [], "propagate": True},
    # Each 4xx is in the request's own line already.
    "django.request": {"level": "ERROR"},
    "django.server": {"level": "WARNING"},
    "django.security.DisallowedHost": {"level": "CRITICAL"},
    # A line for each tick of each loop says nothing.
    "celery.worker.strategy": {"level": "WARNING"},
    "celery.app.trace": {"level": "WARNING"},
    "celery.beat": {"level": "WARNING"},
}


class Scrubber:
    """A structlog processor that takes secrets and personal data out of every event."""

    def __init__(self, key: str) -> None:
        self.key = key.encode()

    def __call__(
        self, _logger: Any, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        return {name: self._value(name, value, 0) for name, value in event.items()}

    def _value(self, name: str, value: Any, depth: int) -> Any:
        if _SECRET_NAME.search(name) and value not in (None, ""):
            return _MASK
        if isinstance(value, str):
            return self.text(value)
        if value is None or isinstance(value, bool | int | float):
            return value
        if depth >= _MAX_DEPTH:
            return _MASK
        if isinstance(value, Mapping):
            return {str(key): self._value(str(key), entry, depth + 1) for key, entry in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._value("", entry, depth + 1) for entry in list(value)[:100]]
        return self.text(str(value))

    def text(self, text: str) -> str:
        """``text`` without addresses, tokens and passwords, cut at a sane length."""
        text = _TOKEN.sub(r"sm_\1_" + _MASK, text[:_MAX_TEXT])
        text = _WEBHOOK_SECRET.sub("whsec_" + _MASK, text)
        text = _URL_PASSWORD.sub(_MASK, text)
        return _EMAIL.sub(lambda found: self._hash(found.group()), text)

    def _hash(self, address: str) -> str:
        plain = address.replace("%40", "@").lower().encode()
        return "email:" + hmac.new(self.key, plain, hashlib.sha256).hexdigest()[:12]


def cut_address(address: str) -> str:
    """The network of an IP address: /24 of version 4, /48 of version 6."""
    try:
        found = ip_address(address)
    except ValueError:
        return ""
    return str(ip_network(f"{found}/{24 if found.version == 4 else 48}", strict=False))


def configure(*, form: str, level: str, key: str) -> dict[str, Any]:
    """Set structlog up and return Django's ``LOGGING``; ``form`` is ``json`` or ``console``."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.StackInfoRenderer(),
        structlog.stdlib.ExtraAdder(),
    ]
    structlog.configure(
        processors=[*shared[:-1], structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    # Tracebacks become text before they are scrubbed, and never show local variables: those hold secrets.
    plain = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.format_exc_info]
    renderer: Any = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    if form == "json":
        renderer = structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
    last = [*plain, Scrubber(key), renderer]
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": shared,
        "processors": last,
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": formatter},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": _LEVELS,
    }
