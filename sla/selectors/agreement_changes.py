"""A version beside the one before it, clause by clause in words, and what people said about it."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _

from sla.domain import differences
from sla.domain.clauses import ClauseSpec
from sla.domain.differences import Difference
from sla.models import AgreementComment, AgreementState, AgreementVersion, Calendar
from sla.selectors import agreements, prose
from smarketing.users.models import Team, User

# Parts of a clause that are ids, told by name.
_NAMED: dict[str, type[Model]] = {
    "accountable": User,
    "backup": User,
    "calendar": Calendar,
    "population.team": Team,
}


@dataclass(frozen=True, slots=True)
class Changed:
    """One clause that differs: the sentences before and after, and further parts in words."""

    change: str
    label: str
    metric: str
    before: str
    after: str
    parts: list[str]


def former_of(version: AgreementVersion) -> AgreementVersion | None:
    """The version that this one would replace or has replaced: the last signed one before it."""
    return (
        agreements.versions()
        .filter(number__lt=version.number, state__in=[AgreementState.IN_FORCE, AgreementState.RETIRED])
        .first()
    )


def changes(version: AgreementVersion, former: AgreementVersion) -> list[Changed]:
    """What differs in the clauses; what stayed the same is left out."""
    found = differences.between(agreements.specs_of(former), agreements.specs_of(version))
    return [_in_words(difference) for difference in found if difference.change != "same"]


def annex_changes(version: AgreementVersion, former: AgreementVersion) -> list[str]:
    """Which parts beside the clauses differ."""
    names = {
        "roles": _("Roles and responsibilities"),
        "glossary": _("What words mean"),
        "links": _("Where to find what"),
        "plan": _("Plan of action"),
    }
    return [name for part, name in names.items() if version.annex.get(part, []) != former.annex.get(part, [])]


def comments(version: AgreementVersion) -> QuerySet[AgreementComment]:
    """What was said about the version, oldest first."""
    return AgreementComment.objects.filter(version=version).select_related("author").order_by("pk")


def named_comments(version: AgreementVersion) -> list[tuple[str, AgreementComment]]:
    """What was said about the version, each with the name of the clause it is about."""
    clause = _("Clause %(n)s")
    return [(clause % {"n": said.position} if said.position else "", said) for said in comments(version)]


def _in_words(found: Difference) -> Changed:
    spec = found.after or found.before
    if spec is None:
        raise AssertionError("a difference has at least one side")
    labels = {"added": _("New"), "removed": _("Gone"), "changed": _("Changed")}
    before = prose.sentence_of(found.before) if found.before else ""
    after = prose.sentence_of(found.after) if found.after else ""
    return Changed(
        change=found.change,
        label=labels[found.change],
        metric=prose.name(spec.metric),
        before=before,
        after=after,
        parts=[_part(name, found.before, found.after) for name in found.parts],
    )


def _part(name: str, before: ClauseSpec | None, after: ClauseSpec | None) -> str:
    words = {
        "target": _("target"),
        "period": _("period"),
        "calendar": _("calendar"),
        "grace_seconds": _("grace"),
        "accountable": _("accountable"),
        "backup": _("in their absence"),
        "population.bands": _("cells"),
        "population.team": _("team"),
    }
    old, new = (_value(spec, name) for spec in (before, after))
    return f"{words.get(name, name.rpartition('.')[2].replace('_', ' '))}: {old} → {new}"


def _value(spec: ClauseSpec | None, name: str) -> str:
    value: object = {} if spec is None else spec.to_json()
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    model = _NAMED.get(name)
    if model is not None and value is not None:
        return str(model._default_manager.filter(pk=value).first() or value)
    if value is None or value == [] or value == "":
        return "–"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
