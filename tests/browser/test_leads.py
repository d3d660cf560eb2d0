"""The pages of people, leads and companies in a real browser: keys, edits in place, accessibility."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from leads.models import Activity, Lead, Person, Source
from leads.services import activities, campaigns, leads, people
from leads.services.companies import CompanyInput
from leads.services.events import EventInput, record
from leads.services.people import PersonInput
from smarketing.core import clock
from smarketing.users.domain.roles import Role
from smarketing.users.models import User
from tests.browser.conftest import Open, accessibility_faults

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE = (390, 844)
TABLET = (900, 1100)


@pytest.fixture
def rita() -> User:
    return User.objects.create(email="rita@example.com", name="Rita Rep", role=Role.SALES_MANAGER)


@pytest.fixture
def ada(rita: User) -> Lead:
    """A lead with a past: visits, a call, a task."""
    now = clock.now()
    web = Source.objects.get(code="web")
    lead = leads.capture(
        source=web,
        person=PersonInput(
            first_name="Ada",
            last_name="Lovelace",
            title="Head of Operations",
            emails=["ada@engines.example.com"],
            phones=["+44 20 7946 0958"],
            website="https://example.com/ada",
        ),
        company=CompanyInput("Analytical Engines", domain="engines.example.com"),
        campaign=campaigns.create(name="Spring", actor=rita, now=now),
        origin="Webinar",
        captured_at=now - timedelta(days=9),
        actor=None,
        now=now,
    ).lead
    record(
        rows=[
            EventInput(web, str(n), "page", now - timedelta(hours=n), lead.person_id, name="Pricing")
            for n in range(60)
        ],
        now=now,
    )
    activities.log(
        person=lead.person,
        kind="call",
        outcome="reached",
        body="Likes it",
        occurred_at=now,
        actor=rita,
        now=now,
    )
    activities.add_task(
        person=lead.person, subject="Send the offer", due_at=now, owner=rita, actor=rita, now=now
    )
    return lead


def paths(lead: Lead) -> list[str]:
    return [
        f"/leads/{lead.pk}/",
        f"/people/{lead.person_id}/",
        f"/companies/{lead.company_id}/",
        f"/campaigns/{lead.campaign_id}/",
        "/companies/",
        "/campaigns/",
        "/leads/new/",
        "/tasks/",
    ]


@pytest.mark.parametrize(
    ("scheme", "size"), [("light", (1280, 900)), ("dark", (1280, 900)), ("light", PHONE), ("light", TABLET)]
)
def test_pages_are_accessible_fit_and_break_no_policy(
    visit: Open, complaints: list[str], rita: User, ada: Lead, scheme: str, size: tuple[int, int]
) -> None:
    for path in paths(ada):
        page = visit(rita, path, scheme=scheme, size=size)
        assert accessibility_faults(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0], path
        page.close()
    assert complaints == []


def test_a_fact_is_edited_by_keyboard_and_escape_brings_it_back(
    visit: Open, complaints: list[str], rita: User, ada: Lead
) -> None:
    page = visit(rita, f"/leads/{ada.pk}/")
    fact = page.locator(f"#fact-person-{ada.person_id}-title")
    fact.get_by_role("button", name="Edit Job title").press("Enter")
    expect(fact.get_by_role("textbox")).to_be_focused()
    page.keyboard.type("Nobody")
    page.keyboard.press("Escape")
    expect(fact).to_contain_text("Head of Operations")
    expect(fact.get_by_role("button")).to_be_focused()

    page.keyboard.press("Enter")
    expect(fact.get_by_role("textbox")).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("Countess")
    page.keyboard.press("Enter")
    expect(fact).to_contain_text("Countess")
    expect(fact.get_by_role("button")).to_be_focused()
    assert Person.objects.get().title == "Countess"
    assert complaints == []


def test_an_edit_that_came_too_late_shows_what_it_reads_now(visit: Open, rita: User, ada: Lead) -> None:
    page = visit(rita, f"/leads/{ada.pk}/")
    fact = page.locator(f"#fact-person-{ada.person_id}-title")
    fact.get_by_role("button", name="Edit Job title").press("Enter")
    expect(fact.get_by_role("textbox")).to_be_focused()
    people.update(person=ada.person, changes={"title": "Countess"}, actor=None, now=clock.now())
    page.keyboard.type("Dr ")
    page.keyboard.press("Enter")
    expect(fact).to_contain_text("It reads now: Countess")
    assert accessibility_faults(page) == []
    assert Person.objects.get().title == "Countess"


def test_one_key_opens_the_call_and_one_button_logs_it(
    visit: Open, complaints: list[str], rita: User, ada: Lead
) -> None:
    page = visit(rita, f"/leads/{ada.pk}/")
    page.keyboard.press("p")
    expect(page.get_by_label("What was said")).to_be_focused()
    assert accessibility_faults(page) == []
    page.keyboard.type("Nobody there, p and t are letters here")
    page.get_by_role("button", name="No answer").click()
    expect(page.locator("#record-timeline")).to_contain_text("Call: no answer")
    expect(page.locator("#composer form")).to_have_count(0)
    expect(page.locator("[data-toast]")).to_contain_text("Logged.")
    assert Activity.objects.filter(outcome="no_answer").count() == 1
    assert complaints == []


def test_the_timeline_is_narrowed_and_loads_on(visit: Open, rita: User, ada: Lead) -> None:
    page = visit(rita, f"/leads/{ada.pk}/")
    page.get_by_role("button", name="Behaviour").click()
    expect(page.get_by_role("button", name="Behaviour")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#record-timeline .timeline-entry")).to_have_count(25)
    page.get_by_role("button", name="Load more").click()
    expect(page.locator("#record-timeline .timeline-entry")).to_have_count(50)


def test_a_task_is_done_and_taken_back(visit: Open, complaints: list[str], rita: User, ada: Lead) -> None:
    page = visit(rita, "/tasks/")
    page.get_by_role("button", name="Done: Send the offer").click()
    expect(page.locator("#tasks")).to_contain_text("Nothing is waiting for you")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#tasks")).to_contain_text("Send the offer")
    assert complaints == []


def test_typing_in_a_known_person_says_so(visit: Open, rita: User, ada: Lead) -> None:
    page = visit(rita, "/leads/new/")
    page.get_by_label("E-mail").fill("ada@engines.example.com")
    expect(page.locator("#known")).to_contain_text("Ada Lovelace is known and has an open lead.")


def test_companies_are_suggested_while_typing(visit: Open, rita: User, ada: Lead) -> None:
    page = visit(rita, "/leads/new/")
    page.get_by_label("Company").press_sequentially("analyt")
    expect(page.locator("#company-options option")).to_have_attribute("value", "Analytical Engines")


def test_the_palette_finds_people_and_companies(visit: Open, rita: User, ada: Lead) -> None:
    page = visit(rita, "/tasks/")
    page.keyboard.press("Control+k")
    page.keyboard.type("lovel")
    expect(page.get_by_role("option", name="Ada Lovelace")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/leads/{ada.pk}/")
