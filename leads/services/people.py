"""Writing persons, their e-mail addresses, phones and ids in other systems."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from leads.events import LeadsChanged
from leads.models import (
    AttributeSubject,
    Company,
    Lead,
    Person,
    PersonEmail,
    PersonPhone,
    PersonRef,
    Source,
)
from leads.services import attributes, companies, fields, identifiers, searching
from leads.services.companies import CompanyInput
from smarketing.core import events, locks
from smarketing.core.errors import Conflict, FieldError, Invalid
from smarketing.core.prepared import Insert, IsAmong, Query, Statement
from smarketing.core.transactions import joined
from smarketing.users.models import User
from smarketing.users.selectors import organisation

COLUMNS = (
    "first_name",
    "last_name",
    "title",
    "company",
    "language",
    "country",
    "city",
    "website",
)
Ref = tuple[Source, str]
_HOLDERS = Query(
    "emails_with_person",
    lambda: PersonEmail.objects.filter(
        IsAmong("email", "emails", of="text"), person__merged_into=None
    ).select_related("person"),
)
_TAKE_EMAILS = Statement(
    "person_takes_emails",
    """
WITH who AS MATERIALIZED (SELECT nextval(pg_get_serial_sequence('leads_person', 'id')) AS id)
INSERT INTO leads_personemail (person_id, email, is_primary)
SELECT who.id, e.email, e.email = %(main)s::text FROM who, unnest(%(emails)s::text[]) AS e(email)
 ORDER BY e.email
ON CONFLICT DO NOTHING RETURNING person_id
""",
)
# The same words in the same order as ``searching.refresh`` puts together.
_SEARCH_TEXT = {
    "search_text": """lower(btrim(%(words)s::text || ' ' ||
        coalesce((SELECT name FROM leads_company WHERE id = %(company_id)s), '')))"""
}
_INSERT = Insert(Person, computed=_SEARCH_TEXT)
_INSERT_KEYED = Insert(Person, computed=_SEARCH_TEXT, keyed=True)


class Unidentified(Invalid):
    """A person needs a name or something to reach or recognise them by."""

    code = "person_unidentified"


class IdentifierTaken(Conflict):
    """An e-mail address or a source's id belongs to another person."""

    code = "identifier_taken"


@dataclass(frozen=True, slots=True)
class PersonInput:
    """What a form or a program says about a person; blank means that it said nothing."""

    first_name: str = ""
    last_name: str = ""
    emails: Sequence[str] = ()
    phones: Sequence[str] = ()
    title: str = ""
    country: str = ""
    city: str = ""
    language: str = ""
    website: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    refs: Sequence[Ref] = ()


def find(
    *,
    emails: Iterable[str] = (),
    phones: Iterable[str] = (),
    refs: Iterable[Ref] = (),
    country: str = "",
) -> Person | None:
    """The person known by one of these: a source's id first, then e-mail, then phone.

    A phone number alone recognises somebody only when exactly one person has it, and when not both
    sides carry e-mail addresses: colleagues share a switchboard.
    """
    present = Person.objects.filter(merged_into=None)
    for source, external_id in refs:
        if found := present.filter(refs__source=source, refs__external_id=external_id).first():
            return found
    addresses = identifiers.emails_of(texts=emails)
    holders = {e.email: e.person for e in _emails(addresses)}
    for address in addresses:
        if address in holders:
            return holders[address]
    numbers = [p.e164 for p in identifiers.phones_of(texts=phones, country=_country(country)) if p.e164]
    if numbers:
        same = list(present.filter(phones__e164__in=numbers).distinct()[:2])
        if len(same) == 1 and not (addresses and same[0].emails.exists()):
            return same[0]
    return None


def create(
    *,
    first_name: str = "",
    last_name: str = "",
    emails: Iterable[str] = (),
    phones: Iterable[str] = (),
    title: str = "",
    company: Company | None = None,
    country: str = "",
    city: str = "",
    language: str = "",
    website: str = "",
    attributes: Mapping[str, Any] | None = None,
    refs: Iterable[Ref] = (),
    actor: User | None,
    now: datetime,
) -> Person:
    """A new person.

    Raises :class:`Unidentified`, :class:`IdentifierTaken`, ``BadEmail``, ``BadPhone`` or what
    ``fields.checked`` raises.
    """
    addresses = identifiers.emails_of(texts=emails)
    numbers = identifiers.phones_of(texts=phones, country=_country(country, company))
    refs = tuple(refs)
    good = fields.checked(
        model=Person,
        values={
            "first_name": first_name,
            "last_name": last_name,
            "title": title,
            "company": company,
            "country": country,
            "city": city,
            "language": language,
            "website": website,
        },
        allowed=COLUMNS,
    )
    if not (good["first_name"] or good["last_name"] or addresses or numbers or refs):
        detail = _("Give a name, an e-mail address or a phone number.")
        raise Unidentified(detail, errors=[FieldError("last_name", Unidentified.code, detail)])
    person = Person(**good, attributes=_attributes({}, attributes or {}), created_at=now, updated_at=now)
    with joined(savepoint=bool(refs)):
        _insert(person, addresses)
        _add_phones(person, numbers)
        _add_refs(person, refs)
    return person


