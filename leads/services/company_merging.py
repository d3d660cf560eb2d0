"""Merging two companies into one, and taking it apart again, by the same ledger as persons."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from leads.domain import merging as rules
from leads.domain.identities import company_key
from leads.events import CompaniesMerged, CompaniesUnmerged, LeadsChanged
from leads.models import Company, Duplicate, DuplicateKind, Lead, Merge, Person
from leads.services import companies, duplicates, merge_ledger, searching
from leads.services.merging import BadChoice, CantMerge
from smarketing.audit.services import entries
from smarketing.core import events, locks
from smarketing.core.errors import FieldError
from smarketing.users.models import User

FIELDS = frozenset(name for name in companies.COLUMNS if name not in ("attributes", "parent"))


@transaction.atomic
def merge(
    *,
    survivor: Company,
    merged: Company,
    choices: Mapping[str, str] | None = None,
    batch: str | None = None,
    actor: User | None,
    now: datetime,
) -> Merge:
    """Make ``merged`` part of ``survivor``: its people, leads, deals and ids; as ``merging.merge``."""
    choices = dict(choices or {})
    if wrong := rules.unknown(choices, FIELDS):
        detail = _("Choose “survivor” or “merged”, of a field that the records have.")
        raise BadChoice(detail, errors=[FieldError(f"choices.{n}", BadChoice.code, detail) for n in wrong])
    survivor, merged = _locked(survivor.pk, merged.pk)
    record = Merge.objects.create(
        kind=DuplicateKind.COMPANY,
        survivor_company=survivor,
        merged_company=merged,
        batch=batch,
        actor=actor,
        merged_at=now,
    )
    leads = _leads_of(survivor, merged)
    for relation in merge_ledger.relations(model=Company):
        merge_ledger.move(merge=record, relation=relation, old=merged.pk, new=survivor.pk)
    _write_survivor(record, survivor, merged, choices, now=now)
    Company.objects.filter(pk=merged.pk).update(merged_into=survivor, updated_at=now)
    _settle_pair(record, actor=actor, now=now)
    _follow(record, leads, CompaniesMerged, actor=actor, now=now)
    entries.record(
        actor=actor,
        action="company.merged",
        obj=record,
        after={"survivor": survivor.pk, "merged": merged.pk},
        now=now,
    )
    return record


def take_apart(*, record: Merge, actor: User | None, now: datetime) -> None:
    """Two companies again, within the undoing. Raises :class:`CantMerge` where a later merge stands on it."""
    ids = [record.survivor_key, record.merged_key]
    found = {company.pk: company for company in locks.rows(Company.objects.all(), ids)}
    survivor, merged = found[ids[0]], found[ids[1]]
    if survivor.merged_into_id is not None or merged.merged_into_id != survivor.pk:
        raise CantMerge(_("A later merge stands on this one. Undo that first."))
    leads = _leads_of(survivor, merged)
    Company.objects.filter(pk=merged.pk).update(merged_into=None, updated_at=now)
    own = merge_ledger.rows_of(merge=record, model=Company)
    merge_ledger.restore(merge=record, apart=[Company._meta.db_table])
    for pk, before in own.items():
        company = Company.objects.get(pk=pk)
        written = record.written if pk == survivor.pk else dict.fromkeys(before, survivor.pk)
        _columns_back(company, before, written, now=now)
    _follow(record, leads, CompaniesUnmerged, actor=actor, now=now)


def _locked(survivor_id: int, merged_id: int) -> tuple[Company, Company]:
    if survivor_id == merged_id:
        raise CantMerge(_("A record can't be merged with itself."))
    present = Company.objects.filter(merged_into=None)
    found = {company.pk: company for company in locks.rows(present, [survivor_id, merged_id])}
    if len(found) != 2:
        raise CantMerge(_("One of the two was merged or removed meanwhile. Look at them again."))
    return found[survivor_id], found[merged_id]


def _leads_of(*both: Company) -> tuple[int, ...]:
    mine = Lead.objects.filter(Q(company__in=both) | Q(person__company__in=both))
    return tuple(mine.order_by("pk").values_list("pk", flat=True))


def _write_survivor(
    record: Merge, survivor: Company, merged: Company, choices: Mapping[str, str], *, now: datetime
) -> None:
    values = {name: getattr(survivor, name) for name in FIELDS}
    others = {name: getattr(merged, name) for name in FIELDS}
    changed: dict[str, Any] = rules.chosen(values, others, choices)
    union = rules.attributes(survivor.attributes, merged.attributes, choices)
    if union != survivor.attributes:
        changed["attributes"] = union
    if "name" in changed:
        changed["name_key"] = company_key(changed["name"])
    if survivor.parent_id == merged.pk:
        changed["parent_id"] = merged.parent_id if merged.parent_id != survivor.pk else None
    if not changed:
        return
    merge_ledger.keep(merge=record, model=Company, keys=[survivor.pk], columns=list(changed))
    for name, value in changed.items():
        setattr(survivor, name, value)
    survivor.version, survivor.updated_at = survivor.version + 1, now
    survivor.save(update_fields=[*(n.removesuffix("_id") for n in changed), "version", "updated_at"])
    record.written = {n: str(v) if n == "annual_revenue" else v for n, v in changed.items()}
    record.save(update_fields=["written"])


def _columns_back(
    company: Company, before: dict[str, Any], written: dict[str, Any], *, now: datetime
) -> None:
    """Columns that still read as the merge wrote them."""
    changed = []
    for column, value in before.items():
        present = getattr(company, column)
        if (str(present) if column == "annual_revenue" else present) != written.get(column):
            continue
        setattr(company, column, value)
        changed.append(column.removesuffix("_id"))
    if changed:
        company.version, company.updated_at = company.version + 1, now
        company.save(update_fields=[*changed, "version", "updated_at"])


def _settle_pair(record: Merge, *, actor: User | None, now: datetime) -> None:
    low, high = sorted((record.survivor_key, record.merged_key))
    pair = Duplicate.objects.filter(left_company=low, right_company=high)
    columns = ["state", "decided_at", "decided_by_id"]
    merge_ledger.keep(
        merge=record, model=Duplicate, keys=list(pair.values_list("pk", flat=True)), columns=columns
    )
    duplicates.settle_merged(
        kind=record.kind, survivor_id=record.survivor_key, merged_id=record.merged_key, actor=actor, now=now
    )


def _follow(
    record: Merge,
    leads: tuple[int, ...],
    fact: type[CompaniesMerged] | type[CompaniesUnmerged],
    *,
    actor: User | None,
    now: datetime,
) -> None:
    """The search box, and whoever computes by companies."""
    ids = [record.survivor_key, record.merged_key]
    searching.refresh(person_ids=list(Person.objects.filter(company__in=ids).values_list("pk", flat=True)))
    by = actor.pk if actor else None
    events.publish(fact(record.pk, ids[0], ids[1], leads, by, now))
    present = tuple(Lead.objects.open().filter(pk__in=leads).order_by("pk").values_list("pk", flat=True))
    if present:
        events.publish(LeadsChanged(present, by, now))
