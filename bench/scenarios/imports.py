"""``import``: a file of leads through the real import, beside COPY and a hand-written chain.

Limits in the same run: (1) raw COPY of the same file into a temporary table; (2) the chain that any
import with identity resolution has to go through, by hand: parse and check in Python, COPY into
staging, one statement each for persons (upsert by e-mail) and leads, into tables with the least indexes
that keep them true, committed durably.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from django.db import connection, transaction

from bench import generator, harness
from leads.services.imports import plans, runs
from smarketing.core import clock

_COLUMNS = ("id", "first", "last", "email", "company", "title", "country", "origin", "created")
_STAGING = f"CREATE TEMP TABLE bench_stage ({', '.join(f'{c} text' for c in _COLUMNS)}) ON COMMIT DROP"
_TABLES = """
DROP TABLE IF EXISTS bench_lead; DROP TABLE IF EXISTS bench_person;
CREATE TABLE bench_person (id bigserial PRIMARY KEY, email text UNIQUE, first text, last text, company text,
                           title text, country text);
CREATE TABLE bench_lead (id bigserial PRIMARY KEY, person_id bigint REFERENCES bench_person,
                         external_id text UNIQUE, origin text, captured_at timestamptz);
"""
_PERSONS = """
INSERT INTO bench_person (email, first, last, company, title, country)
SELECT DISTINCT ON (lower(email)) lower(email), first, last, company, title, country
  FROM bench_stage ORDER BY lower(email), id
ON CONFLICT (email) DO UPDATE SET first = excluded.first
"""
_LEADS = """
INSERT INTO bench_lead (person_id, external_id, origin, captured_at)
SELECT p.id, s.id, s.origin, s.created::timestamptz
  FROM bench_stage s JOIN bench_person p ON p.email = lower(s.email)
"""


def run(plan: harness.Plan) -> harness.Report:
    """Measure; with several sizes each has its own lines."""
    report = harness.Report("import", plan)
    for size in plan.sizes:
        _measure(report, size)
    report.notes.append("the chained limit was ~60,000 rows/s on the idle 2-core reference machine")
    return report


def _measure(report: harness.Report, size: int) -> None:
    path = generator.write_csv(harness.OUT / f"leads-{size}.csv", size)
    base = harness.base()
    reps = report.plan.reps
    outcomes: list[str] = []

    def product() -> int:
        options = plans.Options(source="bench")
        told = runs.run(kind="leads", path=path, options=options, actor=None, now=clock.now())
        outcomes.append(f"created {told.created}, updated {told.updated}, rejected {told.rejected}")
        return told.rows

    def fresh() -> None:
        harness.copy_of(base, "bench_run")

    fresh()
    raw = harness.measure(f"COPY of the same file, {size:,} rows", "rows", lambda: _copy(path), reps=3)
    chain = harness.measure(
        f"hand-written chain, {size:,} rows", "rows", lambda: _chain(path), reps=reps, before=_make_tables
    )
    imported = harness.measure(f"import leads, {size:,} rows", "rows", product, reps=reps, before=fresh)
    report.series += [raw, chain, imported]
    report.facts[f"{size:,} rows"] = f"{path.stat().st_size / 1e6:.0f} MB, 9 columns; {outcomes[-1]}"
    report.facts[f"tables after {size:,}"] = ", ".join(f"{k} {v:,}" for k, v in generator.counts().items())
    report.ratios += [
        harness.Ratio(
            f"import ÷ chained limit of this run ({size:,})", imported.rate / chain.rate, 0.10, 0.40
        ),
        harness.Ratio(f"import ÷ raw COPY of the same file ({size:,})", imported.rate / raw.rate),
        harness.Ratio(f"import ÷ 60,000 rows/s ({size:,})", imported.rate / 60_000, 0.10, 0.40),
    ]
    harness.drop("bench_run")


def _copy(path: Path) -> int:
    with transaction.atomic(), connection.cursor() as cursor, path.open(encoding="utf-8") as file:
        cursor.execute(_STAGING)
        cursor.cursor.copy_expert("COPY bench_stage FROM STDIN WITH (FORMAT csv, HEADER)", file)
        return int(cursor.rowcount)


def _make_tables() -> None:
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)


def _chain(path: Path) -> int:
    with transaction.atomic(), connection.cursor() as cursor, path.open(encoding="utf-8", newline="") as file:
        cursor.execute(_STAGING)
        cursor.cursor.copy_expert("COPY bench_stage FROM STDIN", generator.Lines(_checked(file)))
        count = int(cursor.rowcount)
        cursor.execute("ANALYZE bench_stage")
        cursor.execute(_PERSONS)
        cursor.execute(_LEADS)
    return count


def _checked(file: Iterator[str]) -> Iterator[str]:
    """The least that makes a row acceptable: an address with an @ and a time that is one."""
    reader = csv.reader(file)
    next(reader)
    for cells in reader:
        datetime.fromisoformat(cells[8])
        if "@" in cells[3] and len(cells) == 9:
            yield "\t".join(cells)
