"""Pairs that may be one, and whoever looks like somebody who is being typed in."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from leads.domain import duplicates as rules
from leads.domain.duplicates import ROLES, Band, Profile, Verdict
from leads.models import Company, Duplicate, DuplicateKind, DuplicateState, Person, PersonPhone
from smarketing.core.prepared import Tally
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User

MOST_LOOKED_AT = 200
_WAITING = Tally("duplicates_waiting", lambda: Duplicate.objects.present().open(), at_most=100)
SHOWN = 5
FIELDS: dict[str, str | Promise] = {
    "first_name": _("First name"),
    "last_name": _("Last name"),
    "swapped_names": _("First and last name, swapped"),
    "birth_date": _("Date of birth"),
    "email": _("E-mail"),
    "email_tells_name": _("E-mail tells the other's name"),
    "phone": _("Phone"),
    "company": _("Company"),
    "city": _("City"),
    "postcode": _("Postcode"),
    "address": _("Address"),
    "region": _("Region"),
    "country": _("Country"),
    "company_name": _("Name"),
    "domain": _("Domain"),
    "company_phone": _("Phone"),
    "identifiers": _("Tracking named both as one"),
}
LEVELS: dict[str, str | Promise] = {
    "same": _("the same"),
    "close": _("nearly the same"),
    "near": _("a hint"),
    "different": _("different"),
}


@dataclass(frozen=True, slots=True)
class Match:
    """Somebody who looks like the one that was asked for."""

    person: Person
    verdict: Verdict

    @property
    def common(self) -> list[Line]:
        """What speaks for one person, the weightiest first."""
        return [line for line in _in_words(evidence(self.verdict)) if line.weight > 0]


@dataclass(frozen=True, slots=True)
class Line:
    """One field of the evidence in words. ``weight`` above 0 speaks for one record, below against."""

    label: str | Promise
    level: str | Promise
    weight: float


def listed(user: User) -> QuerySet[Duplicate]:
    """Pairs with their records."""
    return Duplicate.objects.visible_to(user).select_related(
        "left__company", "right__company", "left_company", "right_company", "decided_by"
    )


def matching(queryset: QuerySet[Duplicate], text: str) -> QuerySet[Duplicate]:
    """Pairs of which one record holds every word of ``text``."""
    for word in text.lower().split()[:8]:
        queryset = queryset.filter(
            Q(left__search_text__contains=word)
            | Q(right__search_text__contains=word)
            | Q(left_company__name__icontains=word)
            | Q(right_company__name__icontains=word)
        )
    return queryset


def open_of_person(user: User, person_id: int) -> list[Duplicate]:
    """What waits to be decided about a person, the likeliest first."""
    mine = listed(user).filter(state=DuplicateState.OPEN).filter(Q(left=person_id) | Q(right=person_id))
    return list(mine.order_by("-score", "pk")[:SHOWN])


def open_of_company(user: User, company_id: int) -> list[Duplicate]:
    """The same about a company."""
    mine = (
        listed(user)
        .filter(state=DuplicateState.OPEN)
        .filter(Q(left_company=company_id) | Q(right_company=company_id))
    )
    return list(mine.order_by("-score", "pk")[:SHOWN])


def next_open(user: User, *, after: Duplicate) -> Duplicate | None:
    """The next pair to decide of the same kind, the likeliest first."""
    waiting = Duplicate.objects.visible_to(user).open().filter(kind=after.kind).exclude(pk=after.pk)
    later = waiting.filter(Q(score__lt=after.score) | Q(score=after.score, pk__lt=after.pk))
    return later.order_by("-score", "-pk").first() or waiting.order_by("-score", "-pk").first()


def lines(pair: Duplicate) -> list[Line]:
    """The evidence in words, the weightiest first."""
    return _in_words(pair.evidence)


def _in_words(parts: Iterable[Mapping[str, Any]]) -> list[Line]:
    told = [
        Line(FIELDS.get(p["field"], p["field"]), LEVELS.get(p["level"], p["level"]), p["weight"])
        for p in parts
    ]
    return sorted(told, key=lambda line: -abs(line.weight))


def profile(person: Person) -> Profile:
    """What is compared of a person; their e-mails and phones should be prefetched."""

    def attribute(role: str) -> str:
        return next((str(person.attributes[n]) for n in ROLES[role] if person.attributes.get(n)), "")

    phones = (rules.digits(p.e164 or p.written) for p in person.phones.all())
    street = str(person.attributes.get("street_number") or "")
    return Profile(
        first_name=rules.plain(person.first_name),
        last_name=rules.plain(person.last_name),
        emails=tuple(e.email for e in person.emails.all()),
        phones=tuple(d for d in phones if len(d) >= 5),
        company=str(person.company_id or ""),
        country=rules.plain(person.country),
        city=rules.plain(person.city),
        postcode=rules.plain(attribute("postcode")),
        address=rules.plain(f"{street} {attribute('address')}".strip()),
        region=rules.plain(attribute("region")),
        birth_date=rules.digits(attribute("birth_date")),
    )


def typed_in(
    *,
    first_name: str = "",
    last_name: str = "",
    emails: Iterable[str] = (),
    phones: Iterable[str] = (),
    company: Company | None = None,
    country: str = "",
    city: str = "",
) -> Profile:
    """A profile of what a form or a program has said so far."""
    return Profile(
        first_name=rules.plain(first_name),
        last_name=rules.plain(last_name),
        emails=tuple(e.strip().lower() for e in emails if "@" in e),
        phones=tuple(d for d in map(rules.digits, phones) if len(d) >= 5),
        company=str(company.pk) if company else "",
        country=rules.plain(country),
        city=rules.plain(city),
    )


def like(wanted: Profile, *, but: Collection[int] = (), limit: int = SHOWN) -> list[Match]:
    """Persons who look like ``wanted``, the likeliest first; by the trigram index and exact numbers."""
    ids = _near(wanted) - set(but)
    people = Person.objects.filter(pk__in=ids, merged_into=None).select_related("company")
    found = [Match(p, rules.compare(wanted, profile(p))) for p in people.prefetch_related("emails", "phones")]
    likely = [m for m in found if m.verdict.band is not Band.UNLIKELY]
    return sorted(likely, key=lambda m: (-m.verdict.score, m.person.pk))[:limit]


def _near(wanted: Profile) -> set[int]:
    """Keys of persons worth comparing: a name alike, the same local part, the same number."""
    present = Person.objects.filter(merged_into=None).order_by()
    ids: set[int] = set()
    name = f"{wanted.first_name} {wanted.last_name}".strip()
    texts = {name, f"{wanted.last_name} {wanted.first_name}".strip()} if len(name) >= 4 else set()
    for text in sorted(texts):
        alike = present.filter(search_text__trigram_word_similar=text)
        ids.update(alike.values_list("pk", flat=True)[:MOST_LOOKED_AT])
    for email in wanted.emails:
        local = email.partition("@")[0]
        if len(local) >= 4:
            same = present.filter(search_text__contains=f"{local}@")
            ids.update(same.values_list("pk", flat=True)[:MOST_LOOKED_AT])
    numbers = [f"+{phone}" for phone in wanted.phones]
    ids.update(PersonPhone.objects.filter(e164__in=numbers).values_list("person", flat=True)[:MOST_LOOKED_AT])
    return ids


def evidence(verdict: Verdict) -> list[dict[str, Any]]:
    """The parts of a verdict as they are stored and told by the API."""
    return [
        {"field": part.field, "level": str(part.level), "weight": part.weight} for part in verdict.evidence
    ]


def told(person: Person) -> list[dict[str, Any]]:
    """Who looks like a person, the likeliest, at most five: as ``LookalikeOut`` tells them."""
    return [
        {
            "id": match.person.pk,
            "name": match.person.name,
            "url": settings.SITE_URL + reverse("leads:person", args=[match.person.pk]),
            "score": match.verdict.score,
            "band": str(match.verdict.band),
            "evidence": evidence(match.verdict),
        }
        for match in like(profile(person), but=[person.pk])
    ]


def pair_of(one: Person, two: Person) -> Duplicate:
    """The pair of any two persons, with its evidence; not stored unless the finder had it."""
    left, right = sorted((one, two), key=lambda person: person.pk)
    known = Duplicate.objects.filter(left=left, right=right).first()
    if known is not None and known.state == DuplicateState.OPEN:
        return known
    verdict = rules.compare(profile(left), profile(right))
    return Duplicate(
        kind=DuplicateKind.PERSON,
        left=left,
        right=right,
        score=verdict.score,
        band=str(verdict.band),
        evidence=evidence(verdict),
    )


def waiting(user: User) -> int:
    """How many pairs wait for a decision, up to a hundred: the number beside the menu."""
    return _WAITING.of() if user.may(Capability.VIEW) else 0


def kind_of(pair: Duplicate) -> DuplicateKind:
    """Whether it is about people or companies."""
    return DuplicateKind(pair.kind)


@dataclass(frozen=True, slots=True)
class Side:
    """One record of a pair, as lists show it."""

    pk: int
    name: str
    sub: str
    url: str


@dataclass(frozen=True, slots=True)
class Row:
    """A pair with both records and its evidence in words; ``other`` is the one that is not looked at."""

    pair: Duplicate
    left: Side
    right: Side
    lines: list[Line]
    other: Side

    @property
    def common(self) -> list[Line]:
        """What speaks for one record."""
        return [line for line in self.lines if line.weight > 0]

    @property
    def against(self) -> list[Line]:
        """What speaks against it."""
        return [line for line in self.lines if line.weight < 0]


def dressed(pairs: Iterable[Duplicate]) -> list[Row]:
    """The pairs of one page with their records."""
    return [dress(pair) for pair in pairs]


def dress(pair: Duplicate, *, seen_from: int = 0) -> Row:
    """One pair; ``seen_from`` is the key of the record whose page shows it."""
    left, right = _sides(pair)
    return Row(pair, left, right, lines(pair), right if left.pk == seen_from else left)


def _sides(pair: Duplicate) -> tuple[Side, Side]:
    if pair.left is not None and pair.right is not None:
        return side(pair.left), side(pair.right)
    if pair.left_company is None or pair.right_company is None:
        raise AssertionError("a pair has two records of one kind (constraint)")
    return _of_company(pair.left_company), _of_company(pair.right_company)


def side(person: Person) -> Side:
    """A person as lists show one."""
    name = person.name or person.search_text or str(person.pk)
    sub = " · ".join(t for t in (person.title, person.company.name if person.company else "") if t)
    return Side(person.pk, name, sub or person.city, reverse("leads:person", args=[person.pk]))


def _of_company(company: Company) -> Side:
    sub = " · ".join(t for t in (company.domain, company.city, company.country) if t)
    return Side(company.pk, company.name, sub, reverse("leads:company", args=[company.pk]))