@transaction.atomic
def update(
    *,
    person: Person,
    changes: Mapping[str, Any],
    expected_version: int | None = None,
    actor: User | None,
    now: datetime,
) -> Person:
    """Change named columns. ``emails`` and ``phones`` replace the lists (the first is the main one);
    ``attributes`` are merged, a value of ``None`` takes one away; ``company`` may be a
    ``CompanyInput``, which is found or made.

    Locks the person; tells their open lead. Raises ``EditedMeanwhile``, :class:`IdentifierTaken` or
    what ``fields.checked`` raises.
    """
    if isinstance(given := changes.get("company"), CompanyInput):
        employer = companies.find_or_create(
            name=given.name, domain=given.domain, country=given.country, actor=actor, now=now
        )
        changes = {**changes, "company": employer}
    locked = lock(pk=person.pk)
    fields.same_version(record=locked, expected=expected_version)
    columns = {n: v for n, v in changes.items() if n not in ("emails", "phones", "attributes")}
    good = fields.checked(model=Person, values=columns, allowed=COLUMNS)
    if "attributes" in changes:
        good["attributes"] = _attributes(locked.attributes, changes["attributes"])
    different = [name for name, value in good.items() if getattr(locked, name) != value]
    if "company" in different:
        _follow(locked, locked.company_id, good["company"], now=now)
    for name in different:
        setattr(locked, name, good[name])
    moved = False
    if "emails" in changes:
        moved |= _replace_emails(locked, identifiers.emails_of(texts=changes["emails"]))
    if "phones" in changes:
        country = _country(locked.country, locked.company)
        moved |= _replace_phones(locked, identifiers.phones_of(texts=changes["phones"], country=country))
    if different or moved:
        _written(locked, different, actor=actor, now=now)
    return locked


@transaction.atomic
def fill(
    *, person: Person, given: PersonInput, company: Company | None, actor: User | None, now: datetime
) -> Person:
    """Add what is new and fill what is blank; what is known already stays as it is."""
    locked = lock(pk=person.pk)
    said = {name: getattr(given, name) for name in COLUMNS if name != "company"} | {"company": company}
    good = fields.checked(model=Person, values=said, allowed=COLUMNS)
    blank = [n for n, value in good.items() if value and not getattr(locked, n)]
    for name in blank:
        setattr(locked, name, good[name])
    additional = {k: v for k, v in given.attributes.items() if k not in locked.attributes}
    if additional:
        locked.attributes = _attributes(locked.attributes, additional)
        blank.append("attributes")
    country = _country(locked.country, locked.company)
    moved = _add(
        locked,
        addresses=identifiers.emails_of(texts=given.emails),
        numbers=identifiers.phones_of(texts=given.phones, country=country),
        refs=given.refs,
        skip_taken=True,
    )
    if blank or moved:
        _written(locked, blank, actor=actor, now=now)
    return locked


def lock(*, pk: int) -> Person:
    """The person, locked until the end of the transaction. Raises ``EditedMeanwhile`` when merged."""
    found = locks.rows(Person.objects.filter(merged_into=None), [pk])
    if not found:
        raise fields.EditedMeanwhile(_("This person was merged or removed meanwhile."))
    return found[0]


def _follow(person: Person, former: int | None, company: Company | None, *, now: datetime) -> None:
    """The open lap moves to the person's new company, unless it was captured for yet another one."""
    laps = Lead.objects.open().filter(person=person).filter(Q(company=None) | Q(company=former))
    laps.update(company=company, version=F("version") + 1, updated_at=now)


def _written(person: Person, columns: Collection[str], *, actor: User | None, now: datetime) -> None:
    person.version, person.updated_at = person.version + 1, now
    person.save(update_fields=[*columns, "version", "updated_at"])
    searching.refresh(person_ids=[person.pk])
    leads = tuple(Lead.objects.open().filter(person=person).values_list("pk", flat=True))
    if leads:
        events.publish(LeadsChanged(leads, actor.pk if actor else None, now))


def _country(country: str, company: Company | None = None) -> str:
    """Where a phone number without a country code is at home: the person's, company's, else ours."""
    return country or (company.country if company else "") or organisation.current().country


