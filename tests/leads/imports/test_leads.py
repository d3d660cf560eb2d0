"""Leads of files: persons are recognised, laps follow each other, history keeps its dates."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from funnel.models import Assignment, LeadScore, LeadState, Stage, StageTransition
from funnel.services import stages
from leads.events import LeadsCaptured, LeadsChanged
from leads.models import (
    Campaign,
    Company,
    Lead,
    Person,
    PersonEmail,
    PersonPhone,
    PersonRef,
    Source,
    Touchpoint,
)
from leads.services import leads as capturing
from leads.services.people import PersonInput
from smarketing.core import events
from smarketing.users.models import User, UserRef
from tests.importing import NOW, counts, take
from tests.leads.imports.conftest import Written

pytestmark = pytest.mark.django_db


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def facts(monkeypatch: pytest.MonkeyPatch) -> list[events.Fact]:
    """What was published."""
    seen: list[events.Fact] = []
    publish = events.publish

    def remember(fact: events.Fact) -> None:
        seen.append(fact)
        publish(fact)

    monkeypatch.setattr(events, "publish", remember)
    return seen


def test_a_lead_is_stored_with_person_company_channel_and_date(written: Written) -> None:
    take(
        "leads",
        written(
            "id,first_name,last_name,email,phone,company,title,origin,created,landing_page\n"
            "1,Ada,Lovelace,Ada@Example.com,+49 30 901820,Acme GmbH,Countess,paid_search,"
            "2025-01-02 08:30,/demo\n"
        ),
    )
    lead = Lead.objects.get()
    assert (lead.source.code, lead.external_id, lead.lap, lead.closed_at) == ("crm", "1", 1, None)
    assert lead.captured_at == day("2025-01-02 08:30")
    assert lead.channel is not None
    assert (lead.origin, lead.channel.code, lead.landing_page) == ("paid_search", "paid_search", "/demo")
    person = lead.person
    assert (person.name, person.title) == ("Ada Lovelace", "Countess")
    assert PersonEmail.objects.get(person=person).email == "ada@example.com"
    assert PersonPhone.objects.get(person=person).e164 == "+4930901820"
    assert lead.company == person.company == Company.objects.get()
    assert (lead.company.name, lead.company.name_key) == ("Acme GmbH", "acme")
    for word in ("ada lovelace", "ada@example.com", "acme gmbh"):
        assert word in person.search_text
    touch = Touchpoint.objects.get()
    assert (touch.lead, touch.occurred_at, touch.channel.code) == (lead, lead.captured_at, "paid_search")


def test_every_lead_is_placed_with_stage_owner_and_score_in_one_fact(
    written: Written, facts: list[events.Fact]
) -> None:
    rita = User.objects.create(name="Rita Rep", role="rep")
    path = written(
        "id,email,lifecycle stage,owner,created\n"
        "1,a@example.com,Lead,,2025-01-01\n"
        "2,b@example.com,Marketing Qualified Lead,Rita Rep,2025-01-01\n"
        "3,c@example.com,Customer,rita rep,2025-01-01\n"
        "4,d@example.com,,,2025-01-01\n"
    )
    report = take("leads", path)
    assert counts(report) == (4, 0, 0, 0)
    captured = [fact for fact in facts if isinstance(fact, LeadsCaptured)]
    assert len(captured) == 1
    assert captured[0].is_import
    assert len(captured[0].lead_ids) == 4
    told = dict(LeadState.objects.values_list("lead__external_id", "stage__code"))
    assert told == {"1": "lead", "2": "mql", "3": "customer", "4": "lead"}
    owners = dict(LeadState.objects.values_list("lead__external_id", "owner"))
    assert owners == {"1": None, "2": rita.pk, "3": rita.pk, "4": None}
    assert Assignment.objects.count() == 2
    assert StageTransition.objects.filter(lead__external_id="1").count() == 1
    closed = Lead.objects.get(external_id="3")
    assert closed.closed_at == closed.captured_at == day("2025-01-01")
    assert LeadScore.objects.filter(lead__external_id="1").count() <= 1


def test_a_file_names_stages_as_the_organisation_does(written: Written) -> None:
    Stage.objects.filter(code="mql").update(name="Hot one")
    manager = User.objects.create(name="Sam Sales", role="sales_manager")
    own = stages.create(
        role="main",
        fields={"name": "Demo held", "owner_side": "sales"},
        after="mql",
        actor=manager,
        now=day("2025-01-01"),
    )
    path = written(
        "id,email,stage\n"
        "1,a@example.com,hot-ONE\n"
        "2,b@example.com,MQL\n"
        "3,c@example.com,demo held\n"
        "4,d@example.com,Somewhere else\n"
        "5,e@example.com,merged\n"
    )
    report = take("leads", path)
    assert counts(report) == (3, 0, 0, 2)
    told = dict(LeadState.objects.values_list("lead__external_id", "stage__code"))
    assert told == {"1": "mql", "2": "mql", "3": own.code}
    faults = [str(fault) for fault in report.errors]
    assert "“Somewhere else”, which is no stage here; there are Lead, Hot one, Demo held" in faults[0]
    assert not Person.objects.filter(emails__email="d@example.com").exists()


def test_rows_with_one_address_are_one_person_in_laps(written: Written) -> None:
    path = written(
        "id,email,title,created\n"
        "late,ann@example.com,Chief,2025-06-01\n"
        "early,Ann@Example.com,Clerk,2024-01-01\n"
        "mid,ann@example.com,,2025-01-01\n"
    )
    assert counts(take("leads", path)) == (3, 0, 0, 0)
    assert Person.objects.count() == 1
    laps = Lead.objects.order_by("lap").values_list("external_id", "lap", "captured_at", "closed_at")
    assert list(laps) == [
        ("early", 1, day("2024-01-01"), day("2025-01-01")),
        ("mid", 2, day("2025-01-01"), day("2025-06-01")),
        ("late", 3, day("2025-06-01"), None),
    ]
    assert counts(take("leads", path)) == (0, 0, 3, 0)


def test_an_older_record_comes_before_the_stored_laps(written: Written) -> None:
    take("leads", written("id,email,created\nb,ann@example.com,2025-01-01\nc,ann@example.com,2025-06-01\n"))
    take("leads", written("id,email,created\na,ann@example.com,2024-01-01\n"))
    laps = Lead.objects.order_by("lap").values_list("external_id", "lap", "closed_at")
    assert list(laps) == [("a", 1, day("2025-01-01")), ("b", 2, day("2025-06-01")), ("c", 3, None)]


def test_person_with_an_open_lead_from_elsewhere_gets_no_second_lead(
    written: Written,
) -> None:
    web = Source.objects.get(code="web")
    known = capturing.capture(
        source=web,
        person=PersonInput(first_name="Ann", emails=("ann@example.com",)),
        captured_at=day("2025-01-01"),
        actor=None,
        now=NOW,
    ).lead
    path = written(
        "id,email,first_name,last_name,origin,landing_page,created\n"
        "7,ann@example.com,Anna,Arber,Trade Show,/fair,2025-02-01\n"
    )
    assert counts(take("leads", path)) == (0, 1, 0, 0)
    lead = Lead.objects.get()
    assert (lead.pk, lead.source, lead.landing_page, lead.origin) == (known.pk, web, "/fair", "Trade Show")
    assert (lead.person.first_name, lead.person.last_name) == ("Ann", "Arber")
    touches = Touchpoint.objects.filter(source__code="crm")
    assert [(t.lead_id, t.occurred_at, t.external_id) for t in touches] == [
        (known.pk, day("2025-02-01"), "lead 7")
    ]
    assert counts(take("leads", path)) == (0, 0, 1, 0)


def test_rows_without_ids_are_known_by_address_and_date(written: Written) -> None:
    path = written(
        "email,first_name,created\n"
        "ann@example.com,Ann,2025-01-01\n"
        "ann@example.com,,2025-02-01\n"
        "ann@example.com,,2025-01-01\n"
        "bob@example.com,Bob,2025-01-01\n"
    )
    assert counts(take("leads", path)) == (2, 1, 1, 0)
    assert Lead.objects.count() == 2
    assert Touchpoint.objects.filter(person__first_name="Ann").count() == 2
    assert counts(take("leads", path)) == (0, 0, 4, 0)
    assert Touchpoint.objects.count() == 3


def test_key_email_goes_before_the_id(written: Written) -> None:
    take("leads", written("id,email,title\n1,ann@example.com,Clerk\n"))
    report = take("leads", written("id,email,title\n99,ann@example.com,Chief\n"), key="email")
    assert counts(report) == (0, 1, 0, 0)
    assert Lead.objects.count() == 1
    assert Person.objects.get().title == "Chief"


def test_a_changed_row_updates_person_and_lead_and_says_so(
    written: Written, facts: list[events.Fact]
) -> None:
    take(
        "leads",
        written("id,email,title,origin\n1,a@example.com,Clerk,email\n2,b@example.com,Boss,email\n"),
    )
    facts.clear()
    path = written("id,email,title,origin\n1,a@example.com,Chief,\n2,b@example.com,Boss,referral\n")
    later = NOW.replace(hour=12)
    assert counts(take("leads", path, now=later)) == (0, 2, 0, 0)
    ann, bob = Lead.objects.get(external_id="1"), Lead.objects.get(external_id="2")
    assert (ann.person.title, ann.origin, ann.person.version, ann.person.updated_at) == (
        "Chief",
        "email",
        2,
        later,
    )
    assert (bob.origin, bob.channel and bob.channel.code, bob.version) == ("referral", "referral", 2)
    changed = [fact for fact in facts if isinstance(fact, LeadsChanged)]
    assert [fact.lead_ids for fact in changed] == [tuple(sorted((ann.pk, bob.pk)))]
    assert not [fact for fact in facts if isinstance(fact, LeadsCaptured)]


def test_blank_cells_take_nothing_away(written: Written) -> None:
    take("leads", written("id,email,title,landing_page\n1,ann@example.com,Clerk,/x\n"))
    assert counts(take("leads", written("id,email,title,landing_page\n1,,,\n"))) == (0, 0, 1, 0)
    assert Person.objects.get().title == "Clerk"


def test_a_new_address_is_added_and_one_of_somebody_else_stays_there(written: Written) -> None:
    take("leads", written("id,email\n1,ann@example.com\n2,bob@example.com\n"))
    report = take("leads", written("id,email\n1,ann@work.example\n2,ann@example.com\n"))
    assert counts(report) == (0, 1, 1, 0)
    ann = Lead.objects.get(external_id="1").person
    assert list(ann.emails.order_by("pk").values_list("email", "is_primary")) == [
        ("ann@example.com", True),
        ("ann@work.example", False),
    ]
    assert any("another person's" in note for note in report.notes)


def test_a_phone_recognises_only_whom_it_belongs_to_alone(written: Written) -> None:
    take("leads", written("id,first_name,last_name,email,phone\n1,Ann,Arber,ann@example.com,+4930901820\n"))
    report = take(
        "leads",
        written(
            "id,first_name,last_name,phone,created\n"
            "2,Ann,Arber,030 901820,2025-01-01\n"
            "3,Bob,Brown,+49 30 901820,2025-01-01\n"
        ),
        mapping=("phone=phone",),
    )
    assert counts(report) == (2, 0, 0, 0)
    assert Lead.objects.get(external_id="3").person != Lead.objects.get(external_id="1").person


def test_country_of_the_row_reads_its_phone(written: Written) -> None:
    take(
        "people",
        written("id,phone,country\n1,030 901820,Germany\n2,(212) 555-0123,US\n3,ext. 5,\n"),
    )
    found = dict(PersonPhone.objects.values_list("person__refs__external_id", "e164"))
    assert found == {"1": "+4930901820", "2": "+12125550123", "3": ""}


def test_company_may_be_named_by_its_id_in_the_source(written: Written) -> None:
    take("companies", written("Id,Name\n001Ec00000GINb1IAH,Acme\n"))
    take("leads", written("Id,Email,Company\n1,ann@example.com,001Ec00000GINb1\n"))
    assert Lead.objects.get().company == Company.objects.get()
    report = take("leads", written("Id,Email,Company\n2,bob@example.com,001Ec00000FzlUdIAJ\n"))
    assert counts(report) == (1, 0, 0, 0)
    assert Lead.objects.get(external_id="2").company is None
    assert any("not known here" in note for note in report.notes)


def test_owner_is_found_by_id_address_and_name_and_unknown_ones_reject(written: Written) -> None:
    rita = User.objects.create(name="Rita Rep", role="rep", email="rita@example.com")
    UserRef.objects.create(user=rita, source="crm", external_id="005Ec000004oB8y")
    path = written(
        "id,email,owner\n"
        "1,a@example.com,005Ec000004oB8y\n"
        "2,b@example.com,RITA@example.com\n"
        "3,c@example.com,rita  rep\n"
        "4,d@example.com,Nobody Known\n"
    )
    UserRef.objects.update(external_id="005Ec000004oB8yIAE")
    report = take("leads", path)
    assert counts(report)[0] + counts(report)[3] == 4
    assert report.errors[-1]["column"] == "owner"
    assert LeadState.objects.get(lead__external_id="2").owner == rita
    assert LeadState.objects.get(lead__external_id="3").owner == rita
    made = take("leads", path, create_missing=True)
    assert made.rejected == 0
    assert User.objects.get(name="Nobody Known").role == "rep"


def test_ids_of_owners_from_a_system_whose_users_are_unknown_do_not_lose_the_row(written: Written) -> None:
    report = take("leads", written("Id,Email,OwnerId\n1,ann@example.com,005Ec000004oB8yIAE\n"))
    assert counts(report) == (1, 0, 0, 0)
    assert LeadState.objects.get().owner is None
    assert any("whose users are not known" in note for note in report.notes)


def test_unknown_campaign_rejects_the_row_or_is_made(written: Written) -> None:
    path = written("id,email,campaign\n1,ann@example.com,Spring Fair\n")
    assert counts(take("leads", path)) == (0, 0, 0, 1)
    assert counts(take("leads", path, create_missing=True)) == (1, 0, 0, 0)
    assert Lead.objects.get().campaign == Campaign.objects.get(name="Spring Fair")


def test_blank_and_unknown_origins_stay_apart(written: Written) -> None:
    take("leads", written("id,origin\n1,\n2,unknown\n3,Facebook\n"))
    found = dict(Lead.objects.values_list("external_id", "channel__code"))
    assert found == {"1": None, "2": "unknown", "3": "organic_social"}
    assert dict(Lead.objects.values_list("external_id", "origin")) == {
        "1": "",
        "2": "unknown",
        "3": "Facebook",
    }


def test_who_is_known_by_nothing_else_is_known_by_the_id(written: Written) -> None:
    take("leads", written("mql_id,first_contact_date\nabc,2018-02-01\n"))
    assert PersonRef.objects.get().external_id == "abc"
    assert Lead.objects.get().person == Person.objects.get()


def test_one_id_of_one_source_is_one_person_unless_names_differ(
    written: Written,
) -> None:
    take("people", written("id,first_name,last_name\n1,Ann,Arber\n2,Bob,Brown\n"))
    take("leads", written("id,first_name,last_name\n1,Ann,Arber\n2,Zoe,Zahn\n"))
    assert Lead.objects.get(external_id="1").person.refs.count() == 1
    assert Lead.objects.get(external_id="2").person.name == "Zoe Zahn"
    assert Person.objects.count() == 3


def test_converted_leads_of_salesforce_are_opportunities(written: Written) -> None:
    take(
        "leads",
        written(
            "Id,Email,Status,IsConverted,ConvertedDate,CreatedDate\n"
            "1,a@example.com,Qualified,true,2025-03-01,2025-01-01\n"
            "2,b@example.com,Unqualified,false,,2025-01-01\n"
        ),
    )
    told = dict(LeadState.objects.values_list("lead__external_id", "stage__code"))
    assert told == {"1": "opportunity", "2": "disqualified"}
    assert Lead.objects.get(external_id="2").closed_at == day("2025-01-01")
