"""Marks in a rendered form: when it was shown and which rendering it is, signed."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core import signing

from leads.models import Form

_SHOWN, _ANSWERED = "form.shown", "form.answered"
VALID_FOR = timedelta(days=7)
_MAX = 600


@dataclass(frozen=True, slots=True)
class Shown:
    """One rendering of a form."""

    render_id: str
    seconds: float


def make(form: Form, *, now: datetime) -> str:
    """A mark for a form that is shown at ``now``."""
    return signing.dumps([form.key, secrets.token_hex(16), now.timestamp()], salt=_SHOWN)


def read(token: str, form: Form, *, now: datetime) -> Shown | None:
    """What a mark says; ``None`` when it is not one of ours, of another form or too old."""
    value = _load(token, _SHOWN)
    if not (isinstance(value, list) and len(value) == 3 and value[0] == form.key):
        return None
    seconds = now.timestamp() - float(value[2])
    if not -60 <= seconds <= VALID_FOR.total_seconds():
        return None
    return Shown(str(value[1]), seconds)


def remember(form: Form, targets: Iterable[str]) -> str:
    """For the browser to keep: the names of the questions it has answered. No answer is in it."""
    return signing.dumps([form.key, sorted(targets)], salt=_ANSWERED, compress=True)


def answered(kept: str, form: Form) -> tuple[str, ...]:
    """The questions that this browser has answered."""
    value = _load(kept, _ANSWERED)
    if not (isinstance(value, list) and len(value) == 2 and value[0] == form.key):
        return ()
    return tuple(str(target) for target in value[1])


def _load(text: str, salt: str) -> object:
    if not 0 < len(text) <= _MAX * 4:
        return None
    try:
        found: object = signing.loads(text, salt=salt)
    except signing.BadSignature:
        return None
    return found
