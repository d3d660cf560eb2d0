"""The page that puts two records side by side, and what old addresses do."""

from __future__ import annotations

from datetime import datetime

import pytest

from leads.models import Duplicate, Lead, Merge, Person
from leads.services import finder, people
from smarketing.users.models import User
from tests.leads.views.conftest import SignedIn


@pytest.fixture
def pair(ada: Lead, now: datetime) -> Duplicate:
    """Ada, and a record that looks like hers."""
    people.update(person=ada.person, changes={"city": "London", "title": "CEO"}, actor=None, now=now)
    people.create(
        first_name="Ada",
        last_name="Lovelase",
        title="Countess",
        emails=["a.l@home.example"],
        city="London",
        actor=None,
        now=now,
    )
    finder.find(now=now)
    return Duplicate.objects.get()


def test_both_stand_side_by_side_with_a_proposal(signed_in: SignedIn, mara: User, pair: Duplicate) -> None:
    text = signed_in(mara).get(f"/duplicates/{pair.pk}/").content.decode()
    for shown in ("Lovelace", "Lovelase", "CEO", "Countess", "Last name", "+3.5"):
        assert shown in text
    assert f'name="survivor" value="{pair.left_id}" checked' in text


def test_a_merge_by_the_page_takes_the_chosen_values_and_offers_an_undo(
    signed_in: SignedIn, mara: User, pair: Duplicate
) -> None:
    client = signed_in(mara)
    given = {"survivor": str(pair.left_id), "field_title": "right", "field_last_name": "left", "next": "1"}
    answer = client.post(f"/duplicates/{pair.pk}/", given)
    assert answer.status_code == 303
    survivor = Person.objects.get(pk=pair.left_id)
    assert (survivor.title, survivor.last_name) == ("Countess", "Lovelace")
    merge = Merge.objects.get()
    assert f"/merges/{merge.pk}/undo/" in client.get("/duplicates/").content.decode()
    old = client.get(f"/people/{pair.right_id}/")
    assert (old.status_code, old["Location"]) == (301, f"/people/{pair.left_id}/")
    page = client.get(f"/people/{pair.left_id}/").content.decode()
    assert "Merged into this record" in page
    assert "Take apart" in page
    assert client.post(f"/merges/{merge.pk}/undo/").status_code == 303
    assert Person.objects.get(pk=pair.left_id).title == "CEO"
    assert client.get(f"/people/{pair.right_id}/").status_code == 200


def test_without_a_survivor_nothing_is_merged(signed_in: SignedIn, mara: User, pair: Duplicate) -> None:
    answer = signed_in(mara).post(f"/duplicates/{pair.pk}/", {"survivor": "7777777"})
    assert answer.status_code == 409
    assert "Choose one of the two." in answer.content.decode()
    assert Merge.objects.count() == 0


def test_only_certain_pairs_are_merged_in_bulk(signed_in: SignedIn, mara: User, pair: Duplicate) -> None:
    Duplicate.objects.update(band="probable")
    client = signed_in(mara)
    client.post("/duplicates/merge/", {"id": [str(pair.pk)]})
    assert Merge.objects.count() == 0
    assert "Only pairs that wait and are certain" in client.get("/duplicates/").content.decode()
    Duplicate.objects.update(band="certain")
    client.post("/duplicates/merge/", {"id": [str(pair.pk)]})
    assert Merge.objects.count() == 1


@pytest.mark.parametrize("path", ["/duplicates/{pk}/", "/duplicates/merge/", "/merges/{pk}/undo/"])
def test_a_rep_may_not(signed_in: SignedIn, rita: User, pair: Duplicate, path: str) -> None:
    assert signed_in(rita).post(path.format(pk=pair.pk), {"survivor": pair.left_id}).status_code == 403
    assert Merge.objects.count() == 0
