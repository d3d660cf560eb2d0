"""From a call as the Segment and RudderStack SDKs send it to a :class:`~leads.domain.tracking.Message`.

The calls differ between SDKs and transports: ids may be null, empty or numbers; the time is ``timestamp`` or
``originalTimestamp``; the page stands in ``context.page`` or in the properties; campaign names are those of
``context.campaign`` or of the query string. All that ends here.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from leads.domain import proofs, untrusted
from leads.domain.proofs import Proving
from leads.domain.tagging import campaign_of
from leads.domain.tracking import CONSENT, NO_CONSENT, Flag, Message, MessageType, PageContext, event_id
from leads.domain.visits import network_of, read_time

MAX_EVENT = 32 * 1024  # bytes of JSON
MAX_ID = 255
MAX_NAME = 255
MAX_URL = 2000
_MAX_CONSENTS = 50
_FUTURE = timedelta(minutes=5)
_LATE = timedelta(days=1)
_TYPES = {kind.value: kind for kind in MessageType}
_PAGE_KEYS = ("url", "path", "referrer", "title", "search")


class Refused(ValueError):
    """A call that can't be an event. ``code`` is stable, ``field`` is where, the text how to mend it."""

    def __init__(self, code: str, field: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.field, self.detail = code, field, detail


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a call came: what all the events of one request share.

    ``address`` and ``user_agent`` are those of the connection; a call may carry those of the visitor in its
    context, which go first. ``sent_at`` is the sender's clock when it sent. ``cookieless_salt`` is the
    secret of the day. ``context`` is what the batch says for all its items, cleaned. ``is_server`` means
    that it came with a secret key: then the connection is that of a machine and says nothing of a visitor.
    ``proving`` is what its source asks of pages that say who a visitor is; servers are believed.
    """

    source_id: int
    source_code: str
    received_at: datetime
    address: str = ""
    user_agent: str = ""
    sent_at: datetime | None = None
    context: Mapping[str, Any] | None = None
    cookieless_salt: bytes = b""
    is_pixel: bool = False
    is_server: bool = False
    proving: Proving | None = None


def message_of(item: object, *, arrival: Arrival, type: str = "") -> Message:
    """The message of one call; ``type`` is given by the path, else by the call itself.

    Raises :class:`Refused`.
    """
    call, flags = _checked(item)
    kind = _type_of(call, type)
    context = _mapping(call.get("context"))
    if arrival.context:
        context = {**arrival.context, **context}
    message_id = _message_id(call)
    properties = _mapping(call.get("properties"), "properties", strict=True)
    traits, person_traits = _traits(kind, call, context)
    page = _page(context, properties, flags)
    occurred, claimed = _times(call, arrival, flags)
    name = _name(kind, call, flags)
    anonymous_id = _id(call, "anonymousId") or _without_cookie(context, arrival, flags)
    flags |= _consents(context)
    if arrival.is_pixel:
        flags.add(Flag.PIXEL)
    if arrival.is_server:
        flags.add(Flag.SERVER)
    message = Message(
        id=event_id(source_code=arrival.source_code, message_id=message_id),
        message_id=message_id,
        source_id=arrival.source_id,
        type=kind,
        occurred_at=occurred,
        received_at=arrival.received_at,
        claimed_at=claimed,
        anonymous_id=anonymous_id,
        user_id=_id(call, "userId"),
        previous_id=_id(call, "previousId"),
        group_id=_id(call, "groupId") or _id(context, "groupId"),
        name=name,
        properties=properties,
        traits=traits,
        person_traits=person_traits,
        page=page,
        campaign=campaign_of(_mapping(context.get("campaign")), search=page.search, url=page.url),
        user_agent=(_text(context.get("userAgent")) or ("" if arrival.is_server else arrival.user_agent))[
            :1000
        ],
        locale=_text(context.get("locale"))[:35],
        network=network_of(_text(context.get("ip")) or ("" if arrival.is_server else arrival.address)),
        flags=frozenset(flags),
    )
    _demand(message)
    return _proven(message, context, arrival)


def _checked(item: object) -> tuple[dict[str, Any], set[str]]:
    if not isinstance(item, dict):
        raise Refused("not_an_object", "", "Each event is a JSON object.")
    try:
        cleaned = untrusted.clean(item)
    except untrusted.TooComplex as error:
        raise Refused("too_complex", "", f"The event can't be stored: {error}.") from None
    if cleaned.size > MAX_EVENT:
        raise Refused("event_too_large", "", "An event is at most 32 KB of JSON.")
    flags: set[str] = set()
    if cleaned.text_changed:
        flags.add(Flag.CLEANED_TEXT)
    if cleaned.number_changed:
        flags.add(Flag.CLEANED_NUMBER)
    return cleaned.value, flags


def _type_of(call: Mapping[str, Any], given: str) -> MessageType:
    said = given or _text(call.get("type") or call.get("action"))
    found = _TYPES.get(said) or _TYPES.get(said.strip().lower())
    if found is None:
        raise Refused("unknown_type", "type", "The type is track, page, screen, identify, group or alias.")
    return found


def _message_id(call: Mapping[str, Any]) -> str:
    """The sender's id; else one of the content where that has a time, so that a retry is no second event."""
    given = _id(call, "messageId")
    if given:
        return given
    if _text(call.get("timestamp") or call.get("originalTimestamp")):
        content = json.dumps(call, sort_keys=True, default=str).encode("utf-8")
        return f"content-{hashlib.sha256(content).hexdigest()[:40]}"
    return f"ours-{uuid.uuid4()}"


def _id(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise Refused("bad_id", name, f"{name} is a text or a number.")
    text = str(value).strip()
    if len(text) > MAX_ID:
        raise Refused("id_too_long", name, f"{name} has at most {MAX_ID} characters.")
    return text


def _name(kind: MessageType, call: Mapping[str, Any], flags: set[str]) -> str:
    key = "event" if kind is MessageType.TRACK else "name"
    value = call.get(key)
    return _cut(str(value) if isinstance(value, int | float) else _text(value).strip(), MAX_NAME, flags)


def _cut(text: str, length: int, flags: set[str]) -> str:
    if len(text) <= length:
        return text
    flags.add(Flag.CUT_TEXT)
    return text[:length]


def _traits(
    kind: MessageType, call: Mapping[str, Any], context: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    own = _mapping(call.get("traits"), "traits", strict=True)
    around = _mapping(context.get("traits"))
    if kind is MessageType.GROUP:
        return own, around
    return around | own, {}


def _page(context: Mapping[str, Any], properties: Mapping[str, Any], flags: set[str]) -> PageContext:
    """Context first, overruled by the properties, where a page call says what was viewed."""
    around = _mapping(context.get("page"))
    texts = []
    for key in _PAGE_KEYS:
        text = (_text(properties.get(key)) or _text(around.get(key))).strip()
        texts.append(text if len(text) <= MAX_URL else _cut(text, MAX_URL, flags))
    page = PageContext(*texts)
    if page.referrer == "$direct":
        page.referrer = ""
    return page


def _times(call: Mapping[str, Any], arrival: Arrival, flags: set[str]) -> tuple[datetime, datetime | None]:
    received = arrival.received_at
    written = call.get("originalTimestamp") or call.get("timestamp")
    if not written:
        return received, None
    claimed = read_time(written)
    if claimed is None:
        flags.add(Flag.BAD_TIME)
        return received, None
    sent = read_time(call.get("sentAt")) or arrival.sent_at
    try:
        occurred = received - (sent - claimed) if sent is not None else claimed
    except OverflowError:
        flags.add(Flag.BAD_TIME)
        return received, claimed
    if occurred > received + _FUTURE:
        flags.add(Flag.FUTURE_TIME)
    elif occurred < received - _LATE:
        flags.add(Flag.LATE)
    return min(occurred, received), claimed


def _consents(context: Mapping[str, Any]) -> set[str]:
    if not context.get("consent"):
        return set()
    choices = _mapping(_mapping(context.get("consent")).get("categoryPreferences"))
    some = list(choices.items())[:_MAX_CONSENTS]
    return {
        f"{CONSENT if granted else NO_CONSENT}{str(category)[:60].strip().lower()}"
        for category, granted in some
        if isinstance(granted, bool)
    }


def _without_cookie(context: Mapping[str, Any], arrival: Arrival, flags: set[str]) -> str:
    """The id of a visitor who stores none: a hash that nobody can make again once the day's salt is gone."""
    if context.get("cookieless") is not True or not arrival.cookieless_salt:
        return ""
    flags.add(Flag.COOKIELESS)
    seen = f"{arrival.source_code}\n{arrival.address}\n{arrival.user_agent}".encode("utf-8", "replace")
    digest = hashlib.blake2b(seen, key=arrival.cookieless_salt, digest_size=16).hexdigest()
    return f"day-{digest}"


def _proven(message: Message, context: Mapping[str, Any], arrival: Arrival) -> Message:
    """The message as far as its source believes a page. Raises :class:`Refused` when nothing is left."""
    if arrival.proving is None or arrival.is_server:
        return message
    judged = proofs.judged(message, _text(context.get("proof")), proving=arrival.proving)
    if not judged.user_id and not judged.anonymous_id:
        raise Refused(
            "no_proof",
            "context.proof",
            "This names somebody without proof and no visitor. Sign it, or send an anonymousId.",
        )
    return judged


def _demand(message: Message) -> None:
    """What each type must carry."""
    if not message.user_id and not message.anonymous_id:
        raise Refused("no_identity", "anonymousId", "An event needs a userId or an anonymousId.")
    if message.type is MessageType.TRACK and not message.name:
        raise Refused("no_event_name", "event", "A track call needs the name of the event.")
    if message.type is MessageType.GROUP and not message.group_id:
        raise Refused("no_group", "groupId", "A group call needs a groupId.")
    if message.type is MessageType.ALIAS:
        if not message.user_id:
            raise Refused("no_user", "userId", "An alias call needs the new userId.")
        if not message.previous_id and not message.anonymous_id:
            raise Refused("no_previous", "previousId", "An alias call needs the previousId.")


def _mapping(value: object, name: str = "", *, strict: bool = False) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    if strict and value is not None and value != "":
        raise Refused("not_an_object", name, f"{name} is a JSON object.")
    return dict(value) if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
