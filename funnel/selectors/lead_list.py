"""The leads list: which leads in which order, and what a page of them shows.

A page is found on narrow tables first (``LeadState``, for two orders ``LeadScore`` or ``Interest``),
each order by its own index; what its fifty rows show is read afterwards in one query. The page, the
REST resource and the export share the first part and its filters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import (
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Now

from funnel.domain.interest import Decay
from funnel.models import LeadState, Stage, StageKind, StageTransition
from funnel.selectors import definitions
from leads.models import Company, Lead, Person, PersonEmail, PersonPhone
from smarketing.core.prepared import IsAmong, Query
from smarketing.users.models import User

BY_INTEREST = "interest"
BY_FIT = "fit"
CHUNK = 2000
_SHOWN = (
    "stage",
    "owner",
    "lead__person__company",
    "lead__company",
    "lead__channel",
    "lead__campaign",
    "lead__source",
    "lead__score",
    "lead__person__interest",
)


@dataclass(frozen=True, slots=True)
class Row:
    """A lead as panels and the export show it; ``interest`` is in points at the instant asked for."""

    state: LeadState
    interest: float

    @property
    def pk(self) -> int:
        """The key of the lead."""
        return int(self.state.pk)

    @property
    def lead(self) -> Lead:
        """The lead itself."""
        return self.state.lead

    @property
    def person(self) -> Person:
        """Whose lead it is."""
        return self.state.lead.person

    @property
    def company(self) -> Company | None:
        """The company it was captured for, else the person's."""
        return self.state.lead.company or self.state.lead.person.company

    @property
    def name(self) -> str:
        """The person's name, else their e-mail address."""
        return self.person.name or getattr(self.state, "email", "") or ""

    @property
    def stage(self) -> Stage:
        """Where the lead stands."""
        return self.state.stage

    @property
    def interest_band(self) -> int | None:
        """The band of an open lap; of an ended one no band is kept up."""
        return self.lead.score.interest_band if self.lead.closed_at is None else None


def listed(user: User, *, sort: str = "") -> QuerySet[LeadState]:
    """The leads that ``user`` may see, ready to be filtered and put in the order called ``sort``.

    Ordered by interest the list holds only leads whose person has shown any: the others have no place
    in that order, and leaving them out lets ``interest_hottest`` serve it.
    """
    states = LeadState.objects.visible_to(user)
    match sort.removeprefix("-"):
        case "fit":
            return states.filter(lead__score__isnull=False).annotate(fit=F("lead__score__fit"))
        case "interest":
            return states.filter(lead__person__interest__key__isnull=False).annotate(
                heat=F("lead__person__interest__key")
            )
    return states


def late(states: QuerySet[LeadState], *, at: datetime | None) -> QuerySet[LeadState]:
    """Leads that have stood in their stage longer than its time limit; ``at``: None for when it is read."""
    limit = ExpressionWrapper(F("stage__time_limit_seconds") * timedelta(seconds=1), DurationField())
    since = (Value(at) if at else Now()) - limit
    return states.filter(stage__role__in=("main", "parking"), entered_at__lt=since)


def came_into(
    states: QuerySet[LeadState], stage: Stage, *, since: datetime | None, then: str
) -> QuerySet[LeadState]:
    """Leads whose ledger has them come into ``stage``; ``then``: further, open, ended, or whatever."""
    moves = StageTransition.objects.filter(lead=OuterRef("pk"), to_stage=stage)
    found = states.filter(Exists(moves if since is None else moves.filter(effective_at__gte=since)))
    further = Q(high_water__kind=StageKind.MAIN, high_water__position__gt=stage.position)
    match then:
        case "further":
            return found.filter(further)
        case "open":
            return found.exclude(further).filter(lead__closed_at=None)
        case "ended":
            return found.exclude(further).filter(lead__closed_at__isnull=False)
    return found


def matching(states: QuerySet[LeadState], text: str) -> QuerySet[LeadState]:
    """Leads of persons whose name, e-mail address or company holds every word; by trigram index."""
    for word in text.lower().split()[:8]:
        states = states.filter(lead__person__search_text__contains=word)
    return states


def dressed(states: Sequence[LeadState], *, at: datetime) -> list[Row]:
    """What a page of the list shows of these leads, in their order; one query."""
    decay = definitions.decay_of(definitions.in_force())
    shown = {state.pk: state for state in _OF_KEYS.all(leads=[s.pk for s in states])}
    return [_row(shown[s.pk], decay, at) for s in states if s.pk in shown]


def of_company(user: User, company_id: int, *, at: datetime, limit: int) -> list[Row]:
    """The newest leads captured for a company."""
    states = LeadState.objects.visible_to(user).filter(lead__company=company_id)
    return dressed(list(states.order_by("-captured_at", "-pk")[:limit]), at=at)


def exported(states: QuerySet[LeadState], *, at: datetime) -> Iterator[Row]:
    """All of ``states``, newest first, read through a server-side cursor in chunks."""
    decay = definitions.decay_of(definitions.in_force())
    phone = PersonPhone.objects.filter(person=OuterRef("lead__person")).order_by("-is_mobile", "pk")
    ordered = _shown(states).order_by("-captured_at", "-pk")
    with_phone = ordered.annotate(phone=Subquery(phone.values("written")[:1]))
    for state in with_phone.iterator(chunk_size=CHUNK):
        yield _row(state, decay, at)


def _shown(states: QuerySet[LeadState]) -> QuerySet[LeadState]:
    email = PersonEmail.objects.filter(person=OuterRef("lead__person"), is_primary=True)
    return states.select_related(*_SHOWN).annotate(email=Subquery(email.values("email")[:1]))


def _row(state: LeadState, decay: Decay, at: datetime) -> Row:
    held: Any = getattr(state.lead.person, "interest", None)
    return Row(state, decay.score_of_key(held.key if held else None, at))


_OF_KEYS = Query("leads_shown", lambda: _shown(LeadState.objects.filter(IsAmong("pk", "leads"))))
