"""The timeline and alerts by keys alone: what was chosen keeps the focus, a dialog gives it back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from funnel.models import Alert
from leads.models import Lead, Source
from leads.services import leads
from leads.services.events import EventInput, record
from leads.services.people import PersonInput
from smarketing.core import clock
from smarketing.users.domain.roles import Role
from smarketing.users.models import User
from tests.browser.conftest import Open

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def rita() -> User:
    return User.objects.create(email="rita@example.com", name="Rita Rep", role=Role.REP)


@pytest.fixture
def ada() -> Lead:
    """A lead with 60 forms filled in, an hour apart."""
    now = clock.now()
    web = Source.objects.get(code="web")
    lead = leads.capture(
        source=web,
        person=PersonInput(first_name="Ada", last_name="Lovelace", emails=["ada@engines.example.com"]),
        captured_at=now - timedelta(days=9),
        actor=None,
        now=now,
    ).lead
    rows = [
        EventInput(web, str(n), "form", now - timedelta(hours=n), lead.person_id, name=f"Form {n}")
        for n in range(60)
    ]
    record(rows=rows, now=now)
    return lead


def focused(page: Page) -> str:
    """The words of what has the focus."""
    return str(page.evaluate("document.activeElement.innerText")).strip()


def test_the_timeline_is_narrowed_and_lengthened_by_keys(
    visit: Open, rita: User, ada: Lead, complaints: list[str]
) -> None:
    page = visit(rita, f"/people/{ada.person_id}/")
    tab = page.get_by_role("button", name="Behaviour", exact=True)
    tab.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Behaviour", exact=True)).to_have_attribute("aria-pressed", "true")
    assert focused(page) == "Behaviour"
    page.get_by_role("button", name="What they did", exact=True).focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="What they did", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    assert focused(page) == "What they did"
    entries = page.locator(".timeline-entry")
    before = entries.count()
    page.get_by_role("button", name="Load more").focus()
    page.keyboard.press("Enter")
    expect(entries).to_have_count(before + 25)
    assert focused(page) == "Load more"
    assert complaints == []


def test_an_alert_is_asked_for_and_ended_by_keys(
    visit: Open, rita: User, ada: Lead, complaints: list[str]
) -> None:
    page = visit(rita, f"/people/{ada.person_id}/")
    page.get_by_role("link", name="Tell me when").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert focused(page) == "Tell me when…"
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_placeholder("/pricing").focus()
    page.keyboard.type("/pricing")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert Alert.objects.get().user == rita
    page.goto(page.url.split("/people/")[0] + "/alerts/")
    page.wait_for_selector("html[data-ready]")
    page.keyboard.press("c")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert complaints == []
