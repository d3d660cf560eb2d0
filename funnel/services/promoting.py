"""The switch: what the shadow holds becomes interest, fit, bands and actions of everybody at one instant.

One transaction under the lock of the version in force. Readers go on with the former version until it
commits; who computes scores waits. Nobody who has qualified is taken back; who may qualify now is marked
and looked at by the loop ``score_marks``.
"""

from __future__ import annotations

import json
import math
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from funnel.domain.interest import EARLIEST, LATEST
from funnel.models import DefinitionVersion
from funnel.services import frames, rescoring, score_marks
from funnel.services.frames import Frame
from smarketing.core import loops

# What interest is taken from and what of it is written: the shadow, or, where the masses mean the same and
# have been weighted anew, interest itself. Either way each row is written once here.
_TAKEN = (
    "funnel_nextinterest",
    "definition_id = %(definition)s, masses = c.masses, key = c.key, reheated_at = c.reheated_at, "
    "cools_at = c.cools",
    "",
)
_KEPT = ("funnel_interest", "cools_at = c.cools", "AND i.cools_at IS DISTINCT FROM c.cools")
# By the rules of ``Definition.interest_band``, ``Decay.cools_at`` and ``qualification.could_hand_off``:
# a band is entered at its threshold and left below it by the hysteresis; whoever could have reached a
# cell that hands off since the version holds is looked at by the replay of their events.
_JUDGE = """
WITH told AS (
    SELECT s.lead_id, l.person_id, s.definition_id, s.fit, s.fit_band, s.interest_band, s.qualified_at,
           n.fit AS next_fit, n.fit_band AS next_fit_band, n.is_excluded, i.key,
           CASE WHEN i.key IS NULL THEN 0
                ELSE power(2::float8, least(greatest(i.key - %(age)s::float8, -1000), 1000)) END AS score,
           {best} AS best
      FROM leads_lead l
      JOIN funnel_leadscore s ON s.lead_id = l.id
      JOIN funnel_nextscore n ON n.lead_id = l.id
      LEFT JOIN {source} i ON i.person_id = l.person_id
     WHERE l.closed_at IS NULL
), judged AS (
    SELECT t.*, CASE WHEN t.score >= %(enter_1)s OR t.interest_band <= 1 AND t.score >= %(leave_1)s THEN 1
                     WHEN t.score >= %(enter_2)s OR t.interest_band <= 2 AND t.score >= %(leave_2)s THEN 2
                     ELSE 3 END AS band
      FROM told t
), fits AS (
    INSERT INTO funnel_fitperiod (lead_id, definition_id, until, fit, fit_band)
    SELECT lead_id, definition_id, %(at)s, fit, fit_band FROM judged
     WHERE (fit, fit_band) IS DISTINCT FROM (next_fit, next_fit_band)
), bands AS (
    INSERT INTO funnel_interestperiod (lead_id, until, band, became)
    SELECT lead_id, %(now)s, interest_band, band FROM judged WHERE interest_band <> band
), cooling AS (
    UPDATE funnel_interest i SET {columns}
      FROM (SELECT k.*,
                   CASE WHEN j.key IS NOT NULL AND j.band < 3 THEN
                       %(landmark)s::timestamptz + make_interval(secs => least(greatest(
                           (j.key - CASE j.band WHEN 1 THEN %(low_1)s ELSE %(low_2)s END) * %(half_life)s,
                           %(earliest)s), %(latest)s)) END AS cools
              FROM {source} k LEFT JOIN judged j ON j.person_id = k.person_id) c
     WHERE i.person_id = c.person_id {changed}
), marks AS (
    INSERT INTO funnel_scoremark (lead_id)
    SELECT lead_id FROM judged
     WHERE qualified_at IS NULL AND NOT is_excluded
       AND (%(matrix)s::jsonb ->> (next_fit_band || '3') = 'hand_off'
            OR best >= %(low_2)s AND %(matrix)s::jsonb ->> (next_fit_band || '2') = 'hand_off'
            OR best >= %(low_1)s AND %(matrix)s::jsonb ->> (next_fit_band || '1') = 'hand_off')
     ORDER BY lead_id
)
UPDATE funnel_leadscore s
   SET definition_id = %(definition)s, fit = j.next_fit, fit_band = j.next_fit_band, interest_band = j.band,
       action = CASE WHEN j.is_excluded THEN 'discard'
                     ELSE %(matrix)s::jsonb ->> (j.next_fit_band || j.band) END,
       evaluated_at = %(now)s
  FROM judged j
 WHERE s.lead_id = j.lead_id
"""
AT_ONCE = 200  # leads that are looked at within the switch; more wait for the loop


@transaction.atomic
def promote(*, old: DefinitionVersion, new: DefinitionVersion, at: datetime, now: datetime) -> None:
    """Take the shadow of ``new`` over, whose rules hold from ``at``; the caller has put it in force.

    Masses whose signals are the same are weighted anew, of all others the filled ones are taken.
    """
    frame = frames.of(version=new)
    with connection.cursor() as cursor:
        is_weighted = rescoring.switch(old=old, new=new)
        text, values = _judgement(frame, _KEPT if is_weighted else _TAKEN, at=at, now=now)
        cursor.execute(text, values)
        cursor.execute("DELETE FROM funnel_nextinterest")
        cursor.execute("DELETE FROM funnel_nextscore")
    new.filling.at_person = 0  # from here on it says how far what is left over is removed
    new.filling.save(update_fields=["at_person"])
    score_marks.run_once(now=now, limit=AT_ONCE)
    loops.nudge(score_marks.LOOP)
    loops.nudge("rescoring")


def _judgement(
    frame: Frame, taken: tuple[str, str, str], *, at: datetime, now: datetime
) -> tuple[str, dict[str, Any]]:
    rules, decay = frame.rules, frame.decay
    gaining = [(slot, points) for slot, points in enumerate(rules.weights, 1) if points > 0]
    total = " + ".join(f"%(w{slot})s::float8 * i.masses[{slot}]" for slot, _points in gaining) or "0::float8"
    # Half-lives above one point, at the instant from which the version holds; the bit more is for rounding.
    best = f"CASE WHEN {total} > 0 THEN ln({total}) / ln(2::float8) - %(since)s::float8 + 1e-8 END"
    low = {band: rules.interest_bands[band] * (1 - rules.hysteresis) for band in (1, 2)}
    values: dict[str, Any] = {f"w{slot}": points for slot, points in gaining}
    values |= {
        "definition": frame.version.pk,
        "age": decay.exponent(now),
        "since": decay.exponent(at),
        "enter_1": float(rules.interest_bands[1]),
        "enter_2": float(rules.interest_bands[2]),
        "leave_1": float(low[1]),
        "leave_2": float(low[2]),
        "low_1": math.log2(low[1]),
        "low_2": math.log2(low[2]),
        "half_life": decay.half_life.total_seconds(),
        "landmark": decay.landmark,
        "earliest": (EARLIEST - decay.landmark).total_seconds(),
        "latest": (LATEST - decay.landmark).total_seconds(),
        "matrix": json.dumps({cell: str(action) for cell, action in rules.matrix.items()}),
        "at": at,
        "now": now,
    }
    source, columns, changed = taken
    return _JUDGE.format(best=best, source=source, columns=columns, changed=changed), values
