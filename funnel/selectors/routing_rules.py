"""Rules of routing as the settings show them, and what each says of one lead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from funnel.domain import fit, routes
from funnel.domain.fit import Condition, Facts
from funnel.models import Pool, RoutingRule
from leads.models import Lead
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule with its conditions in words; ``place`` counts from 1 among those in use, 0 when retired."""

    rule: RoutingRule
    sentences: list[str]
    place: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A rule that was asked about a lead: it takes it, or ``failed`` says which condition does not hold.

    ``is_unknown`` says that the lead's attribute is not known.
    """

    name: str
    takes: bool
    failed: str = ""
    is_unknown: bool = False


def visible(user: User) -> QuerySet[RoutingRule]:
    """Rules with their pool: both teams read who gets what, and why."""
    rules = RoutingRule.objects.select_related("pool")
    return rules if user.may(Capability.VIEW) else rules.none()


def pools_visible_to(user: User) -> QuerySet[Pool]:
    """Pools, the default one first."""
    pools = Pool.objects.select_related("overflow_pool")
    return pools if user.may(Capability.VIEW) else pools.none()


def rows() -> tuple[list[RuleRow], list[RuleRow]]:
    """The rules in use in their order, and those that are retired."""
    found = list(RoutingRule.objects.select_related("pool").order_by("position", "pk"))
    in_use = [RuleRow(r, sentences(r), i) for i, r in enumerate((r for r in found if r.is_active), start=1)]
    return in_use, [RuleRow(r, sentences(r), 0) for r in found if not r.is_active]


def sentences(rule: RoutingRule) -> list[str]:
    """The rule's conditions in words."""
    conditions, _problems = routes.read(rule.conditions)
    return [fit.describe(condition) for condition in conditions]


def asked(rules: Sequence[routes.Route], known: Facts) -> list[Asked]:
    """What each rule says, up to the one that takes the lead."""
    told = []
    for rule in rules:
        failed = next((c for c in rule.conditions if not fit.holds(c, known)), None)
        told.append(_told(rule, failed, known))
        if failed is None:
            break
    return told


def lead_of(text: str, *, viewer: User) -> Lead | None:
    """The lead of this number, or the latest one of the person with this e-mail address."""
    wanted = text.strip()
    leads = Lead.objects.visible_to(viewer).select_related("person", "company")
    if wanted.isdecimal() and wanted.isascii():
        return leads.filter(pk=int(wanted)).first() if len(wanted) < 19 else None
    return leads.filter(person__emails__email=wanted.lower()).order_by("-pk").first() if wanted else None


def _told(rule: routes.Route, failed: Condition | None, known: Facts) -> Asked:
    if failed is None:
        return Asked(rule.name, takes=True)
    unknown = fit.holds(failed, known) is None
    return Asked(rule.name, takes=False, failed=fit.describe(failed), is_unknown=unknown)
