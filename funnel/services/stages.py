"""Settings of the stages: added, renamed, ordered, taken out of use; what each means, asks and promises.

Each change makes a new version, kept word for word (``StageVersion``) and in the audit trail; the ledger
names the version that a lead came in by. A stage that came with the installation keeps its place and its
part in the journey: the product moves leads through it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from funnel.models import LeadState, Stage, StageKind, StageRole, StageVersion
from funnel.selectors import stages
from funnel.services import stage_fields, stage_order
from funnel.services.stage_fields import bad
from smarketing.core import loops
from smarketing.core.changes import changed
from smarketing.core.errors import Conflict, Denied, Stale
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User

LOOP = "entries"
MOST = 40
SAID = (
    "name", "role", "owner_side", "meaning", "entry", "exit", "rule", "monthly_target", "target_conversion",
    "time_limit_seconds", "is_active",
)  # fmt: skip


class StageEditNotAllowed(Denied):
    """Stages are set up by managers and admins."""

    code = "stage_edit_not_allowed"


class StageChanged(Stale):
    """Somebody has changed the stage since it was read."""


class StageInUse(Conflict):
    """Leads stand in it, or the product needs it."""

    code = "stage_in_use"


@transaction.atomic
def create(
    *, role: str, fields: Mapping[str, Any], after: str | None, actor: User | None, now: datetime
) -> Stage:
    """Add a stage: a step of the road that follows the step ``after``, or one beside the road.

    A step stands behind lead and before customer; beside the road ``after`` says nothing. Raises
    :class:`StageEditNotAllowed`, :class:`BadStage`.
    """
    _check_may(actor)
    known = stage_order.lock_all()
    if role not in (StageRole.MAIN, StageRole.PARKING):
        raise bad(field="role", detail=_("Choose a step of the road, or a place beside it."))
    if len(known) >= MOST:
        raise bad(
            field="name", detail=_("There are %(n)s stages already; no funnel needs more.") % {"n": MOST}
        )
    good = stage_fields.checked(fields={"name": "", "owner_side": "", **fields}, own=True)
    _check_name(good["name"], known, stage=None)
    is_step = role == StageRole.MAIN
    stage = Stage(
        code=_code_for(good["name"], known),
        role=role,
        kind=StageKind.MAIN if is_step else StageKind.SIDE,
        position=len(known),
        reached_from=None if is_step else known["lead"],
        counts_as="mql" if is_step else "nurture",
        checked_up_to=0 if is_step and good.get("rule") else None,
        created_at=now,
        updated_at=now,
        **good,
    )
    stage.save(force_insert=True)
    stage_order.put(stage=stage, known={**known, stage.code: stage}, after=after)
    keep(stage=stage, actor=actor, now=now)
    said = {"code": stage.code, **_said(stage)}
    changed(actor=actor, action="stage_added", obj=stage, before={}, after=said, now=now)
    if stage.checked_up_to is not None:
        loops.nudge(LOOP)
    return stage


@transaction.atomic
def update(
    *,
    stage: Stage,
    changes: Mapping[str, Any],
    actor: User | None,
    now: datetime,
    expected_version: int | None = None,
) -> Stage:
    """Change named columns of a stage; its code stays. ``after`` moves an own step of the road.

    New criteria are put to all leads in the background. Raises :class:`StageEditNotAllowed`,
    :class:`StageChanged`, :class:`BadStage`.
    """
    _check_may(actor)
    known = stage_order.lock_all()
    locked = _current(known, stage, expected_version)
    given = dict(changes)
    after = given.pop("after", None)
    good = stage_fields.checked(fields=given, own=not locked.is_builtin)
    if "name" in good:
        _check_name(good["name"], known, stage=locked)
    different = [name for name, value in good.items() if getattr(locked, name) != value]
    before = {name: getattr(locked, name) for name in different}
    for name in different:
        setattr(locked, name, good[name])
    place = stages.place_of(locked, known)
    moved = after is not None and after != place
    if moved:
        stage_order.put(stage=locked, known=known, after=after)
        before["after"] = place
    if not different and not moved:
        return locked
    if moved or "rule" in different:
        locked.checked_up_to = 0 if locked.rule and locked.role == StageRole.MAIN else None
    _store(locked, [*different, "checked_up_to"], actor=actor, now=now)
    now_says = {name: good[name] for name in different} | ({"after": after} if moved else {})
    changed(actor=actor, action="stage_changed", obj=locked, before=before, after=now_says, now=now)
    if locked.checked_up_to is not None:
        loops.nudge(LOOP)
    return locked


@transaction.atomic
def retire(*, stage: Stage, actor: User | None, now: datetime, expected_version: int | None = None) -> Stage:
    """Take an own stage out of use: no lead enters it, and what went through it stays on record.

    Raises :class:`StageEditNotAllowed`, :class:`StageChanged`, :class:`StageInUse`.
    """
    _check_may(actor)
    locked = _current(stage_order.lock_all(), stage, expected_version)
    if locked.is_builtin:
        raise StageInUse(_("The product itself moves leads through this stage. You may rename it."))
    if not locked.is_active:
        return locked
    # Who is entering it holds the row (stage_gates.held), so nobody comes in while we count.
    here = LeadState.objects.filter(stage=locked).count()
    if here:
        raise StageInUse(
            _("%(n)s leads stand in %(stage)s. Move them to another stage first.")
            % {"n": here, "stage": locked.name},
            code="leads_stand_there",
        )
    return _switch(locked, actor=actor, is_active=False, action="stage_retired", now=now)


@transaction.atomic
def restore(*, stage: Stage, actor: User | None, now: datetime, expected_version: int | None = None) -> Stage:
    """Use a stage again that was taken out of use.

    Raises :class:`StageEditNotAllowed`, :class:`StageChanged`, :class:`BadStage`.
    """
    _check_may(actor)
    known = stage_order.lock_all()
    locked = _current(known, stage, expected_version)
    if locked.is_active:
        return locked
    _check_name(locked.name, known, stage=locked)
    return _switch(locked, actor=actor, is_active=True, action="stage_restored", now=now)


def keep(*, stage: Stage, actor: User | None, now: datetime) -> None:
    """Write down what the stage says in its present version."""
    StageVersion.objects.create(
        stage=stage, version=stage.version, document=_said(stage), actor=actor, created_at=now
    )


def _switch(stage: Stage, *, actor: User | None, is_active: bool, action: str, now: datetime) -> Stage:
    stage.is_active = is_active
    _store(stage, ["is_active"], actor=actor, now=now)
    before, after = {"is_active": not is_active}, {"is_active": is_active}
    changed(actor=actor, action=action, obj=stage, before=before, after=after, now=now)
    return stage


def _store(stage: Stage, fields: list[str], *, actor: User | None, now: datetime) -> None:
    stage.version, stage.updated_at = stage.version + 1, now
    stage.save(update_fields=[*fields, "version", "updated_at"])
    keep(stage=stage, actor=actor, now=now)


def _check_may(actor: User | None) -> None:
    if actor is not None and not actor.may(Capability.EDIT_STAGES):
        raise StageEditNotAllowed(_("Your role may not change stages."))


def _current(known: Mapping[str, Stage], stage: Stage, expected_version: int | None) -> Stage:
    locked = known[stage.code]
    if expected_version is not None and locked.version != expected_version:
        raise StageChanged(_("Somebody else changed this stage first. Look at it again."))
    return locked


def _check_name(name: str, known: Mapping[str, Stage], *, stage: Stage | None) -> None:
    """One word, one stage: both teams must mean the same by it."""
    others = (s for s in known.values() if s.is_active and (stage is None or s.pk != stage.pk))
    if any(s.name.casefold() == name.casefold() for s in others):
        raise bad(field="name", detail=_("Another stage is called like this."))


def _code_for(name: str, known: Mapping[str, Stage]) -> str:
    made = slugify(name).replace("-", "_")[:36] or "stage"
    code, number = made, 2
    while code in known:
        code, number = f"{made}_{number}", number + 1
    return code


def _said(stage: Stage) -> dict[str, Any]:
    return {name: getattr(stage, name) for name in SAID}
