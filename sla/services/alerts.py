"""Telling people and webhooks that a level of a clock was reached, through the outbox."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from funnel.models import Handoff
from sla.domain.clocks import Threshold, breach_of
from sla.events import LevelReached
from sla.models import Clause, Clock, ClockKind, ClockState
from sla.services import alert_rows
from sla.services.alert_rows import Row
from smarketing.notifications.services import outbox
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
def tell(*, reached: Sequence[LevelReached], now: datetime) -> None:
    """One outbox row per level, keyed by (clock, level) so that it is told once, whoever runs twice.

    A person hears only of the gravest level of a clock: when several come to light together, a warning
    about a promise that is broken already would only be noise. The owner hears of warnings and the
    breach. Where the clause has a ladder, its steps tell the team lead and the managers of both sides;
    where it has none, the breach tells the managers of sales at once.

    The number of queries does not grow with the levels; a sweep brings hundreds.
    """
    if not reached:
        return
    told = _Telling(reached)
    gravest = {level.clock_id: level for level in sorted(reached, key=lambda x: x.level)}
    rows = [told.row(level, is_loud=gravest[level.clock_id] is level) for level in reached]
    alert_rows.put(rows=rows, nameless=_("Lead %(id)s") % {"id": alert_rows.LEAD}, now=now)


@transaction.atomic
def tell_ended(*, clock: Clock, voided: int, now: datetime) -> None:
    """A promise was kept, in time or late, or is owed no more: for webhooks alone.

    ``voided`` levels had been told and hold no longer, because what kept the promise was logged late.
    """
    lead_id = Handoff.objects.filter(pk=clock.handoff_id).values_list("lead_id", flat=True).get()
    is_kept = clock.state != ClockState.CANCELLED
    outbox.put(
        topic="clock.met" if is_kept else "clock.cancelled",
        payload={
            "clock_id": clock.pk,
            "handoff_id": clock.handoff_id,
            "lead_id": lead_id,
            "owner_id": clock.owner_id,
            "promise": clock.kind,
            "state": clock.state,
            "due_at": None if clock.due_at is None else clock.due_at.isoformat(),
            "ended_at": None if clock.ended_at is None else clock.ended_at.isoformat(),
            "voided_levels": voided,
        },
        dedupe_key=f"clock:{clock.pk}:ended:{clock.version}",
        now=now,
    )


class _Telling:
    """What is needed to tell of the levels of some clocks, read once."""

    def __init__(self, reached: Sequence[LevelReached]) -> None:
        self.owners = User.objects.in_bulk({level.owner_id for level in reached})
        clauses = Clause.objects.filter(pk__in={level.clause_id for level in reached})
        self.ladders = {c.pk for c in clauses if any(c.terms.get(term) for term in _STEPS)}
        warned = {level.clock_id for level in reached if level.kind == "warning"}
        self.thresholds = (
            dict(Clock.objects.filter(pk__in=warned).values_list("pk", "thresholds")) if warned else {}
        )
        self.texts = _texts()
        self._leads: dict[int, set[int]] = {}
        self._who: dict[tuple[str, int, bool], tuple[int, ...]] = {}

    def row(self, level: LevelReached, *, is_loud: bool) -> Row:
        """The outbox row of a level, with a notice to people if it is loud."""
        topic = TOPICS[level.kind]
        if not is_loud:
            return Row(level, topic)
        owner = self.owners[level.owner_id]
        group = (level.kind, owner.pk, level.clause_id in self.ladders)
        if group not in self._who:
            told = self._told(level.kind, owner, has_ladder=group[2])
            self._who[group] = tuple(sorted(told))
        deadline = ""
        if level.kind == "warning":
            deadline = _due(self.thresholds[level.clock_id], owner)
        step = level.kind if level.kind in ("warning", "expire") else "breach"
        text = self.texts[step, ClockKind(level.promise)]
        return Row(level, topic, text, self._who[group], owner.name, deadline)

    def _told(self, step: str, owner: User, *, has_ladder: bool) -> set[int]:
        """Who hears of a warning, of the breach itself, and of each further step."""
        if step == "lead":
            return self._leads_of(owner)
        if step == "managers":
            return self.managers_of_both
        if step == "expire":
            return {owner.pk} | self.managers_of_sales
        if step == "breach" and not has_ladder:
            superior = {owner.manager_id} if owner.manager_id else set()
            return {owner.pk} | self.managers_of_sales | superior
        return {owner.pk}

    def _leads_of(self, owner: User) -> set[int]:
        """The owner's manager and the leads of their teams; nobody of them, then the managers of sales."""
        if owner.pk not in self._leads:
            teams = owner.memberships.values_list("team_id", flat=True)
            leads = Membership.objects.filter(team__in=teams, is_lead=True, user__is_active=True)
            found = {
                *leads.values_list("user_id", flat=True),
                *([owner.manager_id] if owner.manager_id else []),
            }
            self._leads[owner.pk] = {pk for pk in found if pk != owner.pk} or self.managers_of_sales
        return self._leads[owner.pk]

    @cached_property
    def managers_of_sales(self) -> set[int]:
        return _managers(Role.SALES_MANAGER)

    @cached_property
    def managers_of_both(self) -> set[int]:
        return _managers(Role.SALES_MANAGER, Role.MARKETING_MANAGER)


def _texts() -> dict[tuple[str, ClockKind], str]:
    """The words of each step about each promise, with marks for lead, owner and deadline."""
    told = {
        "warning": {
            ClockKind.RESPOND: _("%(lead)s is waiting for a first attempt, due %(due)s."),
            ClockKind.DEPTH: _("The follow-up of %(lead)s is not complete yet, due %(due)s."),
            ClockKind.OUTCOME: _("What becomes of %(lead)s is not recorded yet, due %(due)s."),
            ClockKind.FEEDBACK: _("The return of %(lead)s is not explained yet, due %(due)s."),
        },
        "breach": {
            ClockKind.RESPOND: _("First response to %(lead)s is overdue (owner: %(owner)s)."),
            ClockKind.DEPTH: _("The follow-up of %(lead)s is overdue (owner: %(owner)s)."),
            ClockKind.OUTCOME: _("The outcome of %(lead)s is overdue (owner: %(owner)s)."),
            ClockKind.FEEDBACK: _("The explanation of the return of %(lead)s is overdue (owner: %(owner)s)."),
        },
        "expire": dict.fromkeys(
            ClockKind, _("%(lead)s was never answered; the handoff to %(owner)s has expired.")
        ),
    }
    marks = {"lead": alert_rows.LEAD, "owner": alert_rows.OWNER, "due": alert_rows.DEADLINE}
    return {(step, kind): text % marks for step, texts in told.items() for kind, text in texts.items()}


def _due(thresholds: Iterable[Mapping[str, Any]], owner: User) -> str:
    """The deadline on the owner's wall clock, for it is the owner who reads it."""
    breach = breach_of(Threshold.from_json(t) for t in thresholds)
    deadline = breach.at.astimezone(ZoneInfo(owner.time_zone))
    return f"{formats.day(deadline.date())}, {deadline:%H:%M}"


def _managers(*roles: Role) -> set[int]:
    return set(User.objects.active().filter(role__in=roles).values_list("pk", flat=True))
