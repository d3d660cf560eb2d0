"""I-28: of an erased person nothing is left but hashes, in any table and any file."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.cache import caches
from django.db import connection
from django.test import Client

from funnel.models import Handoff, LeadState
from funnel.services import delivery
from leads.models import (
    ConsentEntry,
    DeadLetter,
    Erasure,
    Event,
    FormSubmission,
    Lead,
    Person,
    Purpose,
    SuppressedAddress,
    Touchpoint,
    Visitor,
)
from leads.selectors import consents as allowed
from leads.selectors import person_export
from leads.services import (
    activities,
    consents,
    erasure,
    erasure_steps,
    erasure_sweep,
    leads,
    people,
    visitors,
)
from leads.services.events import EventInput, record
from leads.services.people import PersonInput
from reporting.models import Journey
from smarketing.audit.models import AuditEntry
from smarketing.core import clock
from smarketing.notifications.models import Notification
from smarketing.notifications.services import outbox
from smarketing.users.domain.roles import Role
from smarketing.users.models import User
from tests.leads.forms import BROWSER, published

pytestmark = pytest.mark.django_db
SECRETS = (
    "zelda@hyrule.example",
    "Zelda Fitzgerald",
    "+442079460958",
    "2079460958",
    "198.51.100.23",
    "anon-zelda",
)

HEADS = "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"


@pytest.fixture
def signed_in() -> Callable[[User], Client]:
    def make(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return make


@pytest.fixture
def admin(db: None) -> User:
    return User.objects.create(email="root@example.com", name="Alex Admin", role=Role.ADMIN)


@pytest.fixture
def zelda(db: None, admin: User) -> Person:
    """Somebody who left traces in every corner."""
    caches["counters"].clear()
    now = clock.now()
    form = published(
        now,
        notify=admin,
        layout={"consents": [{"purpose": "newsletter", "text": "Yes.", "double_opt_in": True}]},
    )
    Client(**BROWSER).post(
        f"/f/{form.key}/",
        {
            "first": "Zelda",
            "last": "Fitzgerald",
            "email": "Zelda@Hyrule.example",
            "phone": "+44 20 7946 0958",
            "firm": "Hyrule",
            "heard": "from zelda@hyrule.example's friend",
            "need": "Call Zelda Fitzgerald",
            "consent_newsletter": "yes",
            "_page": "https://www.example.com/demo?email=zelda@hyrule.example",
            "_aid": "anon-zelda",
        },
        REMOTE_ADDR="198.51.100.23",
    )
    person = Person.objects.get()
    lead = Lead.objects.get()
    web = Visitor.objects.create(
        source=lead.source, anonymous_id="anon-zelda", first_seen_at=now, last_seen_at=now
    ).source
    record(
        rows=[
            EventInput(
                web, f"m{n}", "page", now - timedelta(hours=n), person.pk, anonymous_id="anon-zelda",
                url="https://www.example.com/?e=zelda@hyrule.example", properties={"who": "Zelda Fitzgerald"},
            )
            for n in range(3)
        ],
        now=now,
    )  # fmt: skip
    visitors.join(source=web, anonymous_id="anon-zelda", person=person, at=now, now=now)
    people.update(person=person, changes={"title": "Queen of zelda@hyrule.example"}, actor=admin, now=now)
    activities.log(
        person=person, lead=lead, kind="note", subject="Zelda Fitzgerald", body="She likes golf", actor=admin,
        occurred_at=now, now=now,
    )  # fmt: skip
    delivery.deliver(lead=lead, actor=admin, now=now)
    outbox.fan_out(now=now, limit=100)
    consents.forbid(person=person, channels=["phone"], source="asked", occurred_at=now, now=now)
    DeadLetter.objects.create(
        origin="event", message_id="00000000-0000-7000-8000-000000000001", source_id=web.pk,
        body={"traits": {"email": "ZELDA@hyrule.example"}}, attempts=5, error="no zelda@hyrule.example",
        received_at=now, created_at=now,
    )  # fmt: skip
    return person


def everywhere() -> dict[str, str]:
    """Every text of every table, for looking."""
    found = {}
    with connection.cursor() as cursor:
        cursor.execute(HEADS)
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT coalesce(string_agg(t::text, chr(10)), '') FROM \"{table}\" t")  # noqa: S608
            found[table] = cursor.fetchone()[0]
    return found


def holding(texts: dict[str, str]) -> list[tuple[str, str]]:
    return [(table, s) for table, text in texts.items() for s in SECRETS if s.lower() in text.lower()]


def test_of_an_erased_person_nothing_is_left_but_hashes(zelda: Person, admin: User) -> None:
    before = {table for table, _secret in holding(everywhere())}
    assert {"leads_personemail", "leads_formsubmission", "leads_event", "leads_deadletter"} <= before
    folder = Path(settings.HOME) / "imports" / "files"
    folder.mkdir(parents=True, exist_ok=True)
    text, book = folder / "zelda.csv", folder / "zelda.xlsx"
    text.write_text("Name,Mail\nZelda Fitzgerald,zelda@hyrule.example\nAda,ada@example.com\n")
    with zipfile.ZipFile(book, "w") as archive:
        archive.writestr("xl/sharedStrings.xml", "<t>zelda@hyrule.example</t>")
    try:
        now = clock.now()
        erasure.erase(person=zelda, reason="asked", actor=admin, now=now)
        assert erasure.run_once(now=now, limit=5) == 1
        assert holding(everywhere()) == []
        assert text.read_text() == "Name,Mail\n[erased],[erased]\nAda,ada@example.com\n"
        assert not book.exists()
    finally:
        text.unlink(missing_ok=True)
        book.unlink(missing_ok=True)
    row = Erasure.objects.get()
    assert (row.needles, row.reason, row.actor) == ("", "asked", admin)
    assert row.swept_at is not None
    assert SuppressedAddress.objects.count() == 2
    assert erasure.run_once(now=now, limit=5) == 0


def test_statistics_stay(zelda: Person, admin: User) -> None:
    def counted() -> tuple[int, ...]:
        return tuple(
            m.objects.count()
            for m in (Lead, Event, Touchpoint, Journey, Handoff, FormSubmission, ConsentEntry)
        )

    before, channel = counted(), Lead.objects.get().channel
    erasure.erase(person=zelda, reason="asked", actor=admin, now=clock.now())
    assert counted() == before
    lead = Lead.objects.get()
    assert (lead.channel, lead.description, lead.attributes) == (channel, "", {})
    assert lead.closed_at is not None
    assert LeadState.objects.get().stage.code == "disqualified"
    assert not Event.objects.filter(person=zelda).exists()
    assert Person.objects.get().name == ""


def test_who_comes_in_again_is_not_contactable_until_they_confirm(
    zelda: Person, admin: User, rita: User, signed_in: Callable[[User], Client]
) -> None:
    now = clock.now()
    erasure.erase(person=zelda, reason="asked", actor=admin, now=now)
    erasure.run_once(now=now, limit=5)
    lead = leads.capture(
        source=None,
        person=PersonInput(first_name="Z", emails=["zelda@hyrule.example"], phones=["+44 20 7946 0958"]),
        captured_at=now,
        actor=rita,
        now=now,
    ).lead
    assert lead.person != zelda
    newsletter = Purpose.objects.get(code="newsletter")
    consents.record(
        person=lead.person, purpose=newsletter, state="granted", source="import", occurred_at=now, now=now
    )
    assert not allowed.may_contact(lead.person, channel="phone").allowed
    assert allowed.may_contact(lead.person, purpose="newsletter").reason == (
        "This address belongs to somebody who had their data erased."
    )
    page = signed_in(rita).get(f"/people/{lead.person_id}/").content.decode()
    assert "had their data erased" in page


def test_only_who_manages_privacy_may_and_only_with_the_name(
    zelda: Person, admin: User, rita: User, signed_in: Callable[[User], Client]
) -> None:
    address = f"/people/{zelda.pk}/erase/"
    assert signed_in(rita).get(address).status_code == 403
    assert signed_in(rita).post(address, {"typed": "Zelda Fitzgerald", "reason": "x"}).status_code == 403
    with pytest.raises(erasure.ErasureNotAllowed):
        erasure.erase(person=zelda, reason="x", actor=rita, now=clock.now())
    client = signed_in(admin)
    page = client.get(address).content.decode()
    assert "Person email" in page
    for typed in ("", "Zelda", "yes"):
        assert client.post(address, {"typed": typed, "reason": "asked"}).status_code == 422
    assert not Erasure.objects.exists()
    assert Person.objects.get(pk=zelda.pk).name == "Zelda Fitzgerald"
    assert client.post(address, {"typed": " zelda  fitzgerald", "reason": "asked"}).status_code == 303
    assert Erasure.objects.count() == 1
    with pytest.raises(erasure.AlreadyErased):
        erasure.erase(person=zelda, reason="again", actor=admin, now=clock.now())


def test_the_dry_run_counts_what_goes_and_touches_nothing(zelda: Person) -> None:
    before = everywhere()
    planned = {each.table: (each.rows, each.deletes) for each in erasure.plan(person=zelda)}
    assert planned["leads_personemail"] == (1, True)
    assert planned["leads_lead"] == (1, False)
    assert planned["leads_event"][0] >= 4
    assert everywhere() == before


def test_everything_known_is_handed_out_as_json(
    zelda: Person, rita: User, olga: User, signed_in: Callable[[User], Client]
) -> None:
    assert signed_in(olga).post(f"/people/{zelda.pk}/export/").status_code == 403
    answer = signed_in(rita).post(f"/people/{zelda.pk}/export/")
    assert answer["Content-Disposition"] == f'attachment; filename="person-{zelda.pk}.json"'
    told = json.loads(answer.content)
    assert told["person"]["first_name"] == "Zelda"
    records = told["records"]
    assert [row["email"] for row in records["leads.personemail"]] == ["zelda@hyrule.example"]
    for table in (
        "leads.event",
        "leads.activity",
        "leads.consententry",
        "leads.formsubmission",
        "funnel.handoff",
        "reporting.journey",
    ):
        assert records[table], table
    assert "ip_hash" not in answer.content.decode()
    entry = AuditEntry.objects.filter(action="person_exported").get()
    assert entry.actor == rita


def test_the_export_reaches_every_table_that_points_at_a_person(zelda: Person) -> None:
    reached = {model for model, _column, _ids in person_export._reachable(zelda)}
    pointing = {
        model
        for model in apps.get_models()
        if model._meta.app_label in ("leads", "funnel", "sla", "reporting")
        for field in model._meta.concrete_fields
        if field.is_relation and field.related_model in (Person, Lead, Handoff)
    }
    assert pointing - reached - {Person} == set()


# Tables that point at a person or lead and hold no words about them. One that is new gets a step or is named.
WORDLESS = {
    "funnel_assignment", "funnel_fitperiod", "funnel_interestperiod", "funnel_leadscore", "funnel_leadstate",
    "funnel_routingdecision", "funnel_tombstone", "funnel_tombstonehit", "leads_erasure",
    "reporting_journey", "sla_clock",
    "reporting_pagereader",  # reporting deletes its rows when an erasure begins
}  # fmt: skip


def test_the_erasure_knows_every_table_that_points_at_a_person() -> None:
    known = {step.table for step in erasure_steps.all_steps()} | WORDLESS
    pointing = {
        model._meta.db_table
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.is_relation and field.related_model in (Person, Lead, Visitor, Handoff)
    }
    assert pointing - known == set()


def test_a_name_that_others_bear_stays_theirs(zelda: Person, admin: User) -> None:
    now = clock.now()
    other = people.create(
        first_name="Zelda", last_name="Fitzgerald", emails=["other@example.com"], actor=admin, now=now
    )
    Notification.objects.create(user=admin, topic="x", text="Told Zelda Fitzgerald 50% off\\", created_at=now)
    erasure.erase(person=zelda, reason="asked", actor=admin, now=now)
    erasure.run_once(now=now, limit=5)
    other.refresh_from_db()
    assert other.name == "Zelda Fitzgerald"
    assert Notification.objects.filter(topic="x").get().text == "Told [erased] 50% off\\"


@pytest.mark.parametrize(
    "needle",
    [
        "a.b+c@x.example",
        "O'Brien Quote",
        'Say "Hi" Now',
        "back\\slash name",
        "100%_sure name",
        "(paren) [br] $1",
    ],
)
def test_a_needle_is_found_however_odd_it_is(needle: str, admin: User, now: datetime) -> None:
    note = Notification.objects.create(user=admin, topic="x", text=f"a {needle} b", created_at=now)
    AuditEntry.objects.create(
        at=now, action="x", object_type="t", object_id="1", after={"k": needle, needle: 1}
    )
    needles = erasure_sweep.Needles((), (needle,))
    erasure_sweep.tables(needles=needles)
    note.refresh_from_db()
    assert note.text == "a [erased] b"
    assert erasure_sweep.occurrences(needles=needles) == {}
