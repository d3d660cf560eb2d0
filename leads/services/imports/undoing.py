"""Taking an import back: what it made is removed, what it changed is restored, in one transaction.

A record that somebody has changed since, or that anything else refers to, stays, and so does what it
needs. A value is restored only where it is still the one that the import wrote. Facts tell the apps
downstream, so that states, scores and journeys follow.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import connection, models, transaction
from django.utils.translation import gettext as _
from psycopg2 import sql

from leads.domain import withdrawals
from leads.domain.withdrawals import Record
from leads.events import ImportUndone, LeadsChanged
from leads.models import ImportRun, ImportState
from leads.services import searching
from leads.services.imports import restoring
from leads.services.imports.watching import Watch
from smarketing.core import events, locks, triggers
from smarketing.core.changes import changed
from smarketing.users.models import User
from smarketing.users.services import users

_PACE = "SET LOCAL work_mem = '128MB'; SET LOCAL jit = off; SET LOCAL lock_timeout = '30s'"
_TOLD_HOLDS = 20


@dataclass(slots=True)
class Undo:
    """One undo in progress: how many rows went, and which stay for which reason."""

    run: ImportRun
    watch: Watch
    now: datetime
    made: int = 0
    removed: Counter[str] = field(default_factory=Counter)
    restored: Counter[str] = field(default_factory=Counter)

    def execute(self, statement: str | sql.Composable, **more: Any) -> int:
        """Run one statement; how many rows it touched."""
        with connection.cursor() as cursor:
            cursor.execute(
                statement, {"run": self.run.pk, "at": self.run.started_at, "now": self.now, **more}
            )
            return int(cursor.rowcount)

    def tell(self) -> None:
        """How far it is, as a share of the file's rows: all that they made went by the end."""
        gone = min(sum(self.removed.values()), self.made)
        self.watch.read(rows=self.run.rows_total * gone // self.made if self.made else 0)

    def fetch(self, statement: str | sql.Composable, **more: Any) -> list[tuple[Any, ...]]:
        """Run one query; its rows."""
        with connection.cursor() as cursor:
            cursor.execute(
                statement, {"run": self.run.pk, "at": self.run.started_at, "now": self.now, **more}
            )
            return list(cursor.fetchall())


def carry_out(*, run: ImportRun, watch: Watch, now: datetime) -> None:
    """Undo ``run`` if it is still to be undone; publishes :class:`ImportUndone` and ``LeadsChanged``."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_PACE)
        locks.advisory(locks.Namespace.IMPORT, 0)
        # The row of the run is not locked: its progress is written beside this transaction.
        if not ImportRun.objects.filter(pk=run.pk, state=ImportState.UNDOING).exists():
            return
        undo = Undo(run, watch, now)
        _prepare(undo)
        _remove_and_restore(undo)
        _follow(undo)
        # A row that is restored now, or what was derived from it, may have been all that held another.
        undo.execute("DELETE FROM undo_held")
        _remove_and_restore(undo)
        _users(undo)
        gone = undo.fetch("SELECT id FROM undo_gone WHERE gone_from = 'leads_lead' ORDER BY 1")
        events.publish(ImportUndone(run.pk, run.started_at, tuple(pk for (pk,) in gone), now))
        _close(undo)


def _remove_and_restore(undo: Undo) -> None:
    with triggers.opened():
        for record in withdrawals.records():
            _remove(undo, record)
            undo.tell()
    for table in restoring.tables(undo=undo):
        undo.restored[table] += restoring.restore(undo=undo, table=table)


def _prepare(undo: Undo) -> None:
    """The rows the run has made, whom they touched, and room for what stays."""
    undo.execute("CREATE TEMP TABLE undo_held (held_in text, id bigint, why text) ON COMMIT DROP")
    undo.execute("CREATE TEMP TABLE undo_gone (gone_from text, id bigint) ON COMMIT DROP")
    undo.execute(
        "CREATE TEMP TABLE undo_made ON COMMIT DROP AS"
        ' SELECT DISTINCT "table" AS made_in, unnest(ids) AS id FROM leads_importtrace WHERE run_id = %(run)s'
    )
    undo.execute("CREATE INDEX ON undo_made (made_in, id)")
    undo.execute("ANALYZE undo_made")
    undo.made = int(undo.fetch("SELECT count(*) FROM undo_made")[0][0])
    # Leads that stay, but about which something goes: their scores and journeys are made anew.
    undo.execute(
        """
        CREATE TEMP TABLE undo_touched ON COMMIT DROP AS
        SELECT lead_id FROM leads_touchpoint t
          JOIN undo_made m ON m.made_in = 'leads_touchpoint' AND m.id = t.id WHERE lead_id IS NOT NULL
        UNION SELECT lead_id FROM leads_activity a
          JOIN undo_made m ON m.made_in = 'leads_activity' AND m.id = a.id WHERE lead_id IS NOT NULL
        """
    )
    undo.execute(
        """
        CREATE TEMP TABLE undo_persons ON COMMIT DROP AS
        SELECT person_id FROM leads_personemail e
          JOIN undo_made m ON m.made_in = 'leads_personemail' AND m.id = e.id
        UNION SELECT row_id FROM leads_importbefore WHERE run_id = %(run)s AND "table" = 'leads_person'
        """
    )


def _remove(undo: Undo, record: Record) -> None:
    """Remove the rows of one table that nobody relies on."""
    table = sql.Identifier(record.table)
    undo.execute("DROP TABLE IF EXISTS undo_now")
    undo.execute(
        sql.SQL(
            "CREATE TEMP TABLE undo_now ON COMMIT DROP AS SELECT m.id FROM undo_made m"
            " JOIN {} t USING (id) WHERE m.made_in = %(made_in)s"
        ).format(table),
        made_in=record.table,
    )
    if not undo.fetch("SELECT EXISTS (SELECT 1 FROM undo_now)")[0][0]:
        return
    undo.execute("CREATE UNIQUE INDEX ON undo_now (id)")
    undo.execute("ANALYZE undo_now")
    if record.is_dated:
        since = sql.SQL("SELECT n.id FROM undo_now n JOIN {} t USING (id) WHERE t.updated_at > %(at)s")
        _hold(undo, record, _("changed since"), since.format(table))
    if record.table == "leads_attributedefinition":
        _hold_carried(undo, record)
    for relation in _relations(record.table):
        _hold_referred(undo, record, relation)
    for companion in withdrawals.companions_of(record.table):
        undo.execute(
            sql.SQL("DELETE FROM {} c USING undo_now n WHERE c.{} = n.id").format(
                sql.Identifier(companion.table), sql.Identifier(companion.column)
            )
        )
    gone = undo.execute(sql.SQL("DELETE FROM {} t USING undo_now n WHERE t.id = n.id").format(table))
    undo.execute("INSERT INTO undo_gone SELECT %(gone_from)s, id FROM undo_now", gone_from=record.table)
    undo.removed[record.table] += gone


def _relations(table: str) -> list[tuple[str, str, str]]:
    """Every column that refers to ``table``: table, column, and what its rows are called."""
    model = _model(table)
    found: list[tuple[str, str, str]] = []
    for relation in model._meta.get_fields(include_hidden=True):
        # A column without a constraint (previous values) may go on naming what is gone.
        if isinstance(relation, models.ManyToOneRel) and getattr(relation.field, "db_constraint", True):
            column = relation.field.column
            source = relation.related_model._meta
            found.append((source.db_table, column, str(source.verbose_name_plural)))
    return found


def _hold_referred(undo: Undo, record: Record, relation: tuple[str, str, str]) -> None:
    """Rows that are referred to stay, unless what refers to them goes along."""
    table, column, called = relation
    companion = withdrawals.companion(record.table, table, column)
    if companion is not None and companion.ours == "true":
        return
    theirs = sql.SQL("NOT (" + companion.ours + ")") if companion else sql.SQL("true")
    _hold(
        undo,
        record,
        _("is referred to by %(what)s") % {"what": called},
        sql.SQL(
            "SELECT n.id FROM undo_now n WHERE EXISTS (SELECT 1 FROM {} c WHERE c.{} = n.id AND {})"
        ).format(sql.Identifier(table), sql.Identifier(column), theirs),
    )


def _hold_carried(undo: Undo, record: Record) -> None:
    """An attribute that any record still has a value of stays."""
    for carrier in (one for one in withdrawals.records() if one.carries):
        carried = sql.SQL(
            "SELECT n.id FROM undo_now n JOIN leads_attributedefinition d USING (id)"
            " WHERE d.subject = {} AND EXISTS (SELECT 1 FROM {} c WHERE c.attributes ? d.key)"
        ).format(sql.Literal(carrier.carries), sql.Identifier(carrier.table))
        _hold(undo, record, _("records have values of it"), carried)


def _hold(undo: Undo, record: Record, why: str, query: sql.Composable) -> None:
    undo.execute(
        sql.SQL(
            "WITH held AS (DELETE FROM undo_now WHERE id IN ({}) RETURNING id)"
            " INSERT INTO undo_held SELECT %(held_in)s, id, %(why)s FROM held"
        ).format(query),
        held_in=record.table,
        why=why,
    )


def _users(undo: Undo) -> None:
    """Users that the run has made can't sign in any more; what they did stays theirs."""
    made = User.objects.filter(
        pk__in=[pk for (pk,) in undo.fetch("SELECT id FROM undo_made WHERE made_in = 'users_user'")]
    )
    for user in made.filter(is_active=True).order_by("pk"):
        users.deactivate(user=user, actor=undo.run.undone_by, now=undo.now)
    if count := made.count():
        undo.removed["users_user"] = count


def _follow(undo: Undo) -> None:
    """Search, scores, states and journeys follow."""
    persons = [
        pk
        for (pk,) in undo.fetch(
            "SELECT person_id FROM undo_persons u WHERE EXISTS"
            " (SELECT 1 FROM leads_person p WHERE p.id = u.person_id)"
        )
    ]
    if persons:
        searching.refresh(person_ids=persons)
    affected = undo.fetch(
        """
        SELECT l.id FROM leads_lead l WHERE l.id IN (SELECT lead_id FROM undo_touched)
            OR l.id IN (SELECT row_id FROM leads_importbefore
                         WHERE run_id = %(run)s AND "table" = 'leads_lead')
            OR l.person_id IN (SELECT person_id FROM undo_persons)
            OR l.company_id IN (SELECT row_id FROM leads_importbefore
                                 WHERE run_id = %(run)s AND "table" = 'leads_company')
         ORDER BY 1
        """
    )
    if affected:
        actor = undo.run.undone_by_id
        events.publish(LeadsChanged(tuple(pk for (pk,) in affected), actor, undo.now))


def _close(undo: Undo) -> None:
    """What went, what was restored and what stays, in the run and in the audit trail."""
    stays = undo.fetch(
        "SELECT held_in, why, count(*), (array_agg(id ORDER BY id))[1:5] FROM undo_held"
        " GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2"
    )
    report = {
        "removed": {_called(table): count for table, count in undo.removed.items() if count},
        "restored": {_called(table): count for table, count in undo.restored.items() if count},
        "stays": [
            {"what": _called(table), "why": why, "count": count, "ids": list(ids)}
            for table, why, count, ids in stays[:_TOLD_HOLDS]
        ],
    }
    ImportRun.objects.filter(pk=undo.run.pk).update(
        state=ImportState.UNDONE, undone_at=undo.now, undo_report=report, updated_at=undo.now
    )
    changed(
        actor=undo.run.undone_by,
        action="import_undone",
        obj=undo.run,
        now=undo.now,
        before={"state": ImportState.DONE},
        after={"state": ImportState.UNDONE, **report},
    )


def _model(table: str) -> type[models.Model]:
    return next(model for model in apps.get_models() if model._meta.db_table == table)


def _called(table: str) -> str:
    return str(_model(table)._meta.verbose_name_plural)
