"""Commitments, my commitments, the leads behind a number, and the calendar feed."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from icalendar import Calendar as Document

from sla.models import AgreementVersion, CalendarFeed, Clause, Clock
from sla.services import commitments
from smarketing.users.domain.roles import Role
from tests.rest import assert_problem, client_for
from tests.sla.conftest import HOUR, MONDAY, attempt, deliver, make_user
from tests.sla.views.test_agreements import text_of

pytestmark = pytest.mark.django_db
NOW = MONDAY + 8 * HOUR


@pytest.fixture(autouse=True)
def monday(at):
    at(NOW)


def test_both_sides_stand_beside_each_other(rep, client_of):
    attempt(deliver(rep, MONDAY), rep, MONDAY + 0.5 * HOUR)
    page = text_of(client_of(rep).get("/commitments/"))
    assert "Marketing promises" in page
    assert "Marketing delivers at least 100 qualified leads to every rep each month." in page
    assert "Every rep contacts at least 20 prospects each week." in page
    assert "12 Jan 2026 – 18 Jan 2026" in page


def test_a_number_opens_its_leads(rep, client_of):
    handoff = deliver(rep, MONDAY)
    supply = Clause.objects.get(metric="supply_count")
    client = client_of(rep)
    page = client.get("/commitments/").content.decode()
    url = f"/commitments/{supply.pk}/2026-01-01/gross/"
    assert url in page
    behind = text_of(client.get(url))
    assert str(handoff.lead.person) in behind
    attempt(handoff, rep, MONDAY + HOUR)
    contacts = Clause.objects.get(metric="contacts")
    assert "Lena Lead" in text_of(client.get(f"/commitments/{contacts.pk}/2026-01-12/net/"))
    assert "Lena Lead" in text_of(client.get(f"/commitments/{contacts.pk}/2026-01-12/net/?owner={rep.pk}"))


@pytest.mark.parametrize(
    "path", ["{0}/nonsense/gross/", "{0}/2026-01-01/nonsense/", "99999999/2026-01-01/gross/"]
)
def test_what_does_not_exist_is_not_found(rep, client_of, path):
    supply = Clause.objects.get(metric="supply_count")
    assert client_of(rep).get(f"/commitments/{path.format(supply.pk)}").status_code == 404


def test_a_draft_cannot_be_opened_by_its_clauses(rep, sales_manager, client_of):
    client_of(sales_manager).post("/agreement/draft/")
    clause = Clause.objects.filter(version__number=2, metric="supply_count").get()
    assert client_of(rep).get(f"/commitments/{clause.pk}/2026-01-01/gross/").status_code == 404


def test_a_closed_period_says_what_was_reported_then(rep, client_of, at):
    AgreementVersion.objects.update(in_force_from=MONDAY - timedelta(days=365))
    handoff = deliver(rep, MONDAY)
    commitments.close_ended(now=MONDAY + timedelta(days=21))
    handoff.__class__.objects.filter(pk=handoff.pk).update(state="returned", return_reason="no_fit")
    commitments.check(now=MONDAY + timedelta(days=22))
    at(MONDAY + timedelta(days=22))
    page = text_of(client_of(rep).get("/commitments/?back=1"))
    assert "Closed on 2 Feb 2026" in page
    assert "Restated on 3 Feb 2026: net 1 → 0, counted 1 → 0" in page


@pytest.mark.parametrize("role", list(Role))
def test_everybody_has_a_page_of_their_own(role, client_of):
    page = text_of(client_of(make_user(role, "Nora Nobody")).get("/commitments/mine/"))
    assert "My commitments" in page
    assert "Promised to me" in page


def test_a_rep_sees_the_own_part(rep, other_rep, client_of):
    deliver(other_rep, MONDAY)
    page = text_of(client_of(rep).get("/commitments/mine/"))
    assert "I promised" in page
    assert f"?owner={other_rep.pk}" not in page


def issue(client):
    made = client.post("/commitments/feed/")
    assert made["Cache-Control"] == "no-store"
    return re.search(r"/feeds/[\w-]+\.ics", made.content.decode()).group()


def test_the_feed_tells_when_promises_are_due(rep, client_of):
    handoff = deliver(rep, NOW - HOUR)
    path = issue(client_of(rep))
    answer = Client().get(path)
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    events = Document.from_ical(answer.content).walk("VEVENT")
    clock = Clock.objects.get(handoff=handoff, kind="respond")
    first = next(e for e in events if e["UID"].startswith(f"clock-{clock.pk}@"))
    assert first.decoded("DTSTART") == clock.due_at
    assert str(first["SUMMARY"]) == "First response due: Lena Lead"
    assert str(first["URL"]).endswith(f"/leads/{handoff.lead_id}/")
    attempt(handoff, rep, NOW - 0.5 * HOUR, now=NOW)
    later = Document.from_ical(Client().get(path).content).walk("VEVENT")
    assert f"clock-{clock.pk}" not in str([e["UID"] for e in later])


def test_an_address_is_replaced_revoked_and_dies_with_its_user(rep, client_of):
    client = client_of(rep)
    first = issue(client)
    second = issue(client)
    assert Client().get(first).status_code == 404
    assert Client().get(second).status_code == 200
    client.post("/commitments/feed/revoke/")
    assert Client().get(second).status_code == 404
    third = issue(client)
    rep.is_active = False
    rep.save(update_fields=["is_active"])
    assert Client().get(third).status_code == 404
    assert CalendarFeed.objects.count() == 3
    assert not CalendarFeed.objects.filter(digest__in=[p[7:-4] for p in (first, second, third)]).exists()


@pytest.mark.parametrize("token", ["x", "ä" * 10, "x" * 5000])
def test_an_unknown_address_is_not_found(token):
    assert Client().get(f"/feeds/{token}.ics").status_code == 404


def test_the_api_tells_the_same(rep, marketer):
    deliver(rep, MONDAY)
    commitments.close_ended(now=NOW)
    client = client_for(marketer)
    told = client.get("/api/v1/commitments/standing").json()["results"]
    supply = next(line for line in told if line["metric"] == "supply_count")
    assert (supply["side"], supply["promised"], supply["unit"]) == ("marketing", 100.0, "leads")
    assert client.get("/api/v1/commitments").status_code == 200
    assert_problem(client.get("/api/v1/commitments/standing?back=-1"), 400, "bad_parameter")
    assert_problem(client.get("/api/v1/commitments/standing?owner=99999999"), 400, "bad_parameter")
    assert client.get(f"/api/v1/commitments/standing?owner={rep.pk}&back=1").status_code == 200
