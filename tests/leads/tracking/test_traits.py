"""What identify calls say about persons: blanks are filled, the newest word counts, colleagues outrank it."""

from __future__ import annotations

from leads.domain.traits import read
from leads.models import Person, PersonPhone, PersonTrait
from leads.services import people

ADA = {"email": "ada@x.example"}


def test_traits_fill_what_is_blank_and_the_newest_word_counts(say, told):
    told(say("identify", minute=9, user="u", traits={**ADA, "name": "Ada Lovelace", "title": "Countess"}))
    told(say("identify", minute=1, user="u", traits={**ADA, "title": "Student"}))
    person = Person.objects.get()
    assert (person.first_name, person.last_name, person.title) == ("Ada", "Lovelace", "Countess")
    told(say("identify", minute=10, user="u", traits={**ADA, "title": "Analyst"}))
    person.refresh_from_db()
    assert person.title == "Analyst"
    assert PersonTrait.objects.get(name="title").value == "Analyst"


def test_what_a_colleague_has_written_stays(say, told, now):
    told(say("identify", user="u", traits={**ADA, "title": "Student"}))
    people.update(person=Person.objects.get(), changes={"title": "Professor"}, actor=None, now=now)
    told(say("identify", minute=5, user="u", traits={**ADA, "title": "Analyst"}))
    assert Person.objects.get().title == "Professor"


def test_every_phone_number_is_kept_and_nonsense_is_not(say, told):
    told(
        say("identify", user="u", traits={**ADA, "phone": "+49 30 901820"}),
        say("identify", minute=1, user="u", traits={**ADA, "phone": "+49 40 428280"}),
        say("identify", minute=2, user="u", traits={**ADA, "phone": "none"}),
    )
    assert set(PersonPhone.objects.values_list("e164", flat=True)) == {"+4930901820", "+4940428280"}


def test_traits_of_a_late_claim_go_with_their_user_id(say, told):
    told(say("identify", minute=9, user="a", traits={"email": "b@x.example", "title": "Of A"}))
    told(say("identify", minute=5, user="b", traits={"email": "b@x.example"}))
    told(say("identify", minute=1, user="a", traits={"email": "a@x.example"}))
    titles = {p.emails.get().email: p.title for p in Person.objects.all()}
    assert titles == {"a@x.example": "Of A", "b@x.example": ""}


def test_the_names_of_the_specification_are_understood():
    said = read(
        {
            "firstName": "Peter",
            "lastName": "Gibbons",
            "title": "VP of Derp",
            "phone": "410-555-9412",
            "address": {"city": "Dallas", "country": "USA"},
            "company": {"name": "Initech", "id": "123", "industry": "Technology", "employee_count": 500},
            "plan": "premium",
            "createdAt": None,
        }
    )
    assert said.columns == {
        "first_name": "Peter",
        "last_name": "Gibbons",
        "title": "VP of Derp",
        "city": "Dallas",
        "country": "USA",
    }
    assert said.phones == ("410-555-9412",)
    assert (said.employer.name, said.employer.key, said.employer.employees) == ("Initech", "123", 500)
    assert said.others["plan"] == "premium"
