"""Merging two persons into one. Nothing is lost, every moved row is written down, and it can be undone.

Order of locks: handoffs and deals (by the app that has them, on ``RecordsMerging``), both persons by
key, their leads by key, and then what the facts set off. Whoever adds a row for the one that goes, having
read them before, is not made to wait (references are proved at the commit, so that would be a wait in a
circle): a loop sends such a row after.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils.translation import gettext as _

from leads.domain import merging as rules
from leads.events import HistoriesChanged, LapsMeet, LeadsChanged, PersonsMerged, RecordsMerging
from leads.models import Company, ConsentEntry, Duplicate, DuplicateKind, Lead, Merge, Person, PersonEmail
from leads.models import PersonPhone as Phone
from leads.selectors import consents as allowed
from leads.services import consents, duplicates, leads, merge_ledger, people, searching
from smarketing.audit.services import entries
from smarketing.core import events, locks
from smarketing.core.errors import Conflict, FieldError, Invalid
from smarketing.users.models import User

FIELDS = frozenset({*people.COLUMNS, "email"})
# A row may be added for the record that went by whoever had read it before; it is looked for this long.
SWEPT_FOR = timedelta(minutes=15)
_RENUMBER = """
WITH ranked AS (
    SELECT id, row_number() OVER (ORDER BY captured_at, id) AS lap
      FROM leads_lead WHERE person_id = ANY(%(both)s)
)
UPDATE leads_lead l SET person_id = %(survivor)s, lap = r.lap, version = version + 1, updated_at = %(now)s
  FROM ranked r WHERE r.id = l.id
"""
_ASIDE = "UPDATE leads_lead SET lap = lap + 10000 WHERE id = ANY(%s)"


class CantMerge(Conflict):
    """The two can't become one: they are the same record, or one was merged away meanwhile."""

    code = "cant_merge"


class BadChoice(Invalid):
    """A choice names a field that does not exist or neither of the two records."""

    code = "bad_choice"


@transaction.atomic
def merge(
    *,
    survivor: Person,
    merged: Person,
    choices: Mapping[str, str] | None = None,
    batch: str | None = None,
    actor: User | None,
    now: datetime,
) -> Merge:
    """Make ``merged`` part of ``survivor`` and return the merge, which can be undone.

    ``choices`` says per field whose value stays ("survivor" or "merged"); else the survivor's, and the
    other's where it is blank. Of two open laps one goes on, and the other ends as merged. Publishes
    ``PersonsMerged``. Raises :class:`CantMerge`, :class:`BadChoice`; then nothing was changed.
    """
    choices = _checked(choices or {}, FIELDS)
    ids = (survivor.pk, merged.pk)
    events.publish(RecordsMerging(ids, now))
    survivor, merged = locked(survivor_id=survivor.pk, merged_id=merged.pk)
    record = Merge.objects.create(
        kind=DuplicateKind.PERSON, survivor=survivor, merged=merged, batch=batch, actor=actor, merged_at=now
    )
    withdrawn = _withdrawn(survivor), _withdrawn(merged)
    laps = _join_laps(record, survivor, merged, actor=actor, now=now)
    _move_addresses(record, survivor, merged, choices)
    _move_rows(record)
    _write_survivor(record, survivor, merged, choices, now=now)
    Person.objects.filter(pk=merged.pk).update(merged_into=survivor, updated_at=now)
    searching.refresh(person_ids=ids)
    _keep_withdrawals(record, survivor, merged, withdrawn, actor=actor, now=now)
    _settle_pair(record, actor=actor, now=now)
    _tell(record, laps, actor=actor, now=now)
    return record


def locked(*, survivor_id: int, merged_id: int) -> tuple[Person, Person]:
    """Both persons, locked in the order of their keys. Raises :class:`CantMerge`."""
    if survivor_id == merged_id:
        raise CantMerge(_("A record can't be merged with itself."))
    present = Person.objects.filter(merged_into=None)
    found = {person.pk: person for person in locks.rows(present, [survivor_id, merged_id])}
    if len(found) != 2:
        raise CantMerge(_("One of the two was merged or removed meanwhile. Look at them again."))
    return found[survivor_id], found[merged_id]