def _attributes(present: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    return attributes.merged(subject=AttributeSubject.PERSON, present=present, changes=changes)


def _emails(addresses: Sequence[str]) -> Iterable[PersonEmail]:
    return _HOLDERS.all(emails=list(addresses)) if addresses else ()


def _insert(person: Person, addresses: Sequence[str]) -> None:
    """Write the person with these addresses, the first of them the main one.

    The addresses are taken first, in alphabetic order and for the key that will be the person's: who
    comes second learns it before there is a person. Raises :class:`IdentifierTaken`.
    """
    said = (person.first_name, person.last_name, *addresses[:1], *sorted(addresses[1:]))
    words = " ".join(part for part in said if part)
    if not addresses:
        _INSERT.add(person, words=words)
        return
    taken = _TAKE_EMAILS.rows(emails=sorted(addresses), main=addresses[0])
    if len(taken) < len(addresses):
        PersonEmail.objects.filter(person_id__in=[row[0] for row in taken]).delete()
        raise _address_taken()
    person.pk = taken[0][0]
    _INSERT_KEYED.add(person, words=words)


def _address_taken() -> IdentifierTaken:
    detail = _("This e-mail address belongs to another person.")
    return IdentifierTaken(detail, errors=[FieldError("emails", IdentifierTaken.code, detail)])


def _add_phones(person: Person, numbers: Iterable[identifiers.Phone]) -> None:
    rows = [
        PersonPhone(person=person, written=n.written, e164=n.e164, is_mobile=n.is_mobile) for n in numbers
    ]
    if rows:
        PersonPhone.objects.bulk_create(rows, ignore_conflicts=True)


def _add(
    person: Person,
    *,
    addresses: Sequence[str],
    numbers: Sequence[identifiers.Phone],
    refs: Iterable[Ref],
    skip_taken: bool = False,
) -> bool:
    """Give the person what they do not have yet; say whether anything was new.

    Addresses are inserted in alphabetic order, so that two callers never wait for each other in a
    circle. One that belongs to somebody else raises :class:`IdentifierTaken`, unless ``skip_taken``.
    """
    mine = set(person.emails.values_list("email", flat=True))
    new = [a for a in addresses if a not in mine]
    if skip_taken:
        taken = set(PersonEmail.objects.filter(email__in=new).values_list("email", flat=True))
        new = [a for a in new if a not in taken]
    main = new[0] if new and not person.emails.filter(is_primary=True).exists() else None
    rows = [PersonEmail(person=person, email=a, is_primary=a == main) for a in sorted(new)]
    try:
        if rows:
            with transaction.atomic():
                PersonEmail.objects.bulk_create(rows)
    except IntegrityError as error:
        raise _address_taken() from error
    known = {v for pair in person.phones.values_list("e164", "written") for v in pair if v}
    fresh = [n for n in numbers if (n.e164 or n.written) not in known]
    _add_phones(person, fresh)
    return _add_refs(person, refs) or bool(new or fresh)


def _add_refs(person: Person, refs: Iterable[Ref]) -> bool:
    added = False
    for source, external_id in sorted(refs, key=lambda ref: (ref[0].pk, ref[1])):
        holder = PersonRef.objects.filter(source=source, external_id=external_id).first()
        if holder is None:
            try:
                with transaction.atomic():
                    PersonRef.objects.create(person=person, source=source, external_id=external_id)
                added = True
                continue
            except IntegrityError:
                holder = PersonRef.objects.get(source=source, external_id=external_id)
        if holder.person_id != person.pk:
            detail = _("The id “%(id)s” belongs to another person.") % {"id": external_id}
            raise IdentifierTaken(detail, errors=[FieldError("refs", IdentifierTaken.code, detail)])
    return added


def _replace_emails(person: Person, addresses: Sequence[str]) -> bool:
    present = list(person.emails.order_by("-is_primary", "pk").values_list("email", flat=True))
    if present == list(addresses):
        return False
    person.emails.exclude(email__in=addresses).delete()
    person.emails.update(is_primary=False)
    _add(person, addresses=addresses, numbers=(), refs=())
    person.emails.update(is_primary=False)
    person.emails.filter(email__in=addresses[:1]).update(is_primary=True)
    return True


def _replace_phones(person: Person, numbers: Sequence[identifiers.Phone]) -> bool:
    present = list(person.phones.order_by("pk").values_list("written", flat=True))
    wanted = [n.written for n in numbers]
    if present == wanted:
        return False
    person.phones.all().delete()
    PersonPhone.objects.bulk_create(
        PersonPhone(person=person, written=n.written, e164=n.e164, is_mobile=n.is_mobile) for n in numbers
    )
    return True
