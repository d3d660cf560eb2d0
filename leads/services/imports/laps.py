"""The laps of a person in order: new leads among those that are stored."""

from __future__ import annotations

from leads.services.imports.lead_stages import ENDS
from leads.services.imports.staging import Batch


def number(*, batch: Batch) -> None:
    """Leave ``import_lead`` (the new leads) and ``import_lap`` (their laps where there are several).

    A lap ends where the person's next one begins, if it has not ended before. Stored laps are
    renumbered where a lead of the past comes before them, and ended where one comes after them.
    """
    batch.table(
        "import_lead",
        """
        SELECT q.row_no, q.person_id, q.lead_id, q.captured_at, q.stage,
               CASE WHEN q.stage = ANY(%(ends)s)
                    THEN greatest(q.captured_at, coalesce(q.converted_at, q.captured_at)) END AS ended_at
          FROM (SELECT o.row_no, o.person_id, o.lead_id, coalesce(o.captured_at, %(now)s) AS captured_at,
                       r.converted_at,
                       CASE WHEN r.is_customer THEN 'customer'
                            WHEN r.is_converted AND coalesce(r.stage, 'lead') IN ('lead', 'mql', 'sql')
                            THEN 'opportunity' ELSE r.stage END AS stage
                  FROM import_role o JOIN import_row r USING (row_no) WHERE o.role = 'new') q
        """,
        ends=list(ENDS),
        index="row_no",
    )
    several = batch.table(
        "import_several",
        "SELECT person_id FROM import_lead GROUP BY person_id HAVING count(*) > 1"
        " UNION SELECT DISTINCT n.person_id FROM import_lead n JOIN import_target t USING (row_no)"
        "  JOIN leads_lead l ON l.person_id = n.person_id WHERE NOT t.is_new",
    )
    batch.table(
        "import_lap",
        """
        WITH laps AS (
            SELECT l.id AS lead_id, l.person_id, l.captured_at, l.closed_at, l.lap AS was, true AS is_stored
              FROM leads_lead l JOIN import_several s USING (person_id)
            UNION ALL
            SELECT n.lead_id, n.person_id, n.captured_at, n.ended_at, NULL, false
              FROM import_lead n JOIN import_several s USING (person_id)
        )
        SELECT lead_id, is_stored, was, row_number() OVER w AS lap, closed_at AS was_closed_at,
               coalesce(closed_at, lead(captured_at) OVER w) AS closed_at
          FROM laps WINDOW w AS (PARTITION BY person_id ORDER BY captured_at, is_stored DESC, lead_id)
        """,
        index="lead_id",
    )
    if several:
        _settle_stored(batch)


def _settle_stored(batch: Batch) -> None:
    batch.execute(
        "INSERT INTO import_before SELECT 'leads_lead', l.id, to_jsonb(l) FROM leads_lead l"
        " JOIN import_lap b ON b.lead_id = l.id WHERE b.is_stored"
        " AND (b.was <> b.lap OR (b.was_closed_at IS NULL AND b.closed_at IS NOT NULL))"
    )
    batch.execute(
        "UPDATE leads_lead l SET closed_at = b.closed_at, version = l.version + 1, updated_at = %(now)s"
        " FROM import_lap b WHERE b.lead_id = l.id AND b.is_stored AND b.was_closed_at IS NULL"
        " AND b.closed_at IS NOT NULL"
    )
    # In two steps, for no two laps of a person may have one number even for a moment.
    batch.execute(
        "UPDATE leads_lead l SET lap = b.lap + 10000 FROM import_lap b"
        " WHERE b.lead_id = l.id AND b.is_stored AND b.was <> b.lap"
    )
    batch.execute(
        "UPDATE leads_lead l SET lap = b.lap, version = l.version + 1, updated_at = %(now)s FROM import_lap b"
        " WHERE b.lead_id = l.id AND b.is_stored AND b.was <> b.lap"
    )
