"""Migration operations that make a table a ledger: rows are added and never changed.

The database itself keeps the promise (I-18, I-30): UPDATE, DELETE and TRUNCATE are rejected by
triggers with SQLSTATE 23001 (``restrict_violation``), whoever asks. A correction is a new row.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from django.db import migrations

_FUNCTION = """
CREATE OR REPLACE FUNCTION smarketing_no_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: % is not allowed', TG_TABLE_NAME, TG_OP USING ERRCODE = '23001';
END $$;
"""

_NAME = re.compile(r"^[a-z_][a-z0-9_]{0,62}$")


def append_only(table: str, *, mutable_columns: Sequence[str] = ()) -> migrations.RunSQL:
    """Reject UPDATE, DELETE and TRUNCATE on ``table``; reversible.

    ``mutable_columns`` may still be updated (an event is *voided*, never rewritten): an UPDATE that
    changes any other column is rejected. Put the operation after the ``CreateModel`` it guards, in
    the same migration or a later one.
    """
    for name in (table, *mutable_columns):
        if not _NAME.match(name):
            raise ValueError(f"not a plain SQL name: {name!r}")
    condition = ""
    if mutable_columns:
        columns = ", ".join(f"'{name}'" for name in mutable_columns)
        condition = (
            f"WHEN ((to_jsonb(OLD) - ARRAY[{columns}]) IS DISTINCT FROM (to_jsonb(NEW) - ARRAY[{columns}]))"
        )
    return migrations.RunSQL(
        sql=f"""{_FUNCTION}
CREATE TRIGGER {table[:55]}_no_upd BEFORE UPDATE ON {table}
  FOR EACH ROW {condition} EXECUTE FUNCTION smarketing_no_change();
CREATE TRIGGER {table[:55]}_no_del BEFORE DELETE ON {table}
  FOR EACH ROW EXECUTE FUNCTION smarketing_no_change();
CREATE TRIGGER {table[:55]}_no_trn BEFORE TRUNCATE ON {table}
  FOR EACH STATEMENT EXECUTE FUNCTION smarketing_no_change();
""",
        reverse_sql=f"""
DROP TRIGGER IF EXISTS {table[:55]}_no_trn ON {table};
DROP TRIGGER IF EXISTS {table[:55]}_no_del ON {table};
DROP TRIGGER IF EXISTS {table[:55]}_no_upd ON {table};
""",
    )
