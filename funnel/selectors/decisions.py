"""Why a rep got a lead, in words: the rule, the pool, and every candidate with what spoke against them.

Managers read about all candidates. Everybody else reads the rule, the pool, the reason and how many
candidates there were, and by name only who got the lead and their own line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from funnel.domain.rings import STRIDE
from funnel.models import LeadState, Pool, RoutingDecision
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User

Text = str | Promise

REASONS: Mapping[str, Text] = {
    "named": _("Chosen by hand"),
    "own_lead": _("It was their lead already"),
    "company_owner": _("They have an open deal with the company"),
    "only_eligible": _("Nobody else could take it"),
    "lowest_share": _("It was their turn: they had been given least of their share"),
    "tie_by_order": _("It was their turn: all had been given alike, so the pool's order decided"),
    "nobody_eligible": _("Nobody can take it: the lead waits"),
    "no_pool": _("There is no pool: the lead waits"),
}
BLOCKED: Mapping[str, Text] = {
    "inactive": _("owns no leads any more"),
    "absent": _("away, or takes no leads"),
    "out_of_hours": _("outside working hours"),
    "open_cap": _("has as many open leads as the limit allows"),
    "capacity": _("was given all that fits their capacity for now"),
    "ceiling": _("was given as many as the agreement's ceiling"),
    "returned_before": _("gave this lead back before"),
    "conflicted": _("is left out of this choice"),
    "skills": _("lacks a skill that the rule asks for"),
}


@dataclass(frozen=True, slots=True)
class CandidateLine:
    """One candidate: ``turns`` is how many leads, by weight, they stood behind the first in turn."""

    user_id: int
    name: str
    weight: int
    turns: float
    blocked: list[Text]
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Why:
    """A choice in words. ``hidden`` candidates are not for the viewer's eyes."""

    reason: Text
    pool: str
    rule: str
    band: str
    overflow_of: str
    candidates: list[CandidateLine]
    hidden: int

    @property
    def has_ring(self) -> bool:
        """Whether a pool's ring was asked at all."""
        return bool(self.candidates or self.hidden)


def visible(user: User) -> QuerySet[RoutingDecision]:
    """Decisions with all that is told of them, for whoever sees leads."""
    return RoutingDecision.objects.visible_to(user).select_related("owner", "pool", "rule")


def latest_of(lead_id: int, *, viewer: User) -> RoutingDecision | None:
    """The last choice of an owner for this lead."""
    return visible(viewer).filter(lead=lead_id).order_by("-pk").first()


def sees_all(viewer: User) -> bool:
    """Whether the viewer reads about every candidate."""
    return viewer.may(Capability.CHANGE_OWNER)


def told(candidates: Iterable[Mapping[str, Any]], *, viewer: User) -> list[Mapping[str, Any]]:
    """The candidates of a stored record that the viewer may read about."""
    everybody = sees_all(viewer)
    return [c for c in candidates if everybody or c.get("chosen") or c.get("key") == viewer.pk]


def packet_for(packet: Mapping[str, Any], *, viewer: User) -> dict[str, Any]:
    """A handoff's packet with no more candidates than the viewer may read about."""
    record = packet.get("routing")
    if not isinstance(record, Mapping) or "candidates" not in record:
        return dict(packet)
    return {**packet, "routing": {**record, "candidates": told(record["candidates"], viewer=viewer)}}


def why(record: Mapping[str, Any], *, viewer: User) -> Why:
    """The record of a choice (``funnel.services.routing``) in words for ``viewer``."""
    candidates = record.get("candidates", [])
    shown = told(candidates, viewer=viewer)
    names = dict(User.objects.filter(pk__in=[c["key"] for c in shown]).values_list("pk", "name"))
    free = [c["pointer"] for c in candidates if not c["blocked"]]
    least = min(free, default=min((c["pointer"] for c in candidates), default=0))
    over = record.get("overflow_of")
    return Why(
        reason=REASONS.get(record["reason"], record["reason"]),
        pool=record.get("pool_name", ""),
        rule=record.get("rule_name", ""),
        band=record.get("band", ""),
        overflow_of=Pool.objects.filter(pk=over).values_list("name", flat=True).first() or "" if over else "",
        candidates=[_line(c, names, least) for c in shown],
        hidden=len(candidates) - len(shown),
    )


def why_decided(decision: RoutingDecision, *, viewer: User) -> Why:
    """The stored choice in words; a pool or rule that is gone has no name any more."""
    record = {
        "reason": decision.reason,
        "pool_name": decision.pool.name if decision.pool else "",
        "rule_name": decision.rule.name if decision.rule else "",
        "band": decision.band,
        "candidates": decision.candidates,
    }
    return why(record, viewer=viewer)


def has_moved(decision: RoutingDecision) -> bool:
    """Whether somebody else owns the lead by now."""
    return LeadState.objects.filter(pk=decision.lead_id).exclude(owner=decision.owner_id).exists()


def of_period(start: datetime, end: datetime, *, pool: Pool) -> QuerySet[RoutingDecision]:
    """What a pool gave away from ``start`` to before ``end``, in that order."""
    found = RoutingDecision.objects.filter(pool=pool, at__gte=start, at__lt=end)
    return found.order_by("at", "pk")


def _line(candidate: Mapping[str, Any], names: Mapping[int, str], least: int) -> CandidateLine:
    key, weight = candidate["key"], candidate["weight"]
    return CandidateLine(
        user_id=key,
        name=names.get(key, ""),
        weight=weight,
        turns=(candidate["pointer"] - least) / (STRIDE // weight),
        blocked=[BLOCKED.get(code, code) for code in candidate["blocked"]],
        is_chosen=candidate["chosen"],
    )
