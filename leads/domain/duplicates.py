"""How likely two records are one person or one company: evidence field by field, in plain weights.

After Fellegi and Sunter: each field that both records tell adds or takes away a weight, roughly the
binary logarithm of how much more often it reads so for one person than for two. A field that either
record leaves blank says nothing. The sum decides; every part of it is shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from rapidfuzz.distance import OSA, JaroWinkler

from leads.domain.identities import is_free_mail, person_name_key

# Sums from which a pair is offered, and from which it is called certain. Nothing merges by itself.
PROBABLE = 6.5
CERTAIN = 14.0
_NEAR_DAYS = 45
_LETTERS = re.compile(r"[^a-z]")
_SHARED = """
admin billing contact hello help info kontakt mail marketing office sales service support team web
"""
_ROLE_ADDRESSES = frozenset(_SHARED.split())


class Level(StrEnum):
    """How two values of one field compare."""

    SAME = "same"
    CLOSE = "close"  # as a typing error or a short form makes it
    NEAR = "near"  # hints at the same, and little more
    DIFFERENT = "different"


class Band(StrEnum):
    """What the sum says."""

    CERTAIN = "certain"
    PROBABLE = "probable"
    UNLIKELY = "unlikely"


# field → weight by level; 0 where a level does not occur.
WEIGHTS: Mapping[str, tuple[float, float, float, float]] = {
    "first_name": (3, 2, 1, -4),
    "last_name": (5, 3.5, 0.5, -5),
    "swapped_names": (7.5, 5, 0, 0),
    "birth_date": (8, 5, 2, -5),
    "email": (12, 8, 4, -2),
    "email_tells_name": (4, 3, 1, 0),
    "phone": (8, 5, 0, -1),
    "company": (3, 2, 0, -1),
    "city": (2, 1.5, 0, -1.5),
    "postcode": (4, 2, 0, -2),
    "address": (6, 5, 2.5, -2.5),
    "region": (0.5, 0, 0, -0.5),
    "country": (0.5, 0, 0, -2),
    "company_name": (6, 4.5, 3, -6),
    "domain": (9, 0, 0, -5),
    "company_phone": (6, 0, 0, -0.5),
}
_NAMES = frozenset({"first_name", "last_name", "swapped_names", "country", "region"})
_ORDER = (Level.SAME, Level.CLOSE, Level.NEAR, Level.DIFFERENT)


@dataclass(frozen=True, slots=True)
class Profile:
    """What is compared of a person; blank where it is not known. Numbers are digits only."""

    first_name: str = ""
    last_name: str = ""
    emails: Sequence[str] = ()
    phones: Sequence[str] = ()
    company: str = ""
    country: str = ""
    city: str = ""
    postcode: str = ""
    address: str = ""
    region: str = ""
    birth_date: str = ""


@dataclass(frozen=True, slots=True)
class Firm:
    """What is compared of a company."""

    name_key: str = ""
    domain: str = ""
    country: str = ""
    city: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one field says."""

    field: str
    level: Level
    weight: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """The sum of the evidence and what it is made of."""

    evidence: tuple[Evidence, ...]

    @property
    def score(self) -> float:
        """The sum of the weights."""
        return sum(part.weight for part in self.evidence)

    @property
    def band(self) -> Band:
        """Certain only where nothing weighty speaks against it; a name alone is shared by strangers."""
        against = any(part.weight <= -4 for part in self.evidence)
        beside = any(part.weight > 0 and part.field not in _NAMES for part in self.evidence)
        if self.score < PROBABLE or not beside:
            return Band.UNLIKELY
        return Band.CERTAIN if self.score >= CERTAIN and not against else Band.PROBABLE


def weight_of(field: str, level: Level) -> float:
    """The weight of one field at one level."""
    return WEIGHTS[field][_ORDER.index(level)]


