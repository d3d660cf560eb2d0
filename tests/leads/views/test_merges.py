"""The page that puts two records side by side, and what old addresses do."""

from __future__ import annotations

from datetime import datetime

import pytest

from leads.models import Duplicate, Lead, Merge, Person
from leads.services import finder, people
from smarketing.users.models import User
from tests.leads.views.conftest import SignedIn

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "div#others"}


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
    refused = client.post("/duplicates/merge/", {"id": [str(pair.pk), "777"]}).content.decode()
    assert Merge.objects.count() == 0
    assert "Ada Lovelace, Ada Lovelase" in refused
    assert "Pair 777" in refused
    assert refused.count("Only pairs that wait and are certain") == 2
    Duplicate.objects.update(band="certain")
    for _click in range(2):
        told = client.post("/duplicates/merge/", {"id": [str(pair.pk)]}).content.decode()
        assert f"/merges/{Merge.objects.get().pk}/undo/" in told
        assert "1 pair merged" in told
    assert client.post("/duplicates/merge/").status_code == 303


@pytest.mark.parametrize("path", ["/duplicates/{pk}/", "/duplicates/merge/", "/merges/{pk}/undo/"])
def test_a_rep_may_not(signed_in: SignedIn, rita: User, pair: Duplicate, path: str) -> None:
    assert signed_in(rita).post(path.format(pk=pair.pk), {"survivor": pair.left_id}).status_code == 403
    assert Merge.objects.count() == 0


def test_any_two_are_found_compared_merged_and_taken_apart(
    signed_in: SignedIn, mara: User, ada: Lead, now: datetime
) -> None:
    other = people.create(
        first_name="Augusta", last_name="King", emails=["countess@home.example"], actor=None, now=now
    )
    client, home = signed_in(mara), f"/people/{ada.person_id}/"
    assert f"{home}merge/" in client.get(home).content.decode()
    assert "Nobody looks like this person" in client.get(f"{home}merge/").content.decode()
    fragment = client.get(f"{home}merge/", {"q": "countess@"}, headers=HTMX).content.decode()
    assert "<html" not in fragment
    assert f"{home}merge/{other.pk}/" in fragment
    page = client.get(f"{home}merge/{other.pk}/").content.decode()
    assert all(text in page for text in ("Lovelace", "King", "countess@home.example", "Unlikely"))
    refused = client.post(f"{home}merge/{other.pk}/", {"survivor": "9"})
    assert (refused.status_code, Merge.objects.count()) == (409, 0)
    given = {"survivor": str(other.pk), "field_first_name": "left", "field_last_name": "right"}
    done = client.post(f"{home}merge/{other.pk}/", given)
    assert (done.status_code, done["Location"]) == (303, f"/people/{other.pk}/")
    assert Person.objects.get(pk=other.pk).name == "Ada King"
    assert client.post(f"/merges/{Merge.objects.get().pk}/undo/").status_code == 303
    assert Person.objects.get(pk=other.pk).name == "Augusta King"


def test_a_pair_the_finder_has_is_decided_on_its_own_page_and_nobody_with_themselves(
    signed_in: SignedIn, mara: User, rita: User, pair: Duplicate
) -> None:
    client, address = signed_in(mara), f"/people/{pair.right_id}/merge/"
    assert client.get(f"{address}{pair.left_id}/")["Location"] == f"/duplicates/{pair.pk}/"
    assert client.get(f"{address}{pair.right_id}/").status_code in (409, 422)
    assert client.get(f"{address}99999999/").status_code == 404
    assert signed_in(rita).get(address).status_code == 403
    assert "merge/" not in signed_in(rita).get(f"/people/{pair.right_id}/").content.decode()
