"""The finder over stored records: what it offers, what it remembers, and how good it is on real files."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from leads.models import Company, Duplicate, FinderState, IdentityConflict, Person, Source
from leads.selectors import duplicates as reads
from leads.services import companies, duplicates, finder, finder_evaluation, people
from smarketing.users.models import User
from tests.importing import real

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def person(now: datetime, **told: object) -> Person:
    return people.create(**told, actor=None, now=now)  # type: ignore[arg-type]


@pytest.fixture
def adas(now: datetime) -> tuple[Person, Person]:
    """Two records of one Ada."""
    one = person(
        now, first_name="Ada", last_name="Lovelace", emails=["ada.lovelace@engines.example"], city="London"
    )
    other = person(
        now, first_name="Ada", last_name="Lovelase", emails=["ada.lovelace@home.example"], city="London"
    )
    person(now, first_name="Charles", last_name="Babbage", emails=["cb@engines.example"], city="London")
    return one, other


def pairs() -> list[tuple[int | None, int | None, str, str]]:
    return list(Duplicate.objects.order_by("pk").values_list("left", "right", "band", "state"))


def test_the_finder_offers_a_pair_with_its_evidence(now: datetime, adas: tuple[Person, Person]) -> None:
    found = finder.find(now=now)
    one, other = adas
    assert (found.records, found.certain + found.probable) == (3, 1)
    pair = Duplicate.objects.get()
    assert (pair.left, pair.right, pair.state) == (one, other, "open")
    assert pair.score == sum(part["weight"] for part in pair.evidence)
    assert {p["field"]: p["level"] for p in pair.evidence} == {
        "first_name": "same",
        "last_name": "close",
        "email_tells_name": "near",
        "city": "same",
    }


def test_no_value_of_a_person_is_kept_in_the_evidence(now: datetime, adas: tuple[Person, Person]) -> None:
    finder.find(now=now)
    text = json.dumps(Duplicate.objects.get().evidence).lower()
    assert "lovelace" not in text
    assert "london" not in text


def test_not_the_same_is_remembered(now: datetime, adas: tuple[Person, Person], mara: User) -> None:
    finder.find(now=now)
    pair = Duplicate.objects.get()
    duplicates.dismiss(pair=pair, actor=mara, now=now)
    finder.find(now=now + DAY)
    assert [p[3] for p in pairs()] == ["dismissed"]
    with pytest.raises(duplicates.AlreadyDecided):
        duplicates.dismiss(pair=pair, actor=mara, now=now)
    duplicates.ask_again(pair=pair, actor=mara, now=now)
    assert [p[3] for p in pairs()] == ["open"]


def test_a_pair_that_reads_unlikely_now_is_forgotten(now: datetime, adas: tuple[Person, Person]) -> None:
    finder.find(now=now)
    people.update(person=adas[1], changes={"first_name": "Grace", "last_name": "Hopper"}, actor=None, now=now)
    finder.find(now=now)
    assert pairs() == []


def test_a_large_block_is_left_out_and_said_so(now: datetime) -> None:
    for number in range(finder.MOST_IN_A_BLOCK + 1):
        person(now, last_name="Smith", emails=[f"{number:03}@example.com"])
    found = finder.find(now=now)
    assert found.compared == 0
    assert found.blocks_left_out >= 1
    assert found.largest_block == finder.MOST_IN_A_BLOCK + 1


def test_custom_attributes_that_hold_a_birth_date_or_postcode_are_compared(now: datetime) -> None:
    for name in ("Eva Braun", "Eve Brown"):
        first, last = name.split()
        Person.objects.create(
            first_name=first, last_name=last, attributes={"dob": "1990-02-03", "zip": "10115"}
        )
    finder.find(now=now)
    fields = {p["field"] for p in Duplicate.objects.get().evidence}
    assert {"birth_date", "postcode"} <= fields


def test_persons_of_whom_tracking_said_that_they_are_one_are_offered(now: datetime) -> None:
    web = Source.objects.get(code="web")
    one = person(now, last_name="Lovelace", emails=["a@x.example"])
    other = person(now, last_name="Babbage", emails=["b@y.example"])
    IdentityConflict.objects.create(person=other, other=one, source=web, user_id="u7", at=now)
    finder.find(now=now)
    pair = Duplicate.objects.get()
    assert (pair.left, pair.right, pair.band, pair.evidence[0]["field"]) == (
        one, other, "probable", "identifiers",
    )  # fmt: skip
    finder.find(now=now + DAY)
    assert Duplicate.objects.count() == 1


def test_companies_are_found_by_name_and_domain(now: datetime) -> None:
    one = companies.create(name="Acme Rockets GmbH", domain="acme.example", actor=None, now=now)
    other = companies.create(name="ACME Rocket", domain="acme.example", actor=None, now=now)
    companies.create(name="Initech", domain="initech.example", actor=None, now=now)
    finder.find(kind="company", now=now)
    pair = Duplicate.objects.get()
    assert (pair.left_company, pair.right_company, pair.left, pair.right) == (one, other, None, None)
    assert Company.objects.count() == 3


def test_the_loop_compares_who_is_new_or_changed_and_rests(
    now: datetime, adas: tuple[Person, Person]
) -> None:
    assert duplicates.run_once(now=now, limit=500) >= 3
    assert len(pairs()) == 1
    assert duplicates.run_once(now=now + timedelta(minutes=1), limit=500) == 0
    third = person(
        now, first_name="Ada", last_name="Lovelace", emails=["lovelace@else.example"], city="London"
    )
    assert duplicates.run_once(now=now + timedelta(minutes=2), limit=500) == 1
    assert {(p[0], p[1]) for p in pairs()} >= {(adas[0].pk, third.pk)}
    people.update(person=third, changes={"first_name": "Bob", "last_name": "Ross"}, actor=None, now=now)
    duplicates.run_once(now=now + timedelta(minutes=3), limit=500)
    assert [(p[0], p[1]) for p in pairs()] == [(adas[0].pk, adas[1].pk)]
    assert FinderState.objects.get(kind="person").last_record == third.pk


def test_both_ways_of_finding_give_the_same_evidence(now: datetime, adas: tuple[Person, Person]) -> None:
    finder.find(now=now)
    by_blocks = list(Duplicate.objects.values_list("left", "right", "score", "evidence"))
    Duplicate.objects.all().delete()
    duplicates.compare_people(person_ids=[adas[1].pk], now=now)
    assert list(Duplicate.objects.values_list("left", "right", "score", "evidence")) == by_blocks


def test_who_is_typed_in_is_looked_up_before_saving(now: datetime, adas: tuple[Person, Person]) -> None:
    typed = reads.typed_in(first_name="Ada", last_name="Lovelce", emails=["ada.lovelace@new.example"])
    assert [m.person for m in reads.like(typed)] == list(adas)
    assert reads.like(reads.typed_in(first_name="Zoe", last_name="Nobody")) == []


def test_the_statements_of_a_run_do_not_grow_with_the_records(now: datetime) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as seen:
            finder.find(now=now)
        return len(seen)

    for number in range(3):
        person(now, first_name="Ada", last_name=f"Lovelace{number}", city="Hull")
    few = statements()
    for number in range(20):
        person(now, first_name="Ada", last_name=f"Lovelace{number}", city="Hull")
    assert statements() == few


@pytest.mark.parametrize(
    ("parts", "without"),
    [(("people_with_email", "fake_1000.csv"), "phone"), (("febrl", "dataset1.csv"), "soc_sec_id")],
)
def test_precision_and_recall_on_real_files(parts: tuple[str, str], without: str) -> None:
    told = finder_evaluation.evaluate(path=real(*parts))
    out = StringIO()
    call_command("duplicates", "find", evaluate=real(*parts), stdout=out)
    print(out.getvalue())  # noqa: T201 - the figures are the point
    assert without not in told.used
    assert told.precision >= 0.99
    assert told.resolvable_recall >= 0.9
    assert told.certain_right == told.certain
    assert Person.objects.count() == 0
