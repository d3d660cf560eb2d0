"""``ingest``: tracked events, accepted durably over HTTP and applied.

Single events from many clients at once, batches of 100, and the applying loop, each beside what limits
it, in the same run: the bare web server, a durable group of the same rows without HTTP, and COPY of the
same rows with the same indexes in durable transactions of 1,000. The peer is Umami 3.1, 141 events per
CPU second by ``/api/send``, everything included.
"""

from __future__ import annotations

import base64
import io
import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from bench import clients, harness, manysockets
from leads.domain.segment import Arrival, message_of
from leads.intake.calls import row_of
from leads.models import KeyKind, Source
from leads.services import inbox, intake, sources, write_keys
from leads.services.intake import Row
from smarketing.core import clock, loops

UMAMI_PER_CPU = 141.0
CLIENTS = (64, 256)
BATCH, BATCHES = 100, 60
GROUP = 50
_BEGAN, _ALL_DAY = datetime(2026, 11, 27, 6, tzinfo=UTC), timedelta(hours=10)
_COPY = (
    "COPY bench_inbox (message_id, source_id, kind, occurred_at, received_at, body, not_before) FROM STDIN"
)
_TABLE = """
DROP TABLE IF EXISTS bench_inbox;
CREATE TABLE bench_inbox (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, message_id uuid NOT NULL UNIQUE,
    source_id bigint, kind text, occurred_at timestamptz, received_at timestamptz, body jsonb,
    not_before timestamptz);
CREATE INDEX ON bench_inbox (not_before, id);
"""


def run(plan: harness.Plan) -> harness.Report:
    """Measure; the size is how many single events a repetition has."""
    report, count = harness.Report("ingest", plan), plan.sizes[0]
    database = "bench_ingest"
    harness.copy_of(harness.base(), database)
    now = clock.now()
    source = sources.ensure(code="site", name="Site", kind="web", now=now)
    key = write_keys.issue(
        source=source, name="bench", kind=KeyKind.SERVER, per_minute=10_000_000, actor=None, now=now
    ).text
    headers = {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}
    with harness.web_process(database) as (address, web):
        singles = [_single(report, address, web, headers, count, many) for many in CLIENTS]
        batches = _batches(report, address, web, headers)
    with harness.web_process(database, application="bench.bare:application") as (address, web):
        bare = _bare(report, address, web, headers, count)
    group = _group(report, source, count)
    copy = _copy(report, database, source)
    applied = _apply(report, source, count)
    report.series += [*singles, batches, applied, bare, group, copy]
    report.ratios += [
        *(
            harness.Ratio(f"single, {n} clients, per CPU-s ÷ Umami's", s.per_cpu / UMAMI_PER_CPU, 10, 30)
            for n, s in zip(CLIENTS, singles, strict=True)
        ),
        harness.Ratio("single, 64 clients ÷ bare server", singles[0].rate / bare.rate),
        harness.Ratio(f"single, 64 clients ÷ durable groups of {GROUP} rows", singles[0].rate / group.rate),
        harness.Ratio("batches of 100 ÷ COPY", batches.rate / copy.rate, 0.3, 0.5),
        harness.Ratio("batches of 100 ÷ COPY, both per CPU-s", batches.per_cpu / copy.per_cpu),
        harness.Ratio("apply ÷ COPY", applied.rate / copy.rate, 0.1, 0.25),
    ]
    report.notes.append("per CPU-s counts client, web and PostgreSQL, as the Umami figure (141) does")
    return report


def _call(run: str, number: int) -> dict[str, Any]:
    """A page view as a browser sends it, about 700 bytes: of 500 visitors at once, each every 25 seconds."""
    url = f"https://x.example/p/{number % 50}?utm_source=news"
    at, sent = (_BEGAN + timedelta(milliseconds=50 * number)).isoformat(), (_BEGAN + _ALL_DAY).isoformat()
    page = {"url": url, "path": f"/p/{number % 50}", "title": "A page", "search": "?utm_source=news",
            "referrer": "https://www.google.com/"}  # fmt: skip
    agent = (
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36"
    )
    return {
        "type": "page", "messageId": f"{run}-{number}", "anonymousId": f"{run}-{number % 500}",
        "timestamp": at, "sentAt": sent, "context": {"page": page, "userAgent": agent, "locale": "en-GB",
                                  "library": {"name": "t.js", "version": "1"}},
    }  # fmt: skip


def _empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE leads_eventinbox")


