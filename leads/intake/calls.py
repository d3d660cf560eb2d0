"""From the payload of a request to rows of the inbox, and the answer that tells what became of each event."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings

from leads.domain import untrusted
from leads.domain.segment import Arrival, Refused, message_of
from leads.domain.tracking import CONSENT, Flag, Message, MessageType
from leads.domain.visits import network_of, read_time
from leads.domain.writekeys import allows, digest_of, origin_of
from leads.intake.answers import STORED, Answer, Refusal, partly, unavailable
from leads.intake.limits import NetworkLimits
from leads.intake.reading import Environ, too_large
from leads.intake.stores import Store, Unavailable, Unstorable
from leads.selectors.intake import Sender, Snapshot
from leads.services.intake import Row

MAX_EVENTS = 2_500
WAIT_SECONDS = 9.0  # for the commit; the database's own deadline in web processes is eight
_MAX_KEY = 255
_MAX_CONTEXT = 8 * 1024  # bytes of JSON that a batch says for all its events
_MAX_ROW = 128 * 1024  # bytes; the check of the table, which counts blanks, too
_FULL_SECONDS = 30
_NAMING = frozenset({MessageType.IDENTIFY, MessageType.ALIAS})
_DOUBTS = frozenset({Flag.UNSIGNED, Flag.UNPROVEN, Flag.WRONG_PROOF})


@dataclass(slots=True)
class Taken:
    """The events of one request, sorted: rows to store, and those refused, by index."""

    rows: list[Row]
    refused: list[dict[str, Any]]
    dropped: Counter[str]
    doubted: Counter[str] = field(default_factory=Counter)  # stored, but whom they name is not proven


class Calls:
    """Checks the sender and turns calls into rows; one per process."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.networks = NetworkLimits()

    def handle(self, environ: Environ, payload: Any, *, key: str, type: str, now: datetime) -> Answer:
        """The answer to a call (``type``) or batch (""), after its events are stored.

        Raises :class:`Refusal`.
        """
        state = self.state()
        sender = self.sender(environ, key, state)
        items, around = _items(payload) if not type else ([payload], {})
        if len(items) > MAX_EVENTS:
            raise self._refusal(sender, too_large(), len(items))
        self._admit(environ, sender, state, len(items), now)
        if not sender.is_server and (reason := objection(environ)):
            self.store.count(sender.source_id, reason, len(items))
            return STORED
        arrival = self.arrival(environ, sender, state, now=now, around=around, payload=payload)
        taken = take(items, arrival, type=type, consent=sender.consent_category)
        self._store(sender, taken, seconds=WAIT_SECONDS)
        if not taken.refused:
            return STORED
        return partly(accepted=len(items) - len(taken.refused), refused=taken.refused)

    def sender(self, environ: Environ, key: str, state: Snapshot) -> Sender:
        """Who holds the key, if it may be used from where the request comes. Raises :class:`Refusal`."""
        if not key:
            self.store.count(None, "no_key")
            raise Refusal(401, "no_key", "Send a write key: as Basic user name or as writeKey in the body.")
        sender = state.senders.get(digest_of(key)) if len(key) <= _MAX_KEY else None
        if sender is None:
            self.store.count(None, "unknown_key")
            raise Refusal(401, "unknown_key", "This write key is not known here, or it was revoked.")
        origin = str(environ.get("HTTP_ORIGIN", ""))
        if sender.is_server:
            if origin:
                detail = "This is a server key; a web page needs a browser key."
                raise self._refusal(sender, Refusal(403, "server_key_in_browser", detail), 1)
        elif sender.origins:
            page = origin_of(origin) or origin_of(str(environ.get("HTTP_REFERER", "")))
            if not allows(sender.origins, page):
                detail = "This write key takes no calls from this site; an admin can allow it."
                raise self._refusal(sender, Refusal(403, "origin_not_allowed", detail), 1)
        return sender

    def arrival(
        self,
        environ: Environ,
        sender: Sender,
        state: Snapshot,
        *,
        now: datetime,
        around: Mapping[str, Any] | None = None,
        payload: Any = None,
        is_pixel: bool = False,
    ) -> Arrival:
        """What all events of the request share."""
        sent = payload.get("sentAt") if isinstance(payload, dict) else None
        return Arrival(
            source_id=sender.source_id,
            source_code=sender.source_code,
            received_at=now,
            address=str(environ.get("REMOTE_ADDR", "")),
            user_agent=str(environ.get("HTTP_USER_AGENT", "")).replace("\x00", "\ufffd"),
            sent_at=read_time(sent),
            context=around,
            cookieless_salt=state.salt,
            is_pixel=is_pixel,
            is_server=sender.is_server,
            proving=sender.proving,
        )

    def store_pixel(self, sender: Sender, taken: Taken, *, seconds: float) -> None:
        """Store what a pixel says. Raises :class:`~leads.intake.stores.Unavailable`."""
        self._put(sender, taken, seconds=seconds)

    def state(self, *, seconds: float = WAIT_SECONDS) -> Snapshot:
        """Keys and counters. Raises :class:`Refusal` 503."""
        try:
            return self.store.state(seconds=seconds)
        except Unavailable:
            raise unavailable() from None

    def _store(self, sender: Sender, taken: Taken, *, seconds: float) -> None:
        try:
            self._put(sender, taken, seconds=seconds)
        except Unavailable:
            raise unavailable() from None
        except Unstorable:
            detail = "The database can't store what these events hold."
            raise self._refusal(sender, Refusal(400, "unstorable", detail), len(taken.rows)) from None

    def _put(self, sender: Sender, taken: Taken, *, seconds: float) -> None:
        for reason, events in taken.dropped.items():
            self.store.count(sender.source_id, reason, events)
        for doubt, events in taken.doubted.items():
            self.store.count(sender.source_id, doubt, events)
        if taken.rows:
            new = self.store.put(taken.rows, seconds=seconds)
            self.store.note(key_id=sender.key_id, events=len(taken.rows))
            self.store.count(sender.source_id, "stored", len(taken.rows))
            repeated = len(taken.rows) - sum(1 for row in taken.rows if row.id in new)
            if repeated:
                self.store.count(sender.source_id, "repeated", repeated)

    def _admit(self, environ: Environ, sender: Sender, state: Snapshot, events: int, now: datetime) -> None:
        """Rates and room. Raises :class:`Refusal` 429 or 503."""
        if state.waiting >= settings.INTAKE_INBOX_ROWS:
            detail = "Too many events wait to be worked on. Send the same messages again later."
            full = Refusal(503, "inbox_full", detail, retry_after=_FULL_SECONDS)
            raise self._refusal(sender, full, events)
        self.admit_key(sender, events, now)
        if not sender.is_server:
            self.admit_network(environ, sender.source_id, events)

    def admit_key(self, sender: Sender, events: int, now: datetime) -> None:
        """Raise :class:`Refusal` 429 when the key has used up its minute, in all processes together."""
        minute = now.replace(second=0, microsecond=0)
        used = self.store.used(sender.key_id, minute) + (sender.used if sender.minute_at == minute else 0)
        if used and used + events > sender.per_minute:
            detail = f"This write key takes {sender.per_minute} events a minute."
            raise self._refusal(sender, Refusal(429, "key_rate", detail, retry_after=60 - now.second), events)

    def admit_network(self, environ: Environ, source_id: int | None, events: int) -> None:
        """Raise :class:`Refusal` 429 when the sender's network has sent too much."""
        network = network_of(str(environ.get("REMOTE_ADDR", ""))) or "unknown"
        seconds = self.networks.take(network, events, per_minute=settings.INTAKE_NETWORK_PER_MINUTE)
        if seconds:
            self.store.count(source_id, "network_rate", events)
            raise Refusal(429, "network_rate", "Too many events from this network.", retry_after=seconds)

    def _refusal(self, sender: Sender, refusal: Refusal, events: int) -> Refusal:
        self.store.count(sender.source_id, refusal.code, max(events, 1))
        return refusal


