"""Captured leads get their first stage, their owner and their score, set-based.

The same statements place one lead of a form and a hundred thousand of a file.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from datetime import datetime

from funnel.domain.lifecycle import DEFAULT_LADDER, Ladder
from funnel.domain.tombstones import BY_HAND
from funnel.events import LeadsPlaced
from funnel.models import MoveCause
from funnel.selectors import stages
from funnel.services import lifecycle, scoring, tombstones
from leads.services import leads as laps
from smarketing.core import events
from smarketing.core.prepared import Statement
from smarketing.core.transactions import joined

CHUNK = 5_000  # what is known of so many leads is in memory at once
FIRST_STAGE = "lead"

_PLACE = Statement(
    "leads_place",
    """
WITH incoming AS (
    SELECT * FROM unnest(%(ids)s::bigint[], %(stages)s::text[], %(owners)s::bigint[]) AS i(id, code, owner)
), plan AS (
    SELECT p.code, p.seq, f.id AS from_id, t.id AS to_id, t.version, p.implied, h.id AS high_id
      FROM unnest(%(codes)s::text[], %(seqs)s::int[], %(froms)s::text[], %(tos)s::text[],
                  %(implied)s::bool[], %(highs)s::text[])
           AS p(code, seq, from_code, to_code, implied, high_code)
      JOIN funnel_stage t ON t.code = p.to_code
      JOIN funnel_stage h ON h.code = p.high_code
      LEFT JOIN funnel_stage f ON f.code = p.from_code
), final AS (
    SELECT DISTINCT ON (code) code, seq, to_id, high_id FROM plan ORDER BY code, seq DESC
), placed AS (
    INSERT INTO funnel_leadstate (lead_id, stage_id, high_water_id, entered_at, seq, owner_id,
                                  assignment_seq, captured_at, version)
    SELECT l.id, f.to_id, f.high_id, l.captured_at, f.seq, i.owner, (i.owner IS NOT NULL)::int,
           l.captured_at, 1
      FROM incoming i JOIN leads_lead l ON l.id = i.id JOIN final f ON f.code = i.code
     ORDER BY l.id
    ON CONFLICT (lead_id) DO NOTHING
    RETURNING lead_id, captured_at, owner_id
), owned AS (
    INSERT INTO funnel_assignment (lead_id, seq, from_owner_id, to_owner_id, reason, record, actor_id, at)
    SELECT lead_id, 1, NULL, owner_id, %(cause)s::text, '{}'::jsonb, %(actor)s::bigint,
           CASE WHEN %(is_import)s::bool THEN captured_at ELSE %(now)s::timestamptz END
      FROM placed WHERE owner_id IS NOT NULL ORDER BY lead_id
), moved AS (
    INSERT INTO funnel_stagetransition (lead_id, seq, from_stage_id, to_stage_id, is_implied, cause,
                                        reason, actor_id, definition_id, stage_version, effective_at,
                                        recorded_at)
    SELECT s.lead_id, p.seq, p.from_id, p.to_id, p.implied, %(cause)s, '', %(actor)s, NULL,
           p.version, s.captured_at, %(now)s
      FROM placed s JOIN incoming i ON i.id = s.lead_id JOIN plan p ON p.code = i.code
     ORDER BY s.lead_id, p.seq
)
, marked AS (
    INSERT INTO funnel_companymark (company_id)
    SELECT DISTINCT coalesce(l.company_id, p.company_id)
      FROM placed s JOIN leads_lead l ON l.id = s.lead_id JOIN leads_person p ON p.id = l.person_id
     WHERE coalesce(l.company_id, p.company_id) IS NOT NULL
)
SELECT s.lead_id, s.captured_at, i.code FROM placed s JOIN incoming i ON i.id = s.lead_id
""",
    by="ids",
)


@joined()
def place_many(
    *,
    lead_ids: Sequence[int],
    stage_codes: dict[int, str],
    owner_ids: dict[int, int],
    actor_id: int | None,
    is_import: bool,
    now: datetime,
) -> int:
    """Place leads that have no state yet and return how many were.

    ``stage_codes`` and ``owner_ids`` hold what the source tells of the past; others start as a lead
    without an owner. Moves of the past are dated at the capture, the only instant that is known. A
    stage that ends a lap ends it. Publishes :class:`LeadsPlaced` once per chunk; a lead that is not
    imported may qualify and be delivered at once. Raises ``MoveNotPossible`` for an unknown stage.
    """
    codes = {FIRST_STAGE, *stage_codes.values()}
    # Own stages stand behind the first one, so who starts there needs no look at them.
    ladder = DEFAULT_LADDER
    if stage_codes:
        known, ladder = stages.road()
        for code in codes:
            lifecycle.stage_of(code=code, known=known)
    plan = _plan_columns(codes, ladder)
    placed = 0
    for start in range(0, len(lead_ids), CHUNK):
        chunk = list(dict.fromkeys(lead_ids[start : start + CHUNK]))
        parameters = {
            **plan,
            "ids": chunk,
            "stages": [stage_codes.get(i, FIRST_STAGE) for i in chunk],
            "owners": [owner_ids.get(i) for i in chunk],
            "cause": str(MoveCause.IMPORTED if is_import else MoveCause.CAPTURED),
            "actor": actor_id,
            "is_import": is_import,
            "now": now,
        }
        rows = _PLACE.rows(**parameters)
        fresh = tuple(sorted(row[0] for row in rows))
        if not fresh:
            continue
        placed += len(fresh)
        tombstones.note_captured(lead_ids=fresh, now=now)
        _end([(i, at, code) for i, at, code in rows if code in lifecycle.ENDS], now=now)
        scored = scoring.place(lead_ids=fresh, now=now)
        events.publish(LeadsPlaced(lead_ids=fresh, is_import=is_import, now=now))
        if not is_import:
            scoring.qualify_placed(placed=scored, lead_ids=fresh, now=now)
    return placed


def _end(rows: Sequence[tuple[int, datetime, str]], *, now: datetime) -> None:
    """Laps that their source says have ended; whoever was disqualified there is refused here, too."""
    if not rows:
        return
    laps.close_many(ends=[(lead, at) for lead, at, _code in rows], now=now)
    refused = [lead for lead, _at, code in rows if code == "disqualified"]
    tombstones.write_for_leads(lead_ids=refused, reason=BY_HAND, author=None, now=now)


def _plan_columns(codes: Set[str], ladder: Ladder) -> dict[str, list[object]]:
    """The plans of these stages as parallel columns, for the statement."""
    columns: dict[str, list[object]] = {k: [] for k in ("codes", "seqs", "froms", "tos", "implied", "highs")}
    plans = lifecycle.plans(ladder=ladder)
    for code in sorted(codes & plans.keys()):
        steps = plans[code]
        high = ladder.furthest(*(step.to_stage for step in steps)) or code
        for seq, step in enumerate(steps, start=1):
            columns["codes"].append(code)
            columns["seqs"].append(seq)
            columns["froms"].append(step.from_stage)
            columns["tos"].append(step.to_stage)
            columns["implied"].append(step.implied)
            columns["highs"].append(high)
    return columns
