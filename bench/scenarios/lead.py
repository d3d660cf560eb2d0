"""``lead``: leads created by REST over HTTP with a bearer token, all real work done, durable.

Each create resolves the person by e-mail address, makes person, address, company link, lead, touchpoint,
stage, ledger row, score and journey, and is committed before the answer. The limit in the same run: single
durable commits that insert the same number of rows (as PostgreSQL counted them for the creates) into
one narrow table with a key. The peer is Odoo 18, per CPU second of everything including the client.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.db import connection

from bench import clients, generator, harness
from smarketing.users.models import User

PER_REP = 240
THREADS = 4
# Odoo 18 CE, lead create by RPC at 114 k leads, per CPU second (performance.md: 16 to 18).
ODOO_PER_CPU = 17.0
BATCH = 250
BATCHES = 8
# Its batch create, per second (performance.md: 66 to 113).
ODOO_BATCH = 113.0
_TABLE = """
DROP TABLE IF EXISTS bench_commit;
CREATE TABLE bench_commit (id bigserial PRIMARY KEY, lead bigint, text text, at timestamptz);
"""
_INSERTED = "SELECT sum(n_tup_ins)::bigint FROM pg_stat_user_tables WHERE relname <> 'bench_commit'"


def run(plan: harness.Plan) -> harness.Report:
    """Measure at each size."""
    report = harness.Report("lead", plan)
    for size in plan.sizes:
        _measure(report, size)
    rates = [s.per_cpu for s in report.series if s.name.startswith("create")]
    if len(rates) > 1:
        report.ratios.append(
            harness.Ratio("CPU per create, largest ÷ smallest size", rates[0] / rates[-1], at_most=True)
        )
    report.notes.append("per CPU-s counts client, web and PostgreSQL, as the Odoo figure (17) does")
    return report


def _measure(report: harness.Report, size: int) -> None:
    database = generator.database(size=size, events=report.plan.events)
    boss = User.objects.get(email="boss@bench.example")
    headers = clients.bearer(boss)
    with harness.web_process(database) as (address, web):
        links = [clients.Http(address, headers) for _n in range(THREADS)]

        def create(thread: int, numbers: range) -> None:
            for _number in numbers:
                links[thread].post("/api/v1/leads", _body(uuid.uuid4().hex))

        clients.in_threads(40, THREADS, create)  # warm
        before = _inserted()
        reps = report.plan.reps
        created = harness.measure(
            f"create by REST at {size:,} leads, {THREADS} clients",
            "leads",
            lambda: clients.in_threads(PER_REP, THREADS, create),
            reps=reps,
            web=web,
        )
        rows = max(1, round((_inserted() - before) / (PER_REP * reps)))
        bulk = _bulk(links, size, reps, web)
    commits = _commits(database, rows, size, reps)
    report.series += [created, bulk, commits]
    report.facts[f"at {size:,} leads"] = ", ".join(f"{k} {v:,}" for k, v in generator.counts().items())
    report.facts[f"rows inserted per create at {size:,}"] = rows
    report.ratios += [
        harness.Ratio(
            f"create per CPU-s ÷ Odoo's per CPU-s ({size:,})", created.per_cpu / ODOO_PER_CPU, 5, 10
        ),
        harness.Ratio(f"bulk endpoint per s ÷ Odoo's batch per s ({size:,})", bulk.rate / ODOO_BATCH),
        harness.Ratio(f"create ÷ durable commits of {rows} rows ({size:,})", created.rate / commits.rate),
    ]


def _bulk(links: list[clients.Http], size: int, reps: int, web: int) -> harness.Series:
    """As many batches, each one request."""

    def send(thread: int, numbers: range) -> None:
        for _number in numbers:
            rows = [_body(uuid.uuid4().hex) for _row in range(BATCH)]
            told = links[thread].post("/api/v1/leads/bulk", {"rows": rows})
            if told["created"] != BATCH:
                raise RuntimeError(f"{told['created']} of {BATCH} leads were created")

    clients.in_threads(THREADS, THREADS, send)  # warm
    return harness.measure(
        f"bulk endpoint at {size:,} leads, {BATCH} a request, {THREADS} clients",
        "leads",
        lambda: clients.in_threads(BATCHES, THREADS, send) * BATCH,
        reps=reps,
        web=web,
    )


def _body(key: str) -> dict[str, Any]:
    return {
        "person": {
            "first_name": "Ada",
            "last_name": f"Lovelace {key[:6]}",
            "email": f"{key}@new.example",
            "title": "Director of Sales",
            "country": "Germany",
        },
        "company": {"name": f"Firm {int(key[:6], 16) % 1000}"},
        "origin": "Webinar",
        "landing_page": "https://example.com/webinar",
        "description": "Please call me.",
        "source": "web",
        "external_id": key,
    }


def _inserted() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(1.5), pg_stat_clear_snapshot()")  # backends report once a second
        cursor.execute(_INSERTED)
        return int(cursor.fetchone()[0])


def _commits(database: str, rows: int, size: int, reps: int) -> harness.Series:
    """Single durable commits with as many rows."""
    with connection.cursor() as cursor:
        cursor.execute(_TABLE)
    links = [clients.linked(database) for _n in range(THREADS)]
    statement = "INSERT INTO bench_commit (lead, text, at) VALUES " + ", ".join(
        ["(%s, 'a value as long as most are', now())"] * rows
    )

    def commit(thread: int, numbers: range) -> None:
        with links[thread].cursor() as cursor:
            for number in numbers:
                cursor.execute(statement, [number] * rows)

    series = harness.measure(
        f"durable commits of {rows} rows at {size:,} leads",
        "commits",
        lambda: clients.in_threads(PER_REP * 4, THREADS, commit),
        reps=reps,
    )
    for link in links:
        link.close()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE bench_commit")
    return series
