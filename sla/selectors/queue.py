"""A rep's queue: what was handed to them and still waits, ordered by deadline, then likelihood or value.

A lead waits until it has been answered (accepted or returned) and its first attempt was made. What its
owner has set aside stands apart, with the deadline that goes on running. The page costs the same few
queries however long the queue is, and is paged by the place in the order, not by an offset.
"""

from __future__ import annotations

import bisect
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from funnel.models import Handoff, HandoffState, ModelState
from funnel.selectors import expected_value
from funnel.selectors.expected_value import Worth
from sla.domain import places
from sla.domain import snoozes as rules
from sla.domain.places import Place
from sla.models import Clock, ClockKind, Snooze
from smarketing.core.prepared import Tally, given
from smarketing.users.models import User
from smarketing.users.selectors import organisation

# What a rep can look at; the next page has the rest.
PAGE = 40
ASLEEP = 100


@dataclass(frozen=True, slots=True)
class Counts:
    """How many leads wait, of how many the deadline has passed, and how many are set aside."""

    waiting: int
    late: int
    asleep: int


@dataclass(frozen=True, slots=True)
class Queue:
    """A page of the queue without its cards: handoffs in order, counts, a fingerprint of all it shows.

    ``after`` is the place the page begins after ("" for the first), ``next`` that of the following page
    ("" on the last one). ``asleep_ids`` are those set aside, the next deadline first.
    """

    handoff_ids: list[int]
    asleep_ids: list[int]
    snoozes: dict[int, Snooze]
    counts: Counts
    fingerprint: str
    after: str
    next: str
    left: int


def waiting(owner: User) -> QuerySet[Handoff]:
    """Handoffs that wait for ``owner``: for an answer, or for the first attempt."""
    return _unsettled(owner.pk)


def _unsettled(owner: Any) -> QuerySet[Handoff]:
    """Both parts by an index of the owner: a rep has thousands of handoffs that wait no more.

    An accepted lead that moved to another rep waits for whoever its clock runs for.
    """
    delivered = Handoff.objects.filter(owner=owner, state=HandoffState.DELIVERED).values("pk")
    counting = Clock.objects.open().filter(owner=owner, kind=ClockKind.RESPOND).values("handoff_id")
    return Handoff.objects.filter(
        pk__in=delivered.union(counting), state__in=[HandoffState.DELIVERED, HandoffState.ACCEPTED]
    )


_WAITING = Tally("queue_waiting", lambda: _unsettled(given("owner")))


_READ = (
    "pk", "version", "lead__version", "lead__person__version", "lead__person__interest__key",
    "lead__likelihood__value", "lead__likelihood__model__state", "packet__scores__fit__band",
)  # fmt: skip


def look(owner: User, *, now: datetime, after: str = "") -> Queue:
    """A page of the queue in its order, and what the whole counts, in three queries; no names are read.

    With a deadline first, earliest first; then the likeliest by the model in use, or what may bring most
    where the organisation orders by value; then the hottest; then the oldest handoff. The fingerprint
    changes whenever something the queue shows has changed. A place ``after`` that no queue gave is the start.
    """
    rows = list(waiting(owner).order_by("pk").values_list(*_READ))
    worth = worth_for_order(now)
    ids = [row[0] for row in rows]
    clocks_of = _clocks_of(ids)
    asked = Snooze.objects.in_force(now).filter(handoff__in=ids, owner=owner)
    snoozes = {snooze.handoff_id: snooze for snooze in asked}
    awake: list[Place] = []
    asleep: list[Place] = []
    parts = [str(owner.pk), after]
    late = 0
    for pk, *versions, heat, value, model, band in rows:
        clock_version, due_at = clocks_of.get(pk, (0, None))
        is_late = due_at is not None and due_at < now
        late += is_late
        likely = value if model == ModelState.CHAMPION else None
        snooze = snoozes.get(pk)
        if snooze is not None and not rules.is_asleep(until=snooze.until, due_at=due_at, now=now):
            del snoozes[pk]
            snooze = None
        brings = expected_value.expected(likely, band or "", worth)
        promising = likely if worth is None else float(brings.value) if brings else None
        place = places.place(handoff=pk, due_at=due_at, promising=promising, interest=heat)
        (asleep if snooze else awake).append(place)
        parts.append(
            f"{pk}.{versions}.{clock_version}.{is_late}.{likely}.{promising}.{snooze.pk if snooze else 0}"
        )
    digest = hashlib.sha256("|".join(parts).encode()).hexdigest()[:32]
    return _page(sorted(awake), sorted(asleep), snoozes, late, digest, after)


def worth_for_order(now: datetime) -> Worth | None:
    """What a customer is worth, where queues are ordered by expected value; None where by likelihood.

    So it is too while no deal was won: there is nothing to tell leads apart by.
    """
    ours = organisation.current()
    if not ours.queue_by_value:
        return None
    hour = now.replace(minute=0, second=0, microsecond=0)
    return expected_value.worth_in(hour, currency=ours.currency)


def _page(
    awake: list[Place],
    asleep: list[Place],
    snoozes: dict[int, Snooze],
    late: int,
    fingerprint: str,
    after: str,
) -> Queue:
    begins = places.read(after)
    start = bisect.bisect_right(awake, begins) if begins else 0
    page = awake[start : start + PAGE]
    left = len(awake) - start - len(page)
    return Queue(
        handoff_ids=[place.handoff for place in page],
        asleep_ids=[place.handoff for place in asleep[:ASLEEP]],
        snoozes=snoozes,
        counts=Counts(len(awake), late, len(asleep)),
        fingerprint=fingerprint,
        after=after if start else "",
        next=page[-1].text() if left else "",
        left=left,
    )


def count(owner: User) -> int:
    """How many leads wait, set aside or not: the number beside the menu."""
    return _WAITING.of(owner=owner.pk)


def responsible(handoff: Handoff) -> User | None:
    """In whose queue a handoff stands: who its clock runs for, else its owner."""
    clock = (
        Clock.objects.open().filter(handoff=handoff, kind=ClockKind.RESPOND).select_related("owner").first()
    )
    if handoff.state == HandoffState.ACCEPTED and clock is not None:
        return clock.owner
    return handoff.owner


def _clocks_of(ids: list[int]) -> dict[int, tuple[int, datetime | None]]:
    """Version and running deadline of the last clock on first response, by handoff."""
    return {
        handoff: (version, due_at if ended_at is None else None)
        for handoff, version, due_at, ended_at in Clock.objects.filter(
            handoff__in=ids, kind=ClockKind.RESPOND
        )
        .order_by("handoff_id", "cycle", "pk")
        .values_list("handoff_id", "version", "due_at", "ended_at")
    }
