"""``score``: from event to score, new weights for everybody, and who is hottest.

Applying the same events with and without the subscribers that score; re-weighting by the product's statement
beside the same statement into a narrow table; the hottest 50 at any instant beside the bare look-up by index.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any

from django.db import connection, transaction

from bench import generator, harness
from funnel import subscribers
from funnel.models import DefinitionState, DefinitionVersion, Interest
from funnel.selectors import hot
from funnel.services import rescoring
from leads.domain.tracking import Message, MessageType, PageContext
from leads.events import EventsJoined, EventsRecorded, HistoriesChanged
from leads.models import Source
from leads.services import sources, tracking
from smarketing.core import clock, events
from smarketing.users.models import User

PEOPLE, EVENTS, BATCH = 500, 5_000, 500
_turns = count()
SIGNALS = 20
LOOKS = 50
_PRICES = "https://www.example.com/pricing"
_LIMIT_TABLE = """
DROP TABLE IF EXISTS bench_masses, bench_keys;
CREATE TABLE bench_masses AS SELECT person_id, masses FROM funnel_interest ORDER BY person_id;
CREATE TABLE bench_keys (person_id bigint PRIMARY KEY, key float8);
"""
_LOOK = """
SELECT i.person_id, i.key FROM funnel_interest i WHERE i.key IS NOT NULL
 ORDER BY i.key DESC NULLS LAST, i.person_id LIMIT 50
