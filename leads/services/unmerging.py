"""Undoing a merge: two again, each with what was theirs. What came between stays with the survivor."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from leads.events import HistoriesChanged, LeadsChanged, PersonsUnmerged, RecordsMerging
from leads.models import DuplicateKind, Lead, Merge, Person, PersonEmail
from leads.services import company_merging, merge_ledger, searching
from smarketing.audit.services import entries
from smarketing.core import events, locks
from smarketing.core.errors import Conflict
from smarketing.users.models import User

_ASIDE = "UPDATE leads_lead SET lap = lap + 10000 WHERE id = ANY(%s)"
_BACK = """
UPDATE leads_lead l SET person_id = b.person, lap = b.lap, version = version + 1, updated_at = %s
  FROM unnest(%s::bigint[], %s::bigint[], %s::int[]) AS b(id, person, lap) WHERE l.id = b.id
"""


class CantUnmerge(Conflict):
    """The merge was undone already, or a later one has to be undone first."""

    code = "cant_unmerge"


@transaction.atomic
def unmerge(*, merge: Merge, actor: User | None, now: datetime) -> Merge:
    """Take a merge back, of persons or companies, and return it.

    Columns of the survivor that somebody has changed since stay as they are. An open lap that ended by
    the merge goes on, unless another has begun since. Raises :class:`CantUnmerge`.
    """
    if merge.kind == DuplicateKind.PERSON:
        events.publish(RecordsMerging((merge.survivor_key, merge.merged_key), now))
    (record,) = locks.rows(Merge.objects.all(), [merge.pk])
    if record.undone_at is not None:
        raise CantUnmerge(_("This merge was undone already."))
    if record.kind == DuplicateKind.COMPANY:
        company_merging.take_apart(record=record, actor=actor, now=now)
    else:
        _take_apart(record, actor=actor, now=now)
    record.undone_at, record.undone_by = now, actor
    record.save(update_fields=["undone_at", "undone_by"])
    entries.record(
        actor=actor,
        action=f"{record.kind}.unmerged",
        obj=record,
        after={"survivor": record.survivor_key, "merged": record.merged_key},
        now=now,
    )
    return record


def _take_apart(record: Merge, *, actor: User | None, now: datetime) -> None:
    ids = (record.survivor_key, record.merged_key)
    found = {person.pk: person for person in locks.rows(Person.objects.all(), ids)}
    survivor, merged = found[ids[0]], found[ids[1]]
    if survivor.merged_into_id is not None or merged.merged_into_id != survivor.pk:
        raise CantUnmerge(_("A later merge stands on this one. Undo that first."))
    before = merge_ledger.rows_of(merge=record, model=Lead)
    locks.rows(Lead.objects.all(), before)
    Person.objects.filter(pk=merged.pk).update(merged_into=None, updated_at=now)
    _laps_back(before, now=now)
    _emails_back(record)
    apart = [model._meta.db_table for model in (Person, Lead, PersonEmail)]
    merge_ledger.restore(merge=record, apart=apart)
    _reopen(before, now=now)
    columns = merge_ledger.rows_of(merge=record, model=Person).get(survivor.pk, {})
    if columns:
        restore_columns(record=survivor, before=columns, written=record.written, now=now)
    searching.refresh(person_ids=ids)
    by = actor.pk if actor else None
    events.publish(PersonsUnmerged(record.pk, *ids, tuple(sorted(before)), by, now))
    events.publish(HistoriesChanged(ids, now))
    present = tuple(Lead.objects.open().filter(person__in=ids).order_by("pk").values_list("pk", flat=True))
    if present:
        events.publish(LeadsChanged(present, by, now))


def _laps_back(before: dict[int, dict[str, Any]], *, now: datetime) -> None:
    """Each lap to its person and number. Laps that began since keep theirs, which is free by then."""
    if not before:
        return
    ids = sorted(before)
    with connection.cursor() as cursor:
        cursor.execute(_ASIDE, [ids])
        cursor.execute(
            _BACK, [now, ids, [before[pk]["person_id"] for pk in ids], [before[pk]["lap"] for pk in ids]]
        )


def _emails_back(record: Merge) -> None:
    """Each address to its person, as the main one where it was and nobody has chosen another since."""
    before = merge_ledger.rows_of(merge=record, model=PersonEmail)
    was_main = {pk for pk, row in before.items() if row["is_primary"]}
    rows = list(PersonEmail.objects.filter(pk__in=before).order_by("pk"))
    moved = [row.pk for row in rows if row.is_primary and row.pk not in was_main]
    PersonEmail.objects.filter(pk__in=moved).update(is_primary=False)
    for row in rows:
        if row.person_id != before[row.pk]["person_id"]:
            # One that became the main one of both stays so only with its own person.
            PersonEmail.objects.filter(pk=row.pk).update(person=before[row.pk]["person_id"])
    for pk in sorted(was_main):
        email = PersonEmail.objects.filter(pk=pk).first()
        if email and not PersonEmail.objects.filter(person=email.person_id, is_primary=True).exists():
            PersonEmail.objects.filter(pk=pk).update(is_primary=True)


def _reopen(before: dict[int, dict[str, Any]], *, now: datetime) -> None:
    """A lap that was open goes on, unless its person has another open one by now, or it ended otherwise."""
    for lap in Lead.objects.filter(pk__in=before, closed_at__isnull=False).order_by("pk"):
        ended_by_merge = before[lap.pk]["closed_at"] is None and before[lap.pk].get("ended")
        if ended_by_merge and not Lead.objects.open().filter(person=lap.person_id).exists():
            lap.closed_at, lap.version, lap.updated_at = None, lap.version + 1, now
            lap.save(update_fields=["closed_at", "version", "updated_at"])


def restore_columns(*, record: Any, before: dict[str, Any], written: dict[str, Any], now: datetime) -> None:
    """Put columns back that still read as the merge wrote them; of attributes, each by itself."""
    changed = []
    for column, value in before.items():
        if column == "attributes":
            record.attributes = _attributes_back(record.attributes, value, written.get("attributes", {}))
            changed.append(column)
        elif getattr(record, column) == written.get(column):
            setattr(record, column, value)
            changed.append(column)
    record.version, record.updated_at = record.version + 1, now
    record.save(update_fields=[*changed, "version", "updated_at"])


def _attributes_back(
    present: dict[str, Any], before: dict[str, Any], written: dict[str, Any]
) -> dict[str, Any]:
    result = dict(present)
    for key, value in written.items():
        if result.get(key) != value:
            continue
        if key in before:
            result[key] = before[key]
        else:
            result.pop(key)
    return result
