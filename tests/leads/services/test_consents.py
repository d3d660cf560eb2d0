"""The consent ledger: what counts is what was said last, and everything said stays."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError, transaction
from django.test import Client

from leads.models import (
    ConsentEntry,
    ConsentText,
    ContactChannel,
    Lead,
    Purpose,
    Source,
    SuppressedAddress,
)
from leads.selectors import consent_links, suppression, timeline
from leads.selectors import consents as reads
from leads.services import consents, leads
from leads.services.people import PersonInput
from smarketing.core.errors import Invalid
from smarketing.notifications.models import Outbox
from smarketing.users.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(web: Source, now: datetime) -> Lead:
    return leads.capture(
        source=web,
        person=PersonInput(
            first_name="Ada", last_name="Lovelace", emails=["ada@example.com"], phones=["+44 20 7946 0958"]
        ),
        captured_at=now,
        actor=None,
        now=now,
    ).lead


@pytest.fixture
def newsletter(db: None) -> Purpose:
    return Purpose.objects.get(code="newsletter")


def say(
    lead: Lead, purpose: Purpose | None, state: str, at: datetime, now: datetime, **more: object
) -> ConsentEntry:
    return consents.record(
        person=lead.person, purpose=purpose, state=state, source="test", occurred_at=at, now=now, **more
    )


def test_what_was_said_last_counts_whatever_arrived_last(
    ada: Lead, newsletter: Purpose, now: datetime
) -> None:
    say(ada, newsletter, "withdrawn", now - timedelta(hours=1), now)
    say(ada, newsletter, "granted", now - timedelta(days=3), now)  # told late
    assert reads.may_contact(ada.person, purpose="newsletter") == reads.Verdict(
        False, "They took their consent back."
    )
    say(ada, newsletter, "granted", now, now)
    assert reads.may_contact(ada.person, purpose="newsletter").allowed
    assert reads.contactable([ada.person_id], channel="email", purpose="newsletter") == {ada.person_id}
    assert ConsentEntry.objects.count() == 3


def test_who_was_never_asked_gets_no_newsletter_but_may_be_called(ada: Lead) -> None:
    assert reads.may_contact(ada.person, purpose="newsletter").reason == "They never gave their consent."
    assert reads.may_contact(ada.person, channel="phone").allowed
    assert reads.contactable([ada.person_id], channel="phone") == {ada.person_id}
    assert reads.contactable([ada.person_id], channel="email", purpose="newsletter") == set()


def test_do_not_contact_goes_before_consent(ada: Lead, newsletter: Purpose, now: datetime) -> None:
    say(ada, newsletter, "granted", now, now)
    consents.forbid(person=ada.person, channels=["email"], source="phone", occurred_at=now, now=now)
    assert reads.may_contact(ada.person, purpose="newsletter").reason == (
        "They asked not to be contacted this way."
    )
    assert reads.contactable([ada.person_id], channel="email", purpose="newsletter") == set()
    assert reads.may_contact(ada.person, channel=ContactChannel.PHONE).allowed
    say(ada, None, "granted", now, now, channel="email")
    assert reads.may_contact(ada.person, purpose="newsletter").allowed


def test_an_entry_about_an_address_counts_for_whoever_has_it(
    ada: Lead, newsletter: Purpose, now: datetime
) -> None:
    consents.record(
        address="ada@example.com",
        purpose=newsletter,
        state="granted",
        source="list",
        occurred_at=now,
        now=now,
    )
    assert reads.may_contact(ada.person, purpose="newsletter").allowed
    assert reads.contactable([ada.person_id], channel="email", purpose="newsletter") == {ada.person_id}


def test_each_wording_is_kept_once_as_a_version(ada: Lead, newsletter: Purpose, now: datetime) -> None:
    first = say(ada, newsletter, "granted", now, now, text="Yes,  send me\nthe news.")
    again = say(ada, newsletter, "granted", now, now, text="Yes, send me the news.")
    other = say(ada, newsletter, "granted", now, now, text="Yes, weekly.")
    assert first.text == again.text
    assert [t.number for t in ConsentText.objects.order_by("number")] == [1, 2]
    assert other.text is not None
    assert other.text.number == 2


def test_the_ip_address_is_kept_as_network_and_keyed_hash(
    ada: Lead, newsletter: Purpose, now: datetime
) -> None:
    entry = say(ada, newsletter, "granted", now, now, ip="203.0.113.77")
    assert entry.network == "203.0.113.0/24"
    assert entry.ip_hash == suppression.ip_hash("203.0.113.77")
    assert len(entry.ip_hash) == 64
    six = say(ada, newsletter, "granted", now, now, ip="2001:db8:1:2::3")
    assert six.network == "2001:db8:1::/48"


def test_the_ledger_refuses_to_be_rewritten(ada: Lead, newsletter: Purpose, now: datetime) -> None:
    entry = say(ada, newsletter, "granted", now, now)
    for change in (
        lambda: ConsentEntry.objects.filter(pk=entry.pk).update(state="withdrawn"),
        lambda: ConsentEntry.objects.filter(pk=entry.pk).delete(),
    ):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()
    entry.refresh_from_db()
    assert entry.state == "granted"


@pytest.mark.parametrize(
    "wrong",
    [
        {"state": "perhaps"},
        {"purpose": None},
        {"purpose": None, "channel": "pigeon"},
        {"purpose": None, "channel": "email", "state": "pending"},
        {"person": None},
        {"text": "x" * 4001},
    ],
)
def test_an_entry_that_says_nothing_is_refused(
    ada: Lead, newsletter: Purpose, now: datetime, wrong: dict
) -> None:
    values = {"person": ada.person, "purpose": newsletter, "state": "granted", **wrong}
    with pytest.raises(Invalid):
        consents.record(**values, source="test", occurred_at=now, now=now)
    assert not ConsentEntry.objects.exists()


def test_double_opt_in_waits_for_the_owner_of_the_address(
    ada: Lead, newsletter: Purpose, now: datetime
) -> None:
    entry = say(ada, newsletter, "pending", now, now, address="ada@example.com", text="Yes, send it.")
    consents.ask_confirmation(entry=entry, now=now)
    row = Outbox.objects.get(topic="consent.confirmation_asked")
    assert row.notice["emails"] == ["ada@example.com"]
    assert row.notice["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = row.notice["link"]
    assert reads.may_contact(ada.person, purpose="newsletter").reason == (
        "They have not confirmed their consent yet."
    )
    stranger = Client(enforce_csrf_checks=True)
    page = stranger.get(link)
    assert page.status_code == 200
    assert "Yes, send it." in page.content.decode()
    assert ConsentEntry.objects.count() == 1  # looking confirms nothing
    assert stranger.post(link).status_code == 200
    assert stranger.post(link).status_code == 200
    assert ConsentEntry.objects.count() == 2
    assert reads.may_contact(ada.person, purpose="newsletter").allowed
    assert not stranger.cookies


def test_one_click_ends_it_without_cookies_or_redirect(ada: Lead, newsletter: Purpose, now: datetime) -> None:
    say(ada, newsletter, "granted", now - timedelta(days=1), now)
    link = consent_links.unsubscribe_path(ada.person, newsletter)
    stranger = Client(enforce_csrf_checks=True)
    assert stranger.get(link).status_code == 200
    assert ConsentEntry.objects.count() == 1
    answer = stranger.post(link, {"List-Unsubscribe": "One-Click"})
    assert (answer.status_code, dict(answer.cookies)) == (200, {})
    assert reads.may_contact(ada.person, purpose="newsletter").reason == "They took their consent back."
    stranger.post(link, {"List-Unsubscribe": "One-Click"})
    assert ConsentEntry.objects.count() == 2


def test_a_token_opens_only_what_it_was_made_for(ada: Lead, newsletter: Purpose, now: datetime) -> None:
    token = consent_links.unsubscribe_path(ada.person, newsletter).split("/")[2]
    stranger = Client()
    for path in (f"/preferences/{token}/", f"/confirm/{token}/", "/u/nonsense/", f"/u/{token[:-1]}x/"):
        assert stranger.post(path).status_code == 404, path
    assert not ConsentEntry.objects.exists()


def test_the_preference_page_tells_purposes_and_nothing_about_the_person(
    ada: Lead, newsletter: Purpose, now: datetime
) -> None:
    say(ada, newsletter, "granted", now, now)
    link = consent_links.preferences_path(ada.person)
    stranger = Client(enforce_csrf_checks=True)
    text = stranger.get(link).content.decode()
    assert "Newsletter" in text
    assert not [secret for secret in ("Ada", "Lovelace", "ada@example.com", "7946") if secret in text]
    stranger.post(link, {"purpose": ["calls"]})
    said = {p.purpose.code: p.state for p in reads.state(ada.person).purposes}
    assert said == {"processing": "", "newsletter": "withdrawn", "offers": "", "calls": "granted"}
    stranger.post(link, {"purpose": ["calls"], "everything": "off"})
    assert not reads.may_contact(ada.person, channel="email").allowed
    assert reads.state(ada.person).purposes[3].state == "withdrawn"


def test_a_suppressed_address_is_not_contactable_until_its_owner_confirms(
    ada: Lead, newsletter: Purpose, now: datetime
) -> None:
    SuppressedAddress.objects.create(
        kind="email", hash=suppression.hash_of("email", "ada@example.com"), created_at=now
    )
    say(ada, newsletter, "granted", now, now)
    assert not reads.may_contact(ada.person, purpose="newsletter").allowed
    assert reads.contactable([ada.person_id], channel="email") == set()
    assert [c.channel for c in reads.state(ada.person).forbidden] == ["email"]
    entry = say(ada, newsletter, "pending", now, now, address="ada@example.com")
    consents.confirm(entry=entry, now=now)
    assert reads.may_contact(ada.person, purpose="newsletter").allowed


def test_consents_stand_on_the_timeline(ada: Lead, newsletter: Purpose, now: datetime) -> None:
    say(ada, newsletter, "granted", now, now, text="Yes, monthly.")
    found = timeline.of_person(ada.person, only=[timeline.Category.CONSENT]).entries
    assert [(e.title, e.detail) for e in found] == [("Consented: Newsletter", "test · Yes, monthly.")]


def test_a_rep_records_what_was_said_on_the_phone(ada: Lead, rita: User, olga: User, now: datetime) -> None:
    address = f"/people/{ada.person_id}/consent/"
    given = {"what": "forbid:phone", "source": "on the phone", "occurred_at": "2026-03-02T09:00", "text": ""}
    client = Client()
    client.force_login(olga)
    assert client.post(address, given).status_code == 403
    client.force_login(rita)
    assert "Do not contact" in client.get(address).content.decode()
    assert client.post(address, {**given, "what": "forbid:pigeon"}).status_code == 422
    assert not ConsentEntry.objects.exists()
    assert client.post(address, given).status_code == 303
    entry = ConsentEntry.objects.get()
    assert (entry.channel, entry.state, entry.source, entry.actor) == (
        "phone",
        "withdrawn",
        "on the phone",
        rita,
    )
    assert "Do not contact: Phone" in client.get(f"/people/{ada.person_id}/").content.decode()


def test_purposes_are_data(mara: User, rita: User) -> None:
    client = Client()
    client.force_login(rita)
    given = {
        "code": "events",
        "name": "Events",
        "description": "Invitations",
        "channel": "email",
        "is_active": "on",
    }
    assert client.post("/settings/purposes/new/", given).status_code == 403
    client.force_login(mara)
    assert client.post("/settings/purposes/new/", given).status_code == 303
    assert client.post("/settings/purposes/new/", given, headers={"HX-Request": "true"}).status_code == 422
    assert client.post("/settings/purposes/events/edit/", {**given, "name": "Fairs"}).status_code == 303
    purpose = Purpose.objects.get(code="events")
    assert (purpose.name, purpose.channel, purpose.is_active) == ("Fairs", "email", True)
    assert "Fairs" in client.get("/settings/purposes/").content.decode()
