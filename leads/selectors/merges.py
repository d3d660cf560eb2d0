"""Two records side by side, whom to keep, and where a record that was merged away has gone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from leads.models import (
    Activity,
    Company,
    Duplicate,
    DuplicateKind,
    Event,
    Lead,
    Merge,
    Person,
    PersonEmail,
    Touchpoint,
)
from smarketing.users.models import User

MOST_HOPS = 20
PERSON_FIELDS = ("first_name", "last_name", "title", "company", "language", "country", "city", "website")
COMPANY_FIELDS = (
    "name", "domain", "industry", "employees", "annual_revenue", "currency", "country", "city", "phone",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field of both; ``keep`` is "left" or "right": whose value is proposed."""

    name: str
    label: str | Promise
    left: str
    right: str
    keep: str

    @property
    def is_same(self) -> bool:
        """Nothing is to be chosen."""
        return self.left == self.right

    @property
    def id(self) -> str:
        """The name of the field in the form."""
        return f"field_{self.name}"


@dataclass(frozen=True, slots=True)
class Holding:
    """What belongs to one of the two."""

    label: str | Promise
    left: str
    right: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two records beside each other, with a proposal."""

    pair: Duplicate
    left: int
    right: int
    survivor: int
    fields: list[FieldRow]
    holdings: list[Holding]


def keys_of(pair: Duplicate) -> tuple[int, int]:
    """The keys of both records."""
    if pair.kind == DuplicateKind.PERSON:
        return int(pair.left_id or 0), int(pair.right_id or 0)
    return int(pair.left_company_id or 0), int(pair.right_company_id or 0)


def proposed_survivor(kind: str, left: int, right: int) -> int:
    """The one with more leads (people, for a company), then the older: links to it are the oldest."""
    counted = {
        key: Lead.objects.filter(person=key).count()
        if kind == DuplicateKind.PERSON
        else Person.objects.filter(company=key, merged_into=None).count()
        for key in (left, right)
    }
    return min((left, right), key=lambda key: (-counted[key], key))


def compare(pair: Duplicate) -> Comparison:
    """Both records field by field: the survivor's value is proposed, the other's where that is blank."""
    left, right = keys_of(pair)
    survivor = proposed_survivor(pair.kind, left, right)
    one, other = _records(pair)
    names = PERSON_FIELDS if pair.kind == DuplicateKind.PERSON else COMPANY_FIELDS
    rows = [
        _row(name, type(one)._meta.get_field(name).verbose_name, _shown(one, name), _shown(other, name))
        for name in names
    ]
    if pair.kind == DuplicateKind.PERSON:
        rows.append(_row("email", _("main e-mail"), _main(one), _main(other)))
    keys = sorted(one.attributes.keys() | other.attributes.keys())
    rows += [
        _row(
            f"attributes.{key}",
            key.replace("_", " "),
            _text(one.attributes.get(key)),
            _text(other.attributes.get(key)),
        )
        for key in keys
    ]
    side = "left" if survivor == left else "right"
    rows = [_proposed(row, side) for row in rows if row.left or row.right]
    return Comparison(pair, left, right, survivor, rows, _holdings(pair.kind, one, other))


def standing_for(person_id: int) -> Person | None:
    """The person that one who was merged away is part of now; ``None`` for one who was not."""
    found: Person | None = _end_of(Person.objects.select_related("merged_into"), person_id)
    return found


def company_standing_for(company_id: int) -> Company | None:
    """The same of a company."""
    found: Company | None = _end_of(Company.objects.select_related("merged_into"), company_id)
    return found


def _end_of(rows: Any, pk: int) -> Any:
    """Along the merges to the record that stands; ``None`` where there was no merge."""
    gone = rows.filter(pk=pk, merged_into__isnull=False).first()
    for _hop in range(MOST_HOPS):
        if gone is None or gone.merged_into.merged_into_id is None:
            return gone.merged_into if gone is not None else None
        gone = rows.filter(pk=gone.merged_into_id).first()
    return None


def listed(user: User) -> QuerySet[Merge]:
    """Every merge."""
    return Merge.objects.visible_to(user)


def of_person(user: User, person_id: int) -> Sequence[Merge]:
    """What was merged into a person and can be taken apart, the newest first."""
    standing = listed(user).filter(survivor=person_id, undone_at=None).select_related("merged", "actor")
    return list(standing.order_by("-pk")[:10])


def of_company(user: User, company_id: int) -> Sequence[Merge]:
    """The same of a company."""
    standing = listed(user).filter(survivor_company=company_id, undone_at=None)
    return list(standing.select_related("merged_company", "actor").order_by("-pk")[:10])


def _records(pair: Duplicate) -> tuple[Any, Any]:
    if pair.kind == DuplicateKind.PERSON:
        return pair.left, pair.right
    return pair.left_company, pair.right_company


def _row(name: str, label: str | Promise, left: str, right: str) -> FieldRow:
    return FieldRow(name, label, left, right, "left")


def _proposed(row: FieldRow, side: str) -> FieldRow:
    value = row.left if side == "left" else row.right
    keep = side if value else ("right" if side == "left" else "left")
    return FieldRow(row.name, row.label, row.left, row.right, keep)


def _shown(record: Any, name: str) -> str:
    return _text(getattr(record, name))


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _main(person: Person) -> str:
    found = PersonEmail.objects.filter(person=person).order_by("-is_primary", "pk").first()
    return found.email if found else ""


def _holdings(kind: str, one: Any, other: Any) -> list[Holding]:
    counted: dict[str | Promise, Callable[[Any], Any]]
    if kind == DuplicateKind.COMPANY:
        counted = {
            _("People"): lambda c: Person.objects.filter(company=c, merged_into=None).count(),
            _("Leads"): lambda c: Lead.objects.filter(company=c).count(),
        }
    else:
        counted = {
            _("Leads"): lambda p: Lead.objects.filter(person=p).count(),
            _("Touchpoints"): lambda p: Touchpoint.objects.filter(person=p).count(),
            _("Actions on the website"): lambda p: Event.objects.filter(person=p).count(),
            _("Activities"): lambda p: Activity.objects.filter(person=p).count(),
            _("E-mails and phones"): _reach,
        }
    return [Holding(label, str(read(one)), str(read(other))) for label, read in counted.items()]


def _reach(person: Person) -> str:
    emails = [e.email for e in person.emails.order_by("-is_primary", "pk")[:5]]
    phones = [p.written for p in person.phones.order_by("pk")[:5]]
    return ", ".join([*emails, *phones]) or "–"


def of_pair(pair: Duplicate) -> Merge | None:
    """The standing merge of the two, if they are one by a merge of just them."""
    left, right = keys_of(pair)
    of_company = "_company" if pair.kind == DuplicateKind.COMPANY else ""
    one, other = f"survivor{of_company}", f"merged{of_company}"
    either = Q(**{one: left, other: right}) | Q(**{one: right, other: left})
    return Merge.objects.standing().filter(either, kind=pair.kind).order_by("-pk").first()


def with_names(keys: Collection[int]) -> dict[int, Merge]:
    """These merges with their records, by key."""
    related = ("survivor", "merged", "survivor_company", "merged_company")
    return Merge.objects.select_related(*related).in_bulk(list(keys))
