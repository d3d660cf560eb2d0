"""Settings of the stages: what each is called and means, whose it is, its target and time limit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from funnel.models import Stage
from smarketing.core.changes import changed
from smarketing.core.errors import Denied, FieldError, Invalid, Stale
from smarketing.users.domain.roles import Capability, Side
from smarketing.users.models import User

COLUMNS = ("name", "owner_side", "meaning", "entry", "exit", "monthly_target", "time_limit_seconds")
_TEXTS = {"name": 80, "meaning": 2000, "entry": 2000, "exit": 2000}
_LARGEST = 2**31 - 1


class StageEditNotAllowed(Denied):
    """Stages are set up by managers and admins."""

    code = "stage_edit_not_allowed"


class BadStage(Invalid):
    """A value can't be used; ``errors`` names the fields."""

    code = "bad_stage"


class StageChanged(Stale):
    """Somebody has changed the stage since it was read."""


@transaction.atomic
def update(
    *,
    stage: Stage,
    changes: Mapping[str, Any],
    actor: User | None,
    now: datetime,
    expected_version: int | None = None,
) -> Stage:
    """Change named columns of a stage; its code and its place on the road stay.

    Kept in the audit trail. Raises :class:`StageEditNotAllowed`, :class:`StageChanged`,
    :class:`BadStage`.
    """
    if actor is not None and not actor.may(Capability.EDIT_STAGES):
        raise StageEditNotAllowed(_("Your role may not change stages."))
    locked = Stage.objects.select_for_update().get(pk=stage.pk)
    if expected_version is not None and locked.version != expected_version:
        raise StageChanged(_("Somebody else changed this stage first. Look at it again."))
    good = _checked(changes)
    different = [name for name, value in good.items() if getattr(locked, name) != value]
    if not different:
        return locked
    before = {name: getattr(locked, name) for name in different}
    for name in different:
        setattr(locked, name, good[name])
    locked.version, locked.updated_at = locked.version + 1, now
    locked.save(update_fields=[*different, "version", "updated_at"])
    after = {name: good[name] for name in different}
    changed(actor=actor, action="stage_changed", obj=locked, before=before, after=after, now=now)
    return locked


def _checked(changes: Mapping[str, Any]) -> dict[str, Any]:
    good = {name: v.strip() if isinstance(v, str) else v for name, v in changes.items()}
    wrong = {name: _("A stage has no such field that can be changed.") for name in set(good) - set(COLUMNS)}
    for name, most in _TEXTS.items():
        if name in good and (not isinstance(good[name], str) or len(good[name]) > most):
            wrong[name] = _("Give a text of at most %(most)s characters.") % {"most": most}
    if "name" in good and not good["name"]:
        wrong["name"] = _("Give the stage a name.")
    if "owner_side" in good and good["owner_side"] not in set(Side):
        wrong["owner_side"] = _("Choose marketing or sales.")
    for name in ("monthly_target", "time_limit_seconds"):
        value = good.get(name)
        if value is not None and (
            isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= _LARGEST
        ):
            wrong[name] = _("Give a whole number above zero, or nothing.")
    if wrong:
        errors = [FieldError(name, BadStage.code, detail) for name, detail in sorted(wrong.items())]
        raise BadStage(_("The stage can't be changed like this."), errors=errors)
    return good
