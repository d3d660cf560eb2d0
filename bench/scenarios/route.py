"""``route``: leads delivered to whoever's turn it is, the whole transaction, durable.

A delivery is what the product does: gate, packet, rule, ring, handoff, record of why, clocks, outbox,
journey. Once every lead goes through the ring of one pool of twenty reps; once twenty rules send them to
twenty pools of five. The limit in the same run: durable commits of one client that insert as many rows as
a delivery inserts and changes (as PostgreSQL counted them) into one narrow table with a key.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection

from bench import generator, harness
from funnel.models import LeadState, Pool
from funnel.services import handoffs, pools, routing_rules
from leads.models import Lead
from smarketing.core import clock
from smarketing.users.domain.roles import Role
from smarketing.users.models import User

DELIVERIES = 150
WARM = 20
POOLS = 20
PER_POOL = 5
_TABLE = """
DROP TABLE IF EXISTS bench_commit;
CREATE TABLE bench_commit (id bigserial PRIMARY KEY, lead bigint, text text, at timestamptz);
"""
_WRITTEN = (
    "SELECT sum(n_tup_ins + n_tup_upd)::bigint FROM pg_stat_user_tables WHERE relname <> 'bench_commit'"
)


def run(plan: harness.Plan) -> harness.Report:
    """Measure at each size."""
    report = harness.Report("route", plan)
    for size in plan.sizes:
        _measure(report, size)
    return report


def _measure(report: harness.Report, size: int) -> None:
    template = generator.database(size=size, events=report.plan.events)
    harness.copy_of(template, "bench_route")
    waiting = _undelivered()
    needed = 2 * (DELIVERIES * report.plan.reps + WARM)
    if len(waiting) < needed:
        raise RuntimeError(f"{len(waiting)} leads wait for an owner, {needed} are needed: take a larger size")
    leads = iter(waiting)
    through = {"one ring": _through(report, "one ring", size, leads)}
    _twenty_pools()
    through["twenty"] = _through(report, "20 pools by 20 rules", size, leads)
    for name, (series, rows) in through.items():
        commits = _commits(rows, report.plan.reps)
        report.series += [series, commits]
        report.facts[f"rows written per delivery, {name}"] = rows
        report.ratios.append(
            harness.Ratio(
                f"deliveries, {name} ÷ durable commits of {rows} rows ({size:,})",
                series.rate / commits.rate,
                floor=0.10,
                target=0.25,
            )
        )
    report.facts[f"at {size:,} leads"] = ", ".join(f"{k} {v:,}" for k, v in generator.counts().items())


def _undelivered() -> list[int]:
    found = LeadState.objects.filter(stage__code="lead", owner=None, lead__closed_at=None)
    return list(found.order_by("pk").values_list("pk", flat=True))


def _through(
    report: harness.Report, name: str, size: int, leads: Iterator[int]
) -> tuple[harness.Series, int]:
    """Deliveries one after the other, and how many rows each wrote."""
    boss = User.objects.get(email="boss@bench.example")

    def deliver(count: int) -> int:
        for _number in range(count):
            lead = Lead.objects.select_related("person").get(pk=next(leads))
            handoffs.deliver(lead=lead, actor=boss, now=clock.now(), override_reason="measured")
        return count

    deliver(WARM)
    before = _written()
    reps = report.plan.reps
    series = harness.measure(
        f"deliveries through {name}, {size:,} leads", "leads", lambda: deliver(DELIVERIES), reps=reps
    )
    return series, max(1, round((_written() - before) / (DELIVERIES * reps)))


def _twenty_pools() -> None:
    """Twenty pools of five reps each; the last names of the generator are shared among their rules."""
    now = clock.now()
    boss = User.objects.get(email="boss@bench.example")
    reps = list(User.objects.filter(role=Role.REP).order_by("pk"))
    for number in range(POOLS):
        pool: Pool = pools.create(name=f"Pool {number}", actor=boss, now=now)
        for offset in range(PER_POOL):
            pools.set_place(pool=pool, user=reps[(number + offset) % len(reps)], actor=boss, now=now)
        names = list(generator.LAST[number::POOLS])
        routing_rules.create(
            name=f"Rule {number}",
            pool=pool,
            conditions=[{"path": "person.last_name", "operator": "in", "value": names}],
            actor=boss,
            now=now,
        )


def _written() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(1.5), pg_stat_clear_snapshot()")  # backends report once a second
        cursor.execute(_WRITTEN)
        return int(cursor.fetchone()[0])


def _commits(rows: int, reps: int) -> harness.Series:
    """Durable commits of one client with as many rows."""
    statement = "INSERT INTO bench_commit (lead, text, at) VALUES " + ", ".join(
        ["(%s, 'a value as long as most are', now())"] * rows
    )
    with connection.cursor() as cursor:
        cursor.execute(_TABLE)

        def commit() -> int:
            for number in range(DELIVERIES * 4):
                cursor.execute(statement, [number] * rows)
            return DELIVERIES * 4

        series = harness.measure(f"durable commits of {rows} rows", "commits", commit, reps=reps)
        cursor.execute("DROP TABLE bench_commit")
    return series
