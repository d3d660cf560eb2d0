"""Migration operations that make a table a ledger: rows are added and never changed.

The database itself keeps the promise (I-18, I-30): UPDATE, DELETE and TRUNCATE are rejected by
triggers with SQLSTATE 23001 (``restrict_violation``), whoever asks. A correction is a new row.

One thing goes before: the law. Erasing a person and the end of a retention period open the ledgers
for their own transaction (:func:`opened`); both leave a record of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.db import connection, migrations

NO_CHANGE = """
CREATE OR REPLACE FUNCTION smarketing_no_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'TRUNCATE' AND current_setting('smarketing.ledgers', true) = 'open' THEN
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
  END IF;
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
        sql=f"""{NO_CHANGE}
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


@contextmanager
def opened() -> Iterator[None]:
    """Let this transaction change ledgers: for the erasure of a person and the end of retention only.

    Raises ``RuntimeError`` outside a transaction: the permission would outlive its reason.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("ledgers are opened for one transaction only")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL smarketing.ledgers = 'open'")
    try:
        yield
    finally:
        if not connection.needs_rollback:
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL smarketing.ledgers = 'closed'")