def compare(one: Profile, other: Profile) -> Verdict:
    """The evidence that two profiles are one person, in the order of the fields."""
    levels: dict[str, Level | None] = dict(_names(one, other))
    levels["birth_date"] = birth_level(one.birth_date, other.birth_date)
    levels["email"] = _best(email_level(a, b) for a in one.emails for b in other.emails)
    if levels["email"] is Level.NEAR and any(_is_name(e, p) for p in (one, other) for e in p.emails):
        # "ada.lovelace@" of two Ada Lovelaces says hardly more than their names do.
        levels["email"], levels["email_tells_name"] = None, Level.NEAR
    elif levels["email"] is None:
        levels["email_tells_name"] = _best(
            [*(_told(e, other) for e in one.emails), *(_told(e, one) for e in other.emails)]
        )
    levels["phone"] = _best(phone_level(a, b) for a in one.phones for b in other.phones)
    levels["company"] = _text(one.company, other.company)
    levels["city"] = _text(one.city, other.city)
    levels["postcode"] = _code(one.postcode, other.postcode)
    levels["address"] = _address(one.address, other.address)
    levels["region"] = _plain(one.region, other.region)
    levels["country"] = _plain(one.country, other.country)
    return _verdict(levels)


def compare_companies(one: Firm, other: Firm) -> Verdict:
    """The evidence that two companies are one."""
    return _verdict(
        {
            "company_name": _firm_name(one.name_key, other.name_key),
            "domain": _plain(_own(one.domain), _own(other.domain)),
            "company_phone": _plain(one.phone[-7:], other.phone[-7:]),
            "city": _text(one.city, other.city),
            "country": _plain(one.country, other.country),
        }
    )


def name_level(one: str, other: str) -> Level | None:
    """How two first or two last names compare; ``None`` where one is blank. "Rob" is close to "Robert"."""
    if not one or not other:
        return None
    if one == other:
        return Level.SAME
    least = min(len(one), len(other))
    if is_close(one, other) or (least >= 3 and (one.startswith(other) or other.startswith(one))):
        return Level.CLOSE
    if least == 1:
        return Level.NEAR if one[0] == other[0] else Level.DIFFERENT
    return Level.DIFFERENT


def is_close(one: str, other: str) -> bool:
    """Whether a typing error or two make one word of the other; short words allow one."""
    least = min(len(one), len(other))
    if least < 3:
        return False
    distance = OSA.distance(one, other, score_cutoff=2)
    if distance <= 1 or (least >= 6 and distance <= 2):
        return True
    if least >= 4 and len(one) == len(other) and sorted(one) == sorted(other):
        return True
    return float(JaroWinkler.similarity(one, other)) >= 0.9


def birth_level(one: str, other: str) -> Level | None:
    """How two days of birth (digits, year first) compare: one wrong digit, day and month swapped, and
    dates a few weeks, or a year or ten and some weeks apart.
    """
    if not one or not other:
        return None
    if one == other:
        return Level.SAME
    if OSA.distance(one, other) <= 1 or (one[:4] == other[:4] and one[4:] == other[6:] + other[4:6]):
        return Level.CLOSE
    first, second = _day(one), _day(other)
    if first is None or second is None:
        return Level.DIFFERENT
    days = abs((first - second).days)
    if any(abs(days - round(365.25 * years)) <= _NEAR_DAYS for years in (0, 1, 10)):
        return Level.NEAR
    return Level.DIFFERENT


def email_level(one: str, other: str) -> Level:
    """How two addresses compare. Short names before the @ have to be the same to count."""
    if one == other:
        return Level.SAME
    local, _at, host = one.partition("@")
    other_local, _at, other_host = other.partition("@")
    least = min(len(local), len(other_local))
    if least >= 5 and OSA.distance(one, other, score_cutoff=2) <= 2:
        return Level.CLOSE
    if local == other_local and local not in _ROLE_ADDRESSES:
        if OSA.distance(host, other_host, score_cutoff=2) <= 2:
            return Level.CLOSE
        return Level.NEAR if least >= 5 else Level.DIFFERENT
    if least >= 8 and OSA.distance(one, other, score_cutoff=4) <= 4:
        return Level.NEAR
    return Level.DIFFERENT


def phone_level(one: str, other: str) -> Level:
    """How two numbers compare: the same, or the same last seven digits (written without the code)."""
    if one == other:
        return Level.SAME
    return Level.CLOSE if len(one) >= 7 and one[-7:] == other[-7:] else Level.DIFFERENT


