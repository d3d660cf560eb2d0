"""What must hold of append-only tables: their triggers are there and awake."""

from __future__ import annotations

from smarketing.core.invariants import Invariant

TRIGGERS_AWAKE = Invariant(
    "I-18",
    "Append-only tables have their three triggers, and they are enabled",
    "SELECT tgrelid::regclass::text AS table_name, count(*) AS triggers, min(tgenabled::text) AS enabled"
    " FROM pg_trigger WHERE tgname ~ '_no_(upd|del|trn)$' AND NOT tgisinternal"
    " GROUP BY tgrelid HAVING bool_or(tgenabled <> 'O')"
    " OR (bool_or(tgname ~ '_no_upd$') AND count(*) <> 3)",
)
