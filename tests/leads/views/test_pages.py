"""Pages of leads, people, companies and campaigns, as browsers and htmx ask for them."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from leads.models import Activity, Campaign, Company, Lead, Person, PersonEmail, Source
from leads.services import activities, campaigns, companies, leads, people
from leads.services.people import PersonInput
from smarketing.users.models import User
from tests.leads.views.conftest import SignedIn

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


def part(target: str) -> dict[str, str]:
    return {**HTMX, "HX-Target": f"div#{target}"}


def test_the_page_of_a_lead_shows_person_company_timeline_and_where_it_came_from(
    signed_in: SignedIn, rita: User, ada: Lead
) -> None:
    text = signed_in(rita).get(f"/leads/{ada.pk}/").content.decode()
    for shown in ("Ada Lovelace", "Analytical Engines", "ada@example.com", "tel:+442079460958", "webinar"):
        assert shown in text
    assert "Lap 1 began" in text


def test_the_page_of_a_person_shows_all_laps(
    signed_in: SignedIn, rita: User, ada: Lead, web: Source, now: datetime
) -> None:
    leads.close(lead=ada, at=now, now=now)
    back = leads.capture(
        source=web,
        person=ada.person,
        captured_at=now + timedelta(days=3),
        actor=None,
        now=now + timedelta(days=3),
    ).lead
    text = signed_in(rita).get(f"/people/{ada.person_id}/").content.decode()
    assert f"/leads/{ada.pk}/" in text
    assert f"/leads/{back.pk}/" in text


@pytest.mark.parametrize(
    "path", ["/leads/999999/", "/people/999999/", "/companies/999999/", "/campaigns/99/"]
)
def test_what_is_not_there_is_404(signed_in: SignedIn, rita: User, path: str) -> None:
    assert signed_in(rita).get(path).status_code == 404


def test_a_merged_person_leads_to_the_one_they_are_now(signed_in: SignedIn, rita: User, ada: Lead) -> None:
    other = Person.objects.create(first_name="Augusta")
    Person.objects.filter(pk=ada.person_id).update(merged_into=other)
    answer = signed_in(rita).get(f"/people/{ada.person_id}/")
    assert (answer.status_code, answer["Location"]) == (301, f"/people/{other.pk}/")


def test_a_fact_is_edited_in_place(signed_in: SignedIn, rita: User, ada: Lead) -> None:
    client = signed_in(rita)
    url = f"/facts/person/{ada.person_id}/title/"
    form = client.get(f"{url}edit/", headers=HTMX).content.decode()
    version = Person.objects.get().version
    assert f'name="version" value="{version}"' in form

    saved = client.post(f"{url}edit/", {"title": "Countess", "version": version}, headers=HTMX)

    assert saved.status_code == 200
    assert "Countess" in saved.content.decode()
    assert saved["HX-Trigger"] == "record-changed"
    assert Person.objects.get().title == "Countess"


def test_a_value_that_can_not_be_used_comes_back_with_the_reason_and_changes_nothing(
    signed_in: SignedIn, rita: User, ada: Lead
) -> None:
    before = Person.objects.values().get()
    answer = signed_in(rita).post(
        f"/facts/person/{ada.person_id}/emails/edit/",
        {"emails": "ada@example.com\nnot an address", "version": before["version"]},
        headers=HTMX,
    )
    assert answer.status_code == 422
    assert "is not an e-mail address" in answer.content.decode()
    assert Person.objects.values().get() == before
    assert PersonEmail.objects.get().email == "ada@example.com"


def test_an_edit_of_an_old_version_says_what_it_reads_now_and_changes_nothing(
    signed_in: SignedIn, rita: User, ada: Lead, now: datetime
) -> None:
    version = Person.objects.get().version
    people.update(person=ada.person, changes={"title": "Countess"}, actor=None, now=now)
    answer = signed_in(rita).post(
        f"/facts/person/{ada.person_id}/title/edit/", {"title": "Ms", "version": version}, headers=HTMX
    )
    assert answer.status_code == 412
    assert "It reads now: Countess" in answer.content.decode()
    assert Person.objects.get().title == "Countess"


def test_who_only_reads_may_not_edit_and_nothing_changes(signed_in: SignedIn, olga: User, ada: Lead) -> None:
    client = signed_in(olga)
    before = (list(Person.objects.values()), list(Lead.objects.values()), Activity.objects.count())
    for path, data in (
        (f"/facts/person/{ada.person_id}/title/edit/", {"title": "X"}),
        (f"/facts/lead/{ada.pk}/origin/edit/", {"origin": "X"}),
        (f"/facts/company/{ada.company_id}/name/edit/", {"name": "X"}),
        (f"/people/{ada.person_id}/log/call/", {"outcome": "reached"}),
        ("/leads/new/", {"emails": "new@example.com"}),
        ("/companies/new/", {"name": "X"}),
        ("/campaigns/new/", {"name": "X", "kind": "other"}),
    ):
        assert client.post(path, data, headers=HTMX).status_code == 403, path
    after = (list(Person.objects.values()), list(Lead.objects.values()), Activity.objects.count())
    assert after == before
    assert "fact-edit" not in client.get(f"/leads/{ada.pk}/").content.decode()


def test_a_rep_may_not_edit_campaigns(signed_in: SignedIn, rita: User, now: datetime) -> None:
    campaign = campaigns.create(name="Spring", actor=None, now=now)
    client = signed_in(rita)
    assert client.get(f"/campaigns/{campaign.pk}/").status_code == 200
    answer = client.post(f"/facts/campaign/{campaign.pk}/name/edit/", {"name": "Autumn"}, headers=HTMX)
    assert answer.status_code == 403
    assert Campaign.objects.get().name == "Spring"


@pytest.mark.parametrize("name", ["version", "merged_into", "search_text", "created_at", "id", "lap"])
def test_columns_that_are_no_facts_have_no_form(
    signed_in: SignedIn, rita: User, ada: Lead, name: str
) -> None:
    client = signed_in(rita)
    for kind, pk in (("person", ada.person_id), ("lead", ada.pk), ("company", ada.company_id)):
        answer = client.post(f"/facts/{kind}/{pk}/{name}/edit/", {name: "1"}, headers=HTMX)
        assert answer.status_code == 404


def test_logging_a_call_puts_it_on_the_timeline(signed_in: SignedIn, rita: User, ada: Lead) -> None:
    client = signed_in(rita)
    assert "No answer" in client.get(f"/people/{ada.person_id}/log/call/", headers=HTMX).content.decode()
    answer = client.post(
        f"/people/{ada.person_id}/log/call/",
        {"outcome": "reached", "body": "Wants an offer", "direction": "outbound"},
        headers=HTMX,
    )
    assert (answer.status_code, answer["HX-Trigger"]) == (200, "record-changed")
    activity = Activity.objects.get()
    assert (activity.kind, activity.outcome, activity.lead, activity.actor) == ("call", "reached", ada, rita)
    text = client.get(f"/people/{ada.person_id}/timeline/", headers=HTMX).content.decode()
    assert "Call: reached" in text
    assert "Wants an offer" in text


def test_an_activity_ahead_of_time_is_refused_and_nothing_is_logged(
    signed_in: SignedIn, rita: User, ada: Lead
) -> None:
    answer = signed_in(rita).post(
        f"/people/{ada.person_id}/log/meeting/",
        {"outcome": "held", "direction": "outbound", "occurred_at": "2090-01-01T10:00"},
        headers=HTMX,
    )
    assert answer.status_code == 422
    assert "This lies in the future" in answer.content.decode()
    assert Activity.objects.count() == 0


def test_a_task_is_planned_done_and_taken_back(signed_in: SignedIn, rita: User, ada: Lead) -> None:
    client = signed_in(rita)
    client.post(
        f"/people/{ada.person_id}/log/task/",
        {"subject": "Send the offer", "owner": rita.pk, "due_at": "2026-03-05T09:00"},
        headers=HTMX,
    )
    task = Activity.objects.get()
    assert "Send the offer" in client.get("/tasks/").content.decode()
    client.post(f"/tasks/{task.pk}/done/", headers=HTMX)
    assert "Send the offer" not in client.get("/tasks/").content.decode()
    client.post(f"/tasks/{task.pk}/open/", headers=HTMX)
    assert Activity.objects.get().done_at is None


def test_typing_in_a_known_person_adds_to_their_open_lead(signed_in: SignedIn, rita: User, ada: Lead) -> None:
    client = signed_in(rita)
    hint = client.get("/leads/known/?emails=ADA@example.com", headers=HTMX).content.decode()
    assert f"/leads/{ada.pk}/" in hint
    answer = client.post("/leads/new/", {"emails": "ada@example.com", "title": "Countess"})
    assert (answer.status_code, answer["Location"]) == (303, f"/leads/{ada.pk}/")
    assert (Lead.objects.count(), Person.objects.get().title) == (1, "Countess")


def test_typing_in_a_new_person_makes_person_company_and_lead(signed_in: SignedIn, rita: User) -> None:
    answer = signed_in(rita).post(
        "/leads/new/", {"first_name": "Grace", "emails": "grace@example.com", "company": "Navy"}
    )
    lead = Lead.objects.get()
    assert answer["Location"] == f"/leads/{lead.pk}/"
    assert (lead.person.first_name, lead.company.name, lead.source.code) == ("Grace", "Navy", "manual")


def test_typing_in_nothing_is_refused(signed_in: SignedIn, rita: User) -> None:
    answer = signed_in(rita).post("/leads/new/", {})
    assert answer.status_code == 422
    assert "Give a name, an e-mail address or a phone number." in answer.content.decode()
    assert Lead.objects.count() == 0


def test_what_a_visitor_wrote_is_only_ever_text(
    signed_in: SignedIn, rita: User, web: Source, now: datetime
) -> None:
    mark = '"><script>alert(1)</script>'
    lead = leads.capture(
        source=web,
        person=PersonInput(
            first_name=mark,
            last_name=mark,
            title=mark,
            website="javascript:alert(1)",
            emails=["x@example.com"],
        ),
        origin=mark,
        landing_page="javascript:alert(1)//" + mark,
        description=mark,
        captured_at=now,
        actor=None,
        now=now,
    ).lead
    activities.log(person=lead.person, kind="note", body=mark, occurred_at=now, actor=rita, now=now)
    client = signed_in(rita)
    for path in (f"/leads/{lead.pk}/", f"/people/{lead.person_id}/", "/palette?q=script"):
        text = client.get(path).content.decode()
        assert "<script>alert" not in text
        assert 'href="javascript' not in text


def test_companies_are_searched_sorted_and_paged(signed_in: SignedIn, rita: User, now: datetime) -> None:
    for number in range(60):
        companies.create(name=f"Company {number:02}", employees=number, actor=None, now=now)
    client = signed_in(rita)
    first = client.get("/companies/").content.decode()
    assert "Company 49" in first
    assert "Company 50" not in first
    found = client.get("/companies/?q=pany 42").content.decode()
    assert "Company 42" in found
    assert "Company 41" not in found
    large = client.get("/companies/?sort=-employees").content.decode()
    assert "Company 59" in large
    assert "Company 00" not in large


def queries(client: object, path: str) -> int:
    with CaptureQueriesContext(connection) as found:
        assert client.get(path).status_code == 200  # type: ignore[attr-defined]
    return len(found)


def test_the_number_of_queries_does_not_grow_with_the_rows(
    signed_in: SignedIn, rita: User, ada: Lead, web: Source, now: datetime
) -> None:
    campaign = campaigns.create(name="Spring", actor=None, now=now)
    leads.update(lead=ada, changes={"campaign": campaign}, actor=None, now=now)
    paths = [
        "/companies/",
        "/campaigns/",
        f"/companies/{ada.company_id}/",
        f"/campaigns/{campaign.pk}/",
        f"/leads/{ada.pk}/",
        f"/people/{ada.person_id}/",
        "/palette?q=example",
        "/tasks/",
    ]
    client = signed_in(rita)
    activities.add_task(person=ada.person, subject="First", owner=rita, actor=rita, now=now)
    client.get("/tasks/")  # the first request of a session notes the browser
    few = [queries(client, path) for path in paths]
    company = Company.objects.get()
    for number in range(20):
        person = leads.capture(
            source=web,
            person=PersonInput(
                first_name=f"P{number}", emails=[f"p{number}@example.com"], phones=["+4930901820"]
            ),
            company=company,
            campaign=campaign,
            captured_at=now,
            actor=None,
            now=now,
        ).lead.person
        companies.create(name=f"Company {number}", actor=None, now=now)
        campaigns.create(name=f"Campaign {number}", owner=rita, actor=None, now=now)
        activities.log(person=ada.person, kind="note", body="n", occurred_at=now, actor=rita, now=now)
        activities.add_task(person=person, subject="More", owner=rita, actor=rita, now=now)
        activities.add_task(person=ada.person, subject="More", owner=rita, actor=rita, now=now)

    assert [queries(client, path) for path in paths] == few