"""


def run(plan: harness.Plan) -> harness.Report:
    """Measure at each size (people with masses of 20 signals)."""
    report = harness.Report("score", plan)
    for size in plan.sizes:
        template = generator.database(size=size, events=plan.events)
        harness.copy_of(template, "bench_score")
        _stream(report, size)
        _weights(report, size)
        _hottest(report, size)
    return report


# --- event → score -------------------------------------------------------------------------


def _stream(report: harness.Report, size: int) -> None:
    source = sources.ensure(code="site", name="Site", kind="web", now=clock.now())
    who = [_said("identify", source, n, n, generator.person(n)[2]) for n in range(min(PEOPLE, size))]
    tracking.apply(messages=who, now=clock.now())
    series = {}
    for scored in (True, False):
        name = f"events applied {'with' if scored else 'without'} scoring, {size:,}"
        series[scored] = harness.measure(
            name, "events", partial(_applied, source, scored=scored), reps=report.plan.reps
        )
    report.series += series.values()
    report.ratios.append(
        harness.Ratio(
            f"applied ÷ without scoring, {size:,}", series[True].rate / series[False].rate, 0.8, 0.9
        )
    )


def _said(type: str, source: Source, number: int, who: int, email: str = "") -> Message:
    key = uuid.uuid4()
    # Half a second after the one before it: 500 people, each a page every four minutes.
    at = clock.now() - timedelta(days=1) + timedelta(seconds=next(_turns) / 2)
    return Message(
        id=key, message_id=str(key), source_id=source.pk, type=MessageType(type), occurred_at=at,
        received_at=at, anonymous_id=f"bench-{who}", user_id=email, traits={"email": email} if email else {},
        page=PageContext(url=_PRICES if number % 5 == 0 else f"https://www.example.com/p/{number % 50}"),
    )  # fmt: skip


def _applied(source: Source, *, scored: bool) -> int:
    with _scoring(is_on=scored):
        for start in range(0, EVENTS, BATCH):
            batch = [_said("page", source, n, n % PEOPLE) for n in range(start, start + BATCH)]
            tracking.apply(messages=batch, now=clock.now())
    return EVENTS


@contextmanager
def _scoring(*, is_on: bool) -> Iterator[None]:
    """Without it nobody adds to the masses, the product otherwise as it is."""
    kept: dict[Any, list[Any]] = {}
    for fact in () if is_on else (EventsRecorded, EventsJoined, HistoriesChanged):
        kept[fact] = events._subscribers[fact]
        events._subscribers[fact] = [h for h in kept[fact] if h.__module__ != subscribers.__name__]
    try:
        yield
    finally:
        events._subscribers.update(kept)


# --- new weights ---------------------------------------------------------------------------


def _weights(report: harness.Report, size: int) -> None:
    """A version that differs by its points only; masses of 20 signals for everybody."""
    first = _version(0)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM funnel_signalday; DELETE FROM funnel_interest")
        cursor.execute(
            "INSERT INTO funnel_interest (person_id, definition_id, masses, key) SELECT p.id, %s,"
            " ARRAY(SELECT random() FROM generate_series(1, %s) WHERE p.id > 0), 1 FROM leads_person p",
            [first.pk, SIGNALS],
        )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE funnel_interest")
        cursor.execute(_LIMIT_TABLE)
    versions = [first, *(_version(n) for n in range(1, report.plan.reps + 1))]
    turn = iter(zip(versions, versions[1:], strict=False))
    told = harness.measure(
        f"new weights, {size:,} people × {SIGNALS}", "people", lambda: _switched(*next(turn), size),
        reps=report.plan.reps, before=_tidied,
    )  # fmt: skip
    limit = harness.measure(
        f"narrow table, {size:,} people × {SIGNALS}", "people", lambda: _narrow(size), reps=report.plan.reps
    )
    report.series += [told, limit]
    report.ratios.append(
        harness.Ratio(f"new weights ÷ narrow table, {size:,}", told.rate / limit.rate, 0.3, 0.8)
    )


def _version(number: int) -> DefinitionVersion:
    """A clone of the version in force with other signals, measured from the same landmark."""
    made = DefinitionVersion.objects.in_force().get()
    signals = [
        {"key": f"s{n}", "event": "track", "points": 1 + (n * 7 + number) % 40, "daily_cap": 2}
        for n in range(SIGNALS)
    ]
    made.pk, made.number, made.state = None, 1000 + number, DefinitionState.RETIRED
    made.body = {**made.body, "signals": signals}
    made.save(force_insert=True)
    return made


def _switched(old: DefinitionVersion, new: DefinitionVersion, size: int) -> int:
    if not rescoring.switch(old=old, new=new):
        raise RuntimeError("the versions differ by more than their weights")
    return size


def _tidied() -> None:
    with connection.cursor() as cursor:
        cursor.execute("VACUUM funnel_interest")


def _narrow(size: int) -> int:
    points = [random.randint(1, 40) for _n in range(SIGNALS)]  # noqa: S311 - any weights will do
    total = " + ".join(f"{p}::float8 * masses[{slot}]" for slot, p in enumerate(points, 1))
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE bench_keys; DROP INDEX IF EXISTS bench_hottest")
        cursor.execute(
            f"INSERT INTO bench_keys SELECT person_id, ln({total}) / ln(2::float8)"  # noqa: S608
            " FROM bench_masses"
        )
        cursor.execute("CREATE INDEX bench_hottest ON bench_keys (key DESC, person_id)")
    return size


# --- hottest -------------------------------------------------------------------------------


def _hottest(report: harness.Report, size: int) -> None:
    boss = User.objects.get(email="boss@bench.example")
    instants = [clock.now() + timedelta(hours=7 * n) for n in range(LOOKS)]
    told = harness.measure(
        f"hottest 50 at {LOOKS} instants, {size:,}", "lists",
        lambda: sum(bool(hot.top(boss, at=at, limit=50)) for at in instants), reps=report.plan.reps,
    )  # fmt: skip
    look = harness.measure(f"look-up by index, {size:,}", "lists", _look, reps=report.plan.reps)
    report.series += [told, look]
    report.ratios.append(
        harness.Ratio(f"hottest ÷ look-up, {size:,}", look.rate / told.rate, 10, 3, at_most=True)
    )
    report.facts[f"people with interest, {size:,}"] = f"{Interest.objects.count():,}"


def _look() -> int:
    with connection.cursor() as cursor:
        for _n in range(LOOKS):
            cursor.execute(_LOOK)
            cursor.fetchall()
    return LOOKS
