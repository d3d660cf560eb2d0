"""What a tracking call says, after the intake has checked and normalised it.

:class:`Message` is the contract between the two halves of tracking: accepting (``smarketing.intake`` writes
it as JSON into the inbox, durably, before it answers) and applying (``leads.services.tracking`` makes
visitors, events and touchpoints of it). Everything in it is already safe to store: no null characters, no
lone surrogates, no number that PostgreSQL would refuse or blow up, lengths within their columns, aware times.
``leads.domain.segment`` makes messages from the calls of the SDKs.

What is *not* decided here: whether the sender is a robot or a colleague (apply knows the rules and counts
what it drops), which person is meant, which channel a campaign belongs to.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from operator import attrgetter
from typing import Any

import orjson

_PREFIX = uuid.uuid5(uuid.NAMESPACE_URL, "urn:smarketing:event").bytes


class MessageType(StrEnum):
    """The six calls of the Segment specification."""

    TRACK = "track"
    PAGE = "page"
    SCREEN = "screen"
    IDENTIFY = "identify"
    GROUP = "group"
    ALIAS = "alias"


class Flag(StrEnum):
    """What the intake noticed or mended; kept with the message and shown beside the event."""

    FUTURE_TIME = "future_time"  # more than five minutes ahead of its arrival: counted as the arrival
    LATE = "late"  # happened more than a day before it arrived
    BAD_TIME = "bad_time"  # its time could not be read: counted as the arrival
    CLEANED_TEXT = "cleaned_text"  # null characters or lone surrogates became U+FFFD
    CLEANED_NUMBER = "cleaned_number"  # a number beyond our limits became text
    CUT_TEXT = "cut_text"  # a name or an address longer than its column was cut
    COOKIELESS = "cookieless"  # the anonymous id is the day's salted hash, not a stored identifier
    PIXEL = "pixel"  # came by a picture, not by a script
    SERVER = "server"  # came with a secret server key: who it says it is about may be believed
    UNSIGNED = "unsigned"  # names somebody without a proof; believed, as none is required of its source yet
    UNPROVEN = "unproven"  # named somebody without the proof its source requires: counts as the visitor's
    WRONG_PROOF = "wrong_proof"  # named somebody with a forged, expired or foreign proof: likewise


CONSENT = "consent:"  # "consent:analytics" = granted by the visitor
NO_CONSENT = "no_consent:"  # "no_consent:advertising" = refused by the visitor


# Neither of the two is frozen: it would take three times as long to make one, and thousands come a second.
@dataclass(slots=True)
class PageContext:
    """The page on which something happened. All texts, "" = unknown; ``url`` as the browser had it."""

    url: str = ""
    path: str = ""
    referrer: str = ""
    title: str = ""
    search: str = ""


@dataclass(slots=True)
class Message:
    """One accepted call.

    ``id`` is the UUIDv5 of (source code, ``message_id``): the key of the event, for ever.
    ``anonymous_id``, ``user_id``, ``previous_id`` and ``group_id`` are "" when absent (null and "" mean
    absent to the SDKs). ``occurred_at`` is corrected for the sender's wrong clock, receivedAt − (sentAt −
    timestamp), and never ahead of ``received_at``; ``claimed_at`` is the time as the sender wrote it.

    ``properties`` belong to track, page and screen. ``traits`` are of the person (identify; for other calls
    what ``context.traits`` says) or of the company (group: the traits of the call alone; those of the
    person beside them are ``person_traits``). ``campaign`` holds utm_* (trimmed, lower-case) and click ids
    such as gclid (trimmed; their case is part of them). ``network`` is the address cut to /24 or /48; the
    full address is never kept. ``flags`` are :class:`Flag` and consents.
    """

    id: uuid.UUID
    message_id: str
    source_id: int
    type: MessageType
    occurred_at: datetime
    received_at: datetime
    claimed_at: datetime | None = None
    anonymous_id: str = ""
    user_id: str = ""
    previous_id: str = ""
    group_id: str = ""
    name: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict)
    traits: Mapping[str, Any] = field(default_factory=dict)
    person_traits: Mapping[str, Any] = field(default_factory=dict)
    page: PageContext = field(default_factory=PageContext)
    campaign: Mapping[str, str] = field(default_factory=dict)
    user_agent: str = ""
    locale: str = ""
    network: str = ""
    flags: frozenset[str] = frozenset()

    def to_json(self) -> bytes:
        """As it stands in the inbox: only what is not empty, times as ISO 8601. Inverse of ``from_json``."""
        page = {name: text for name, text in zip(_PAGE, _page(self.page), strict=True) if text}
        row: dict[str, Any] = {
            "id": self.id,
            "message_id": self.message_id,
            "source_id": self.source_id,
            "type": self.type,
            "occurred_at": self.occurred_at,
            "received_at": self.received_at,
        }
        if self.claimed_at is not None:
            row["claimed_at"] = self.claimed_at
        for name, value in zip(_OPTIONAL, _optional(self), strict=True):
            if value:
                row[name] = value
        if page:
            row["page"] = page
        if self.flags:
            row["flags"] = sorted(self.flags)
        return orjson.dumps(row)

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Message:
        """The message that ``to_json`` wrote, read. Raises ``KeyError``, ``TypeError`` or ``ValueError``."""
        claimed = row.get("claimed_at")
        return cls(
            id=uuid.UUID(row["id"]),
            message_id=row["message_id"],
            source_id=row["source_id"],
            type=MessageType(row["type"]),
            occurred_at=datetime.fromisoformat(row["occurred_at"]),
            received_at=datetime.fromisoformat(row["received_at"]),
            claimed_at=datetime.fromisoformat(claimed) if claimed else None,
            page=PageContext(**row.get("page", {})),
            flags=frozenset(row.get("flags", ())),
            **{name: row[name] for name in _OPTIONAL if name in row},
        )


_OPTIONAL = (
    "anonymous_id",
    "user_id",
    "previous_id",
    "group_id",
    "name",
    "user_agent",
    "locale",
    "network",
    "properties",
    "traits",
    "person_traits",
    "campaign",
)
_PAGE = ("url", "path", "referrer", "title", "search")
_optional, _page = attrgetter(*_OPTIONAL), attrgetter(*_PAGE)


def event_id(*, source_code: str, message_id: str) -> uuid.UUID:
    """The key of an event: UUIDv5 of (source code, message id)."""
    digest = hashlib.sha1(_PREFIX + f"{source_code}/{message_id}".encode(), usedforsecurity=False).digest()
    return uuid.UUID(bytes=digest[:16], version=5)
