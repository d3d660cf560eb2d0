"""Telling people and webhooks that a level of a clock was reached, through the outbox."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from sla.domain.clocks import Threshold, breach_of
from sla.events import LevelReached
from sla.models import Clause, Clock, ClockKind
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
    told = _Telling({level.clock_id for level in reached})
    gravest = {level.clock_id: level for level in sorted(reached, key=lambda x: x.level)}
    entries = [told.entry(level, loud=gravest[level.clock_id] is level) for level in reached]
    outbox.put_many(entries=entries, now=now)


class _Telling:
    """What is needed to tell of the levels of some clocks, read once."""

    def __init__(self, clock_ids: set[int]) -> None:
        found = Clock.objects.filter(pk__in=clock_ids).values_list(
            "pk",
            "kind",
            "owner_id",
            "clause_id",
            "handoff__lead_id",
            "handoff__lead__person__first_name",
            "handoff__lead__person__last_name",
            "thresholds",
        )
        self.clocks = {row[0]: row for row in found}
        self.owners = User.objects.in_bulk({row[2] for row in self.clocks.values()})
        clauses = Clause.objects.filter(pk__in={row[3] for row in self.clocks.values()})
        self.ladders = {c.pk for c in clauses if any(c.terms.get(term) for term in _STEPS)}
        self.warnings, self.breaches = _warnings(), _breaches()
        self.expired = _("%(lead)s was never answered; the handoff to %(owner)s has expired.")
        self._leads: dict[int, set[int]] = {}

    def entry(self, level: LevelReached, *, loud: bool) -> Entry:
        """The outbox row of a level, with a notice to people if it is ``loud``."""
        _pk, kind, owner_id, clause_id, lead_id, first, last, thresholds = self.clocks[level.clock_id]
        notice = None
        if loud:
            owner = self.owners[owner_id]
            words = {
                "lead": f"{first} {last}".strip() or _("Lead %(id)s") % {"id": lead_id},
                "owner": owner.name,
            }
            if level.kind == "warning":
                words["due"] = _due(thresholds, owner)
                text = self.warnings[ClockKind(kind)] % words
            elif level.kind == "expire":
                text = self.expired % words
            else:
                text = self.breaches[ClockKind(kind)] % words
            told = self._told(level.kind, owner, has_ladder=clause_id in self.ladders)
            notice = Notice(text=text, user_ids=tuple(sorted(told)), link=lead_path(lead_id))
        payload = {
            "clock_id": level.clock_id,
            "handoff_id": level.handoff_id,
            "lead_id": lead_id,
            "owner_id": owner_id,
            "promise": kind,
            "level": level.level,
            "kind": level.kind,
            "due_at": level.due_at.isoformat(),
        }
        return Entry(TOPICS[level.kind], payload, f"clock:{level.clock_id}:{level.level}", notice)

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


def _due(thresholds: Iterable[Mapping[str, Any]], owner: User) -> str:
    """The deadline on the owner's wall clock, for it is the owner who reads it."""
    breach = breach_of(Threshold.from_json(t) for t in thresholds)
    deadline = breach.at.astimezone(ZoneInfo(owner.time_zone))
    return f"{formats.day(deadline.date())}, {deadline:%H:%M}"


def _managers(*roles: Role) -> set[int]:
    return set(User.objects.active().filter(role__in=roles).values_list("pk", flat=True))