@transaction.atomic
def run_once(*, now: datetime, limit: int) -> int:
    """Sweep rows that were added for a record while it was merged away; return how many went after it."""
    recent = Merge.objects.standing().filter(merged_at__gt=now - SWEPT_FOR, kind=DuplicateKind.PERSON)
    moved = 0
    for record in recent.order_by("pk")[:limit]:
        count = _move_rows(record)
        if count:
            moved += count
            events.publish(HistoriesChanged((record.survivor_key, record.merged_key), now))
    return moved


def _checked(choices: Mapping[str, str], fields: frozenset[str]) -> dict[str, str]:
    if wrong := rules.unknown(choices, fields):
        detail = _("Choose “survivor” or “merged”, of a field that the records have.")
        raise BadChoice(detail, errors=[FieldError(f"choices.{n}", BadChoice.code, detail) for n in wrong])
    return dict(choices)


def _join_laps(
    record: Merge, survivor: Person, merged: Person, *, actor: User | None, now: datetime
) -> tuple[int, ...]:
    """All laps become the survivor's, numbered by their capture; of two open ones, one ends."""
    both = [survivor.pk, merged.pk]
    mine = list(Lead.objects.filter(person_id__in=both).order_by("pk").values_list("pk", flat=True))
    laps = locks.rows(Lead.objects.all(), mine)
    merge_ledger.keep(merge=record, model=Lead, keys=mine, columns=["person_id", "lap", "closed_at"])
    open_laps = sorted((lap for lap in laps if lap.closed_at is None), key=lambda lap: lap.captured_at)
    if len(open_laps) == 2:
        meeting = (open_laps[0].pk, open_laps[1].pk)
        events.publish(LapsMeet(record.pk, meeting, actor.pk if actor else None, now))
        still = Lead.objects.open().filter(pk__in=meeting).order_by("-captured_at", "-pk")
        for later in list(still)[: max(0, len(still) - 1)]:
            leads.close(lead=later, at=max(now, later.captured_at), now=now)
        _note_ended(record, meeting)
    if any(lap.person_id == merged.pk for lap in laps):
        with connection.cursor() as cursor:
            cursor.execute(_ASIDE, [mine])
            cursor.execute(_RENUMBER, {"both": both, "survivor": survivor.pk, "now": now})
    return tuple(mine)


def _note_ended(record: Merge, meeting: Sequence[int]) -> None:
    """Which of two open laps ended by the merge: an undoing lets that one go on."""
    ended = Lead.objects.filter(pk__in=meeting, closed_at__isnull=False).values_list("pk", flat=True)
    for row in record.rows.filter(table_name=Lead._meta.db_table, row_key__in=[str(pk) for pk in ended]):
        row.before = {**(row.before or {}), "ended": True}
        row.save(update_fields=["before"])


def _move_addresses(record: Merge, survivor: Person, merged: Person, choices: Mapping[str, str]) -> None:
    """E-mails and phones; one address stays the main one, and a number is not doubled."""
    both = PersonEmail.objects.filter(person__in=[survivor, merged])
    merge_ledger.keep(
        merge=record,
        model=PersonEmail,
        keys=list(both.values_list("pk", flat=True)),
        columns=["person_id", "is_primary"],
    )
    main = both.filter(person=survivor, is_primary=True).first()
    other = both.filter(person=merged, is_primary=True).first()
    first = other if other and (main is None or choices.get("email") == rules.MERGED) else main
    both.update(is_primary=False)
    both.update(person=survivor)
    if first is not None:
        PersonEmail.objects.filter(pk=first.pk).update(is_primary=True)
    known = {v for pair in survivor.phones.values_list("e164", "written") for v in pair if v}
    fresh = [p.pk for p in merged.phones.order_by("pk") if not {p.e164, p.written} & known]
    merge_ledger.keep(merge=record, model=Phone, keys=fresh, columns=["person_id"])
    Phone.objects.filter(pk__in=fresh).update(person=survivor)


def _move_rows(record: Merge) -> int:
    """Everything else that refers to the person who goes."""
    return sum(
        merge_ledger.move(merge=record, relation=relation, old=record.merged_key, new=record.survivor_key)
        for relation in merge_ledger.relations(model=Person)
    )


