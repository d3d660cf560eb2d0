"""Calendars in versions."""

from __future__ import annotations

import pytest

from sla.domain.calendars import WeeklyCalendar
from sla.models import Calendar, CalendarVersion
from sla.services import calendars
from tests.sla.conftest import MONDAY

pytestmark = pytest.mark.django_db
OFFICE = WeeklyCalendar.office("Europe/Berlin").to_json()


def test_a_new_installation_has_office_hours():
    calendar = Calendar.objects.get(is_default=True)
    (version,) = calendar.versions.all()
    assert version.body == WeeklyCalendar.office("UTC").to_json()


def test_a_change_is_a_new_version(sales_manager):
    calendar = calendars.create(name=" Berlin ", body=OFFICE, actor=sales_manager, now=MONDAY)
    body = OFFICE | {"holidays": [{"date": "2026-12-25", "name": "Christmas"}]}
    version = calendars.publish_version(calendar=calendar, body=body, actor=sales_manager, now=MONDAY)
    assert calendar.name == "Berlin"
    assert (version.number, version.body["holidays"]) == (2, body["holidays"])
    assert CalendarVersion.objects.get(calendar=calendar, number=1).body == OFFICE


def test_the_same_content_is_no_new_version(sales_manager):
    calendar = calendars.create(name="Berlin", body=OFFICE, actor=sales_manager, now=MONDAY)
    version = calendars.publish_version(calendar=calendar, body=OFFICE, actor=sales_manager, now=MONDAY)
    assert version.number == 1


def test_a_stale_edit_is_refused(sales_manager):
    calendar = calendars.create(name="Berlin", body=OFFICE, actor=sales_manager, now=MONDAY)
    with pytest.raises(calendars.CalendarChanged):
        calendars.publish_version(
            calendar=calendar, body=OFFICE, actor=sales_manager, now=MONDAY, expected_number=7
        )


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (OFFICE | {"zone": "Mars/Base"}, "zone"),
        (OFFICE | {"week": {}}, "week"),
        (OFFICE | {"week": {"mon": [["18:00", "10:00"]]}}, "week.mon.0"),
        (OFFICE | {"week": {"mon": [["10:00", "14:00"], ["13:00", "18:00"]]}}, "week.mon.1"),
        (OFFICE | {"holidays": [{"date": "tomorrow"}]}, "holidays.0.date"),
        (OFFICE | {"holidays": [{"date": "2026-01-01"}] * 1001}, "holidays"),
    ],
)
def test_a_bad_calendar_is_refused_with_its_place(sales_manager, body, field):
    with pytest.raises(calendars.CalendarInvalid) as refused:
        calendars.create(name="Bad", body=body, actor=sales_manager, now=MONDAY)
    assert refused.value.errors[0].field == field
    assert not Calendar.objects.filter(name="Bad").exists()


@pytest.mark.parametrize("name", ["", "  ", "Office hours"])
def test_a_calendar_needs_a_name_of_its_own(sales_manager, name):
    with pytest.raises(calendars.CalendarInvalid) as refused:
        calendars.create(name=name, body=OFFICE, actor=sales_manager, now=MONDAY)
    assert refused.value.errors[0].field == "name"
    assert Calendar.objects.count() == 1
