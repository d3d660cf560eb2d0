"""The page of a person with 50,000 events: as few reads as that of a person with a hundred, and fast."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from leads.models import Event, Session
from leads.selectors import timeline
from tests.funnel.conftest import NOW, capture_lead

pytestmark = pytest.mark.django_db

# Ten pages a visit, a visit every two hours back from now; each tenth event is a form or a mail.
BROWSE = """
WITH v AS (
  INSERT INTO leads_visitor (source_id, anonymous_id, person_id, first_seen_at, last_seen_at)
  SELECT source_id, 'browser-' || person_id, person_id, %(now)s, %(now)s FROM leads_lead WHERE id = %(lead)s
  RETURNING id, source_id, person_id),
s AS (
  INSERT INTO leads_session (visitor_id, source_id, person_id, started_at, last_at, pages, events,
    engagement_seconds, entry_url, exit_url, referrer, parameters, channel_id)
  SELECT v.id, v.source_id, v.person_id, %(now)s - n * interval '2 hours',
         %(now)s - n * interval '2 hours' + interval '9 minutes', 10, 10, 240,
         'https://www.example.com/p/' || n %% 50, 'https://www.example.com/pricing', '', '{}',
         (SELECT id FROM leads_channel WHERE code = 'direct')
  FROM v, generate_series(%(from)s, %(to)s) n)
INSERT INTO leads_event (id, source_id, person_id, visitor_id, anonymous_id, kind, name, url, occurred_at,
                         received_at, properties)
SELECT gen_random_uuid(), v.source_id, v.person_id, v.id, '',
       CASE WHEN e = 9 AND n %% 50 = 1 THEN 'form' ELSE 'page' END, 'Page ' || (n * 7 + e) %% 50,
       'https://www.example.com/p/' || (n * 7 + e) %% 50,
       %(now)s - n * interval '2 hours' + e * interval '1 minute',
       %(now)s, '{"engagement_seconds": 24}'
FROM v, generate_series(%(from)s, %(to)s) n, generate_series(0, 9) e
"""


def browse(lead, first, last):
    with connection.cursor() as cursor:
        cursor.execute(BROWSE, {"from": first, "to": last, "now": NOW, "lead": lead.pk})


def opened(client, lead):
    """Reads and seconds of the process of one whole page."""
    with CaptureQueriesContext(connection) as queries:
        started = time.process_time()
        assert client.get(f"/people/{lead.person_id}/").status_code == 200
        seconds = time.process_time() - started
    return len(queries), seconds


def test_a_person_with_fifty_thousand_events_opens_like_one_with_a_hundred(rita, web, monkeypatch):
    monkeypatch.setattr("smarketing.core.clock.now", lambda: NOW)
    client = Client()
    client.force_login(rita)
    few, many = capture_lead(web), capture_lead(web)
    browse(few, 1, 10)
    browse(many, 1, 5_000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE leads_event, leads_session, leads_visitor")
    assert Event.objects.filter(person=many.person).count() == 50_000
    assert Session.objects.filter(person=many.person).count() == 5_000

    opened(client, few)
    reads_of_few, _ = opened(client, few)
    runs = [opened(client, many) for _ in range(5)]

    assert {reads for reads, _ in runs} == {reads_of_few}
    entries = timeline.of_person(many.person).entries
    assert len(entries) == 25
    assert {e.provider for e in entries} <= {"visit", "event", "lap", "touchpoint"}


def test_what_stands_by_itself_is_found_without_walking_over_the_pages(web):
    lead = capture_lead(web)
    browse(lead, 1, 2_000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE leads_event")
    rows = Event.objects.filter(person=lead.person).outside_visits().order_by("-occurred_at", "-pk")[:101]
    plan = rows.explain()
    assert "event_outside_visits" in plan
    assert "Seq Scan" not in plan


def test_a_visit_is_one_entry_and_opens_page_by_page_with_points(rita, web):
    lead = capture_lead(web, at=NOW - timedelta(days=30))
    browse(lead, 1, 1)
    session = Session.objects.get()
    client = Client()
    client.force_login(rita)
    html = client.get(f"/people/{lead.person_id}/").content.decode()
    assert "Visit: 10 pages" in html
    address = f"/people/{lead.person_id}/visits/{session.pk}/"
    assert f'hx-get="{address}"' in html
    inside = client.get(address, headers={"HX-Request": "true", "HX-Request-Type": "partial"})
    text = inside.content.decode()
    assert text.count('<li class="line">') == 10
    assert "+1" in text
    assert "<html" not in text
    assert "<html" in client.get(address).content.decode()
    other = capture_lead(web)
    assert client.get(f"/people/{other.person_id}/visits/{session.pk}/").status_code == 404
