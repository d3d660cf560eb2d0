"""Reads of nurture: who is kept warm, by whom, and how near they are to coming back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from funnel.domain.nurture import gained
from funnel.models import Nurture, NurtureRule, NurtureState
from funnel.selectors import definitions, signals
from smarketing.users.domain.roles import Role
from smarketing.users.models import User

_SHOWN = ("owner", "lead__person__company", "lead__company", "next_lead")


@dataclass(frozen=True, slots=True)
class Told:
    """One episode as the lead's page tells it; ``gained`` is in points now, where the rule counts them."""

    nurture: Nurture
    gained: float | None

    @property
    def is_held(self) -> bool:
        """Whether contact goes through marketing."""
        return is_held(self.nurture)


def is_held(nurture: Nurture) -> bool:
    """Whether sales is asked not to contact the person now."""
    return nurture.state == NurtureState.ACTIVE


def listed(user: User) -> QuerySet[Nurture]:
    """The episodes that ``user`` may see, with what a list shows of them."""
    return Nurture.objects.visible_to(user).select_related(*_SHOWN)


def matching(rows: QuerySet[Nurture], text: str) -> QuerySet[Nurture]:
    """Those of persons whose name, e-mail address or company holds every word; by trigram index."""
    for word in text.lower().split()[:8]:
        rows = rows.filter(lead__person__search_text__contains=word)
    return rows


def of_lead(user: User, lead_id: int) -> Nurture | None:
    """The lead's latest episode."""
    return listed(user).filter(pk=lead_id).first()


def held(user: User, person_id: int) -> Nurture | None:
    """The episode that asks not to contact this person now."""
    return (
        listed(user).filter(lead__person=person_id, lead__closed_at=None, state=NurtureState.ACTIVE).first()
    )


def told(nurture: Nurture, *, at: datetime) -> Told:
    """With what was gained so far, from the events since it began."""
    if nurture.gain_points is None or nurture.state != NurtureState.ACTIVE:
        return Told(nurture, None)
    version = definitions.in_force()
    rules, decay = definitions.rules_of(version), definitions.decay_of(version)
    person = nurture.lead.person_id
    events = signals.history(rules, [person])[person]
    return Told(nurture, gained(rules, decay, events, since=nurture.began_at, at=at))


def rule() -> NurtureRule:
    """How the organisation keeps leads warm."""
    return NurtureRule.objects.get(pk=1)


def marketers() -> QuerySet[User]:
    """Who can keep leads warm."""
    return (
        User.objects.active().filter(role__in=[Role.MARKETER, Role.MARKETING_MANAGER]).order_by("name", "pk")
    )
