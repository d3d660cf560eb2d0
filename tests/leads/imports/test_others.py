"""Companies, people, users, touchpoints and activities of files."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from leads.models import Activity, Campaign, Company, CompanyRef, Lead, Person, PersonRef, Touchpoint
from smarketing.users.models import Membership, Team, User, UserRef
from tests.importing import NOW, counts, take
from tests.leads.imports.conftest import Written

pytestmark = pytest.mark.django_db


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_companies_are_known_by_id_then_by_name(written: Written) -> None:
    path = written(
        "Id,Name,Website,Industry,NumberOfEmployees,AnnualRevenue,ParentId\n"
        '1,Acme Inc.,https://www.acme.example/x,Tools,"1,200",1500000,2\n'
        "2,Acme Holding,,Finance,10,,\n"
        "3,Acme GmbH,,,,,\n"
    )
    assert counts(take("companies", path)) == (3, 0, 0, 0)
    acme = CompanyRef.objects.get(external_id="1").company
    assert (acme.domain, acme.employees, str(acme.annual_revenue)) == ("acme.example", 1200, "1500000.00")
    assert acme.parent == CompanyRef.objects.get(external_id="2").company
    assert counts(take("companies", path)) == (0, 0, 3, 0)
    other = written("account,sector\nACME HOLDING,Banking\nNew One,Paper\nnew one,Paper\n")
    assert counts(take("companies", other, source="erp")) == (1, 2, 0, 0) or counts(
        take("companies", other, source="erp")
    ) == (0, 0, 3, 0)
    assert Company.objects.get(name_key="acme holding").industry == "Banking"
    assert Company.objects.filter(name_key="new one").count() == 1


def test_a_changed_company_keeps_what_the_file_leaves_blank(written: Written) -> None:
    take("companies", written("Id,Name,Industry\n1,Acme,Tools\n"))
    report = take("companies", written("Id,Name,Industry\n1,Acme Corp,\n"), now=NOW.replace(hour=12))
    assert counts(report) == (0, 1, 0, 0)
    acme = Company.objects.get()
    assert (acme.name, acme.industry, acme.version) == ("Acme Corp", "Tools", 2)


def test_people_are_known_by_id_then_address(written: Written) -> None:
    path = written("Id,FirstName,LastName,Email,Title\n1,Ann,Arber,ann@example.com,Clerk\n2,Bob,Brown,,\n")
    assert counts(take("people", path)) == (2, 0, 0, 0)
    assert counts(take("people", path)) == (0, 0, 2, 0)
    report = take("people", written("contact_id,email,title\nX9,ANN@example.com,Chief\n"), source="erp")
    assert counts(report) == (0, 1, 0, 0)
    ann = Person.objects.get(last_name="Arber")
    assert ann.title == "Chief"
    assert sorted(PersonRef.objects.filter(person=ann).values_list("external_id", flat=True)) == ["1", "X9"]


def test_a_mistyped_address_does_not_lose_a_person_with_an_id(written: Written) -> None:
    report = take("people", written("id,email,name\n1,ann@@example,Ann Arber\n,bob@@example,Bob Brown\n"))
    assert counts(report) == (1, 0, 0, 1)
    assert any("left blank" in note for note in report.notes)
    assert Person.objects.get().name == "Ann Arber"


def test_unknown_company_of_a_person_rejects_or_is_made(written: Written) -> None:
    path = written("Id,LastName,AccountId\n1,Arber,A1\n")
    assert counts(take("people", path)) == (0, 0, 0, 1)
    assert counts(take("people", path, create_missing=True)) == (1, 0, 0, 0)
    assert Person.objects.get().company == CompanyRef.objects.get(external_id="A1").company


def test_users_with_roles_managers_and_teams(written: Written) -> None:
    path = written(
        "owner_id,name,email,role,manager,team,regional_office\n"
        "1,Ann Arber,ann@example.com,Sales Manager,,East,Berlin\n"
        "2,Bob Brown,,rep,Ann Arber,East,\n"
        "3,Cy Clark,cy@example.com,wizard,,,\n"
        "4,Dee Dorn,dee@example.com,Marketing,Max Boss,,\n"
    )
    report = take("users", path)
    assert counts(report) == (3, 0, 0, 1)
    assert "choose from" in report.errors[0]["reason"]
    ann, bob = User.objects.get(name="Ann Arber"), User.objects.get(name="Bob Brown")
    assert (ann.role, ann.email, ann.region, bob.manager) == (
        "sales_manager",
        "ann@example.com",
        "Berlin",
        ann,
    )
    assert not bob.has_usable_password()
    assert Membership.objects.filter(team=Team.objects.get(name="East")).count() == 2
    assert User.objects.get(name="Max Boss").role == "sales_manager"
    assert UserRef.objects.get(source="crm", external_id="2").user == bob
    assert counts(take("users", path)) == (0, 0, 3, 1)


def test_two_users_of_one_name_with_two_ids_are_two(written: Written) -> None:
    path = written("owner_id,first_name,last_name\n1,Ann,Arber\n2,Ann,Arber\n")
    assert counts(take("users", path)) == (2, 0, 0, 0)
    assert counts(take("users", path)) == (0, 0, 2, 0)


def test_touchpoints_find_person_lead_and_lap(written: Written) -> None:
    take(
        "leads",
        written("Id,Email,CreatedDate\nA,ann@example.com,2024-01-01\nB,ann@example.com,2025-01-01\n"),
    )
    path = written(
        "Id,LeadId,Email,Date,Kind,Campaign,Subject\n"
        "t1,A,,2024-02-01,Webinar,Fair,Talk\n"
        "t2,,ann@example.com,2025-02-01,email,,News\n"
        "t3,,ann@example.com,2023-02-01,visit,,Home\n"
        "t4,,zoe@example.com,2025-02-01,email,,News\n"
    )
    assert counts(take("touchpoints", path)) == (2, 0, 0, 2)
    report = take("touchpoints", path, create_missing=True)
    assert counts(report) == (2, 0, 2, 0)
    found = dict(
        Touchpoint.objects.exclude(external_id__startswith="lead").values_list(
            "external_id", "lead__external_id"
        )
    )
    assert found == {"t1": "A", "t2": "B", "t3": "A", "t4": None}
    webinar = Touchpoint.objects.get(external_id="t1")
    assert (webinar.kind, webinar.channel.code, webinar.campaign) == (
        "event",
        "event",
        Campaign.objects.get(),
    )
    assert Touchpoint.objects.get(external_id="t4").person.emails.get().email == "zoe@example.com"
    assert counts(take("touchpoints", path)) == (0, 0, 4, 0)


def test_activities_keep_their_dates_and_start_nothing(written: Written) -> None:
    rita = User.objects.create(name="Rita Rep", role="rep")
    take("people", written("Id,LastName\nP1,Arber\n"))
    take("leads", written("Id,Email,CreatedDate\nL1,bob@example.com,2025-01-01\n"))
    path = written(
        "Id,WhoId,Type,Subject,CreatedDate,ActivityDate,Status,Owner,CallDurationInSeconds\n"
        "1,P1,Call,Rang,2025-02-01,2025-02-03,Completed,Rita Rep,61\n"
        "2,L1,Task,Send offer,2025-02-01,2030-01-01,Not Started,Rita Rep,\n"
        "3,L1,Email,Hello,2025-02-02,,Completed,,\n"
        "4,nobody,Call,Rang,2025-02-01,,,,\n"
        "5,P1,Dance,Tango,2025-02-01,,,,\n"
    )
    report = take("activities", path)
    assert counts(report) == (3, 0, 0, 2)
    call, task, mail = (Activity.objects.get(external_id=n) for n in "123")
    assert (call.kind, call.direction, call.occurred_at, call.actor) == (
        "call",
        "outbound",
        day("2025-02-03"),
        rita,
    )
    assert call.duration_seconds == 61
    assert (task.due_at, task.done_at, task.occurred_at) == (day("2030-01-01"), None, day("2025-02-01"))
    assert (mail.kind, mail.lead) == ("mail", Lead.objects.get())
    assert counts(take("activities", path)) == (0, 0, 3, 2)
