"""Rules of routing: which leads go to which pool, asked in their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from funnel.domain import routes
from funnel.models import Pool, RoutingRule
from funnel.services import pools
from smarketing.core import locks
from smarketing.core.changes import changed
from smarketing.core.errors import FieldError, Invalid, Stale
from smarketing.users.models import User

MAX_RULES = 200
FIELDS = ("name", "is_active", "conditions", "skills", "pool")


class BadRule(Invalid):
    """A rule has a name of its own, conditions that can be asked, and a pool."""

    code = "bad_rule"


class RuleChanged(Stale):
    """Somebody else changed the rule since it was read."""


@transaction.atomic
def create(
    *,
    name: str,
    pool: Pool,
    conditions: Sequence[Mapping[str, Any]] = (),
    skills: Sequence[str] = (),
    is_active: bool = True,
    actor: User,
    now: datetime,
) -> RoutingRule:
    """A new rule, asked after the others. Raises ``RoutingNotAllowed``, :class:`BadRule`, ``BadPlace``."""
    pools.check_may(actor=actor)
    if RoutingRule.objects.count() >= MAX_RULES:
        raise BadRule(_("There are %(most)s rules already; remove one first.") % {"most": MAX_RULES})
    last = RoutingRule.objects.aggregate(last=Max("position"))["last"] or 0
    rule = RoutingRule(position=last + 1, created_at=now, updated_at=now)
    _set(
        rule,
        {
            "name": name,
            "pool": pool,
            "conditions": list(conditions),
            "skills": skills,
            "is_active": is_active,
        },
    )
    rule.save(force_insert=True)
    changed(actor=actor, action="rule_created", obj=rule, before={}, after=_as_json(rule), now=now)
    return rule


@transaction.atomic
def update(
    *,
    rule: RoutingRule,
    changes: Mapping[str, Any],
    actor: User,
    now: datetime,
    expected_version: int | None = None,
) -> RoutingRule:
    """Change a rule; what was routed by it stays. Raises as ``create``, and :class:`RuleChanged`."""
    pools.check_may(actor=actor)
    (rule,) = locks.rows(RoutingRule.objects.select_related("pool"), [rule.pk])
    if expected_version is not None and rule.version != expected_version:
        raise RuleChanged(_("Somebody else changed this rule first. Look at it again."))
    before = _as_json(rule)
    _set(rule, changes)
    rule.version, rule.updated_at = rule.version + 1, now
    rule.save(update_fields=[*FIELDS, "version", "updated_at"])
    changed(actor=actor, action="rule_changed", obj=rule, before=before, after=_as_json(rule), now=now)
    return rule


@transaction.atomic
def move(
    *, rule: RoutingRule, earlier: bool, actor: User, now: datetime, expected_place: int | None = None
) -> None:
    """Ask the rule one place earlier or later among those in use; at the end nothing moves.

    ``expected_place`` is where the caller saw it, from 1; elsewhere by now: :class:`RuleChanged`.
    """
    pools.check_may(actor=actor)
    ordered = list(RoutingRule.objects.select_for_update().order_by("position", "pk"))
    in_use = [i for i, other in enumerate(ordered) if other.is_active]
    place = next((i for i, at in enumerate(in_use) if ordered[at].pk == rule.pk), None)
    if place is None or (expected_place is not None and expected_place != place + 1):
        raise RuleChanged(_("Somebody else changed the order first. Look at it again."))
    other_place = place + (-1 if earlier else 1)
    if not 0 <= other_place < len(in_use):
        return
    here, there = in_use[place], in_use[other_place]
    ordered[here], ordered[there] = ordered[there], ordered[here]
    for position, other in enumerate(ordered, start=1):
        other.position = position
    RoutingRule.objects.bulk_update(ordered, ["position"])
    changed(
        actor=actor,
        action="rule_moved",
        obj=rule,
        before={"position": place + 1},
        after={"position": other_place + 1},
        now=now,
    )


@transaction.atomic
def remove(*, rule: RoutingRule, actor: User, now: datetime) -> None:
    """Delete a rule; the record of what it routed stays, without its name."""
    pools.check_may(actor=actor)
    changed(actor=actor, action="rule_removed", obj=rule, before=_as_json(rule), after={}, now=now)
    rule.delete()


def _set(rule: RoutingRule, changes: Mapping[str, Any]) -> None:
    for name, value in changes.items():
        if name not in FIELDS:
            raise TypeError(f"a rule has no field {name!r} to set")
        setattr(rule, name, value)
    rule.name, rule.skills = rule.name.strip(), pools.clean_skills(skills=rule.skills)
    errors = []
    if not rule.name or len(rule.name) > 120 or "\x00" in rule.name:
        errors.append(FieldError("name", "required", _("Give the rule a name of at most 120 characters.")))
    elif RoutingRule.objects.filter(name=rule.name).exclude(pk=rule.pk).exists():
        errors.append(FieldError("name", "taken", _("There is a rule of that name.")))
    _conditions, problems = routes.read(rule.conditions)
    errors += [FieldError(p.field, p.code, p.detail) for p in problems]
    if errors:
        raise BadRule(errors[0].detail, errors=errors)


def _as_json(rule: RoutingRule) -> dict[str, object]:
    return {
        "name": rule.name,
        "position": rule.position,
        "is_active": rule.is_active,
        "conditions": rule.conditions,
        "skills": rule.skills,
        "pool": rule.pool_id,
    }
