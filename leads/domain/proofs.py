"""Proof that a visitor is who a page says: a signature that only the owner of the website can make.

A browser key stands in public pages, so anybody can send an identify call with somebody else's address.
Where a source has an identity secret, its server signs whom it has signed in, and the page sends that along
as ``context.proof``: ``v1.<expiry>.<hex>`` with the HMAC-SHA256 of ``expiry, user id, address``, one a line;
``expiry`` is a Unix time, 0 for none. What is not proven stays the visitor's own: it names no person, tells
no traits and joins nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from leads.domain.tracking import Flag, Message, MessageType

SECRET_PREFIX = "ids_"  # noqa: S105 the form of a secret, not one
_ALPHABET = string.ascii_letters + string.digits
_FORM = re.compile(r"v1\.([0-9]{1,12})\.([0-9a-f]{64})", re.ASCII)


class Verdict(StrEnum):
    """How far a call is believed."""

    PROVEN = "proven"
    ABSENT = "absent"  # without a proof
    WRONG = "wrong"  # forged, expired, or made for somebody else


@dataclass(frozen=True, slots=True)
class Proving:
    """What a source asks of the pages it stands in: any of ``secrets`` may have signed.

    While a proof is not ``required`` a call without one is believed, so that a website can change over; one
    with a wrong proof never is.
    """

    secrets: tuple[str, ...]
    required: bool = False


def new_secret() -> str:
    """A fresh secret of 256 bits."""
    return SECRET_PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(43))


def sign(secret: str, *, user_id: str = "", email: str = "", expires: int = 0) -> str:
    """The proof that a website's server makes for the visitor it has signed in."""
    return f"v1.{expires}.{_digest(secret, user_id, email, str(expires))}"


def judged(message: Message, proof: str, *, proving: Proving) -> Message:
    """The message as far as it is believed; :class:`Flag` tells what was not."""
    if not _names(message):
        return message
    verdict = _verdict(message, proof, message.received_at, proving)
    if verdict is Verdict.PROVEN:
        return _own_past(message)
    if verdict is Verdict.ABSENT and not proving.required:
        return replace(message, flags=message.flags | {Flag.UNSIGNED})
    flag = Flag.WRONG_PROOF if verdict is Verdict.WRONG else Flag.UNPROVEN
    return replace(
        message, user_id="", previous_id="", traits=_harmless(message), person_traits={},
        flags=message.flags | {flag},
    )  # fmt: skip


def _names(message: Message) -> bool:
    """Whether the message says who the visitor is, or what they are like."""
    tells = message.type in (MessageType.IDENTIFY, MessageType.ALIAS)
    return bool(tells or message.user_id or message.previous_id)


def _verdict(message: Message, proof: str, now: datetime, proving: Proving) -> Verdict:
    if not proof:
        return Verdict.ABSENT
    found = _FORM.fullmatch(proof)
    address = message.traits.get("email") if message.type is MessageType.IDENTIFY else ""
    email = address if isinstance(address, str) else ""
    if found is None or not (message.user_id or email.strip()) or _is_past(int(found[1]), now):
        return Verdict.WRONG
    expected = [_digest(secret, message.user_id, email, found[1]) for secret in proving.secrets]
    # All are compared, so that the time taken does not tell which came near.
    matches = [hmac.compare_digest(one, found[2]) for one in expected]
    return Verdict.PROVEN if any(matches) else Verdict.WRONG


def _is_past(expires: int, now: datetime) -> bool:
    return expires != 0 and expires <= now.timestamp()


def _digest(secret: str, user_id: str, email: str, expires: str) -> str:
    # A line end inside an id would make one signature good for two readings.
    text = "\n".join(part.replace("\n", " ") for part in (expires, user_id.strip(), email.strip().lower()))
    return hmac.new(secret.encode(), text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def _own_past(message: Message) -> Message:
    """A proven alias joins what this browser did, not what another name did: that nobody has proven."""
    if message.previous_id in ("", message.anonymous_id):
        return message
    return replace(message, previous_id=message.anonymous_id, flags=message.flags | {Flag.UNPROVEN})


def _harmless(message: Message) -> dict[str, object]:
    """Traits of a company are no person's; those of a person are not kept."""
    return dict(message.traits) if message.type is MessageType.GROUP else {}
