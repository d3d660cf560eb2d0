"""Writing persons: normal forms, identifiers, the search column, edits."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import transaction

from leads.models import (
    AttributeDefinition,
    Company,
    Lead,
    Person,
    PersonEmail,
    PersonHistory,  # type: ignore[attr-defined]  # made by the tracker
    PersonPhone,
    PersonRef,
    Source,
)
from leads.services import companies, identifiers, people, searching
from leads.services.companies import CompanyInput
from leads.services.fields import EditedMeanwhile
from smarketing.core.errors import Invalid
from smarketing.users.models import Organisation
from tests.leads.threads import at_once


def make(now: datetime, **values: object) -> Person:
    return people.create(actor=None, now=now, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        (" Ada@Example.COM ", "ada@example.com"),
        ("mailto:ada@example.com", "ada@example.com"),
        ("Ada.Lovelace+x@EXAMPLE.co.uk", "ada.lovelace+x@example.co.uk"),
        ("ada@BÜCHER.de", "ada@bücher.de"),
        ("ada@team.test", "ada@team.test"),
    ],
)
def test_an_address_has_one_normal_form(written: str, normal: str) -> None:
    assert identifiers.email_of(text=written) == normal


@pytest.mark.parametrize(
    "text", ["ada", "ada@", "@example.com", "a b@example.com", "ada@example", "ada@@x.com"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(identifiers.BadEmail):
        identifiers.email_of(text=text)


@pytest.mark.parametrize(
    ("written", "country", "e164", "is_mobile"),
    [
        ("(11) 98765-4321", "Brazil", "+5511987654321", True),
        ("020 7946 0958", "UK", "+442079460958", False),
        ("+44 20 7946 0958", "US", "+442079460958", False),
        ("030 901820", "de", "+4930901820", False),
        ("12", "DE", "", False),
        ("020 7946 0958", "Atlantis", "", False),
    ],
)
def test_a_phone_number_is_read_with_the_habits_of_its_country(
    written: str, country: str, e164: str, is_mobile: bool
) -> None:
    phone = identifiers.phone_of(text=written, country=country)
    assert (phone.written, phone.e164, phone.is_mobile) == (written, e164, is_mobile)


def test_text_without_a_digit_is_no_phone_number() -> None:
    with pytest.raises(identifiers.BadPhone):
        identifiers.phone_of(text="call me")


def test_a_number_without_country_is_at_home_where_we_are(web: Source, now: datetime) -> None:
    Organisation.objects.update(country="DE")
    make(now, first_name="Ada", phones=["030 901820"])
    assert PersonPhone.objects.get().e164 == "+4930901820"


def test_the_first_address_is_the_main_one_and_doubles_are_one(web: Source, now: datetime) -> None:
    person = make(now, emails=["b@example.com", "A@example.com", "B@example.com "])
    stored = {e.email: e.is_primary for e in PersonEmail.objects.filter(person=person)}
    assert stored == {"b@example.com": True, "a@example.com": False}


def test_nobody_is_made_of_nothing(web: Source, now: datetime) -> None:
    with pytest.raises(people.Unidentified):
        make(now, title="Countess")
    assert Person.objects.count() == 0


def test_an_address_of_somebody_else_is_refused_and_nothing_is_written(web: Source, now: datetime) -> None:
    make(now, emails=["ada@example.com"])
    with pytest.raises(people.IdentifierTaken):
        make(now, emails=["new@example.com", "ada@example.com"])
    assert Person.objects.count() == 1
    assert PersonEmail.objects.get().email == "ada@example.com"


def test_an_id_of_the_source_recognises_a_person_before_an_address_does(web: Source, now: datetime) -> None:
    one = make(now, first_name="One", refs=[(web, "7")])
    make(now, first_name="Two", emails=["two@example.com"])
    assert PersonRef.objects.get().person == one
    assert people.find(emails=["two@example.com"], refs=[(web, "7")]) == one


def test_a_shared_phone_recognises_nobody(web: Source, now: datetime) -> None:
    one = make(now, first_name="One", phones=["+44 20 7946 0958"])
    assert people.find(phones=["+442079460958"]) == one
    make(now, first_name="Two", phones=["+44 20 7946 0958"])
    assert people.find(phones=["+442079460958"]) is None


def test_a_phone_does_not_join_two_who_have_different_addresses(web: Source, now: datetime) -> None:
    make(now, emails=["one@example.com"], phones=["+44 20 7946 0958"])
    assert people.find(emails=["two@example.com"], phones=["+442079460958"]) is None


def test_the_search_column_follows_name_address_and_company(web: Source, now: datetime) -> None:
    company = companies.create(name="Engines", actor=None, now=now)
    person = make(now, first_name="Ada", last_name="LOVELACE", emails=["ada@x.example"], company=company)
    assert Person.objects.get().search_text == "ada lovelace ada@x.example engines"
    people.update(person=person, changes={"first_name": "Augusta"}, actor=None, now=now)
    companies.update(company=company, changes={"name": "Difference Engines"}, actor=None, now=now)
    people.update(person=person, changes={"emails": ["augusta@x.example"]}, actor=None, now=now)
    assert Person.objects.get().search_text == "augusta lovelace augusta@x.example difference engines"


def test_an_edit_raises_the_version_and_keeps_the_former_values(web: Source, now: datetime) -> None:
    person = make(now, first_name="Ada")
    later = now + timedelta(days=1)
    changed = people.update(
        person=person, changes={"title": "Countess"}, expected_version=1, actor=None, now=later
    )
    assert (changed.version, changed.updated_at) == (2, later)
    history = PersonHistory.objects.get()
    assert (history.title, history.updated_at) == ("", now)


def test_saving_what_is_there_already_changes_nothing(web: Source, now: datetime) -> None:
    person = make(now, first_name="Ada", emails=["ada@example.com"])
    same = {"first_name": "Ada", "emails": ["ADA@example.com"], "phones": []}
    assert people.update(person=person, changes=same, actor=None, now=now).version == 1
    assert PersonHistory.objects.count() == 0


def test_a_stale_edit_changes_nothing(web: Source, now: datetime) -> None:
    person = make(now, first_name="Ada")
    people.update(person=person, changes={"title": "One"}, expected_version=1, actor=None, now=now)
    with pytest.raises(EditedMeanwhile):
        people.update(person=person, changes={"title": "Two"}, expected_version=1, actor=None, now=now)
    assert Person.objects.get().title == "One"


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 9},
        {"merged_into": None},
        {"search_text": "x"},
        {"first_name": "x" * 121},
        {"first_name": "a\x00b"},
        {"title": 7},
        {"company": 7},
        {"attributes": {"unknown": 1}},
        {"attributes": ["x"]},
        {"emails": ["nonsense"]},
    ],
)
def test_bad_changes_are_refused_and_nothing_changes(
    web: Source, now: datetime, changes: dict[str, object]
) -> None:
    person = make(now, first_name="Ada", emails=["ada@example.com"])
    before = Person.objects.values().get()
    with pytest.raises(Invalid) as refused:
        people.update(person=person, changes=changes, actor=None, now=now)
    assert refused.value.errors
    assert Person.objects.values().get() == before
    assert PersonEmail.objects.get().email == "ada@example.com"


def test_the_open_lap_follows_to_a_new_company(web: Source, now: datetime) -> None:
    person = make(now, first_name="Ada")
    Lead.objects.create(person=person, source=web, captured_at=now)
    people.update(person=person, changes={"company": CompanyInput("Engines")}, actor=None, now=now)
    assert Lead.objects.get().company == Company.objects.get(name="Engines")


def test_attributes_are_merged_and_none_takes_one_away(web: Source, now: datetime) -> None:
    for key in ("seats", "trial"):
        AttributeDefinition.objects.create(subject="person", key=key, label=key, type="number")
    person = make(now, first_name="Ada", attributes={"seats": "40", "trial": 1})
    people.update(person=person, changes={"attributes": {"trial": None, "seats": 41}}, actor=None, now=now)
    assert Person.objects.get().attributes == {"seats": 41}


@pytest.mark.django_db(transaction=True)
def test_six_who_add_one_company_at_once_get_the_same(now: datetime) -> None:
    names = ("Acme Inc.", "ACME", "Acme, inc")
    found = at_once(6, lambda n: companies.find_or_create(name=names[n % 3], actor=None, now=now))
    assert {c.pk for c in found} == {Company.objects.get().pk}


@pytest.mark.django_db
def test_who_names_a_taken_address_leaves_nothing_and_the_caller_goes_on(now: datetime) -> None:
    first = make(now, last_name="Lovelace", emails=["ada@example.com"])
    with transaction.atomic():  # as an import or a batch, which catches the refusal inside its transaction
        with pytest.raises(people.IdentifierTaken):
            make(now, last_name="Byron", emails=["a.new@example.com", "ada@example.com"])
        assert [p.last_name for p in Person.objects.all()] == ["Lovelace"]
    assert list(PersonEmail.objects.values_list("email", "person")) == [("ada@example.com", first.pk)]
    assert make(now, last_name="Byron", emails=["a.new@example.com"]).search_text == ""
    assert PersonHistory.objects.count() == 0


@pytest.mark.django_db
def test_a_new_person_is_found_by_the_same_words_as_after_a_change(now: datetime) -> None:
    firm = Company.objects.create(name="Änderung & Co", name_key="x")
    person = make(
        now, first_name="Ada", last_name="LÖVE", emails=["z@example.com", "b@example.com", "a@example.com"],
        company=firm,
    )  # fmt: skip
    person.refresh_from_db()
    assert person.search_text == "ada löve z@example.com a@example.com b@example.com änderung & co"
    for one in (person, make(now, last_name="Nomail", company=firm), make(now, emails=["q@example.com"])):
        one.refresh_from_db()
        before = one.search_text
        searching.refresh(person_ids=[one.pk])
        one.refresh_from_db()
        assert one.search_text == before