def objection(environ: Environ) -> str:
    """The visitor's wish not to be tracked, as it is counted, or ""."""
    if environ.get("HTTP_SEC_GPC") == "1":
        return "gpc"
    return "dnt" if environ.get("HTTP_DNT") == "1" else ""


def take(items: list[Any], arrival: Arrival, *, type: str, consent: str) -> Taken:
    """Sort the events of a request."""
    taken = Taken([], [], Counter())
    for index, item in enumerate(items):
        try:
            message = message_of(item, arrival=arrival, type=type)
            row = row_of(message)
        except Refused as refused:
            taken.dropped[refused.code] += 1
            taken.refused.append(_named(index, item, refused))
            continue
        if consent and f"{CONSENT}{consent}" not in message.flags:
            taken.dropped["no_consent"] += 1
        else:
            taken.rows.append(row)
            taken.doubted.update(_doubts(message))
    return taken


def _doubts(message: Message) -> Iterable[str]:
    """Under what a call that says who a visitor is is counted, if nothing has proven it."""
    return _DOUBTS & message.flags if message.type in _NAMING else ()


def row_of(message: Message) -> Row:
    """The message as the inbox takes it. Raises ``Refused`` when it is too large even so."""
    body = message.to_json()
    if len(body) > _MAX_ROW // 2:
        raise Refused("event_too_large", "", "An event is at most 32 KB of JSON.")
    return Row(str(message.id), body.decode())


def _named(index: int, item: Any, refused: Refused) -> dict[str, Any]:
    given = item.get("messageId") if isinstance(item, dict) else None
    return {
        "index": index,
        "messageId": given[:255] if isinstance(given, str) else None,
        "code": refused.code,
        "field": refused.field,
        "detail": refused.detail,
    }


def _items(payload: Any) -> tuple[list[Any], dict[str, Any]]:
    """The events of a batch and what it says for all of them. Raises :class:`Refusal`."""
    batch = payload.get("batch") if isinstance(payload, dict) else payload
    if not isinstance(batch, list):
        raise Refusal(400, "no_batch", "A batch is a JSON object with a list “batch”.")
    context = payload.get("context") if isinstance(payload, dict) else None
    if not isinstance(context, dict) or not context:
        return batch, {}
    try:
        around = untrusted.clean(context).value
    except untrusted.TooComplex:
        around = None
    if around is None or len(json.dumps(around)) > _MAX_CONTEXT:
        raise Refusal(400, "context_too_large", "The context of a batch is at most 8 KB; say more per event.")
    return batch, around
