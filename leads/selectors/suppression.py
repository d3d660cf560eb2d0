"""Recognising addresses that must not be kept in clear: hashes keyed with this installation's key."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings

from leads.domain import suppression
from leads.models import Person, SuppressedAddress

EMAIL, PHONE = "email", "phone"


def hash_of(kind: str, value: str) -> str:
    """The keyed hash of a value in normal form; see ``leads.domain.suppression``."""
    return suppression.keyed_hash(kind, value, settings.SUPPRESSION_KEY)


def ip_hash(address: str) -> str:
    """The keyed hash of an IP address; "" without one."""
    return hash_of("ip", address) if address else ""


def in_force(kind: str, values: Iterable[str]) -> set[str]:
    """Those of ``values`` (in normal form) that are suppressed."""
    by_hash = {hash_of(kind, value): value for value in values if value}
    found = SuppressedAddress.objects.filter(kind=kind, hash__in=list(by_hash), lifted_at=None)
    return {by_hash[h] for h in found.values_list("hash", flat=True)}


def of_person(person: Person) -> dict[str, set[str]]:
    """The suppressed e-mail addresses and phone numbers of a person, by kind."""
    phones = {phone.e164 or phone.written for phone in person.phones.all()}
    return {
        EMAIL: in_force(EMAIL, [email.email for email in person.emails.all()]),
        PHONE: in_force(PHONE, phones),
    }