def _single(
    report: harness.Report, address: str, web: int, headers: dict[str, str], count: int, many: int
) -> harness.Series:
    made: list[bytes] = []

    def make() -> None:
        _empty()
        run = uuid.uuid4().hex[:8]
        made[:] = [
            manysockets.request("/v1/page", json.dumps(_call(run, n)).encode(), headers) for n in range(count)
        ]

    make()
    manysockets.post(address, clients=many, count=min(300, count), make=made.__getitem__)  # warm
    return harness.measure(
        f"single events, {many} clients",
        "events",
        lambda: manysockets.post(address, clients=many, count=count, make=made.__getitem__),
        reps=report.plan.reps,
        before=make,
        web=web,
    )


def _batches(report: harness.Report, address: str, web: int, headers: dict[str, str]) -> harness.Series:
    made: list[bytes] = []

    def make() -> None:
        _empty()
        run = uuid.uuid4().hex[:8]
        parts = [[_call(run, b * BATCH + n) for n in range(BATCH)] for b in range(BATCHES)]
        made[:] = [
            manysockets.request("/v1/batch", json.dumps({"batch": part}).encode(), headers) for part in parts
        ]

    return harness.measure(
        f"batches of {BATCH}, 4 clients",
        "events",
        lambda: manysockets.post(address, clients=4, count=BATCHES, make=made.__getitem__) * BATCH,
        reps=report.plan.reps,
        before=make,
        web=web,
    )


def _bare(
    report: harness.Report, address: str, web: int, headers: dict[str, str], count: int
) -> harness.Series:
    one = manysockets.request("/v1/page", json.dumps(_call("bare", 1)).encode(), headers)
    return harness.measure(
        "bare server, 64 clients",
        "requests",
        lambda: manysockets.post(address, clients=64, count=count, make=lambda _number: one),
        reps=report.plan.reps,
        web=web,
    )


def _rows(source: Source, count: int) -> list[Row]:
    arrival, run = Arrival(source.pk, source.code, clock.now(), is_server=True), uuid.uuid4().hex[:8]
    return [row_of(message_of(_call(run, n), arrival=arrival)) for n in range(count)]


def _group(report: harness.Report, source: Source, count: int) -> harness.Series:
    """The intake's own statement without HTTP and parsing, as if always ``GROUP`` requests had gathered."""
    rows: list[Row] = []

    def make() -> None:
        _empty()
        rows[:] = _rows(source, count)

    def work() -> int:
        for start in range(0, count, GROUP):
            intake.accept(rows=rows[start : start + GROUP])
        return count

    return harness.measure(
        f"durable groups of {GROUP} rows", "rows", work, reps=report.plan.reps, before=make
    )


def _copy(report: harness.Report, database: str, source: Source) -> harness.Series:
    """COPY of the same rows into a table with the same indexes, 1,000 in a durable transaction."""
    link = clients.linked(database)
    parts: list[str] = []

    def make() -> None:
        with link.cursor() as cursor:
            cursor.execute(_TABLE)
        rows = _rows(source, BATCH * BATCHES)
        told = [json.loads(row.body) for row in rows]
        names = ("id", "source_id", "type", "occurred_at", "received_at", "", "received_at")
        lines = [
            "\t".join(str(values[name]) if name else row.body for name in names) + "\n"
            for row, values in zip(rows, told, strict=True)
        ]
        parts[:] = ["".join(lines[start : start + 1000]) for start in range(0, len(lines), 1000)]

    def work() -> int:
        with link.cursor() as cursor:
            for part in parts:
                cursor.copy_expert(_COPY, io.StringIO(part))
        return BATCH * BATCHES

    series = harness.measure(
        "COPY, 3 indexes, durable 1,000-row transactions", "rows", work, reps=report.plan.reps, before=make
    )
    with link.cursor() as cursor:
        cursor.execute("DROP TABLE bench_inbox")
    link.close()
    return series


def _apply(report: harness.Report, source: Source, count: int) -> harness.Series:
    """The loop ``inbox``: from the inbox to events, visitors, sessions, touchpoints, scores."""

    def make() -> None:
        _empty()
        rows = _rows(source, count)
        for start in range(0, count, 1000):
            intake.accept(rows=rows[start : start + 1000])

    def work() -> int:
        now, limit = clock.now(), loops.get("inbox").limit  # as the worker calls it
        while inbox.run_once(now=now, limit=limit):
            pass
        return count

    return harness.measure("apply", "events", work, reps=report.plan.reps, before=make)
