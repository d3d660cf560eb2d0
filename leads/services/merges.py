"""Merging what the finder offers: one pair as somebody decided it, or many certain ones at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from leads.models import Company, Duplicate, DuplicateBand, DuplicateKind, DuplicateState, Merge, Person
from leads.selectors import merges as reads
from leads.services import company_merging, duplicates, merging, unmerging
from smarketing.core import locks
from smarketing.core.errors import Conflict, DomainError, FieldError, Invalid
from smarketing.users.models import User

MOST_AT_ONCE = 200


class OnlyCertain(Conflict):
    """Many pairs at once are merged only where the finder is certain."""

    code = "only_certain"


class AlreadyOne(Conflict):
    """There is nothing left to merge of this pair."""

    code = "already_one"


class TooMany(Invalid):
    """More pairs than are merged at once."""

    code = "too_many"


@transaction.atomic
def merge_records(
    *,
    kind: str,
    survivor_id: int,
    merged_id: int,
    choices: Mapping[str, str] | None = None,
    batch: str | None = None,
    actor: User,
    now: datetime,
) -> Merge:
    """Merge two persons or two companies by key. Raises as ``merging.merge``."""
    if kind == DuplicateKind.COMPANY:
        firms = Company.objects.in_bulk([survivor_id, merged_id])
        if len(firms) != 2:
            raise merging.CantMerge(_("A record can't be merged with itself, or with one that is not there."))
        return company_merging.merge(
            survivor=firms[survivor_id],
            merged=firms[merged_id],
            choices=choices,
            batch=batch,
            actor=actor,
            now=now,
        )
    people = Person.objects.in_bulk([survivor_id, merged_id])
    if len(people) != 2:
        raise merging.CantMerge(_("A record can't be merged with itself, or with one that is not there."))
    return merging.merge(
        survivor=people[survivor_id],
        merged=people[merged_id],
        choices=choices,
        batch=batch,
        actor=actor,
        now=now,
    )


@transaction.atomic
def merge_pair(
    *, pair: Duplicate, survivor_id: int, choices: Mapping[str, str], actor: User, now: datetime
) -> Merge:
    """Merge a pair as somebody decided it; ``survivor_id`` is one of the two.

    Raises ``AlreadyDecided`` and as :func:`merge_records`.
    """
    if pair.state != DuplicateState.OPEN:
        raise duplicates.AlreadyDecided(
            _("This pair was decided before: %(state)s.") % {"state": pair.get_state_display()}
        )
    left, right = reads.keys_of(pair)
    check_choice(survivor_id=survivor_id, among=(left, right))
    other = right if survivor_id == left else left
    return merge_records(
        kind=pair.kind, survivor_id=survivor_id, merged_id=other, choices=choices, actor=actor, now=now
    )


def check_choice(*, survivor_id: int, among: tuple[int, int]) -> None:
    """Whoever goes on is one of the two. Raises ``BadChoice``."""
    if survivor_id not in among:
        detail = _("Choose one of the two.")
        raise merging.BadChoice(detail, errors=[FieldError("survivor", merging.BadChoice.code, detail)])


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one chosen pair: its merge, or why there is none (``code``, and a text for people)."""

    pair_id: int
    merge: Merge | None = None
    code: str = ""
    detail: str = ""


def merge_each(*, pair_ids: Sequence[int], actor: User, now: datetime) -> list[Outcome]:
    """Merge certain pairs into their proposed survivors, each in a transaction of its own, undone singly.

    A pair that can't be merged tells why and holds up no other; one that is merged already is answered with
    its merge, so that twice is once. Pairs may overlap: of three that are one, all end in one. Raises
    :class:`TooMany` before anything is done.
    """
    chosen = sorted(set(pair_ids))
    if len(chosen) > MOST_AT_ONCE:
        detail = _("At most %(n)d pairs at once.") % {"n": MOST_AT_ONCE}
        raise TooMany(detail, errors=[FieldError("duplicates", TooMany.code, detail)])
    gone: dict[int, int] = {}
    return [_outcome(pk, gone, actor, now) for pk in chosen]


def _outcome(pair_id: int, gone: dict[int, int], actor: User, now: datetime) -> Outcome:
    try:
        merge = _merge_certain(pair_id, gone, actor, now)
    except DomainError as refusal:
        return Outcome(pair_id, code=refusal.code, detail=refusal.detail)
    return Outcome(pair_id, merge)


@transaction.atomic
def _merge_certain(pair_id: int, gone: dict[int, int], actor: User, now: datetime) -> Merge:
    """``gone`` says which records went into which while pairs were merged one after the other."""
    (pair,) = locks.rows(Duplicate.objects.all(), [pair_id]) or (None,)
    if pair is not None and pair.state == DuplicateState.MERGED and (done := reads.of_pair(pair)):
        return done
    if pair is None or pair.state != DuplicateState.OPEN or pair.band != DuplicateBand.CERTAIN:
        raise OnlyCertain(_("Only pairs that wait and are certain are merged at once; decide others singly."))
    left, right = (_present(gone, key) for key in reads.keys_of(pair))
    if left == right:
        raise AlreadyOne(_("The two went into one record with another pair."))
    survivor = reads.proposed_survivor(pair.kind, left, right)
    other = right if survivor == left else left
    merge = merge_records(kind=pair.kind, survivor_id=survivor, merged_id=other, actor=actor, now=now)
    gone[other] = survivor
    return merge


@transaction.atomic
def undo(*, merge: Merge, actor: User, now: datetime) -> list[Merge]:
    """Undo a merge and, where it was one of many, all of them, the last first. Raises ``CantUnmerge``."""
    together = Merge.objects.standing().filter(batch=merge.batch) if merge.batch else None
    found = list(together.order_by("-pk")) if together is not None else [merge]
    return [unmerging.unmerge(merge=each, actor=actor, now=now) for each in found or [merge]]


def _present(gone: Mapping[int, int], key: int) -> int:
    while key in gone:
        key = gone[key]
    return key
