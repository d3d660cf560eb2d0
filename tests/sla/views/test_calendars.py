"""The calendar settings."""

from __future__ import annotations

import pytest

from sla.models import Calendar, CalendarVersion, OwnHours
from tests.sla.conftest import HOUR, MONDAY
from tests.sla.views.conftest import HTMX

pytestmark = pytest.mark.django_db
WEEK = {"mon": "9:00-12:00, 13:00-17:30", "tue": "09:00-17:00", "wed": "", "thu": "", "fri": "18:00–24:00"}


@pytest.fixture(autouse=True)
def monday(at):
    at(MONDAY + HOUR)


@pytest.fixture
def path():
    return f"/settings/calendar/{Calendar.objects.get(is_default=True).pk}/publish/"


def data(**changes):
    return {"zone": "Europe/Berlin", "number": "1", "holidays": "", **WEEK, **changes}


def text_of(response):
    return " ".join(response.content.decode().split())


def test_everybody_reads_the_hours(rep, client_of):
    page = text_of(client_of(rep).get("/settings/calendar/"))
    assert "10:00–18:00" in page
    assert "Publish" not in page
    assert "first response due <b>12 Jan 2026, 12:00</b>" in page


def test_a_manager_publishes_hours_and_holidays(sales_manager, client_of, path):
    holidays = "2026-12-25 Christmas\n2026-12-24 14:00-24:00 Christmas Eve\n\n"
    response = client_of(sales_manager).post(path, data(holidays=holidays))
    assert response.status_code == 303
    version = CalendarVersion.objects.get(number=2)
    assert version.author == sales_manager
    assert version.body == {
        "zone": "Europe/Berlin",
        "week": {
            "mon": [["09:00", "12:00"], ["13:00", "17:30"]],
            "tue": [["09:00", "17:00"]],
            "wed": [],
            "thu": [],
            "fri": [["18:00", "24:00"]],
            "sat": [],
            "sun": [],
        },
        "holidays": [
            {"date": "2026-12-24", "name": "Christmas Eve", "from": "14:00", "to": "24:00"},
            {"date": "2026-12-25", "name": "Christmas"},
        ],
    }
    page = text_of(client_of(sales_manager).get("/settings/calendar/"))
    assert "2026-12-24 14:00-24:00 Christmas Eve" in page
    assert "09:00-12:00, 13:00-17:30" in page


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"mon": "nine to five"}, "Write hours like 10:00-18:00"),
        ({"mon": "18:00-10:00"}, "A window must open before it closes"),
        ({"mon": "10:00-14:00, 13:00-18:00"}, "Two windows of one day overlap."),
        ({"holidays": "Christmas"}, "Line 1 does not begin with a date"),
        ({"holidays": "2026-02-30 No day"}, "Write the date as YYYY-MM-DD."),
        (dict.fromkeys(WEEK, ""), "The week has no open window."),
        ({"zone": "Mars/Base"}, "Select a valid choice"),
    ],
)
def test_what_cannot_be_read_is_said_beside_it(sales_manager, client_of, path, changes, sentence):
    response = client_of(sales_manager).post(path, data(**changes))
    assert response.status_code == 422
    assert sentence in text_of(response)
    assert CalendarVersion.objects.count() == 1


def test_a_stale_edit_is_refused(sales_manager, client_of, path):
    response = client_of(sales_manager).post(path, data(number="7"))
    assert response.status_code == 412
    assert CalendarVersion.objects.count() == 1


def test_public_holidays_join_the_list_before_it_is_saved(sales_manager, client_of, path):
    sent = data(holidays="2026-01-01 Our party", add="1", country="DE", region="be", year="2026")
    response = client_of(sales_manager).post(path, sent)
    page = text_of(response)
    assert "2026-01-01 Our party" in page
    assert "2026-03-08" in page  # only Berlin rests on Women's Day
    assert CalendarVersion.objects.count() == 1
    refused = client_of(sales_manager).post(path, sent | {"region": "XX"})
    assert refused.status_code == 422
    assert "This country has no such region" in text_of(refused)


def test_a_preview_shows_deadlines_of_hours_not_saved(sales_manager, client_of):
    client = client_of(sales_manager)
    page = text_of(client.post("/settings/calendar/preview/", data(zone="UTC"), headers=HTMX))
    assert "Delivered 12 Jan 2026, 11:00: first response due <b>12 Jan 2026, 12:00</b>" in page
    bad = text_of(client.post("/settings/calendar/preview/", data(mon="?"), headers=HTMX))
    assert "The hours can&#x27;t be read yet." in bad


def test_another_calendar_starts_with_the_default_hours(sales_manager, client_of):
    client = client_of(sales_manager)
    response = client.post("/settings/calendar/new/", {"name": "Night shift"})
    made = Calendar.objects.get(name="Night shift")
    assert response["Location"] == f"/settings/calendar/{made.pk}/"
    assert made.versions.get().body == Calendar.objects.get(is_default=True).versions.get().body
    assert client.post("/settings/calendar/new/", {"name": "Night shift"}).status_code == 422


def test_reps_change_nothing(rep, client_of, path):
    client = client_of(rep)
    for address in (path, "/settings/calendar/new/", "/settings/calendar/preview/"):
        assert client.post(address, data(name="x")).status_code == 403
    assert CalendarVersion.objects.count() == 1


def test_a_manager_gives_a_rep_hours_of_their_own_and_takes_them_back(sales_manager, rep, client_of):
    page = f"/settings/calendar/{Calendar.objects.get(is_default=True).pk}/"
    assert "Nobody. Promises are counted by the calendar" in text_of(client_of(rep).get(page))
    assert client_of(rep).post(f"{page}people/", {"user": rep.pk}).status_code == 403
    boss = client_of(sales_manager)
    refused = boss.post(f"{page}people/", {})
    assert (refused.status_code, OwnHours.objects.count()) == (422, 0)
    assert "Choose whose hours these are." in text_of(refused)
    assert boss.post(f"{page}people/", {"user": rep.pk}).status_code == 303
    assert OwnHours.objects.get().user == rep
    assert "Rita Rep" in text_of(client_of(rep).get(page))
    assert boss.post(f"{page}people/{rep.pk}/end/").status_code == 303
    assert not OwnHours.objects.exists()
    assert boss.post(f"{page}people/{rep.pk}/end/").status_code == 404
