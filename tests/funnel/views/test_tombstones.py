"""Pages of tombstones: what they say, who may write and lift, and that a refusal changes nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from funnel.models import Tombstone, TombstoneHit
from funnel.services import tombstones
from tests.funnel.conftest import NOW, capture_lead

pytestmark = pytest.mark.django_db
GIVEN = {"scope": "person", "reason": "asked", "reopen": "never", "note": "Wrote us a letter"}


@pytest.fixture
def refused(lead, mara):
    return tombstones.add(scope="person", person=lead.person, reason="asked", actor=mara, now=NOW)


def test_the_list_says_who_why_and_how_often_they_were_kept_out(signed_in, rita, lead, refused):
    tombstones.stopped(lead_ids=[lead.pk], now=NOW)
    text = signed_in(rita).get("/tombstones/").content.decode()
    assert lead.person.name in text
    assert "Asked to be left alone" in text
    assert "1 leads were kept from being delivered again (1 times)." in text


@pytest.mark.parametrize("page", ["person", "lead"])
def test_the_pages_of_the_refused_say_so_in_plain_words(signed_in, rita, lead, refused, page):
    path = f"/people/{lead.person_id}/" if page == "person" else f"/leads/{lead.pk}/"
    text = " ".join(signed_in(rita).get(path).content.decode().split())
    assert "Never delivered again:</b> Asked to be left alone" in text
    assert "for ever" in text


def test_the_page_of_a_refused_company_says_so(signed_in, rita, mara, lead):
    tombstones.add(scope="company", company=lead.company, reason="competitor", actor=mara, now=NOW)
    text = signed_in(rita).get(f"/companies/{lead.company_id}/").content.decode()
    assert "everybody of this company" in text


def test_somebody_is_refused_by_hand_from_their_page(signed_in, rita, lead):
    url = f"/tombstones/new/?person={lead.person_id}"
    assert "Never deliver" in signed_in(rita).get(url).content.decode()
    answer = signed_in(rita).post(url, {**GIVEN, "expires_on": "2100-01-01"})
    assert answer.status_code == 303
    made = Tombstone.objects.get()
    assert (made.author, made.note, made.label) == (rita, "Wrote us a letter", lead.person.name)
    assert made.expires_at is not None
    assert made.expires_at.year in (2099, 2100, 2101)


def test_what_refuses_nobody_comes_back_with_the_reason(signed_in, rita):
    answer = signed_in(rita).post("/tombstones/new/", GIVEN)
    assert answer.status_code == 422
    assert "Name whom it refuses" in answer.content.decode()
    assert Tombstone.objects.count() == 0


def test_a_manager_lifts_with_a_reason_and_a_rep_may_not(signed_in, rita, sam, refused):
    url = f"/tombstones/{refused.pk}/lift/"
    assert signed_in(rita).post(url, {"reason": "please"}).status_code == 403
    assert signed_in(sam).post(url, {"reason": ""}).status_code == 422
    assert Tombstone.objects.get().lifted_at is None
    assert signed_in(sam).post(url, {"reason": "They called us."}).status_code == 303
    assert Tombstone.objects.get().lift_reason == "They called us."
    assert "They called us." in signed_in(rita).get(f"/tombstones/{refused.pk}/").content.decode()


def test_the_page_of_one_shows_what_it_met(signed_in, rita, lead, refused):
    tombstones.stopped(lead_ids=[lead.pk], now=NOW)
    text = signed_in(rita).get(f"/tombstones/{refused.pk}/").content.decode()
    assert f"/leads/{lead.pk}/" in text
    assert "Not delivered" in text
    assert signed_in(rita).get("/tombstones/999999/").status_code == 404


@pytest.mark.parametrize(("query", "shown"), [("", True), ("scope=company", False), ("blocked=true", False)])
def test_the_list_is_narrowed_and_searched_by_address(signed_in, rita, lead, refused, query, shown):
    email = lead.person.emails.get().email
    text = signed_in(rita).get(f"/tombstones/?q={email}&{query}").content.decode()
    assert (lead.person.name in text) is shown


def test_supply_tells_how_many_were_kept_out_in_the_period(signed_in, mara, lead, refused):
    other = capture_lead(lead.source)
    TombstoneHit.objects.create(
        tombstone=refused, lead=other, inlet="gate", outcome="blocked", at=NOW - timedelta(days=9999)
    )
    text = " ".join(signed_in(mara).get("/supply/").content.decode().split())
    assert "Blocked redeliveries: 0 leads" in text
