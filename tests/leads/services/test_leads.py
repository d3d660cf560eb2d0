"""Capturing leads, and the laps of a person."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from leads.events import LeadsCaptured, LeadsChanged
from leads.models import Lead, Person, PersonEmail, Source, Touchpoint
from leads.services import leads, people
from leads.services.companies import CompanyInput
from leads.services.fields import EditedMeanwhile, InTheFuture
from leads.services.people import PersonInput
from smarketing.core import events
from smarketing.core.errors import Invalid
from tests.leads.threads import at_once

ADA = PersonInput(first_name="Ada", last_name="Lovelace", emails=("Ada@Example.com",))


@pytest.fixture
def facts(monkeypatch: pytest.MonkeyPatch) -> list[events.Fact]:
    """Facts in the order in which they were published; nobody downstream acts on them."""
    heard: list[events.Fact] = []
    monkeypatch.setattr(events, "publish", heard.append)
    return heard


def capture(source: Source, now: datetime, **given: Any) -> leads.Captured:
    values: dict[str, Any] = {"person": ADA, "captured_at": now, "actor": None, "now": now, **given}
    return leads.capture(source=source, **values)


def test_a_capture_makes_the_person_the_first_lap_and_a_touchpoint(
    web: Source, now: datetime, facts: list[events.Fact]
) -> None:
    captured = capture(web, now, origin="form", landing_page="https://example.com/demo")

    assert captured.created
    assert (captured.lead.lap, captured.lead.captured_at, captured.lead.origin) == (1, now, "form")
    assert captured.lead.person.emails.get().email == "ada@example.com"
    assert captured.lead.person.search_text == ""  # written set-based, not on the instance
    assert Person.objects.get().search_text == "ada lovelace ada@example.com"
    touch = Touchpoint.objects.get()
    assert (touch.lead, touch.channel.code, touch.occurred_at) == (captured.lead, "unknown", now)
    assert [f for f in facts if isinstance(f, LeadsCaptured)] == [
        LeadsCaptured((captured.lead.pk,), (), (), None, False, now)
    ]


def test_a_person_with_an_open_lap_gets_no_second_one_but_their_blanks_filled(
    web: Source, now: datetime, facts: list[events.Fact]
) -> None:
    first = capture(web, now, origin="form").lead
    later = now + timedelta(hours=1)

    again = capture(
        web,
        later,
        person=PersonInput(first_name="Augusta", title="Countess", emails=("ADA@example.com",)),
        origin="webinar",
        description="Please call",
    )

    assert (again.lead.pk, again.created) == (first.pk, False)
    lead = Lead.objects.get()
    assert (lead.origin, lead.description, lead.captured_at) == ("form", "Please call", now)
    assert (lead.person.first_name, lead.person.title) == ("Ada", "Countess")
    assert list(Touchpoint.objects.order_by("pk").values_list("title", flat=True)) == ["form", "webinar"]
    assert len([f for f in facts if isinstance(f, LeadsCaptured)]) == 1
    assert LeadsChanged((first.pk,), None, later) in facts


def test_a_person_who_comes_back_after_the_end_is_a_new_lap(
    web: Source, now: datetime, facts: list[events.Fact]
) -> None:
    first = capture(web, now).lead
    leads.close(lead=first, at=now + timedelta(days=1), now=now + timedelta(days=1))

    back = capture(web, now + timedelta(days=9))

    assert (back.created, back.lead.lap, back.lead.person_id) == (True, 2, first.person_id)
    assert list(Lead.objects.open()) == [back.lead]


def test_the_same_external_id_again_changes_nothing(
    web: Source, now: datetime, facts: list[events.Fact]
) -> None:
    first = capture(web, now, external_id="7").lead
    before = (Lead.objects.values().get(), Touchpoint.objects.count(), len(facts))

    again = capture(web, now + timedelta(days=1), external_id="7", description="other")

    assert (again.lead, again.created) == (first, False)
    assert (Lead.objects.values().get(), Touchpoint.objects.count(), len(facts)) == before


def test_a_second_form_sent_twice_is_one_touchpoint(
    web: Source, now: datetime, facts: list[events.Fact]
) -> None:
    capture(web, now, external_id="7")
    for _ in range(2):
        capture(web, now + timedelta(hours=1), external_id="8")
    assert Touchpoint.objects.count() == 2
    assert Lead.objects.count() == 1


def test_a_capture_ahead_of_time_is_refused_and_writes_nothing(web: Source, now: datetime) -> None:
    with pytest.raises(InTheFuture) as refused:
        capture(web, now, captured_at=now + timedelta(days=1))
    assert refused.value.errors[0].field == "captured_at"
    assert Person.objects.count() == 0


def test_a_clock_that_runs_two_minutes_ahead_means_now(
    web: Source, now: datetime, facts: list[events.Fact]
) -> None:
    assert capture(web, now, captured_at=now + timedelta(minutes=2)).lead.captured_at == now


def test_bad_input_after_the_person_was_made_leaves_no_person_behind(web: Source, now: datetime) -> None:
    with pytest.raises(Invalid):
        capture(web, now, attributes={"nobody_defined": 1})
    assert (Person.objects.count(), Lead.objects.count()) == (0, 0)


def test_the_company_is_found_or_made_by_name(web: Source, now: datetime, facts: list[events.Fact]) -> None:
    one = capture(web, now, company=CompanyInput("Analytical Engines Ltd.")).lead
    two = capture(
        web,
        now,
        person=PersonInput(emails=("charles@example.com",)),
        company=CompanyInput("analytical engines limited"),
    ).lead
    assert one.company_id == two.company_id
    assert two.person.company_id == one.company_id
    assert Person.objects.get(pk=two.person_id).search_text == "charles@example.com analytical engines ltd."


def test_an_end_before_the_capture_is_refused(web: Source, now: datetime, facts: list[events.Fact]) -> None:
    lead = capture(web, now).lead
    with pytest.raises(leads.EndsBeforeCapture):
        leads.close(lead=lead, at=now - timedelta(seconds=1), now=now)
    assert Lead.objects.get().closed_at is None


def test_a_lap_is_reopened_unless_the_person_has_come_back(
    web: Source, now: datetime, facts: list[events.Fact]
) -> None:
    first = capture(web, now).lead
    leads.close(lead=first, at=now, now=now)
    assert leads.reopen(lead=first, now=now).closed_at is None
    leads.close(lead=first, at=now, now=now)
    capture(web, now + timedelta(days=1))

    with pytest.raises(leads.LaterLap):
        leads.reopen(lead=first, now=now)
    assert Lead.objects.get(lap=1).closed_at == now


def test_a_stale_edit_is_refused_and_changes_nothing(
    web: Source, now: datetime, facts: list[events.Fact]
) -> None:
    lead = capture(web, now).lead
    leads.update(
        lead=lead, changes={"description": "first"}, expected_version=lead.version, actor=None, now=now
    )
    with pytest.raises(EditedMeanwhile):
        leads.update(
            lead=lead, changes={"description": "second"}, expected_version=lead.version, actor=None, now=now
        )
    assert Lead.objects.get().description == "first"


def test_columns_that_are_not_for_editing_are_refused(
    web: Source, now: datetime, facts: list[events.Fact]
) -> None:
    lead = capture(web, now).lead
    for column in ("captured_at", "closed_at", "person", "lap", "version", "id", "external_id"):
        with pytest.raises(Invalid):
            leads.update(lead=lead, changes={column: 1}, actor=None, now=now)
    assert Lead.objects.get().version == lead.version


@pytest.mark.django_db(transaction=True)
def test_eight_captures_of_one_address_at_once_make_one_person_and_one_lead(now: datetime) -> None:
    source = Source.objects.get(code="web")

    results = at_once(8, lambda number: capture(source, now, external_id=str(number)))

    assert [r for r in results if isinstance(r, Exception)] == []
    assert (Person.objects.count(), PersonEmail.objects.count(), Lead.objects.count()) == (1, 1, 1)
    assert sum(r.created for r in results) == 1
    assert Touchpoint.objects.count() == 8


@pytest.mark.django_db(transaction=True)
def test_captures_with_two_addresses_in_either_order_never_block_each_other(now: datetime) -> None:
    source = Source.objects.get(code="web")
    orders = (("a@example.com", "b@example.com"), ("b@example.com", "a@example.com"))

    results = at_once(6, lambda n: capture(source, now, person=PersonInput(emails=orders[n % 2])))

    assert [r for r in results if isinstance(r, Exception)] == []
    assert (Person.objects.count(), Lead.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_two_who_edit_the_same_version_at_once_are_told_apart(now: datetime) -> None:
    source = Source.objects.get(code="web")
    person = capture(source, now).lead.person

    results = at_once(
        4,
        lambda n: people.update(
            person=person, changes={"title": f"T{n}"}, expected_version=1, actor=None, now=now
        ),
    )

    assert sum(isinstance(r, EditedMeanwhile) for r in results) == 3
    assert Person.objects.get().version == 2