def _write_survivor(
    record: Merge, survivor: Person, merged: Person, choices: Mapping[str, str], *, now: datetime
) -> None:
    """The chosen values; how the columns read before is written down."""
    values = {name: getattr(survivor, name) for name in people.COLUMNS}
    others = {name: getattr(merged, name) for name in people.COLUMNS}
    changed = rules.chosen(values, others, choices)
    union = rules.attributes(survivor.attributes, merged.attributes, choices)
    if union != survivor.attributes:
        changed["attributes"] = union
    if not changed:
        return
    columns = [Person._meta.get_field(name).attname for name in changed]  # type: ignore[union-attr]
    merge_ledger.keep(merge=record, model=Person, keys=[survivor.pk], columns=columns)
    for name, value in changed.items():
        setattr(survivor, name, value)
    survivor.version, survivor.updated_at = survivor.version + 1, now
    survivor.save(update_fields=[*changed, "version", "updated_at"])
    record.written = {
        column: (value.pk if isinstance(value, Company) else value)
        for column, value in zip(columns, changed.values(), strict=True)
    }
    record.save(update_fields=["written"])


def _withdrawn(person: Person) -> set[tuple[int | None, str]]:
    """What the person has taken back or forbidden: purposes by key, channels by name."""
    now_allowed = allowed.state(person)
    taken = {(p.purpose.pk, "") for p in now_allowed.purposes if p.state == "withdrawn"}
    return taken | {(None, c.channel) for c in now_allowed.channels if c.forbidden}


def _keep_withdrawals(
    record: Merge,
    survivor: Person,
    merged: Person,
    withdrawn: tuple[set[tuple[int | None, str]], set[tuple[int | None, str]]],
    *,
    actor: User | None,
    now: datetime,
) -> None:
    """Who has said no to either record has said no: a later yes of the other does not outweigh it.

    The entry goes back with whoever had said no when the merge is undone, so that both stand as before.
    """
    survivor.refresh_from_db()
    present = _withdrawn(survivor)
    known = {p.purpose.pk: p.purpose for p in allowed.state(survivor).purposes}
    for side, said in ((survivor, withdrawn[0]), (merged, withdrawn[1])):
        for purpose, channel in sorted(said - present, key=str):
            entry = consents.record(
                person=survivor,
                purpose=known.get(purpose) if purpose else None,
                channel=channel,
                state="withdrawn",
                source="merge",
                occurred_at=now,
                evidence={"merge": record.pk},
                actor=actor,
                now=now,
            )
            present.add((purpose, channel))
            merge_ledger.keep(merge=record, model=ConsentEntry, keys=[entry.pk], columns=["person_id"])
            owner = {"person_id": side.pk}
            record.rows.filter(table_name=ConsentEntry._meta.db_table, row_key=str(entry.pk)).update(
                before=owner
            )


def _settle_pair(record: Merge, *, actor: User | None, now: datetime) -> None:
    low, high = sorted((record.survivor_key, record.merged_key))
    pair = Duplicate.objects.filter(left=low, right=high)
    columns = ["state", "decided_at", "decided_by_id"]
    merge_ledger.keep(
        merge=record, model=Duplicate, keys=list(pair.values_list("pk", flat=True)), columns=columns
    )
    duplicates.settle_merged(
        kind=record.kind, survivor_id=record.survivor_key, merged_id=record.merged_key, actor=actor, now=now
    )


def _tell(record: Merge, laps: Sequence[int], *, actor: User | None, now: datetime) -> None:
    ids = (record.survivor_key, record.merged_key)
    by = actor.pk if actor else None
    events.publish(PersonsMerged(record.pk, *ids, tuple(laps), by, now))
    events.publish(HistoriesChanged(ids, now))
    present = tuple(Lead.objects.open().filter(person=ids[0]).values_list("pk", flat=True))
    if present:
        events.publish(LeadsChanged(present, by, now))
    entries.record(
        actor=actor,
        action="person.merged",
        obj=record,
        after={"survivor": ids[0], "merged": ids[1]},
        now=now,
    )
