"""``view``: finding a person and opening what happened with them, beside hand-written SQL.

One person has 50,000 events in 5,000 visits; another has what the generator gives everybody. Both are looked
up by e-mail address and opened over HTTP: the API's timeline, the whole page, and the fragment with its rows.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.db import connection

from bench import clients, generator, harness
from leads.models import Event, Person
from smarketing.core import clock
from smarketing.users.models import User

PER_REP = 20
BUSY_EVENTS = 50_000
# Ten pages a visit, a visit every two hours back from now; every fiftieth visit ends in a form.
_BROWSE = """
WITH v AS (
  INSERT INTO leads_visitor (source_id, anonymous_id, person_id, first_seen_at, last_seen_at)
  SELECT source_id, 'busy', person_id, %(now)s, %(now)s FROM leads_lead WHERE person_id = %(person)s LIMIT 1
  RETURNING id, source_id, person_id),
s AS (
  INSERT INTO leads_session (visitor_id, source_id, person_id, started_at, last_at, pages, events,
    engagement_seconds, entry_url, exit_url, referrer, parameters, channel_id)
  SELECT v.id, v.source_id, v.person_id, %(now)s - n * interval '2 hours',
         %(now)s - n * interval '2 hours' + interval '9 minutes', 10, 10, 240,
         'https://www.example.com/p/' || n %% 50, 'https://www.example.com/pricing', '', '{}',
         (SELECT id FROM leads_channel WHERE code = 'direct')
  FROM v, generate_series(1, %(visits)s) n)
INSERT INTO leads_event (id, source_id, person_id, visitor_id, anonymous_id, kind, name, url, occurred_at,
                         received_at, properties)
SELECT gen_random_uuid(), v.source_id, v.person_id, v.id, '',
       CASE WHEN e = 9 AND n %% 50 = 0 THEN 'form' ELSE 'page' END, 'Page ' || (n * 7 + e) %% 50,
       'https://www.example.com/p/' || (n * 7 + e) %% 50,
       %(now)s - n * interval '2 hours' + e * interval '1 minute', %(now)s, '{"engagement_seconds": 24}'
FROM v, generate_series(1, %(visits)s) n, generate_series(0, 9) e
"""
# What the first page of the timeline shows, in one statement: each part by its own index.
_BY_HAND = """
SELECT * FROM (
  (SELECT s.started_at AS at, 'visit', s.id::text, s.pages::text, c.name FROM leads_session s
    JOIN leads_channel c ON c.id = s.channel_id WHERE s.person_id = %(p)s
    ORDER BY s.started_at DESC, s.id DESC LIMIT 26)
  UNION ALL
  (SELECT occurred_at, 'event', id::text, name, url FROM leads_event
    WHERE person_id = %(p)s AND (visitor_id IS NULL
      OR kind IN ('form', 'identify', 'email_open', 'email_click'))
    ORDER BY occurred_at DESC, id DESC LIMIT 26)
  UNION ALL
  (SELECT t.occurred_at, 'touchpoint', t.id::text, t.title, c.name FROM leads_touchpoint t
    JOIN leads_channel c ON c.id = t.channel_id WHERE t.person_id = %(p)s
    ORDER BY t.occurred_at DESC, t.id DESC LIMIT 26)
  UNION ALL
  (SELECT occurred_at, 'activity', id::text, subject, body FROM leads_activity WHERE person_id = %(p)s
    ORDER BY occurred_at DESC, id DESC LIMIT 26)
  UNION ALL
  (SELECT t.effective_at, 'stage', t.id::text, s.name, t.reason FROM funnel_stagetransition t
    JOIN leads_lead l ON l.id = t.lead_id JOIN funnel_stage s ON s.id = t.to_stage_id
    WHERE l.person_id = %(p)s ORDER BY t.effective_at DESC, t.id DESC LIMIT 26)
) x ORDER BY at DESC LIMIT 25
"""
_LOOKUP = """
SELECT p.id, p.first_name, p.last_name, e.email
FROM leads_personemail e JOIN leads_person p ON p.id = e.person_id WHERE e.email = %(email)s
"""


def run(plan: harness.Plan) -> harness.Report:
    """Measure at each size."""
    report = harness.Report("view", plan)
    for size in plan.sizes:
        _measure(report, size)
    report.notes.append("goal of the design: a person with 50,000 events opens in under 100 ms server time")
    return report


def _measure(report: harness.Report, size: int) -> None:
    database = generator.database(size=size, events=report.plan.events)
    boss = User.objects.get(email="boss@bench.example")
    busy, usual = _people(size)
    with harness.web_process(database) as (address, web):
        page = clients.Http(address, clients.signed_in(boss))
        api = clients.Http(address, clients.bearer(boss))

        def measured(name: str, of: Any) -> float:
            of()
            series = harness.measure(
                f"{name}, {size:,}", "requests", lambda: sum(bool(of()) for _n in range(PER_REP)),
                reps=report.plan.reps, web=web,
            )  # fmt: skip
            report.series.append(series)
            return series.milliseconds

        email = busy.emails.get(is_primary=True).email
        by_hand = measured("SQL lookup", lambda: _sql(_LOOKUP, {"email": email}))
        found = measured("API lookup by e-mail", lambda: api.get(f"/api/v1/people?email={email}"))
        report.ratios.append(harness.Ratio(f"API lookup ÷ SQL ({size:,})", found / by_hand, at_most=True))
        for who, person in (("usual person", usual), ("50,000 events", busy)):
            by_hand = measured(f"SQL timeline, {who}", lambda p=person: _sql(_BY_HAND, {"p": p.pk}))
            took = {
                "API timeline": measured(
                    f"API timeline, {who}", lambda p=person: api.get(f"/api/v1/people/{p.pk}/timeline")
                ),
                "timeline fragment": measured(
                    f"timeline fragment, {who}", lambda p=person: page.get(f"/people/{p.pk}/timeline/")
                ),
                "page": measured(f"page, {who}", lambda p=person: page.get(f"/people/{p.pk}/")),
            }
            report.ratios += [
                harness.Ratio(f"{name} ÷ SQL, {who} ({size:,})", value / by_hand, at_most=True)
                for name, value in took.items()
            ]
            report.facts[f"page, {who}, {size:,}"] = f"{took['page']:.0f} ms"
    report.facts[f"at {size:,} leads"] = ", ".join(f"{k} {v:,}" for k, v in generator.counts().items())


def _people(size: int) -> tuple[Person, Person]:
    """The one with 50,000 events, made once for a database, and one as the generator made them."""
    _first, _last, email = generator.person(size // 2)
    busy = Person.objects.get(emails__email=email)
    if Event.objects.filter(person=busy)[:BUSY_EVENTS].count() < BUSY_EVENTS:
        given: dict[str, Any] = {
            "now": clock.now() - timedelta(hours=1),
            "person": busy.pk,
            "visits": BUSY_EVENTS // 10,
        }
        with connection.cursor() as cursor:
            cursor.execute(_BROWSE, given)
            cursor.execute("ANALYZE leads_event, leads_session, leads_visitor")
    _first, _last, other = generator.person(size // 3)
    return busy, Person.objects.get(emails__email=other)


def _sql(statement: str, given: dict[str, Any]) -> str:
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        return json.dumps(cursor.fetchall(), default=str)
