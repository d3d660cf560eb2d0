"""Signed addresses by which people without a sign-in tell us what they allow.

The token in the address is the authority: it names the person by number and nothing else about
them. A token for one thing opens no other. Confirmations end after thirty days; who wants to leave
may do so for as long as the mail exists.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.urls import reverse

from leads.models import ConsentEntry, Person, Purpose

CONFIRM_WITHIN = timedelta(days=30)
_CONFIRM, _LEAVE, _CHOOSE = "consent.confirm", "consent.leave", "consent.choose"
_MAX = 400


@dataclass(frozen=True, slots=True)
class Leaving:
    """Who wants to leave, and what: a purpose, or all mail from us (``None``)."""

    person: Person
    purpose: Purpose | None


def confirm_path(entry: ConsentEntry) -> str:
    """Where the owner of an address confirms that a pending consent is theirs."""
    return reverse("leads:consent_confirm", args=[signing.dumps(entry.pk, salt=_CONFIRM)])


def unsubscribe_path(person: Person, purpose: Purpose | None = None) -> str:
    """Where one click ends a purpose, or all mail (RFC 8058)."""
    token = signing.dumps([person.pk, purpose.code if purpose else ""], salt=_LEAVE)
    return reverse("leads:consent_unsubscribe", args=[token])


def preferences_path(person: Person) -> str:
    """Where a person sees and changes what they allow."""
    return reverse("leads:consent_preferences", args=[signing.dumps(person.pk, salt=_CHOOSE)])


def unsubscribe_headers(person: Person, purpose: Purpose | None = None) -> dict[str, str]:
    """The headers that give mail programs a one-click way out (RFC 8058)."""
    return {
        "List-Unsubscribe": f"<{settings.SITE_URL}{unsubscribe_path(person, purpose)}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def pending(token: str) -> ConsentEntry | None:
    """The entry that a token confirms; ``None`` for a token that is not ours, too old or erased."""
    value = _read(token, _CONFIRM, max_age=CONFIRM_WITHIN)
    if not isinstance(value, int):
        return None
    found = ConsentEntry.objects.filter(pk=value).exclude(address="")
    return found.select_related("purpose", "text", "person").first()


def leaving(token: str) -> Leaving | None:
    """Who a token lets leave what."""
    value = _read(token, _LEAVE)
    if not (isinstance(value, list) and len(value) == 2 and isinstance(value[0], int)):
        return None
    person = _present(value[0])
    if person is None:
        return None
    return Leaving(person, Purpose.objects.filter(code=str(value[1])).first() if value[1] else None)


def choosing(token: str) -> Person | None:
    """Whose preferences a token opens."""
    value = _read(token, _CHOOSE)
    return _present(value) if isinstance(value, int) else None


def _read(token: str, salt: str, max_age: timedelta | None = None) -> object:
    if len(token) > _MAX:
        return None
    try:
        found: object = signing.loads(token, salt=salt, max_age=max_age)
    except signing.BadSignature:
        return None
    return found


def _present(pk: int) -> Person | None:
    """The person, or whom they were merged into."""
    person = Person.objects.filter(pk=pk).select_related("merged_into").first()
    for _step in range(10):
        if person is None or person.merged_into is None:
            break
        person = person.merged_into
    return person
