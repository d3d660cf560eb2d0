"""Standing refusals: what a disqualification refuses, and what would let somebody in again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Scope(StrEnum):
    """Who or what is refused."""

    PERSON = "person"
    COMPANY = "company"
    PRODUCT = "product"  # this person, as long as they ask for that product


class Reopen(StrEnum):
    """What lets a refused one through all the same."""

    NEVER = "never"
    HAND_RAISE = "hand_raise"  # a form that they filled in after the refusal
    NEW_COMPANY = "new_company"  # they work for another company than at the refusal
    NEW_PRODUCT = "new_product"  # they ask for another product than at the refusal


class Key(StrEnum):
    """By what somebody is recognised."""

    PERSON = "person"
    EMAIL = "email"
    EMAIL_HASH = "email_hash"
    PHONE = "phone"
    COMPANY = "company"
    DOMAIN = "domain"


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a disqualification for one reason writes."""

    scope: Scope
    reopen: Reopen


BY_HAND = "disqualified"
# Someone who does not fit may fit in another job, so a change of company asks the question anew. A lead
# that sales returns as "already being worked" is disqualified too, and refuses nobody.
REFUSALS: Mapping[str, Refusal] = {
    "no_fit": Refusal(Scope.PERSON, Reopen.NEW_COMPANY),
    "competitor": Refusal(Scope.PERSON, Reopen.NEW_COMPANY),
    BY_HAND: Refusal(Scope.PERSON, Reopen.NEVER),
}


def in_force(*, lifted_at: datetime | None, expires_at: datetime | None, at: datetime) -> bool:
    """Whether a refusal holds at ``at``; it ends with the instant of its expiry."""
    return lifted_at is None and (expires_at is None or expires_at > at)
