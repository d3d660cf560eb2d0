"""The wizard in a real Chromium: files as HubSpot and Salesforce write them, by pointer and by keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from leads.domain import salesforce
from leads.models import ImportRun, ImportState, Lead, Person
from leads.selectors import consents
from leads.services.imports import execution
from smarketing.core import clock
from smarketing.users.domain.roles import Role
from smarketing.users.models import User
from tests.browser.conftest import Open, accessibility_faults

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HUBSPOT = (
    "Record ID,First Name,Last Name,Email,Phone Number,Company Name,Job Title,Lifecycle Stage,"
    "Original Source,Create Date,Favourite Colour\n"
    "51,Ada,Lovelace,ada@example.com,+49 30 901820,Acme,CTO,Lead,Organic Search,2025-01-02,red\n"
    "52,Grace,Hopper,not an address,,Navy,Admiral,Subscriber,Referral,2025-01-03,=1+1\n"
    "53,<b>Alan</b>,Turing,alan@example.com,,Bletchley,,Lead,Direct Traffic,2025-01-04,blue\n"
)
SALESFORCE = (
    "Id,FirstName,LastName,Company,Email,Title,LeadSource,Status,HasOptedOutOfEmail,CreatedDate\n"
    "00Q5g00000abcde,Edith,Clarke,GE,edith@example.com,Engineer,Web,Open - Not Contacted,true,2025-03-01\n"
    "00Q5g00000fghij,Mary,Jackson,NASA,mary@example.com,Engineer,Web,Working - Contacted,false,2025-03-02\n"
)


@pytest.fixture(autouse=True)
def _home(settings: Any, tmp_path: Path) -> None:
    settings.HOME = tmp_path


@pytest.fixture
def marketer() -> User:
    return User.objects.create(email="mara@example.com", name="Mara Marketer", role=Role.MARKETER)


def look(page: Page) -> None:
    assert accessibility_faults(page) == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth") <= 390, page.url


def work() -> None:
    execution.work(clock=clock.now, watch=execution.unwatched)


def upload(page: Page, text: str, source: str) -> ImportRun:
    page.get_by_label("What the file holds").select_option("leads")
    page.get_by_label("Where it comes from").fill(source)
    page.get_by_label("File", exact=True).set_input_files(
        {"name": "leads.csv", "mimeType": "text/csv", "buffer": text.encode()}
    )
    page.get_by_role("button", name="Upload and look at it").click()
    page.wait_for_url("**/file/")
    return ImportRun.objects.latest("pk")


def test_a_hubspot_file_goes_in_with_a_cell_mended_by_keys(
    visit: Open, marketer: User, complaints: list[str]
) -> None:
    page = visit(marketer, "/imports/new/")
    run = upload(page, HUBSPOT, "HubSpot")
    expect(page.get_by_text("<b>Alan</b>")).to_be_visible()
    page.get_by_role("link", name="It looks right: columns").click()
    expect(page.get_by_label("Record ID")).to_have_value("external_id")
    expect(page.get_by_label("Lifecycle Stage")).to_have_value("stage")
    page.get_by_label("Favourite Colour").select_option("+")
    page.get_by_role("button", name="Check it").click()
    page.wait_for_url("**/check/")
    work()
    cell = page.get_by_label("Email in row 3")
    expect(cell).to_have_value("not an address")
    cell.fill("grace@example.com")
    cell.press("Enter")
    expect(page.get_by_text("Mended; the import takes it in.")).to_be_visible()
    page.get_by_role("button", name="Check again").click()
    work()
    start = page.get_by_role("button", name="Import 3 rows")
    start.focus()
    start.press("Enter")
    page.wait_for_url(f"**/imports/{run.pk}/")
    work()
    page.get_by_role("link", name="Open its leads").click()
    expect(page.get_by_text("Grace Hopper").first).to_be_visible()
    assert Lead.objects.get(external_id="52").attributes == {"favourite_colour": "=1+1"}
    page.go_back()
    page.get_by_role("link", name="Take it back").click()
    page.get_by_role("dialog").get_by_role("button", name="Take it back").click()
    expect(page.get_by_text("Being undone").first).to_be_visible()
    work()
    expect(page.get_by_text("3 leads")).to_be_visible()
    assert not Lead.objects.exists()
    run.refresh_from_db()
    assert run.state == ImportState.UNDONE
    assert complaints == []


def test_a_salesforce_file_is_recognised_and_its_opt_outs_kept(
    visit: Open, marketer: User, complaints: list[str]
) -> None:
    page = visit(marketer, "/imports/new/")
    upload(page, SALESFORCE, "Salesforce")
    page.get_by_role("link", name="It looks right: columns").click()
    expect(page.get_by_label("HasOptedOutOfEmail")).to_have_value("no_email")
    page.get_by_role("button", name="Check it").click()
    page.wait_for_url("**/check/")
    work()
    page.get_by_role("button", name="Import 2 rows").click()
    page.wait_for_url("**/imports/*/")
    work()
    expect(page.get_by_role("link", name="Open its leads")).to_be_visible()
    assert {lead.external_id for lead in Lead.objects.all()} == {
        salesforce.long_id("00Q5g00000abcde"),
        salesforce.long_id("00Q5g00000fghij"),
    }
    edith = Person.objects.get(first_name="Edith")
    assert not consents.may_contact(edith, channel="email").allowed
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_step_is_accessible_and_fits_a_phone(
    visit: Open, marketer: User, complaints: list[str], scheme: str
) -> None:
    page = visit(marketer, "/imports/new/", scheme=scheme, size=(390, 844))
    look(page)
    run = upload(page, HUBSPOT, "HubSpot")
    look(page)
    page.get_by_role("link", name="It looks right: columns").click()
    look(page)
    page.get_by_role("button", name="Check it").click()
    page.wait_for_url("**/check/")
    work()
    expect(page.get_by_role("button", name="Import 2 rows")).to_be_visible()
    look(page)
    page.goto(page.url.replace("/check/", "/"))
    look(page)
    page.goto(page.url.replace(f"/{run.pk}/", "/"))
    look(page)
    assert complaints == []
