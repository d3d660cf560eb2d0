"""What must hold of leads, owners, scores and handoffs, as SQL (numbers as in docs/reliability)."""

from __future__ import annotations

from smarketing.core.invariants import Invariant

ALL = (
    Invariant(
        "I-14",
        "A person's key is the logarithm of the weighted masses of its version",
        """
        SELECT i.person_id, i.key, ln(n.total) / ln(2::float8) AS expected
          FROM funnel_interest i
          JOIN funnel_definitionversion d ON d.id = i.definition_id
          CROSS JOIN LATERAL (
              SELECT sum((s.value ->> 'points')::float8 * i.masses[s.ordinality]) AS total
                FROM jsonb_array_elements(d.body -> 'signals') WITH ORDINALITY AS s(value, ordinality)
          ) n
         WHERE (i.key IS NULL) IS DISTINCT FROM (coalesce(n.total, 0) <= 0)
            OR abs(i.key - ln(greatest(n.total, 1e-300)) / ln(2::float8)) > 1e-9
        """,
    ),
    Invariant(
        "I-14",
        "Interest is measured by a version that exists",
        """
        SELECT i.person_id, i.definition_id
          FROM funnel_interest i LEFT JOIN funnel_definitionversion d ON d.id = i.definition_id
         WHERE d.id IS NULL
        """,
    ),
    Invariant(
        "I-14",
        "Masses have one slot per signal of their version",
        """
        SELECT i.person_id, cardinality(i.masses) AS slots, jsonb_array_length(d.body -> 'signals') AS signals
          FROM funnel_interest i JOIN funnel_definitionversion d ON d.id = i.definition_id
         WHERE cardinality(i.masses) <> jsonb_array_length(d.body -> 'signals')
        """,
    ),
    Invariant(
        "I-14",
        "Capped signals are counted from events that exist",
        """
        SELECT d.person_id, d.day, sum(d.count) AS counted
          FROM funnel_signalday d
         GROUP BY d.person_id, d.day
        HAVING sum(d.count) > 0 AND NOT EXISTS (
            SELECT 1 FROM leads_event e
             WHERE e.person_id = d.person_id AND (e.occurred_at AT TIME ZONE 'UTC')::date = d.day)
        """,
    ),
    Invariant(
        "I-15",
        "A lead qualified no earlier than it was captured",
        """
        SELECT s.lead_id, s.qualified_at, l.captured_at
          FROM funnel_leadscore s JOIN leads_lead l ON l.id = s.lead_id
         WHERE s.qualified_at < l.captured_at
        """,
    ),
    Invariant(
        "I-16",
        "Assignments are numbered without gaps and each begins where the last ended",
        """
        SELECT lead_id, seq, from_owner_id, previous_owner
          FROM (SELECT lead_id, seq, from_owner_id,
                       lag(to_owner_id) OVER w AS previous_owner, row_number() OVER w AS number
                  FROM funnel_assignment WINDOW w AS (PARTITION BY lead_id ORDER BY seq)) a
         WHERE seq <> number OR from_owner_id IS DISTINCT FROM previous_owner
        """,
    ),
    Invariant(
        "I-16",
        "A lead's owner is that of its last assignment",
        """
        SELECT s.lead_id, s.owner_id, s.assignment_seq, a.seq, a.to_owner_id
          FROM funnel_leadstate s
          LEFT JOIN (SELECT DISTINCT ON (lead_id) lead_id, seq, to_owner_id
                       FROM funnel_assignment ORDER BY lead_id, seq DESC) a ON a.lead_id = s.lead_id
         WHERE s.owner_id IS DISTINCT FROM a.to_owner_id OR s.assignment_seq <> coalesce(a.seq, 0)
        """,
    ),
    Invariant(
        "I-16",
        "A delivered handoff is its lead's owner's",
        """
        SELECT h.id, h.owner_id, s.owner_id AS lead_owner_id
          FROM funnel_handoff h JOIN funnel_leadstate s ON s.lead_id = h.lead_id
         WHERE h.state = 'delivered' AND h.owner_id IS DISTINCT FROM s.owner_id
        """,
    ),
    Invariant(
        "I-17",
        "The ring chose an eligible member with the least share",
        """
        SELECT a.id, a.lead_id, a.record
          FROM funnel_assignment a
          CROSS JOIN LATERAL (
              SELECT min((c ->> 'pointer')::numeric) FILTER (WHERE c -> 'blocked' = '[]') AS least,
                     min((c ->> 'pointer')::numeric) FILTER (WHERE c ->> 'chosen' = 'true') AS chosen,
                     bool_or(c ->> 'chosen' = 'true' AND c -> 'blocked' <> '[]') AS blocked,
                     count(*) FILTER (WHERE c ->> 'chosen' = 'true') AS times,
                     bool_or(c ->> 'chosen' = 'true' AND (c ->> 'key')::bigint = a.to_owner_id) AS is_owner
                FROM jsonb_array_elements(a.record -> 'candidates') AS c
          ) r
         WHERE a.record ->> 'reason' IN ('lowest_share', 'tie_by_order', 'only_eligible')
           AND (r.times <> 1 OR r.blocked OR r.chosen <> r.least OR NOT r.is_owner)
        """,
    ),
    Invariant(
        "I-18",
        "Moves are numbered without gaps and each begins where the last ended",
        """
        SELECT lead_id, seq, from_stage_id, previous_stage
          FROM (SELECT lead_id, seq, from_stage_id,
                       lag(to_stage_id) OVER w AS previous_stage, row_number() OVER w AS number,
                       effective_at, lag(effective_at) OVER w AS previous_at
                  FROM funnel_stagetransition WINDOW w AS (PARTITION BY lead_id ORDER BY seq)) t
         WHERE seq <> number OR from_stage_id IS DISTINCT FROM previous_stage OR effective_at < previous_at
        """,
    ),
    Invariant(
        "I-18",
        "Every lead stands where its last move took it",
        """
        SELECT l.id AS lead_id, s.stage_id, s.seq, t.seq AS last_seq, t.to_stage_id
          FROM leads_lead l
          LEFT JOIN funnel_leadstate s ON s.lead_id = l.id
          LEFT JOIN (SELECT DISTINCT ON (lead_id) lead_id, seq, to_stage_id, effective_at
                       FROM funnel_stagetransition ORDER BY lead_id, seq DESC) t ON t.lead_id = l.id
         WHERE s.lead_id IS NULL OR s.stage_id IS DISTINCT FROM t.to_stage_id
            OR s.seq IS DISTINCT FROM t.seq OR s.entered_at IS DISTINCT FROM t.effective_at
        """,
    ),
    Invariant(
        "I-18",
        "A lead in a stage that ends its lap has an ended lap",
        """
        SELECT s.lead_id, g.code
          FROM funnel_leadstate s
          JOIN funnel_stage g ON g.id = s.stage_id
          JOIN leads_lead l ON l.id = s.lead_id
         WHERE g.code IN ('customer', 'lost', 'disqualified', 'recycled', 'merged') AND l.closed_at IS NULL
        """,
    ),
    Invariant(
        "I-18",
        "Whoever is kept warm stands in nurture, and whoever stands there has an episode",
        """
        SELECT s.lead_id, g.code, n.state
          FROM funnel_leadstate s
          JOIN funnel_stage g ON g.id = s.stage_id
          LEFT JOIN funnel_nurture n ON n.lead_id = s.lead_id
         WHERE g.code = 'nurture' AND coalesce(n.state, 'ended') = 'ended'
            OR g.code <> 'nurture' AND n.state = 'active'
        """,
    ),
    Invariant(
        "I-18",
        "Every opportunity stands where its last move took it",
        """
        SELECT o.id, o.stage_id, t.to_stage_id
          FROM funnel_opportunity o
          LEFT JOIN (SELECT DISTINCT ON (opportunity_id) opportunity_id, to_stage_id
                       FROM funnel_opportunitytransition ORDER BY opportunity_id, seq DESC) t
            ON t.opportunity_id = o.id
         WHERE o.stage_id IS DISTINCT FROM t.to_stage_id
        """,
    ),
    Invariant(
        "I-18",
        "Moves of opportunities are numbered without gaps and each begins where the last ended",
        """
        SELECT opportunity_id, seq, from_stage_id, previous_stage
          FROM (SELECT opportunity_id, seq, from_stage_id,
                       lag(to_stage_id) OVER w AS previous_stage, row_number() OVER w AS number
                  FROM funnel_opportunitytransition WINDOW w AS (PARTITION BY opportunity_id ORDER BY seq)) t
         WHERE seq <> number OR from_stage_id IS DISTINCT FROM previous_stage
        """,
    ),
    Invariant(
        "I-18",
        "An opportunity is closed exactly while it is won or lost",
        """
        SELECT o.id, g.kind, o.closed_at
          FROM funnel_opportunity o JOIN funnel_opportunitystage g ON g.id = o.stage_id
         WHERE (g.kind = 'open') = (o.closed_at IS NOT NULL)
        """,
    ),
    Invariant(
        "I-19",
        "A handoff has an answer exactly when it is answered",
        """
        SELECT id, state, answered_at, answered_by_id, return_reason
          FROM funnel_handoff
         WHERE (state IN ('assembling', 'gate_failed', 'delivered')) = (answered_at IS NOT NULL)
            OR (state IN ('accepted', 'returned')) AND answered_by_id IS NULL
            OR (state IN ('returned', 'upheld', 'overturned')) <> (return_reason <> '')
        """,
    ),
    Invariant(
        "R113",
        "No handoff waits for an answer that was delivered while a tombstone refused its lead",
        """
        SELECT h.id, h.lead_id, t.id AS tombstone_id, h.delivered_at, t.created_at
          FROM funnel_handoff h
          JOIN leads_lead l ON l.id = h.lead_id
          JOIN leads_person p ON p.id = l.person_id
          JOIN funnel_tombstonekey k
            ON (k.kind = 'person' AND k.value = l.person_id::text)
            OR (k.kind = 'company' AND k.value = coalesce(l.company_id, p.company_id)::text)
          JOIN funnel_tombstone t ON t.id = k.tombstone_id
         WHERE h.state = 'delivered' AND t.scope <> 'product' AND t.lifted_at IS NULL
           AND h.delivered_at >= t.created_at
           AND (t.expires_at IS NULL OR h.delivered_at < t.expires_at)
           AND NOT EXISTS (
               SELECT 1 FROM funnel_tombstonehit x
                WHERE x.tombstone_id = t.id AND x.lead_id = h.lead_id
                   AND x.outcome IN ('reopened', 'earlier'))
        """,
    ),
)