def _names(one: Profile, other: Profile) -> dict[str, Level | None]:
    """First and last name, or both swapped where that explains more."""
    straight = {
        "first_name": name_level(one.first_name, other.first_name),
        "last_name": name_level(one.last_name, other.last_name),
    }
    crossed = [name_level(one.first_name, other.last_name), name_level(one.last_name, other.first_name)]
    told = [level for level in crossed if level is not None]
    if not told or any(level in (Level.DIFFERENT, Level.NEAR) for level in told):
        return straight
    if any(level in (Level.SAME, Level.CLOSE) for level in straight.values()):
        return straight
    if len(told) == 1:
        return {"last_name": Level.CLOSE}
    return {"swapped_names": max(told, key=_ORDER.index)}


def _told(email: str, other: Profile) -> Level | None:
    """Whether an address is made of the other's name: "hmay32@…" of Harry May."""
    first, last = other.first_name, other.last_name
    local = _LETTERS.sub("", email.partition("@")[0])
    if len(first) < 2 or len(last) < 2:
        return None
    forms = ((first + last, Level.SAME), (last + first, Level.SAME), (first[0] + last, Level.CLOSE),
             (last + first[0], Level.CLOSE), (first + last[0], Level.CLOSE))  # fmt: skip
    for form, level in forms:
        if len(form) >= 4 and (local == form or (len(form) >= 7 and OSA.distance(local, form) <= 1)):
            return level
    return Level.NEAR if local in (first[0] + last[0], last[0] + first[0]) else None


def _is_name(email: str, owner: Profile) -> bool:
    """Whether the part before the @ is made of the owner's own names."""
    return _told(email, owner) in (Level.SAME, Level.CLOSE)


def _best(levels: Iterable[Level | None]) -> Level | None:
    """The best of what several addresses or numbers say."""
    known = [level for level in levels if level is not None]
    return min(known, key=_ORDER.index) if known else None


def _plain(one: str, other: str) -> Level | None:
    if not one or not other:
        return None
    return Level.SAME if one == other else Level.DIFFERENT


def _text(one: str, other: str) -> Level | None:
    level = _plain(one, other)
    return Level.CLOSE if level is Level.DIFFERENT and is_close(one, other) else level


def _code(one: str, other: str) -> Level | None:
    level = _plain(one, other)
    return Level.CLOSE if level is Level.DIFFERENT and OSA.distance(one, other) <= 1 else level


def _address(one: str, other: str) -> Level | None:
    level = _plain(one, other)
    if level is not Level.DIFFERENT:
        return level
    alike = OSA.normalized_similarity(one, other)
    return Level.CLOSE if alike >= 0.8 else Level.NEAR if alike >= 0.65 else Level.DIFFERENT


def _firm_name(one: str, other: str) -> Level | None:
    level = _text(one, other)
    if level is not Level.DIFFERENT:
        return level
    words, others = set(one.split()), set(other.split())
    return Level.NEAR if words <= others or others <= words else Level.DIFFERENT


def _own(domain: str) -> str:
    """The domain, unless everybody may have an address there."""
    return "" if is_free_mail(domain) else domain


def _day(text: str) -> date | None:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return None


def _verdict(levels: Mapping[str, Level | None]) -> Verdict:
    return Verdict(
        tuple(
            Evidence(field, level, weight_of(field, level))
            for field, level in levels.items()
            if level is not None
        )
    )


# --- what a field may be called in custom attributes and in files -----------------------------------
ROLES: Mapping[str, tuple[str, ...]] = {
    "birth_date": ("birth_date", "date_of_birth", "dob", "birthday", "birthdate"),
    "postcode": ("postcode", "postal_code", "zip", "zip_code", "zipcode", "plz"),
    "address": ("address", "street", "street_address", "address_1", "address1", "address_line_1"),
    "region": ("state", "region", "province"),
}


def plain(text: str) -> str:
    """A value as it is compared: folded case, no marks, single spaces."""
    return person_name_key(text)


def digits(text: str) -> str:
    """The digits of a number or date."""
    return re.sub(r"\D", "", text)
