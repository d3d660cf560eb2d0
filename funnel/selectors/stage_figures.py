"""How the stages stand: who is in each, for how long, how many came in, and how many get further.

Each number is counted from indexes that begin with the stage, in a fixed number of statements whatever
the number of leads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from funnel.domain.statistics import wilson
from funnel.models import Stage, StageRole
from funnel.selectors import stages

PERIOD_DAYS = 90
# Below so many known outcomes a share says nothing yet.
FEWEST = 10
_OWNED = "AND s.owner_id = %(owner)s"
_HERE = """
SELECT g.id, n.here, n.late,
       (SELECT s.entered_at FROM funnel_leadstate s WHERE s.stage_id = g.id {owned}
         ORDER BY s.entered_at OFFSET n.here / 2 LIMIT 1)
  FROM funnel_stage g
  CROSS JOIN LATERAL (
       SELECT count(*) AS here,
              count(*) FILTER (WHERE s.entered_at < %(now)s - make_interval(secs => g.time_limit_seconds))
                  AS late
         FROM funnel_leadstate s WHERE s.stage_id = g.id {owned}) n
 WHERE g.id = ANY(%(stages)s)
"""
# A lead that came in more than once is one; the leads of one person's laps are several.
_CAME = """
SELECT t.to_stage_id, count(*) FILTER (WHERE t.first_at >= %(month)s),
       count(*) FILTER (WHERE h.kind = 'main' AND h.position > g.position),
       count(*) FILTER (WHERE l.closed_at IS NOT NULL OR (h.kind = 'main' AND h.position > g.position)),
       count(*)
  FROM (SELECT to_stage_id, lead_id, max(effective_at) AS first_at FROM funnel_stagetransition
         WHERE to_stage_id = ANY(%(stages)s) AND effective_at >= %(since)s AND effective_at < %(now)s
         GROUP BY to_stage_id, lead_id) t
  JOIN funnel_stage g ON g.id = t.to_stage_id
  JOIN funnel_leadstate s ON s.lead_id = t.lead_id {owned}
  JOIN funnel_stage h ON h.id = s.high_water_id
  JOIN leads_lead l ON l.id = t.lead_id
 GROUP BY t.to_stage_id
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """One stage. ``further`` of ``known`` leads got past it; ``came`` entered it in the period.

    ``median_seconds`` is how long the middle one of those who are here has been here.
    """

    stage: Stage
    here: int
    late: int
    median_seconds: int | None
    came_this_month: int
    came: int
    known: int
    further: int
    since: datetime
    month: datetime

    @property
    def is_end(self) -> bool:
        """Whether a lap ends here: nobody stands here, they only came."""
        return self.stage.role in (StageRole.WON, StageRole.CLOSED)

    @property
    def is_step(self) -> bool:
        """Whether leads are to go on from here."""
        return self.stage.role == StageRole.MAIN

    @property
    def undecided(self) -> int:
        """Leads that came in the period and are neither further nor at an end."""
        return self.came - self.known

    @property
    def conversion(self) -> float | None:
        """The percentage that got further, of those of whom it is known."""
        return 100 * self.further / self.known if self.is_step and self.known else None

    @property
    def is_slow(self) -> bool:
        """Half of those who are here have been here longer than the time limit."""
        limit = self.stage.time_limit_seconds
        return limit is not None and self.median_seconds is not None and self.median_seconds > limit

    @property
    def is_leaky(self) -> bool:
        """Fewer get further than the target says, and not by chance (Wilson, 95 %)."""
        target = self.stage.target_conversion
        if target is None or not self.is_step or self.known < FEWEST:
            return False
        return wilson(self.further, self.known)[1] * 100 < target

    @property
    def is_bottleneck(self) -> bool:
        """Slow, or it loses more than agreed."""
        return self.is_slow or self.is_leaky


def all_of(*, owner: int | None, month: datetime, now: datetime) -> list[Figures]:
    """Every stage in use, and those out of use where leads still stand, in the order of the road.

    ``owner`` narrows to one owner's leads; ``month`` is when the month began where the viewer is.
    """
    known = [stage for stage in stages.by_code().values() if stage.by_hand]
    since = now - timedelta(days=PERIOD_DAYS)
    here = _rows(_HERE, [s.pk for s in known if not _ends(s)], owner=owner, now=now, since=since, month=month)
    came = _rows(_CAME, [s.pk for s in known], owner=owner, now=now, since=min(since, month), month=month)
    found = [_figures(s, here.get(s.pk), came.get(s.pk), since=since, month=month, now=now) for s in known]
    return [each for each in found if each.stage.is_active or each.here]


def _ends(stage: Stage) -> bool:
    return stage.role in (StageRole.WON, StageRole.CLOSED)


def _rows(
    statement: str, stage_ids: list[int], *, owner: int | None, **values: datetime
) -> Mapping[int, tuple[object, ...]]:
    text = statement.format(owned=_OWNED if owner is not None else "")
    with connection.cursor() as cursor:
        cursor.execute(text, {"stages": stage_ids, "owner": owner, **values})
        return {row[0]: row[1:] for row in cursor.fetchall()}


def _figures(
    stage: Stage,
    here: tuple[object, ...] | None,
    came: tuple[object, ...] | None,
    *,
    since: datetime,
    month: datetime,
    now: datetime,
) -> Figures:
    count, late, median = here or (0, 0, None)
    this_month, further, known, total = came or (0, 0, 0, 0)
    return Figures(
        stage=stage,
        here=_whole(count),
        late=_whole(late),
        median_seconds=int((now - median).total_seconds()) if isinstance(median, datetime) else None,
        came_this_month=_whole(this_month),
        came=_whole(total),
        known=_whole(known),
        further=_whole(further),
        since=since,
        month=month,
    )


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0
