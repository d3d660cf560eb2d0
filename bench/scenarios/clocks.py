"""``clocks``: the sweep with nothing due, and with a tenth of all clocks due at once.

Clocks are clones of one that the product itself has started, each with a handoff of its own. The limits
are measured in the same run: the bare look-up by the partial index, and one statement that claims, marks
and inserts the events in a table of the same rows.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection, transaction

from bench import generator, harness
from funnel.services import handoffs
from leads.models import Lead
from sla.models import Clock
from sla.services import sweep
from smarketing.core import clock
from smarketing.users.domain.roles import Role
from smarketing.users.models import User

LEADS = 2_000
IDLE_TICKS = 50
BATCH = 2_000  # as the loop
DUE_SHARE = 10
_LIMIT = """
WITH due AS (SELECT id, fired, next_at FROM bench_clock WHERE next_at < %(now)s
             ORDER BY next_at, id LIMIT 500 FOR UPDATE SKIP LOCKED),
 ev AS (INSERT INTO bench_event (clock_id, level, due_at) SELECT id, fired + 1, next_at FROM due
        ON CONFLICT DO NOTHING),
 up AS (UPDATE bench_clock c SET fired = c.fired + 1, next_at = NULL FROM due WHERE c.id = due.id RETURNING 1)
SELECT count(*) FROM up
"""
_LOOK = "SELECT id FROM sla_clock WHERE next_at < %s ORDER BY next_at, id LIMIT 500"


def run(plan: harness.Plan) -> harness.Report:
    """Measure at each size."""
    report = harness.Report("clocks", plan)
    for size in plan.sizes:
        _measure(report, size)
    return report


def _measure(report: harness.Report, size: int) -> None:
    template = generator.database(size=LEADS, events=report.plan.events)
    harness.copy_of(template, "bench_clocks")
    now = clock.now()
    _clone(size, now)
    reps = report.plan.reps
    tick = harness.measure(f"idle tick, {size:,} open", "ticks", lambda: _idle(now), reps=reps)
    look = harness.measure(f"look-up, {size:,} open", "look-ups", lambda: _look(now), reps=reps)
    due = max(BATCH, size // DUE_SHARE)
    _make_due(1, now)  # a worker that runs has loaded the addresses of pages long ago
    _sweep(now)
    fired = harness.measure(
        f"{due:,} due at once", "clocks", lambda: _sweep(now), reps=reps, before=lambda: _make_due(due, now)
    )
    limit = harness.measure(
        f"one statement, {due:,} rows",
        "rows",
        lambda: _bare(now),
        reps=reps,
        before=lambda: _bare_rows(due, now),
    )
    report.series += [tick, look, fired, limit]
    report.ratios += [
        harness.Ratio(
            f"idle tick ÷ look-up, {size:,}",
            tick.milliseconds / look.milliseconds,
            floor=20,
            target=10,
            at_most=True,
        ),
        harness.Ratio(
            f"due at once ÷ one statement, {due:,}", fired.rate / limit.rate, floor=0.16, target=0.32
        ),
    ]


def _clone(size: int, now: datetime) -> None:
    """``size`` clocks that wait a week, each on a handoff of its own."""
    lead = Lead.objects.order_by("pk").first()
    owner = User.objects.filter(role=Role.REP).order_by("pk").first()
    boss = User.objects.get(email="boss@bench.example")
    if lead is None or owner is None:
        raise RuntimeError("the generated data has no lead or no rep")
    with transaction.atomic():
        made = handoffs.deliver(lead=lead, owner=owner, actor=boss, now=now, override_reason="measured")
        handoffs.accept(handoff=made, actor=owner, now=now)
    found = Clock.objects.filter(handoff=made, kind="respond").get()
    later = (now + timedelta(days=7)).isoformat()
    levels = f'[{{"level": 1, "name": "breach", "kind": "breach", "at": "{later}"}}]'
    with connection.cursor() as cursor:
        copied = _columns("funnel_handoff", leave=("lead_id",))
        cursor.execute(
            f"INSERT INTO funnel_handoff ({copied}, lead_id)"  # noqa: S608  names of our own columns
            f" SELECT {', '.join('h.' + name for name in copied.split(', '))}, l.id FROM funnel_handoff h,"
            " (SELECT id, row_number() OVER (ORDER BY id) - 1 AS n, count(*) OVER () AS of"
            "   FROM leads_lead) l,"
            " generate_series(0, %s - 1) s WHERE h.id = %s AND l.n = s %% l.of",
            [size, made.pk],
        )
        copied = _columns("sla_clock", leave=("handoff_id", "thresholds", "next_at", "due_at", "fired"))
        cursor.execute(
            f"INSERT INTO sla_clock ({copied}, handoff_id, thresholds, next_at, due_at, fired)"  # noqa: S608
            f" SELECT {', '.join('c.' + name for name in copied.split(', '))}, h.id, %s::jsonb, %s, %s, 0"
            " FROM sla_clock c, funnel_handoff h WHERE c.id = %s AND h.id > %s",
            [levels, later, later, found.pk, made.pk],
        )
        cursor.execute("ANALYZE sla_clock; ANALYZE funnel_handoff")


def _columns(table: str, *, leave: tuple[str, ...] = ()) -> str:
    with connection.cursor() as cursor:
        names = [c.name for c in connection.introspection.get_table_description(cursor, table)]
    return ", ".join(name for name in names if name != "id" and name not in leave)


def _idle(now: datetime) -> int:
    for _n in range(IDLE_TICKS):
        sweep.run_once(now=now)
    return IDLE_TICKS


def _look(now: datetime) -> int:
    with connection.cursor() as cursor:
        for _n in range(IDLE_TICKS):
            cursor.execute(_LOOK, [now])
            cursor.fetchall()
    return IDLE_TICKS


def _make_due(count: int, now: datetime) -> None:
    """Let the next ``count`` clocks that have not fired be due, at instants of their own."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE sla_clock c SET next_at = d.at, due_at = d.at,"
            " thresholds = jsonb_set(c.thresholds, '{0,at}', to_jsonb(d.at))"
            " FROM (SELECT id, %s::timestamptz - row_number() OVER () * interval '1 millisecond' AS at"
            "   FROM sla_clock WHERE fired = 0 AND next_at > %s ORDER BY id LIMIT %s) d WHERE d.id = c.id",
            [now, now, count],
        )


def _sweep(now: datetime) -> int:
    done = 0
    while handled := sweep.run_once(now=now, limit=BATCH):
        done += handled
    return done


def _bare_rows(count: int, now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "DROP TABLE IF EXISTS bench_event; DROP TABLE IF EXISTS bench_clock;"
            "CREATE TABLE bench_clock (id bigint PRIMARY KEY, fired int NOT NULL, next_at timestamptz);"
            "CREATE INDEX ON bench_clock (next_at, id) WHERE next_at IS NOT NULL;"
            "CREATE TABLE bench_event (clock_id bigint, level int, due_at timestamptz,"
            " UNIQUE (clock_id, level))"
        )
        cursor.execute(
            "INSERT INTO bench_clock SELECT n, 0, %s::timestamptz - n * interval '1 millisecond'"
            " FROM generate_series(1, %s) n",
            [now, count],
        )


def _bare(now: datetime) -> int:
    done = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(_LIMIT, {"now": now})
            (handled,) = cursor.fetchone()
            if not handled:
                return done
            done += handled
