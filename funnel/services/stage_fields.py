"""What a stage may say: each field checked before it is stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from funnel.domain import entry
from smarketing.core.errors import FieldError, Invalid
from smarketing.users.domain.roles import Side

TEXTS = {"name": 80, "meaning": 2000, "entry": 2000, "exit": 2000}
NUMBERS = {"monthly_target": 2**31 - 1, "time_limit_seconds": 2**31 - 1, "target_conversion": 100}
COLUMNS = (*TEXTS, *NUMBERS, "owner_side", "rule")


class BadStage(Invalid):
    """A value can't be used; ``errors`` names the fields."""

    code = "bad_stage"


def bad(*, field: str, detail: str) -> BadStage:
    """A refusal about one field."""
    return BadStage(detail, errors=[FieldError(field, BadStage.code, detail)])


def checked(*, fields: Mapping[str, Any], own: bool) -> dict[str, Any]:
    """The fields as they are stored; ``own`` stages may have criteria. Raises :class:`BadStage`."""
    good = {name: v.strip() if isinstance(v, str) else v for name, v in fields.items()}
    wrong = {name: _("A stage has no such field that can be changed.") for name in set(good) - set(COLUMNS)}
    for name, most in TEXTS.items():
        if name in good and (not isinstance(good[name], str) or len(good[name]) > most):
            wrong[name] = _("Give a text of at most %(most)s characters.") % {"most": most}
    if "name" in good and not good["name"]:
        wrong["name"] = _("Give the stage a name.")
    if "owner_side" in good and good["owner_side"] not in set(Side):
        wrong["owner_side"] = _("Choose marketing or sales.")
    for name, most in NUMBERS.items():
        value = good.get(name)
        if value is not None and not _is_whole(value, most):
            wrong[name] = (
                _("Give a whole number from 1 to 100, or nothing.")
                if most == 100  # noqa: PLR2004
                else _("Give a whole number above zero, or nothing.")
            )
    errors = [FieldError(name, BadStage.code, detail) for name, detail in sorted(wrong.items())]
    if good.get("rule"):
        errors += _rule_errors(good["rule"], own=own)
    elif "rule" in good:
        good["rule"] = []
    if errors:
        raise BadStage(_("The stage can't be changed like this."), errors=errors)
    return good


def _is_whole(value: object, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= most


def _rule_errors(rule: Any, *, own: bool) -> list[FieldError]:
    if not own:
        told = _("The product decides who gets into this stage; only an own stage has criteria.")
        return [FieldError("rule", BadStage.code, told)]
    _conditions, problems = entry.parse(rule)
    return [FieldError(problem.field, problem.code, problem.detail) for problem in problems]
