"""What a message says about who it is from: user id, e-mail address, former ids."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from leads.domain.identity import EMAIL, Claim, Node
from leads.domain.tracking import Message, MessageType

_LOOKS_LIKE_EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s.]+$")
NormalForm = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Naming:
    """``node`` is who the event goes to: the user id, else the address; None where it names nobody."""

    node: Node | None
    user: Node | None
    email: Node | None
    claims: tuple[Claim, ...]


def of(message: Message, *, normal_form: NormalForm) -> Naming:
    """What the message names. ``normal_form`` turns an address into its normal form, "" if it is none.

    A user id that is written as an address claims that address too.
    """
    user = (message.source_id, message.user_id) if message.user_id else None
    email = _email(message, normal_form)
    claims = []
    if email is not None:
        claims.append(Claim(message.occurred_at, message.id, email, user))
    own = _address(message.user_id, normal_form)
    if user is not None and own is not None and own != email:
        claims.append(Claim(message.occurred_at, message.id, own, user))
    if message.type is MessageType.ALIAS and user is not None and message.previous_id:
        former = (message.source_id, message.previous_id)
        if former != user:
            claims.append(Claim(message.occurred_at, message.id, user, former))
        address = _address(message.previous_id, normal_form)
        if address is not None:
            claims.append(Claim(message.occurred_at, message.id, address, former))
    return Naming(user or email, user, email, tuple(claims))


def _email(message: Message, normal_form: NormalForm) -> Node | None:
    if message.type is not MessageType.IDENTIFY:
        return None
    said = message.traits.get("email")
    address = normal_form(said) if isinstance(said, str) else ""
    return (EMAIL, address) if address else None


def _address(text: str, normal_form: NormalForm) -> Node | None:
    address = normal_form(text) if _LOOKS_LIKE_EMAIL.match(text) else ""
    return (EMAIL, address) if address else None
