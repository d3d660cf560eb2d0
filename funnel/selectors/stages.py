"""Reads of the stages and of the opportunities board's columns."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from funnel.domain import lifecycle as rules
from funnel.domain.lifecycle import Ladder, Role
from funnel.models import OpportunityStage, Stage, StageKind, StageRole, StageVersion
from smarketing.core.prepared import Query, Statement
from smarketing.users.domain.roles import Side

_ALL = Query(
    "stages_by_code", lambda: Stage.objects.select_related("reached_from").order_by("position", "code")
)
_PRINT = Statement(
    "stages_print", "SELECT md5(string_agg(s::text, chr(10) ORDER BY s.id)) FROM funnel_stage s"
)
_roads: dict[str, Road] = {}
_Row = tuple[str, str, str, int, str, bool, bool]


def by_code() -> dict[str, Stage]:
    """Every stage by its code, in the order of the road."""
    return {stage.code: stage for stage in _ALL.all()}


class Road(NamedTuple):
    """Every stage by its code, and the table of moves between them."""

    known: Mapping[str, Stage]
    ladder: Ladder


def road() -> Road:
    """The stages as they are now; read it after what is moved is locked.

    Leads move all day and stages change a few times a year, so what was read is kept beside a print of every
    row of the table; where the print differs it is read again. Nobody changes these stages.
    """
    ((seen,),) = _PRINT.rows()
    road = _roads.get(seen)
    if road is None:
        known = by_code()
        road = Road(MappingProxyType(known), _ladder(tuple(_row(stage) for stage in known.values())))
        if _PRINT.rows() == [(seen,)]:  # nobody has changed them between the two statements
            _roads.clear()
            _roads[seen] = road
    return road


def offered(known: Mapping[str, Stage]) -> list[Stage]:
    """Steps of the road behind which an own one may stand: from lead to the last before customer."""
    road = [s for s in known.values() if s.kind == StageKind.MAIN]
    return [s for s in road if s.role == Role.MAIN]


def importable() -> list[tuple[str, str]]:
    """Code and name of the stages in which a file may place a lead, in the order of the road."""
    found = [s for s in by_code().values() if s.is_active and s.by_hand and s.role != StageRole.ANONYMOUS]
    return [(stage.code, stage.name) for stage in found]


def place_of(stage: Stage, known: Mapping[str, Stage]) -> str | None:
    """The code of the step before ``stage``; None for one that is no own step of the road."""
    if stage.is_builtin or stage.role != StageRole.MAIN:
        return None
    before = [s for s in known.values() if s.kind == StageKind.MAIN and s.position < stage.position]
    return max(before, key=lambda s: s.position).code if before else None


def versions_of(stage: Stage) -> list[StageVersion]:
    """What the stage said, the newest first."""
    return list(stage.versions.select_related("actor").order_by("-version")[:50])


def board_columns() -> list[OpportunityStage]:
    """The columns of the opportunities board, from left to right."""
    return list(OpportunityStage.objects.order_by("position", "code"))


def _row(stage: Stage) -> _Row:
    rank = stage.position
    if stage.kind == StageKind.SIDE:
        rank = stage.reached_from.position if stage.reached_from is not None else 0
    return (stage.code, stage.name, stage.role, rank, stage.owner_side, stage.by_hand, stage.is_active)


@lru_cache(maxsize=16)
def _ladder(rows: tuple[_Row, ...]) -> Ladder:
    """Stages change a few times a year and leads move all day, so the table is kept by what it says."""
    return Ladder(
        [
            rules.Stage(
                code, name, Role(role), rank, rules.Side(Side(side)), "", "", by_hand=by_hand, in_use=in_use
            )
            for code, name, role, rank, side, by_hand, in_use in rows
        ]
    )
