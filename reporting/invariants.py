"""What must hold of the prepared numbers at every moment."""

from __future__ import annotations

from smarketing.core.invariants import Invariant

# A day may count more than is left of it: retention deletes visits, counts stay.
# Days of the last five weeks whose sessions wait for no computation, on the organisation's calendar.
_SESSIONS = (
    "SELECT s.source_id, (s.started_at AT TIME ZONE o.time_zone)::date AS day, count(*) AS sessions,"
    " count(DISTINCT s.visitor_id) AS visitors FROM leads_session s CROSS JOIN users_organisation o"
    " WHERE s.started_at > now() - interval '35 days' GROUP BY 1, 2"
)
_WAITS = "EXISTS (SELECT 1 FROM reporting_visitmark m WHERE m.source_id = t.source_id AND m.day = t.day)"
_IS_WHOLE = "t.day > (now() - interval '34 days')::date"

ALL = (
    Invariant(
        "I-15",
        "A day's rollup counts each of its sessions",
        f"SELECT t.source_id, t.day, t.sessions, sum(v.sessions) FROM ({_SESSIONS}) t"  # noqa: S608
        " LEFT JOIN reporting_visitday v ON v.source_id = t.source_id AND v.day = t.day"
        f" WHERE {_IS_WHOLE} AND NOT {_WAITS} GROUP BY t.source_id, t.day, t.sessions"
        " HAVING coalesce(sum(v.sessions), 0) < t.sessions",
    ),
    Invariant(
        "I-15",
        "A day's rollup counts each of its visitors once",
        f"SELECT t.source_id, t.day, t.visitors, sum(v.visitors) FROM ({_SESSIONS}) t"  # noqa: S608
        " LEFT JOIN reporting_visitorday v ON v.source_id = t.source_id AND v.day = t.day"
        f" WHERE {_IS_WHOLE} AND NOT {_WAITS} GROUP BY t.source_id, t.day, t.visitors"
        " HAVING coalesce(sum(v.visitors), 0) < t.visitors",
    ),
)
