"""A rep's queue: what was handed to them and still waits, ordered by deadline, then interest.

A lead waits until it has been answered (accepted or returned) and its first attempt was made. The
page costs the same few queries however long the queue is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.utils.translation import gettext as _

from funnel.models import Handoff, HandoffState
from funnel.models.handoff import HandoffQuerySet
from leads.models import Person, PersonEmail, PersonPhone
from sla.models import Clock, ClockKind
from sla.selectors import clocks
from sla.selectors.clocks import ClockView
from sla.selectors.links import lead_path
from smarketing.core.prepared import Tally, given
from smarketing.users.models import User

# What a rep can look at; the rest moves up as these are answered.
LIMIT = 40
REASONS = 4


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that made the lead qualify, with its points."""

    label: str
    points: float
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """One waiting lead: who, why it qualified, what the person did, and what can be done now."""

    handoff: Handoff
    url: str
    name: str
    title: str
    company: str
    cell: str
    reasons: list[Reason]
    story: str
    last_action: tuple[str, datetime] | None
    said: str
    missing: list[str]
    clock: ClockView | None
    phone: str
    phone_href: str
    email: str
    is_accepted: bool

    @property
    def is_attempted(self) -> bool:
        """Whether the promise of a first attempt is settled, so that only the answer is missing."""
        return self.clock is None or self.clock.clock.ended_at is not None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many leads wait, and of how many the deadline has passed."""

    waiting: int
    late: int


@dataclass(frozen=True, slots=True)
class Queue:
    """The queue without its cards: handoffs in order, counts, and a fingerprint of all it shows."""

    handoff_ids: list[int]
    counts: Counts
    fingerprint: str

    @property
    def hidden(self) -> int:
        """How many leads wait below the cards of the page."""
        return max(0, len(self.handoff_ids) - LIMIT)


def waiting(owner: User) -> QuerySet[Handoff]:
    """Handoffs of ``owner`` that still need an answer or a first attempt."""
    return _unsettled().of_owner(owner)


def _unsettled() -> HandoffQuerySet:
    open_clock = Clock.objects.open().filter(handoff=OuterRef("pk"), kind=ClockKind.RESPOND)
    return Handoff.objects.filter(state__in=[HandoffState.DELIVERED, HandoffState.ACCEPTED]).filter(
        Q(state=HandoffState.DELIVERED) | Exists(open_clock)
    )


_WAITING = Tally("queue_waiting", lambda: _unsettled().filter(owner=given("owner")))


def look(owner: User, *, now: datetime) -> Queue:
    """The order of the whole queue and what it counts, in two queries; no names are read.

    With a deadline first, earliest first; then the hottest; then the oldest handoff. The fingerprint
    changes whenever something the queue shows has changed.
    """
    rows = list(
        waiting(owner)
        .order_by("pk")
        .values_list("pk", "version", "lead__version", "lead__person__version", "lead__person__interest__key")
    )
    clocks_of = {
        handoff: (version, due_at if ended_at is None else None)
        for handoff, version, due_at, ended_at in Clock.objects.filter(
            handoff__in=[row[0] for row in rows], kind=ClockKind.RESPOND
        )
        .order_by("handoff_id", "cycle", "pk")
        .values_list("handoff_id", "version", "due_at", "ended_at")
    }
    keys: list[tuple[int, str, float, int]] = []
    parts = [str(owner.pk)]
    late = 0
    for pk, *versions, heat in rows:
        clock_version, due_at = clocks_of.get(pk, (0, None))
        is_late = due_at is not None and due_at < now
        late += is_late
        colder = -heat if heat is not None else float("inf")
        keys.append((0, due_at.isoformat(), colder, pk) if due_at else (1, "", colder, pk))
        parts.append(f"{pk}.{versions}.{clock_version}.{is_late}")
    digest = hashlib.sha256("|".join(parts).encode()).hexdigest()[:32]
    return Queue([key[-1] for key in sorted(keys)], Counts(len(rows), late), digest)


def cards(queue: Queue, *, now: datetime) -> list[Card]:
    """The first :data:`LIMIT` cards of the queue in its order."""
    ids = queue.handoff_ids[:LIMIT]
    handoffs = _rows(ids)
    found = clocks.for_handoffs(ids)
    views = clocks.views(found.values(), now=now)
    return [
        _card(handoffs[pk], views.get(found[pk].pk) if pk in found else None) for pk in ids if pk in handoffs
    ]


def count(owner: User) -> int:
    """How many leads wait: the number beside the menu."""
    return _WAITING.of(owner=owner.pk)


def _rows(ids: list[int]) -> dict[int, Handoff]:
    found = Handoff.objects.filter(pk__in=ids).select_related(
        "lead__person__company", "lead__company", "lead__campaign", "lead__channel", "lead__source", "owner"
    )
    return {
        handoff.pk: handoff
        for handoff in found.prefetch_related(
            Prefetch("lead__person__emails", PersonEmail.objects.order_by("-is_primary", "pk")),
            Prefetch("lead__person__phones", PersonPhone.objects.order_by("-is_mobile", "pk")),
        )
    }


def _card(handoff: Handoff, view: ClockView | None) -> Card:
    lead, person, packet = handoff.lead, handoff.lead.person, handoff.packet
    company = lead.company or person.company
    phone = next(iter(person.phones.all()), None)
    scores = packet.get("scores", {})
    return Card(
        handoff=handoff,
        url=lead_path(lead.pk),
        name=_name(person),
        title=person.title,
        company=company.name if company else "",
        cell=scores.get("cell", ""),
        reasons=reasons(scores),
        story=_story(handoff, packet.get("origin", {})),
        last_action=_last_action(packet),
        said=lead.description,
        missing=[_humane(str(item).rpartition(".")[2]) for item in handoff.missing],
        clock=view,
        phone=str(phone) if phone else "",
        phone_href=f"tel:{phone.e164 or phone.written}" if phone else "",
        email=next((e.email for e in person.emails.all()), ""),
        is_accepted=handoff.state == HandoffState.ACCEPTED,
    )


def reasons(scores: Mapping[str, Any]) -> list[Reason]:
    """The weightiest reasons in a packet's scores, behaviour and fit together."""
    found = [
        Reason(_humane(line["key"]), line["points"], line.get("sentence", ""))
        for line in scores.get("fit", {}).get("lines", [])
        if line["points"] > 0
    ]
    found += [
        Reason(_humane(share["key"]), share["shown"])
        for share in scores.get("interest", {}).get("signals", [])
        if share["shown"] > 0
    ]
    return sorted(found, key=lambda reason: -reason.points)[:REASONS]


def _name(person: Person) -> str:
    emails = list(person.emails.all())
    return person.name or (emails[0].email if emails else _("Person without a name"))


def _story(handoff: Handoff, origin: Mapping[str, Any]) -> str:
    """How the person came, in a line: channel or source, campaign, the touch that converted."""
    touch = origin.get("converting_touch") or {}
    parts = [
        origin.get("channel") or origin.get("origin") or origin.get("source") or "",
        origin.get("campaign") or touch.get("campaign") or "",
        touch.get("title") or "",
    ]
    return " · ".join(dict.fromkeys(part for part in parts if part))


def _last_action(packet: Mapping[str, Any]) -> tuple[str, datetime] | None:
    actions = packet.get("actions") or []
    if actions:
        name = actions[0].get("name") or _humane(actions[0].get("kind", ""))
        return name, datetime.fromisoformat(actions[0]["at"])
    pages = packet.get("pages") or []
    if pages:
        title = pages[0].get("title") or pages[0].get("url", "")
        return title, datetime.fromisoformat(pages[0]["last_at"])
    return None


def _humane(key: str) -> str:
    """ "demo_requested" as people write it."""
    return key.replace("_", " ").strip().capitalize()
