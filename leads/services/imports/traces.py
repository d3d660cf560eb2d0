"""What a run leaves behind so that it can be taken back: the ids it made, the values it changed."""

from __future__ import annotations

from psycopg2 import sql

from leads.services.imports.staging import Batch

# Ids of one table in one row; a million of them are a hundred rows.
_CHUNK = 10_000
_STORE = """
INSERT INTO leads_importtrace (run_id, "table", ids)
SELECT %(run)s, made_in, array_agg(id ORDER BY id) FROM (
       SELECT made_in, id, (row_number() OVER (PARTITION BY made_in ORDER BY id) - 1) / %(chunk)s AS chunk
         FROM import_made) m
 GROUP BY made_in, chunk
"""
# The oldest picture of each row, against how the row is now; rows that the run has made are not told.
_COMPARE = """
INSERT INTO leads_importbefore (run_id, "table", row_id, before, after)
SELECT %(run)s, %(found_in)s, b.row_id, d.old, d.new
  FROM (SELECT DISTINCT ON (row_id) row_id, before FROM import_before
         WHERE found_in = %(found_in)s ORDER BY row_id, ctid) b
  JOIN {table} t ON t.id = b.row_id
 CROSS JOIN LATERAL (
       SELECT jsonb_object_agg(o.key, o.value) AS old, jsonb_object_agg(o.key, n.value) AS new
         FROM jsonb_each(b.before) o JOIN jsonb_each(to_jsonb(t)) n USING (key)
        WHERE o.value IS DISTINCT FROM n.value AND o.key NOT IN ('version', 'updated_at', 'password')) d
 WHERE d.old IS NOT NULL
   AND NOT EXISTS (SELECT 1 FROM import_made m WHERE m.made_in = %(found_in)s AND m.id = b.row_id)
"""


def store(*, batch: Batch) -> None:
    """Write down what the run has made and changed; call it when all rows are written."""
    batch.execute(_STORE, chunk=_CHUNK)
    for (table,) in batch.fetch("SELECT DISTINCT found_in FROM import_before ORDER BY 1"):
        batch.execute(sql.SQL(_COMPARE).format(table=sql.Identifier(table)), found_in=table)
