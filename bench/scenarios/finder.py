"""``finder``: duplicates among a million people, beside one blocking scan of the same table.

One person in fifty is made a misspelt copy of their neighbour first, so that there is something to find
and the share that is found can be told. Limits in the same run: (1) the least that any finder has to do,
one pass that groups everybody by company and by how the last name sounds, by hand; (2) looking up one
person who is typed in, as a single trigram query.
"""

from __future__ import annotations

from django.db import connection

from bench import generator, harness
from leads.models import Duplicate, FinderState, Person
from leads.selectors import duplicates as reads
from leads.services import finder
from smarketing.core import clock

LOOKUPS = 50
_PLANT = """
UPDATE leads_person p
   SET first_name = q.first_name, company_id = q.company_id,
       last_name = left(q.last_name, 2) || substr(q.last_name, 4),
       search_text = lower(q.first_name || ' ' || left(q.last_name, 2) || substr(q.last_name, 4)
                           || ' ' || e.email)
  FROM leads_person q, leads_personemail e
 WHERE p.id %% 50 = 0 AND q.id = p.id - 1 AND e.person_id = p.id
"""
_SCAN = """
SELECT count(*) FROM (
    SELECT company_id, dmetaphone(last_name) AS sound, id FROM leads_person) a
  JOIN (SELECT company_id, dmetaphone(last_name) AS sound, id FROM leads_person) b
    ON b.company_id = a.company_id AND b.sound = a.sound AND b.id > a.id
"""
_LIKE = "SELECT id FROM leads_person WHERE search_text %%> %s LIMIT 200"
_FOUND = "SELECT count(*) FROM leads_duplicate WHERE right_id %% 50 = 0 AND left_id = right_id - 1"


def run(plan: harness.Plan) -> harness.Report:
    """Measure; with several sizes each has its own lines."""
    report = harness.Report("finder", plan)
    for size in plan.sizes:
        _measure(report, size)
    report.notes.append("keys that more than forty records share are left out, and counted")
    return report


def _measure(report: harness.Report, size: int) -> None:
    base = generator.database(size=size, events=report.plan.events)
    harness.copy_of(base, "bench_run")
    harness.use("bench_run")
    _execute(_PLANT)
    _execute("ANALYZE leads_person")
    found = finder.Found("person")

    def product() -> int:
        nonlocal found
        found = finder.find(now=clock.now())
        return found.records

    def fresh() -> None:
        Duplicate.objects.all().delete()
        FinderState.objects.all().delete()

    scan = harness.measure(f"one blocking scan, {size:,} people", "people", _scan, reps=report.plan.reps)
    whole = harness.measure(
        f"duplicates find, {size:,} people", "people", product, reps=report.plan.reps, before=fresh
    )
    like = harness.measure(f"trigram query, {size:,} people", "people", _queries, reps=report.plan.reps)
    typed = harness.measure(
        f"look up who is typed in, {size:,} people", "people", _lookups, reps=report.plan.reps
    )
    planted = size // 50
    got = _number(_FOUND)
    report.series += [scan, whole, like, typed]
    report.facts[f"{size:,} people"] = (
        f"{found.compared:,} pairs compared, {found.certain:,} certain, {found.probable:,} probable; "
        f"{found.blocks_left_out:,} keys left out (largest {found.largest_block:,}); "
        f"{got:,} of {planted:,} planted copies found"
    )
    report.ratios += [
        harness.Ratio(f"find ÷ one blocking scan ({size:,})", whole.rate / scan.rate),
        harness.Ratio(f"look-up ÷ one trigram query ({size:,})", typed.rate / like.rate),
        harness.Ratio(f"planted copies found ({size:,})", got / planted, 0.90, 0.95),
    ]
    harness.drop("bench_run")


def _scan() -> int:
    _number(_SCAN)
    return Person.objects.count()


def _sample() -> list[Person]:
    step = max(1, Person.objects.count() // LOOKUPS)
    return list(
        Person.objects.filter(pk__in=range(1, step * LOOKUPS, step)).prefetch_related("emails", "phones")
    )


def _queries() -> int:
    people = _sample()
    with connection.cursor() as cursor:
        for person in people:
            cursor.execute(_LIKE, [f"{person.first_name} {person.last_name}".lower()])
            cursor.fetchall()
    return len(people)


def _lookups() -> int:
    people = _sample()
    for person in people:
        reads.like(reads.profile(person), but=[person.pk])
    return len(people)


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement.replace("%%", "%"))


def _number(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement.replace("%%", "%"))
        row = cursor.fetchone()
    return int(row[0]) if row else 0
