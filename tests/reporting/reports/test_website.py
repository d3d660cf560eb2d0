"""The website report: exact counts, what became of visits and readers, records behind every number."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from leads.models import Person, Source
from leads.services import leads as capturing
from leads.services.people import PersonInput
from reporting.domain.results import Rate
from reporting.models import Journey
from reporting.reports import catalogue
from reporting.services import website
from smarketing.core import clock
from smarketing.users.models import User
from tests.reporting.traffic import tell_of, visit
from tests.rest import client_for

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 12, 12, tzinfo=UTC)
DAY = timedelta(days=1)
MARCH = {"from": "2026-03-01", "to": "2026-03-12"}


@pytest.fixture(autouse=True)
def at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.fixture
def mara(db: None) -> User:
    return User.objects.create(email="mara@example.com", name="Mara", role="marketer")


def lead_of(name: str, at: datetime):
    person = PersonInput(first_name=name, emails=[f"{name.lower()}@example.com"])
    web = Source.objects.get(code="web")
    return capturing.capture(source=web, person=person, captured_at=at, actor=None, now=at).lead


@pytest.fixture
def traffic(db: None) -> None:
    """Five browsers in March (two of them were here in February), two leads, one of them a customer."""
    visit("old", NOW - 20 * DAY)
    visit("old2", NOW - 15 * DAY)
    visit("old", NOW - 3 * DAY, "/", "/pricing", channel="referral")
    visit("old2", NOW - 3 * DAY)
    visit("stranger", NOW - 2 * DAY, "/blog", channel="organic_search", campaign="spring")
    ada, bob = lead_of("Ada", NOW - DAY), lead_of("Bob", NOW - DAY)
    visit("a", NOW - DAY - timedelta(minutes=9), "/blog", "/pricing", person=ada.person, campaign="spring",
          channel="organic_search")  # fmt: skip
    visit("b", NOW - DAY - timedelta(minutes=9), "/pricing", person=bob.person)
    Journey.objects.filter(lead=ada).update(mql_at=NOW, won_at=NOW)
    while website.run_once(now=NOW, limit=500):
        pass


def run(**more: str):
    return catalogue.get("website").run({**MARCH, **more}, zone=ZoneInfo("UTC"), now=NOW)


def figures(result):
    return {f.column.key: f.value for f in result.figures}


def rows(result, table):
    found = next(t for t in result.tables if t.key == table)
    return {r.key: r.values for r in found.rows}


def test_visitors_are_exact_new_and_returning(traffic: None) -> None:
    told = figures(run())
    assert (told["visitors"], told["new"], told["returning"], told["sessions"]) == (5, 3, 2, 5)
    assert told["known_rate"] == Rate(2, 5)
    assert (told["leads"], told["customers"]) == (2, 1)


def test_the_road_from_stranger_to_customer_shows_k_of_n(traffic: None) -> None:
    steps = rows(run(), "steps")
    assert [values["reached"] for values in steps.values()] == [5, 2, 2, 1, 1]
    assert steps["step:mqls"]["from_previous"] == Rate(1, 2)
    assert steps["step:leads"]["from_visitors"] == Rate(2, 5)


def test_visits_are_told_by_channel_campaign_landing_page_and_day(traffic: None) -> None:
    channels = rows(run(), "by_channel")
    assert channels["channel:organic_search"]["sessions"] == 2
    assert channels["channel:organic_search"]["lead_rate"] == Rate(1, 2)
    assert channels["channel:organic_search"]["customers"] == 1
    assert channels["channel:referral"]["firsts"] == 0
    campaigns = rows(run(by="campaign"), "by_campaign")
    assert (campaigns["campaign:spring"]["leads"], campaigns["campaign:"]["leads"]) == (1, 1)
    assert rows(run(by="landing"), "by_landing")["landing:/blog"]["sessions"] == 2
    days = rows(run(by="day"), "by_day")
    assert list(days) == ["day:2026-03-09", "day:2026-03-10", "day:2026-03-11"]


def test_pages_tell_what_became_of_their_known_readers(traffic: None) -> None:
    pages = rows(run(), "pages")
    assert pages["page:/pricing"]["views"] == 3
    assert pages["page:/pricing"]["readers"] == 2
    assert pages["page:/pricing"]["customer_rate"] == Rate(1, 2)
    assert pages["page:/blog"]["lead_rate"] == Rate(1, 1)
    assert pages["page:/blog"]["attention"] == 20


@pytest.mark.parametrize("by", ["channel", "campaign", "landing", "day"])
def test_every_number_that_opens_has_as_many_records(traffic: None, by: str) -> None:
    report, result = catalogue.get("website"), run(by=by)
    checked = 0

    def compare(row: str, column, value) -> None:
        nonlocal checked
        count = value.k if isinstance(value, Rate) else value
        if not column.opens or not count:
            return
        given = {**MARCH, "by": by}
        found = report.behind(given, zone=ZoneInfo("UTC"), row=row, cell=column.key, now=NOW)
        assert found.count() == count, (row, column.key)
        checked += 1

    for figure in result.figures:
        compare("all", figure.column, figure.value)
    for table in result.tables:
        for row in table.rows:
            for column in table.columns:
                compare(row.key, column, row.values.get(column.key))
    assert checked > 20


def test_a_number_that_is_not_there_is_404(traffic: None, mara: User) -> None:
    client = Client()
    client.force_login(mara)
    for query in ("row=all&cell=x", "row=day:x&cell=sessions", "row=page:/x&cell=views"):
        assert client.get(f"/reports/website/records/?{query}").status_code == 404


def test_page_api_and_command_give_the_same_numbers(traffic: None, mara: User, capsys) -> None:
    told = client_for(mara).get("/api/v1/reports/website?from=2026-03-01&to=2026-03-12").json()
    assert (told["figures"]["visitors"], told["figures"]["known_rate"]["k"]) == (5, 2)
    client = Client()
    client.force_login(mara)
    html = client.get("/reports/website/?from=2026-03-01&to=2026-03-12").content.decode()
    assert "From stranger to customer" in html
    for cell in ("visitors", "sessions", "leads"):
        assert client.get(f"/reports/website/records/?row=all&cell={cell}").status_code == 200
    assert client.get("/reports/website/records/?row=page:/pricing&cell=readers").status_code == 200
    assert client.get("/reports/website/export/").status_code == 200


def test_the_dashboard_compares_with_the_days_before_and_is_live(traffic: None, mara: User) -> None:
    client = Client()
    client.force_login(mara)
    html = client.get("/website/").content.decode()
    assert "+150%" in html  # five visitors after two
    assert "Nobody is on the website now." in html
    tag = client.get("/website/live/")["ETag"]
    assert client.get("/website/live/", headers={"If-None-Match": tag}).status_code == 304
    session = visit("now", NOW - timedelta(minutes=5), "/pricing")
    tell_of(session, now=NOW)
    live = client.get("/website/live/", headers={"If-None-Match": tag}).content.decode()
    assert "/pricing" in live
    assert "A stranger" in live
    for period in ("last-month", "90-days", "12-months", "nonsense"):
        assert client.get(f"/website/?period={period}").status_code == 200


def test_an_empty_website_says_what_to_do(mara: User, db: None) -> None:
    client = Client()
    client.force_login(mara)
    assert "Put the tracker on your pages" in client.get("/website/").content.decode()


def test_the_dashboard_reads_the_same_number_of_times_however_much_happened(
    traffic: None, mara: User
) -> None:
    client = Client()
    client.force_login(mara)
    client.get("/website/")
    with CaptureQueriesContext(connection) as few:
        client.get("/website/")
    for number in range(30):
        visit(f"x{number}", NOW - DAY, f"/p{number}", campaign=f"c{number}")
    while website.run_once(now=NOW, limit=500):
        pass
    with CaptureQueriesContext(connection) as many:
        client.get("/website/")
    assert len(many) == len(few)
    assert Person.objects.count() == 2
