"""What an alert waits for: triggers, patterns of pages, the keys it is found by, and when it may be told.

An alert is found by two texts: whom it is about and what it waits for. An event offers the few texts it
could be meant by, so finding its alerts costs the same among ten rules as among ten thousand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from funnel.domain import fit
from funnel.domain.fit import Condition

MAX_PATTERN = 200
MAX_STARS = 4
DEEPEST = 12
OPERATORS = ("equals", "not_equals", "contains", "at_least", "at_most", "known", "unknown")
NUMERIC = ("at_least", "at_most")


class Subject(StrEnum):
    """Whom an alert is about. ``MINE``: whoever's lead its user owns."""

    PERSON = "person"
    COMPANY = "company"
    STAGE = "stage"
    SEGMENT = "segment"
    MINE = "mine"


class Trigger(StrEnum):
    """What an alert waits for."""

    PAGE = "page"
    ACTION = "action"
    FORM = "form"
    EMAIL_CLICK = "email_click"
    RETURN = "return"


class BadPattern(ValueError):
    """The text is no pattern of pages."""


# The kinds of event (``leads.models.EventKind``) behind each trigger that has a name to wait for.
_NAMED = {"track": Trigger.ACTION, "form": Trigger.FORM}
ANY_SEGMENT = "segment"


def subject_key(subject: Subject, pk: int) -> str:
    """What an alert's subject is found by; segments are found together and asked afterwards."""
    return ANY_SEGMENT if subject is Subject.SEGMENT else f"{subject}:{pk}"


def address_of(url: str) -> tuple[str, str]:
    """Host and path of an address in small letters; no closing slash, no query, no fragment."""
    try:
        parts = urlsplit(url.strip().lower())
        host = parts.hostname or ""
    except ValueError:
        return "", ""
    return host, parts.path.rstrip("/") or "/"


def pattern_of(text: str) -> str:
    """A pattern as it is kept: ``/pricing``, ``/docs/*``, ``shop.example.com/cart``, ``*pricing*``.

    Written like an address or a path; ``*`` stands for anything. Raises :class:`BadPattern`.
    """
    cleaned = text.strip().lower().partition("#")[0].partition("?")[0]
    cleaned = cleaned.removeprefix("https://").removeprefix("http://")
    if not cleaned or len(cleaned) > MAX_PATTERN or re.search(r"[\s\x00]", cleaned):
        raise BadPattern(text)
    if cleaned.count("*") > MAX_STARS:
        raise BadPattern(text)
    return cleaned.rstrip("/") or "/"


def page_matches(pattern: str, url: str) -> bool:
    """Whether the page at ``url`` is one that the kept ``pattern`` means, on any host unless it names one.

    ``/docs/*`` means ``/docs`` too.
    """
    host, path = address_of(url)
    if not path:
        return False
    text = path if pattern.startswith(("/", "*")) else f"{host}{path}".rstrip("/")
    return fit.wildcard(pattern, text) or (pattern.endswith("/*") and fit.wildcard(pattern[:-2], text))


def key_of(trigger: Trigger, *, pattern: str = "", name: str = "") -> str:
    """The text an alert is found by for what it waits for."""
    if trigger is Trigger.PAGE:
        literal, star, _rest = pattern.partition("*")
        if not star:
            return f"page:{pattern}"
        levels = literal.rpartition("/")[0].split("/")[:DEEPEST]
        return f"page<{'/'.join(levels)}"
    return f"{trigger}:{name.lower()}" if name else f"{trigger}:"


def keys_of_event(kind: str, name: str, url: str) -> list[str]:
    """Every text by which an alert may wait for such an event; at most about thirty."""
    if kind == "page":
        host, path = address_of(url)
        return [f"{Trigger.RETURN}:", *(_page_keys(host, path) if path else [])]
    if kind == "email_click":
        return [f"{Trigger.EMAIL_CLICK}:", f"{Trigger.RETURN}:"]
    trigger = _NAMED.get(kind)
    if trigger is None:
        return []
    named = [f"{trigger}:{name.lower()}"] if name else []
    return [f"{trigger}:", *named, f"{Trigger.RETURN}:"]


def conditions_hold(conditions: Iterable[Mapping[str, Any]], properties: Mapping[str, Any]) -> bool:
    """Whether the event's properties are as an alert asks; an unknown property satisfies nothing."""
    return all(
        fit.holds(
            Condition(f"properties.{c['property']}", c["operator"], c.get("value")),
            {"properties": properties},
        )
        for c in conditions
    )


@dataclass(frozen=True, slots=True)
class Hours:
    """When a user wants to be left alone, and when the daily digest comes, on their wall clock."""

    zone: ZoneInfo
    quiet_from: time | None
    quiet_until: time | None
    digest_at: time

    def tell_at(self, now: datetime, *, is_digest: bool) -> datetime:
        """The first instant from ``now`` on at which this user may be told."""
        local = now.astimezone(self.zone)
        if is_digest:
            return self._next(local, self.digest_at)
        return self._next(local, self.quiet_until) if self._is_quiet(local.time()) else now

    def _is_quiet(self, at: time) -> bool:
        start, end = self.quiet_from, self.quiet_until
        if start is None or end is None or start == end:
            return False
        return start <= at < end if start < end else at >= start or at < end

    def _next(self, local: datetime, at: time | None) -> datetime:
        moment = local.replace(hour=at.hour, minute=at.minute, second=0, microsecond=0) if at else local
        return moment if moment > local else moment + timedelta(days=1)


def _page_keys(host: str, path: str) -> list[str]:
    """The page itself and every level above it, with and without its host."""
    keys = []
    for full in (path, f"{host}{path}".rstrip("/")) if host else (path,):
        levels = full.rstrip("/").split("/")[: DEEPEST + 1]
        keys.append(f"page:{full}")
        keys += [f"page<{'/'.join(levels[:depth])}" for depth in range(1, len(levels) + 1)]
    return list(dict.fromkeys([*keys, "page<"]))
