"""Merges over the API."""

from __future__ import annotations

import pytest

from leads.models import Duplicate, Merge, MergedRow, Person, PersonEmail
from leads.services import companies, finder, people
from smarketing.core import clock
from smarketing.users.models import User
from tests.rest import assert_problem, client_for

pytestmark = pytest.mark.django_db
MERGES = "/api/v1/merges"


def person(email: str, **told: str) -> Person:
    told = {"first_name": "Ada", "last_name": "Lovelace", "city": "London", **told}
    return people.create(**told, emails=[email], actor=None, now=clock.now())  # type: ignore[arg-type]


@pytest.fixture
def two(db: None) -> tuple[Person, Person]:
    return person("ada@one.example"), person("ada@two.example", title="Countess")


def body(two: tuple[Person, Person], **more: object) -> dict[str, object]:
    return {"kind": "person", "survivor": two[0].pk, "merged": two[1].pk, **more}


def test_two_become_one_and_two_again(mara: User, two: tuple[Person, Person]) -> None:
    client = client_for(mara)
    made = client.post(MERGES, body(two, choices={"title": "merged"}), format="json")
    assert made.status_code == 201
    told = made.json()
    assert (told["survivor"], told["merged"], told["actor"]) == (two[0].pk, two[1].pk, mara.pk)
    survivor = client.get(f"/api/v1/people/{two[0].pk}").json()
    assert (survivor["title"], survivor["emails"]) == ("Countess", ["ada@one.example", "ada@two.example"])
    gone = client.get(f"/api/v1/people/{two[1].pk}")
    assert (gone.status_code, gone["Location"]) == (301, f"/api/v1/people/{two[0].pk}")
    assert gone.json() == {"merged_into": two[0].pk}
    undone = client.post(f"{MERGES}/{told['id']}/undo", {}, format="json").json()
    assert undone["merges"][0]["undone_by"] == mara.pk
    assert client.get(f"/api/v1/people/{two[1].pk}").json()["emails"] == ["ada@two.example"]
    assert_problem(client.post(f"{MERGES}/{told['id']}/undo", {}, format="json"), 409, "cant_unmerge")


def test_bad_input_points_at_its_member_and_changes_nothing(mara: User, two: tuple[Person, Person]) -> None:
    client = client_for(mara)
    cases: list[tuple[dict[str, object], int, list[str]]] = [
        ({**body(two), "merged": 999_999}, 422, ["/merged"]),
        ({**body(two), "merged": two[0].pk}, 409, []),
        (body(two, choices={"salary": "merged"}), 422, ["/choices/salary"]),
        (body(two, choices={"title": "both"}), 422, ["/choices/title"]),
        ({**body(two), "kind": "lead"}, 422, ["/kind"]),
        ({**body(two), "actor": 1}, 422, ["/actor"]),
    ]
    for given, status, pointers in cases:
        answer = client.post(MERGES, given, format="json")
        assert answer.status_code == status, given
        assert [e["pointer"] for e in answer.json()["errors"]] == pointers
    assert (Merge.objects.count(), MergedRow.objects.count()) == (0, 0)


def test_who_may_what(rita: User, olga: User, mara: User, two: tuple[Person, Person]) -> None:
    for user in (rita, olga):
        assert_problem(client_for(user).post(MERGES, body(two), format="json"), 403, "denied")
    made = client_for(mara).post(MERGES, body(two), format="json").json()
    assert client_for(olga).get(f"{MERGES}/{made['id']}").status_code == 200
    assert client_for(olga).get(f"{MERGES}/999999").status_code == 404
    assert_problem(client_for(rita).post(f"{MERGES}/{made['id']}/undo", {}, format="json"), 403, "denied")
    assert Merge.objects.standing().count() == 1


def test_certain_pairs_are_merged_at_once_each_with_its_outcome_and_its_undoing(mara: User) -> None:
    trio = [
        person(f"ada.lovelace@{host}.example", company=None)  # type: ignore[arg-type]
        for host in ("engine", "engines", "engins")
    ]
    person("grace@navy.example", first_name="Grace", last_name="Hopper")
    finder.find(now=clock.now())
    pairs = list(Duplicate.objects.order_by("pk").values_list("pk", "band"))
    assert {band for _pk, band in pairs} == {"certain"}
    client = client_for(mara)
    done = client.post(f"{MERGES}/bulk", {"duplicates": [pk for pk, _band in pairs]}, format="json").json()
    made = [each["merge"]["id"] for each in done["results"] if each["merge"]]
    assert len(made) == 2  # three records of one person are two merges
    assert [each["code"] for each in done["results"]].count("already_one") == len(pairs) - 2
    assert Person.objects.filter(merged_into=None).count() == 2
    assert set(PersonEmail.objects.values_list("person", flat=True)) >= {trio[0].pk}
    again = client.post(f"{MERGES}/bulk", {"duplicates": [pairs[0][0]]}, format="json").json()
    assert again["results"][0]["merge"]["id"] == made[0]
    for left, merge in ((3, made[1]), (4, made[0])):
        client.post(f"{MERGES}/{merge}/undo", {}, format="json")
        assert Person.objects.filter(merged_into=None).count() == left
    Duplicate.objects.update(band="probable", state="open")
    (refused,) = client.post(f"{MERGES}/bulk", {"duplicates": [pairs[0][0]]}, format="json").json()["results"]
    assert (refused["merge"], refused["code"]) == (None, "only_certain")
    assert Person.objects.filter(merged_into=None).count() == 4


def test_companies_too(mara: User) -> None:
    now = clock.now()
    one = companies.create(name="Acme", actor=None, now=now)
    other = companies.create(name="Acme Holding", domain="acme.example", actor=None, now=now)
    given = {"kind": "company", "survivor": one.pk, "merged": other.pk}
    client = client_for(mara)
    assert client.post(MERGES, given, format="json").status_code == 201
    assert client.get(f"/api/v1/companies/{one.pk}").json()["domain"] == "acme.example"
    assert client.get(f"/api/v1/companies/{other.pk}").status_code == 301
