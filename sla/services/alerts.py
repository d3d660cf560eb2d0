"""Telling people and webhooks that a level of a clock was reached, through the outbox."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from sla.domain.clocks import breach_of
from sla.events import ThresholdReached
from sla.models import Clock, ClockKind
from sla.selectors import clock_rows
from sla.selectors.links import lead_path
from smarketing.notifications.services import outbox
from smarketing.notifications.services.outbox import Entry, Notice
from smarketing.users.domain.roles import Role
from smarketing.users.models import Membership, User
from smarketing.web import formats

TOPICS = {
    "warning": "clock.warning",
    "breach": "clock.breached",
    "expire": "clock.expired",
    "lead": "clock.escalated",
    "reassign": "clock.escalated",
    "managers": "clock.escalated",
}
_STEPS = ("lead_after_minutes", "reassign_after_minutes", "managers_after_minutes")


@transaction.atomic
def tell(*, reached: Sequence[ThresholdReached], now: datetime) -> None:
    """One outbox row per level, keyed by (clock, level) so that it is told once, whoever runs twice.

    A person hears only of the gravest level of a clock: when several come to light together, a warning
    about a promise that is broken already would only be noise. The owner hears of warnings and the
    breach. Where the clause has a ladder, its steps tell the team lead and the managers of both sides;
    where it has none, the breach tells the managers of sales at once.
    """
    if not reached:
        return
    clocks = Clock.objects.select_related("handoff__lead__person", "owner", "clause").in_bulk(
        {fact.clock_id for fact in reached}
    )
    gravest = {fact.clock_id: fact for fact in sorted(reached, key=lambda f: f.level)}
    entries = []
    for fact in reached:
        clock = clocks[fact.clock_id]
        loud = gravest[fact.clock_id] is fact
        entries.append(
            Entry(
                topic=TOPICS[fact.kind],
                payload={
                    "clock_id": fact.clock_id,
                    "handoff_id": fact.handoff_id,
                    "lead_id": clock.handoff.lead_id,
                    "owner_id": clock.owner_id,
                    "level": fact.level,
                    "kind": fact.kind,
                    "due_at": fact.due_at.isoformat(),
                },
                dedupe_key=f"clock:{fact.clock_id}:{fact.level}",
                notice=_notice(clock, fact) if loud else None,
            )
        )
    outbox.put_many(entries=entries, now=now)


def _notice(clock: Clock, fact: ThresholdReached) -> Notice:
    lead = clock.handoff.lead
    words = {"lead": str(lead.person), "owner": clock.owner.name}
    if fact.kind == "warning":
        words["due"] = _due(clock)
        text, told = _warnings()[ClockKind(clock.kind)] % words, {clock.owner_id}
    elif fact.kind == "expire":
        text = _("%(lead)s was never answered; the handoff to %(owner)s has expired.") % words
        told = {clock.owner_id, *_managers(Role.SALES_MANAGER)}
    else:
        text, told = _breaches()[ClockKind(clock.kind)] % words, _told_of_breach(clock, fact.kind)
    return Notice(text=text, user_ids=tuple(sorted(told)), link=lead_path(lead.pk))


def _told_of_breach(clock: Clock, step: str) -> set[int]:
    """Who hears of the breach itself, and of each further step."""
    if step == "lead":
        return _leads_of(clock.owner)
    if step == "managers":
        return {*_managers(Role.SALES_MANAGER, Role.MARKETING_MANAGER)}
    if step == "breach" and not any(clock.clause.terms.get(term) for term in _STEPS):
        superior = [clock.owner.manager_id] if clock.owner.manager_id else []
        return {clock.owner_id, *_managers(Role.SALES_MANAGER), *superior}
    return {clock.owner_id}


def _leads_of(owner: User) -> set[int]:
    """The owner's manager and the leads of their teams; nobody of them, then the managers of sales."""
    teams = owner.memberships.values_list("team_id", flat=True)
    leads = Membership.objects.filter(team__in=teams, is_lead=True, user__is_active=True)
    found = {*leads.values_list("user_id", flat=True), *([owner.manager_id] if owner.manager_id else [])}
    return {pk for pk in found if pk != owner.pk} or {*_managers(Role.SALES_MANAGER)}


def _warnings() -> dict[ClockKind, str]:
    return {
        ClockKind.RESPOND: _("%(lead)s is waiting for a first attempt, due %(due)s."),
        ClockKind.DEPTH: _("The follow-up of %(lead)s is not complete yet, due %(due)s."),
        ClockKind.OUTCOME: _("What becomes of %(lead)s is not recorded yet, due %(due)s."),
        ClockKind.FEEDBACK: _("The return of %(lead)s is not explained yet, due %(due)s."),
    }


def _breaches() -> dict[ClockKind, str]:
    return {
        ClockKind.RESPOND: _("First response to %(lead)s is overdue (owner: %(owner)s)."),
        ClockKind.DEPTH: _("The follow-up of %(lead)s is overdue (owner: %(owner)s)."),
        ClockKind.OUTCOME: _("The outcome of %(lead)s is overdue (owner: %(owner)s)."),
        ClockKind.FEEDBACK: _("The explanation of the return of %(lead)s is overdue (owner: %(owner)s)."),
    }


def _due(clock: Clock) -> str:
    """The deadline on the owner's wall clock, for it is the owner who reads it."""
    deadline = breach_of(clock_rows.state_of(clock).thresholds).at.astimezone(ZoneInfo(clock.owner.time_zone))
    return f"{formats.day(deadline.date())}, {deadline:%H:%M}"


def _managers(*roles: Role) -> list[int]:
    return list(User.objects.active().filter(role__in=roles).values_list("pk", flat=True))
