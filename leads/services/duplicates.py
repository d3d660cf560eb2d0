"""Decisions about pairs, and the loop by which new and changed records are compared."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Max, Q
from django.utils.translation import gettext as _

from leads.models import Company, Duplicate, DuplicateKind, DuplicateState, FinderState, Person
from leads.selectors import duplicates as reads
from leads.services import finder, finder_statements
from smarketing.core import locks
from smarketing.core.errors import Conflict
from smarketing.users.models import User

# More new records than this are compared set-based, all with all, in one go.
MOST_ONE_BY_ONE = 300
FULL_EVERY = timedelta(days=1)
COMPANIES_EVERY = timedelta(minutes=30)


class AlreadyDecided(Conflict):
    """The pair was merged or dismissed before."""

    code = "already_decided"


@transaction.atomic
def dismiss(*, pair: Duplicate, actor: User, now: datetime) -> Duplicate:
    """Remember that the two are not the same; the finder never offers them again.

    Raises :class:`AlreadyDecided`.
    """
    return _decide(pair, DuplicateState.DISMISSED, expected=DuplicateState.OPEN, actor=actor, now=now)


@transaction.atomic
def ask_again(*, pair: Duplicate, actor: User, now: datetime) -> Duplicate:
    """Take "not the same" back. Raises :class:`AlreadyDecided`."""
    return _decide(pair, DuplicateState.OPEN, expected=DuplicateState.DISMISSED, actor=None, now=None)


def _decide(
    pair: Duplicate, state: str, *, expected: str, actor: User | None, now: datetime | None
) -> Duplicate:
    (locked,) = locks.rows(Duplicate.objects.all(), [pair.pk])
    if locked.state != expected:
        raise AlreadyDecided(
            _("This pair was decided before: %(state)s.") % {"state": locked.get_state_display()}
        )
    locked.state, locked.decided_at, locked.decided_by = state, now, actor
    locked.save(update_fields=["state", "decided_at", "decided_by"])
    return locked


def run_once(*, now: datetime, limit: int) -> int:
    """Compare persons and companies that are new or changed; return how many were.

    A few are looked up one by one; many, and everybody once a day, are compared set-based, which also
    finds what a long transaction committed behind the finder's back.
    """
    return _people(now=now, limit=limit) + _companies(now=now)


@transaction.atomic
def _people(*, now: datetime, limit: int) -> int:
    state = _state(DuplicateKind.PERSON)
    if state is None:
        return 0
    newest = Person.objects.aggregate(last=Max("pk"))["last"] or 0
    history = Person._meta.get_field("history").related_model._default_manager
    latest = history.aggregate(last=Max("pgh_id"))["last"] or 0
    if newest == state.last_record and latest == state.last_change and not _is_due(state, FULL_EVERY, now):
        return 0
    fresh = Person.objects.filter(pk__gt=state.last_record, merged_into=None).order_by("pk")
    ids = set(fresh.values_list("pk", flat=True)[: MOST_ONE_BY_ONE + 1])
    changed = history.filter(pgh_id__gt=state.last_change).values_list("pgh_obj_id", flat=True)
    ids.update(changed[: MOST_ONE_BY_ONE + 1])
    if len(ids) > min(limit, MOST_ONE_BY_ONE) or _is_due(state, FULL_EVERY, now):
        count = finder.find(kind=DuplicateKind.PERSON, now=now).records
        state.last_full_at = now
    else:
        count = compare_people(person_ids=sorted(ids), now=now)
    state.last_record, state.last_change = newest, latest
    state.save(update_fields=["last_record", "last_change", "last_full_at"])
    return count


@transaction.atomic
def _companies(*, now: datetime) -> int:
    """Companies are few: new ones are compared with all, not more often than twice an hour."""
    state = _state(DuplicateKind.COMPANY)
    newest = Company.objects.aggregate(last=Max("pk"))["last"] or 0
    if state is None or not _is_due(state, COMPANIES_EVERY, now):
        return 0
    if newest == state.last_record and not _is_due(state, FULL_EVERY, now):
        return 0
    count = finder.find(kind=DuplicateKind.COMPANY, now=now).records
    state.last_record, state.last_full_at = newest, now
    state.save(update_fields=["last_record", "last_full_at"])
    return count


@transaction.atomic
def compare_people(*, person_ids: Sequence[int], now: datetime) -> int:
    """Look up who is like each of these persons, and store the pairs; return how many were looked at."""
    people = Person.objects.filter(pk__in=person_ids, merged_into=None)
    rows: dict[tuple[int, int], tuple[int, int, float, str, str]] = {}
    looked: list[int] = []
    for person in people.prefetch_related("emails", "phones").order_by("pk"):
        looked.append(person.pk)
        for match in reads.like(reads.profile(person), but=[person.pk], limit=20):
            pair = (min(person.pk, match.person.pk), max(person.pk, match.person.pk))
            told = json.dumps(reads.evidence(match.verdict))
            rows[pair] = (*pair, match.verdict.score, str(match.verdict.band), told)
    with connection.cursor() as cursor:
        finder_statements.make_results(cursor=cursor)
        if rows:
            finder_statements.keep_results(cursor=cursor, rows=list(rows.values()))
        finder_statements.store(cursor=cursor, kind=DuplicateKind.PERSON, only=looked, now=now)
    return len(looked)


def _state(kind: DuplicateKind) -> FinderState | None:
    """The state of the finder, locked; ``None`` while another one runs."""
    FinderState.objects.bulk_create([FinderState(kind=kind)], ignore_conflicts=True)
    return FinderState.objects.filter(pk=kind).select_for_update(skip_locked=True).first()


def _is_due(state: FinderState, every: timedelta, now: datetime) -> bool:
    return state.last_full_at is None or now - state.last_full_at >= every


@transaction.atomic
def settle_merged(
    *, kind: str, survivor_id: int, merged_id: int, actor: User | None, now: datetime
) -> list[int]:
    """The two are one now: their pair is decided; returns the pairs that were open."""
    low, high = sorted((survivor_id, merged_id))
    pair = (
        Q(left=low, right=high) if kind == DuplicateKind.PERSON else Q(left_company=low, right_company=high)
    )
    rows = Duplicate.objects.filter(pair).exclude(state=DuplicateState.MERGED)
    ids = list(rows.values_list("pk", flat=True))
    Duplicate.objects.filter(pk__in=ids).update(state=DuplicateState.MERGED, decided_at=now, decided_by=actor)
    return ids
