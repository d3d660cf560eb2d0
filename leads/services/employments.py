"""Which company a person belongs to, from group calls, traits and the domain of their address."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Min

from leads.domain import traits as rules
from leads.domain.employers import DOMAIN, GROUP, STATED, Statement, periods, work_domain
from leads.models import Company, Employment, Event, EventKind, Person, PersonTrait, Source
from leads.services import companies, people
from smarketing.core.keysets import among

_COLUMN = "company"


@transaction.atomic
def hear(*, event_ids: Collection[UUID], changed: Collection[int], now: datetime) -> None:
    """Take in what these identify and group events say; ``changed`` are persons whose history differs."""
    if not event_ids and not changed:
        return
    events = Event.objects.filter(pk__in=list(event_ids), person__isnull=False).select_related("person")
    concerned = {
        event.person.pk
        for event in events
        if event.person is not None and (event.person.company_id is None or _statement(event) is not None)
    }
    # Their main address may be another one by now.
    named = [event.person_id for event in events if event.person_id is not None]
    by_address = Employment.objects.filter(person__in=among(named), basis=DOMAIN)
    concerned |= set(by_address.values_list("person_id", flat=True))
    refresh(person_ids=concerned | set(changed), now=now)


@transaction.atomic
def refresh(*, person_ids: Collection[int], now: datetime) -> None:
    """Bring employments and the present company of these persons in line with their events.

    A company that was known by its id alone and has got its name now is filled in for everybody.
    """
    people_ids = sorted(set(person_ids))
    if not people_ids:
        return
    statements = _statements(people_ids)
    named = _companies([s for said in statements.values() for s in said], now=now)
    waiting = Employment.objects.filter(company=None, said__in=list(named)).exclude(person__in=people_ids)
    for employment in waiting.order_by("pk"):
        Employment.objects.filter(pk=employment.pk).update(company=named[employment.said])
        if employment.until is None:
            _settle(employment.person_id, [employment], named, now=now)
    for person_id in people_ids:
        rows = _rows(person_id, statements[person_id], named)
        _write(person_id, rows)
        _settle(person_id, rows, named, now=now)


def _statements(people_ids: Sequence[int]) -> dict[int, list[Statement]]:
    found: dict[int, list[Statement]] = defaultdict(list)
    events = Event.objects.filter(
        person__in=among(people_ids), kind__in=(EventKind.IDENTIFY, EventKind.GROUP)
    )
    for event in events.only("pk", "person_id", "kind", "occurred_at", "source_id", "properties"):
        statement = _statement(event)
        if statement is not None and event.person_id is not None:
            found[event.person_id].append(statement)
    return found


def _statement(event: Event) -> Statement | None:
    if event.kind == EventKind.GROUP:
        said = rules.employer({**event.properties, "id": event.properties.get("group_id")})
    else:
        said = rules.employer(event.properties.get(_COLUMN))
    if not said:
        return None
    return Statement(
        at=event.occurred_at,
        event_id=event.pk,
        source=event.source_id,
        key=said.key,
        name=said.name,
        basis=GROUP if event.kind == EventKind.GROUP else STATED,
        industry=said.industry,
        employees=said.employees,
    )


def _companies(statements: Iterable[Statement], *, now: datetime) -> dict[str, Company]:
    """The company of everything that was named; of an id without a name only where it is known."""
    found: dict[str, Company] = {}
    statements = sorted(statements)
    sources = Source.objects.in_bulk({s.source for s in statements})
    for statement in statements:
        refs = [(sources[statement.source], statement.key)] if statement.key else []
        if statement.said not in found:
            if statement.name:
                found[statement.said] = companies.find_or_create(
                    name=statement.name, refs=refs, actor=None, now=now
                )
            elif (known := companies.find(refs=refs)) is not None:
                found[statement.said] = known
        if (company := found.get(statement.said)) is not None:
            _fill(company, statement, now=now)
    return found


def _fill(company: Company, statement: Statement, *, now: datetime) -> None:
    """What was said of the company fills what is blank there."""
    said = {"industry": statement.industry, "employees": statement.employees}
    blank = {name: value for name, value in said.items() if value and not getattr(company, name)}
    if blank:
        companies.update(company=company, changes=blank, actor=None, now=now)
        for name, value in blank.items():
            setattr(company, name, value)


def _rows(person_id: int, statements: Sequence[Statement], named: dict[str, Company]) -> list[Employment]:
    return [
        Employment(
            person_id=person_id,
            company=named.get(period.statement.said),
            basis=period.statement.basis,
            said=period.statement.said,
            source_id=period.statement.source,
            began_at=period.statement.at,
            until=period.until,
        )
        for period in periods(statements)
    ]


def _write(person_id: int, rows: Sequence[Employment]) -> None:
    columns = ("company_id", "basis", "said", "source_id", "began_at", "until")
    stored = list(
        Employment.objects.filter(person=person_id).exclude(basis=DOMAIN).order_by("began_at", "pk")
    )
    wanted = [tuple(getattr(row, name) for name in columns) for row in rows]
    if [tuple(getattr(row, name) for name in columns) for row in stored] != wanted:
        Employment.objects.filter(pk__in=[row.pk for row in stored]).delete()
        Employment.objects.bulk_create(rows)


def _settle(person_id: int, rows: Sequence[Employment], named: dict[str, Company], *, now: datetime) -> None:
    """Write the present company where tracking may: it was blank, or tracking's own word."""
    present = next((row for row in reversed(rows) if row.until is None), None)
    person = Person.objects.select_related("company").get(pk=person_id)
    own = PersonTrait.objects.filter(person=person_id, name=_COLUMN).first()
    if person.company_id is not None and (own is None or own.value != person.company_id):
        return
    if present is not None:
        Employment.objects.filter(person=person, basis=DOMAIN).delete()
        company = named.get(present.said)
    else:
        company = _by_domain(person, now=now)
    if company is None or company.pk == person.company_id:
        return
    people.update(person=person, changes={_COLUMN: company}, actor=None, now=now)
    word = {"value": company.pk, "at": present.began_at if present else now, "event_id": uuid.UUID(int=0)}
    PersonTrait.objects.update_or_create(person=person, name=_COLUMN, defaults=word)


def _by_domain(person: Person, *, now: datetime) -> Company | None:
    """The company whose domain the main address has; made when nobody has it."""
    main = person.emails.filter(is_primary=True).first()
    domain = work_domain(main.email) if main else ""
    if not domain:
        return None
    company = companies.find_or_create(name=domain, domain=domain, actor=None, now=now)
    said = f"domain {domain}"[:400]
    Employment.objects.filter(person=person, basis=DOMAIN).exclude(said=said).delete()
    if not Employment.objects.filter(person=person, said=said).exists():
        first = Event.objects.filter(person=person).aggregate(first=Min("occurred_at"))["first"]
        Employment.objects.create(
            person=person, company=company, basis=DOMAIN, said=said, began_at=first or now
        )
    return company
