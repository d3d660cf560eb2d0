"""What must hold of clocks and agreements at every moment."""

from __future__ import annotations

from smarketing.core.invariants import Invariant

# The levels of each clock as rows.
_LEVELS = (
    "(SELECT c.id AS clock_id, (t->>'level')::int AS level, (t->>'at')::timestamptz AS at"
    " FROM sla_clock c, jsonb_array_elements(c.thresholds) t)"
)

ALL = (
    Invariant(
        "I-8",
        "A clock has fired as many levels as it has events",
        "SELECT c.id, c.fired, count(e.id) FROM sla_clock c LEFT JOIN sla_clockevent e ON e.clock_id = c.id"
        " GROUP BY c.id HAVING count(e.id) <> c.fired OR coalesce(max(e.level), 0) <> c.fired",
    ),
    Invariant(
        "I-8",
        "Each event has left as one outbox row",
        "SELECT e.id, e.clock_id, e.level FROM sla_clockevent e LEFT JOIN notifications_outbox o"
        " ON o.dedupe_key = 'clock:' || e.clock_id || ':' || e.level"
        " WHERE o.id IS NULL AND e.detected_at > now() - interval '30 days'",
    ),
    Invariant(
        "I-9",
        "No threshold has been due for more than ten minutes",
        "SELECT id, next_at FROM sla_clock WHERE next_at < now() - interval '10 minutes'",
    ),
    Invariant(
        "I-10",
        "An event carries the time of its threshold and was detected after it",
        "SELECT e.id, e.clock_id, e.level, e.due_at, l.at, e.detected_at FROM sla_clockevent e"  # noqa: S608
        f" LEFT JOIN {_LEVELS} l ON l.clock_id = e.clock_id AND l.level = e.level"
        " WHERE l.at IS DISTINCT FROM e.due_at OR e.detected_at < e.due_at",
    ),
    Invariant(
        "I-11",
        "A clock waits for its next level exactly while it counts and levels are left",
        "SELECT c.id, c.state, c.next_at, c.fired FROM sla_clock c WHERE"
        " (c.next_at IS NOT NULL) <> (c.state IN ('running', 'breached_open') AND c.ended_at IS NULL"
        "  AND c.fired < jsonb_array_length(c.thresholds))",
    ),
    Invariant(
        "I-11",
        "The next level is the first that has not fired",
        "SELECT c.id, c.next_at, l.at FROM sla_clock c"  # noqa: S608
        f" JOIN {_LEVELS} l ON l.clock_id = c.id AND l.level = c.fired + 1"
        " WHERE c.next_at IS NOT NULL AND c.next_at <> l.at",
    ),
    Invariant(
        "I-13",
        "A deadline is the one that the last recorded action gave",
        "SELECT c.id, c.due_at, a.after->>'due_at' FROM sla_clock c JOIN LATERAL"
        " (SELECT after FROM sla_clockaction WHERE clock_id = c.id ORDER BY id DESC LIMIT 1) a ON true"
        " WHERE c.due_at IS DISTINCT FROM (a.after->>'due_at')::timestamptz",
    ),
    Invariant(
        "N1",
        "A clock is breached exactly when a breach has fired and was not voided",
        "SELECT c.id, c.state FROM sla_clock c WHERE (c.state IN ('breached_open', 'breached_met_late'))"
        " <> EXISTS (SELECT FROM sla_clockevent e WHERE e.clock_id = c.id AND e.kind = 'breach'"
        "  AND e.voided_at IS NULL)",
    ),
    Invariant(
        "N1",
        "What is in force after the first version carries one signature per side over its digest",
        "SELECT v.id, v.number FROM sla_agreementversion v WHERE v.state = 'in_force' AND v.number > 1"
        " AND (SELECT count(DISTINCT s.side) FROM sla_agreementsignature s"
        "  WHERE s.version_id = v.id AND s.digest = v.digest) < 2",
    ),
)
