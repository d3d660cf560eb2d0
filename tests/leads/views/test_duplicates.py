"""The list of duplicates and what forms and records say of them."""

from __future__ import annotations

from datetime import datetime

import pytest

from leads.models import Duplicate, Lead, Person
from leads.services import finder, people
from smarketing.users.models import User
from tests.leads.views.conftest import SignedIn

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
def pair(ada: Lead, now: datetime) -> Duplicate:
    """Ada, and a record that looks like hers."""
    people.update(person=ada.person, changes={"city": "London"}, actor=None, now=now)
    people.create(
        first_name="Ada",
        last_name="Lovelase",
        emails=["a.l@home.example"],
        city="London",
        actor=None,
        now=now,
    )
    finder.find(now=now)
    return Duplicate.objects.get()


def test_the_list_tells_the_evidence(signed_in: SignedIn, rita: User, pair: Duplicate) -> None:
    text = signed_in(rita).get("/duplicates/").content.decode()
    for shown in ("Ada Lovelace", "Ada Lovelase", "Last name nearly the same", "City the same"):
        assert shown in text
    assert "/dismiss/" not in text  # a rep decides nothing here


def test_a_marketer_says_not_the_same_and_takes_it_back(
    signed_in: SignedIn, mara: User, pair: Duplicate
) -> None:
    client = signed_in(mara)
    assert "/dismiss/" in client.get("/duplicates/").content.decode()
    assert client.post(f"/duplicates/{pair.pk}/dismiss/").status_code == 303
    assert "Ada Lovelase" not in client.get("/duplicates/").content.decode().replace("Remembered", "")
    assert "Ada Lovelase" in client.get("/duplicates/?state=dismissed").content.decode()
    client.post(f"/duplicates/{pair.pk}/again/")
    assert Duplicate.objects.get().state == "open"


def test_a_rep_may_not_decide_and_nothing_changes(signed_in: SignedIn, rita: User, pair: Duplicate) -> None:
    assert signed_in(rita).post(f"/duplicates/{pair.pk}/dismiss/").status_code == 403
    assert Duplicate.objects.get().state == "open"


def test_the_page_of_a_person_says_who_looks_like_them(
    signed_in: SignedIn, rita: User, ada: Lead, pair: Duplicate
) -> None:
    text = signed_in(rita).get(f"/people/{ada.person_id}/").content.decode()
    assert "Looks like …" in text
    assert "Ada Lovelase" in text


def test_the_form_of_a_new_lead_says_who_looks_like_the_one_typed_in(
    signed_in: SignedIn, rita: User, pair: Duplicate
) -> None:
    query = {"first_name": "Ada", "last_name": "Lovelace", "emails": "ada.l@new.example", "phones": ""}
    text = signed_in(rita).get("/leads/known/", query, headers=HTMX).content.decode()
    assert "Looks like somebody you know" not in text  # a name alone is shared by strangers
    query["emails"] = "ada@example.org"
    other = Person.objects.get(last_name="Lovelace")
    query["company"] = other.company.name if other.company else ""
    text = signed_in(rita).get("/leads/known/", query, headers=HTMX).content.decode()
    assert "Looks like somebody you know" in text
    assert f"/people/{other.pk}/" in text
