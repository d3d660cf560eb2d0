"""Where people work: from accounts, traits and addresses, over time, and never over a colleague's word."""

from __future__ import annotations

from datetime import timedelta

import pytest

from leads.domain.employers import work_domain
from leads.models import Company, Employment, Person
from leads.services import companies, people
from tests.leads.tracking.conftest import START

ADA = {"email": "ada@initech.example"}


def spans() -> list[tuple[str, float, float | None]]:
    """Name of each company with its period in minutes after nine."""
    return [
        (
            e.company.name if e.company else "",
            (e.began_at - START) / timedelta(minutes=1),
            (e.until - START) / timedelta(minutes=1) if e.until else None,
        )
        for e in Employment.objects.select_related("company").order_by("began_at")
    ]


def test_the_domain_of_a_work_address_names_the_company(say, told):
    told(say("identify", user="u", traits=ADA))
    company = Person.objects.get().company
    assert (company.name, company.domain) == ("initech.example", "initech.example")


@pytest.mark.parametrize("email", ["a@gmail.com", "a@mailinator.com", "a@x.mailinator.com", "a@web.de"])
def test_free_and_disposable_addresses_name_none(email, say, told):
    assert work_domain(email) == ""
    told(say("identify", user="u", traits={"email": email}))
    assert Company.objects.count() == 0


def test_what_somebody_says_outweighs_their_address(say, told):
    told(say("identify", user="u", traits={**ADA, "company": {"name": "Initech Inc.", "employee_count": 80}}))
    company = Person.objects.get().company
    assert (company.name, company.employees) == ("Initech Inc.", 80)


def test_a_person_works_at_one_company_after_the_other(say, told):
    told(
        say("group", minute=50, user="u", group_id="g2", traits={"name": "Initrode"}),
        say("identify", user="u", traits=ADA),
        say("group", minute=10, user="u", group_id="g1", traits={"name": "Initech"}),
        say("group", minute=20, user="u", group_id="g1", traits={"name": "Initech"}),
    )
    assert spans() == [("Initech", 10, 50), ("Initrode", 50, None)]
    assert Person.objects.get().company.name == "Initrode"


def test_an_account_known_by_its_id_alone_gets_its_name_later(say, told):
    told(say("group", minute=1, user="u", group_id="g1"))
    assert spans() == [("", 1, None)]
    told(say("group", minute=5, user="other", group_id="g1", traits={"name": "Initech"}))
    assert Person.objects.get(refs__external_id="u").company.name == "Initech"


def test_a_company_that_a_colleague_chose_stays(say, told, now):
    told(say("identify", user="u", traits=ADA))
    chosen = companies.create(name="Chosen", actor=None, now=now)
    people.update(person=Person.objects.get(), changes={"company": chosen}, actor=None, now=now)
    told(say("group", minute=9, user="u", group_id="g1", traits={"name": "Initech"}))
    assert Person.objects.get().company == chosen
