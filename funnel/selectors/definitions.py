"""Reads of the definition: the version in force and its parsed form."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import QuerySet

from funnel.domain.definitions import Definition
from funnel.domain.drafts import parse
from funnel.domain.interest import Decay
from funnel.models import DefinitionState, DefinitionVersion
from smarketing.core.prepared import Query

# Parsed forms by digest; a digest stands for one body, so an entry never goes stale.
_parsed: dict[str, Definition] = {}
_MOST = 32


def in_force_only() -> QuerySet[DefinitionVersion]:
    """The version in force and no other; a constraint keeps it to one."""
    return DefinitionVersion.objects.filter(state=DefinitionState.IN_FORCE).order_by()


_IN_FORCE = Query("definition_in_force", in_force_only)


def in_force() -> DefinitionVersion:
    """The version in force. A migration makes the first, so there is always one."""
    version = _IN_FORCE.first()
    if version is None:
        raise DefinitionVersion.DoesNotExist("no definition is in force")
    return version


def waiting() -> DefinitionVersion | None:
    """The signed version that is not in force yet; at most one."""
    return DefinitionVersion.objects.filter(state=DefinitionState.SIGNED).first()


def in_force_id() -> int:
    """The key of the version in force."""
    return DefinitionVersion.objects.values_list("pk", flat=True).get(state=DefinitionState.IN_FORCE)


def numbered(numbers: Sequence[int]) -> dict[int, DefinitionVersion]:
    """The versions of these numbers, by number."""
    return {v.number: v for v in DefinitionVersion.objects.filter(number__in=list(numbers))}


def rules_of(version: DefinitionVersion) -> Definition:
    """The parsed form of a version."""
    known = _parsed.get(version.digest)
    if known is None:
        if len(_parsed) >= _MOST:
            _parsed.clear()
        known = _parsed[version.digest] = parse(version.body)
    return known


def decay_of(version: DefinitionVersion) -> Decay:
    """The frame in which the masses of this version are meant."""
    return Decay(version.landmark, rules_of(version).half_life)
