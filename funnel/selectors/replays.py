"""Replays as their pages show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import QuerySet

from funnel.models import DefinitionState, Replay
from leads.models import Lead
from smarketing.core.keysets import among
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User

NEWEST = 10


@dataclass(frozen=True, slots=True)
class Named:
    """A group of leads: how many there are, and the first of them."""

    n: int
    leads: Sequence[Lead]


@dataclass(frozen=True, slots=True)
class Column:
    """What one version would have done."""

    number: int
    name: str
    state: str
    result: dict[str, Any]
    weeks: Sequence[tuple[date, int]]
    gains: Named
    losses: Named
    missed: Named

    @property
    def per_week(self) -> list[float]:
        """How many leads would have qualified, week by week."""
        return [float(n) for _week, n in self.weeks]


def visible_to(user: User) -> QuerySet[Replay]:
    """Replays the user may read: one of a draft only by whoever may edit the definition."""
    if not user.may(Capability.VIEW):
        return Replay.objects.none()
    found = Replay.objects.select_related("requested_by")
    if user.may(Capability.EDIT_DEFINITION):
        return found
    return found.exclude(versions__contains=[{"state": str(DefinitionState.DRAFT)}])


def newest(user: User) -> QuerySet[Replay]:
    """The latest replays."""
    return visible_to(user)[:NEWEST]


def columns(replay: Replay) -> list[Column]:
    """The results side by side, with the leads they name; one query for all of them."""
    groups = ("gains", "losses", "missed")
    named = {pk for result in replay.results for key in groups for pk in result[key]["leads"]}
    leads = {
        lead.pk: lead
        for lead in Lead.objects.filter(pk__in=among(list(named))).select_related("person", "company")
    }

    def group(told: dict[str, Any]) -> Named:
        return Named(told["n"], [leads[pk] for pk in told["leads"] if pk in leads])

    return [
        Column(
            number=version["number"],
            name=version["name"],
            state=version["state"],
            result=result,
            weeks=[(date.fromisoformat(week), n) for week, n in result["weeks"]],
            gains=group(result["gains"]),
            losses=group(result["losses"]),
            missed=group(result["missed"]),
        )
        for version, result in zip(replay.versions, replay.results, strict=False)
    ]
