"""The order of the stages: where an own one stands, and what follows for leads that have passed it."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import connection
from django.utils.translation import gettext as _

from funnel.models import Stage, StageKind, StageRole
from funnel.services.stage_fields import bad
from smarketing.core import locks

# Whose furthest step may be another one by the new order: they have been in the stage that moved.
_AFFECTED = """
SELECT DISTINCT lead_id FROM funnel_stagetransition WHERE to_stage_id = %(stage)s ORDER BY lead_id
"""
_LOCK = """
SELECT lead_id FROM funnel_leadstate WHERE lead_id = ANY(%(leads)s) ORDER BY lead_id FOR NO KEY UPDATE
"""
_FURTHEST = """
UPDATE funnel_leadstate s SET high_water_id = f.stage_id, version = s.version + 1
  FROM (SELECT DISTINCT ON (t.lead_id) t.lead_id, g.id AS stage_id
          FROM funnel_stagetransition t JOIN funnel_stage g ON g.id = t.to_stage_id
         WHERE t.lead_id = ANY(%(leads)s) AND g.kind = 'main'
         ORDER BY t.lead_id, g.position DESC) f
 WHERE s.lead_id = f.lead_id AND s.high_water_id <> f.stage_id
"""
_CHUNK = 20_000


def lock_all() -> dict[str, Stage]:
    """Every stage by its code, locked: who sets stages up follows one another; leads go on moving."""
    found = locks.rows(
        Stage.objects.select_related("reached_from"), Stage.objects.values_list("pk", flat=True)
    )
    return {stage.code: stage for stage in sorted(found, key=lambda s: (s.position, s.code))}


def put(*, stage: Stage, known: Mapping[str, Stage], after: str | None) -> None:
    """Put ``stage`` behind the step ``after`` and number all stages anew; ``known`` is locked.

    A stage beside the road goes behind the others of its kind. What counted as one step of the product
    may count as another then, and the furthest step of leads that have been there is found again.
    Raises ``BadStage``.
    """
    road = [s for s in known.values() if s.kind == StageKind.MAIN and s.pk != stage.pk]
    side = [s for s in known.values() if s.kind == StageKind.SIDE and s.pk != stage.pk]
    if stage.role == StageRole.MAIN:
        if stage.is_builtin:
            raise bad(field="after", detail=_("A stage that came with the product keeps its place."))
        before = next((s for s in road if s.code == after and s.role == StageRole.MAIN), None)
        if before is None:
            raise bad(
                field="after", detail=_("Choose a step of the road that comes before it, from lead on.")
            )
        road.insert(road.index(before) + 1, stage)
    elif after is not None and stage.role != StageRole.PARKING:
        raise bad(field="after", detail=_("A stage that came with the product keeps its place."))
    else:
        side.insert(sum(s.role == StageRole.PARKING for s in side), stage)
    _number([*road, *side])
    if stage.role == StageRole.MAIN:
        _find_furthest(stage)


def _number(ordered: list[Stage]) -> None:
    step = ""
    for position, stage in enumerate(ordered):
        if stage.is_builtin:
            step = stage.code
            counts_as = stage.code
        else:
            counts_as = step if stage.kind == StageKind.MAIN else "nurture"
        if (stage.position, stage.counts_as) != (position, counts_as):
            stage.position, stage.counts_as = position, counts_as
            stage.save(update_fields=["position", "counts_as"])


def _find_furthest(stage: Stage) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_AFFECTED, {"stage": stage.pk})
        leads = [row[0] for row in cursor.fetchall()]
        for start in range(0, len(leads), _CHUNK):
            chunk = {"leads": leads[start : start + _CHUNK]}
            cursor.execute(_LOCK, chunk)
            cursor.execute(_FURTHEST, chunk)
