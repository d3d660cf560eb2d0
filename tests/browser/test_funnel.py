"""Leads list, lead page, board and settings in a real browser: drag, keys, undo, accessibility, policy."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from playwright.sync_api import Page, expect

from funnel.models import Handoff, HandoffState, LeadState, Opportunity
from funnel.services import definitions, opportunities
from leads.models import Lead, Source
from smarketing.core import clock
from smarketing.users.domain.roles import Role
from smarketing.users.models import User
from tests.browser.conftest import Open, accessibility_faults
from tests.funnel.conftest import asks_for_demo, capture_lead

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE = (390, 844)
DAY = timedelta(days=1)


@pytest.fixture
def rita() -> User:
    return User.objects.create(email="rita@example.com", name="Rita Rep", role=Role.REP)


@pytest.fixture
def sam() -> User:
    return User.objects.create(email="sam@example.com", name="Sam Sales", role=Role.SALES_MANAGER)


@pytest.fixture
def lead(rita: User) -> Lead:
    """A lead that was delivered to Rita a minute ago."""
    now = clock.now()
    with transaction.atomic():
        made = capture_lead(Source.objects.get(code="web"), at=now - DAY, origin="webinar")
        asks_for_demo(made, at=now - timedelta(minutes=1))
    return made


@pytest.fixture
def deal(rita: User) -> Opportunity:
    """An open deal of Rita's in the first column."""
    return open_deal(rita, "Initech rollout", 12000)


def open_deal(owner: User, name: str, amount: int, days: int = 1) -> Opportunity:
    at = clock.now() - days * DAY
    return opportunities.open(
        name=name, amount=Decimal(amount), currency="EUR", owner=owner, opened_at=at, actor=owner, now=at
    )


def head(page: Page, column: str) -> str:
    return page.locator(f"#board-{column} .board-head").inner_text()


def stage_of(deal: Opportunity) -> str:
    return Opportunity.objects.select_related("stage").get(pk=deal.pk).stage.code


@pytest.mark.parametrize(
    ("scheme", "size"), [("light", (1280, 900)), ("dark", (1280, 900)), ("light", PHONE)]
)
def test_pages_are_accessible_and_break_no_policy(
    visit: Open,
    complaints: list[str],
    sam: User,
    lead: Lead,
    deal: Opportunity,
    scheme: str,
    size: tuple[int, int],
) -> None:
    definitions.create_draft(actor=sam, now=clock.now())
    found = []
    for path in (
        "/leads/", f"/leads/{lead.pk}/", f"/companies/{lead.company_id}/", "/opportunities/",
        "/opportunities/list/", f"/opportunities/{deal.pk}/", "/opportunities/new/", "/settings/",
        "/settings/definition/", "/settings/definition/2/edit/", "/settings/definition/1/sign/",
        "/settings/stages/", "/settings/stages/new/", "/leads/board/",
        "/leads/stages/", "/settings/pools/", "/settings/products/",
    ):  # fmt: skip
        page = visit(sam, path, scheme=scheme, size=size)
        found += [f"{path} {fault}" for fault in accessibility_faults(page)]
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        found += [f"{path} is {wide}px too wide"] if wide > 0 else []
        page.close()
    assert found == []
    assert complaints == []


def test_a_lead_is_accepted_by_a_key_and_taken_back(
    visit: Open, complaints: list[str], rita: User, lead: Lead
) -> None:
    page = visit(rita, f"/leads/{lead.pk}/")
    page.keyboard.press("a")
    expect(page.locator(".toast")).to_contain_text("Accepted")
    expect(page.locator("#record-main")).to_contain_text("Accepted")
    expect(page.locator("#record-side")).to_contain_text("Need and budget")
    assert Handoff.objects.get().state == HandoffState.ACCEPTED
    page.locator("[data-undo]").click()
    expect(page.locator("#record-actions")).to_contain_text("Return")
    assert Handoff.objects.get().state == HandoffState.DELIVERED
    assert complaints == []


def test_a_return_asks_why_and_the_page_follows(
    visit: Open, complaints: list[str], rita: User, lead: Lead
) -> None:
    page = visit(rita, f"/leads/{lead.pk}/")
    page.keyboard.press("r")
    dialog = page.locator("#return-dialog")
    dialog.get_by_role("button", name="Return to marketing").click()
    expect(dialog).to_contain_text("Choose why it goes back")
    dialog.get_by_label("No budget").check()
    dialog.get_by_role("button", name="Return to marketing").click()
    expect(page.locator(".toast").last).to_contain_text("Returned to marketing")
    expect(page.locator("#record-header")).to_contain_text("Recycled")
    assert Handoff.objects.get().state == HandoffState.RETURNED
    assert [c for c in complaints if "422" not in c] == []


def test_a_line_of_the_score_opens_its_events(visit: Open, rita: User, lead: Lead) -> None:
    page = visit(rita, f"/leads/{lead.pk}/")
    page.locator("#score summary", has_text="Demo requested").click()
    expect(page.locator("#signal-demo_requested")).to_contain_text("Demo request")


def test_a_card_is_dragged_and_the_move_undone(
    visit: Open, complaints: list[str], rita: User, deal: Opportunity
) -> None:
    page = visit(rita, "/opportunities/")
    assert "€12,000" in head(page, "prospecting")
    page.locator(f"#deal-{deal.pk}").drag_to(page.locator("#cards-proposal"), steps=12)
    expect(page.locator(".toast")).to_contain_text("Initech rollout moved to Proposal.")
    expect(page.locator("#board-proposal .board-head")).to_contain_text("€12,000")
    expect(page.locator("#board-prospecting .board-count")).to_have_text("0")
    assert stage_of(deal) == "proposal"
    page.locator("[data-undo]").click()
    expect(page.locator("#cards-prospecting")).to_contain_text("Initech rollout")
    expect(page.locator("#board-prospecting .board-head")).to_contain_text("€12,000")
    assert stage_of(deal) == "prospecting"
    assert complaints == []


def test_a_card_is_moved_by_keyboard_twice(
    visit: Open, complaints: list[str], rita: User, deal: Opportunity
) -> None:
    page = visit(rita, "/opportunities/")
    for stage in ("Engaging", "Negotiation"):
        page.locator(f"#deal-{deal.pk}").focus()
        page.keyboard.press("m")
        page.get_by_role("button", name=stage, exact=True).press("Enter")
        expect(page.locator(".toast").last).to_contain_text(f"moved to {stage}")
        expect(page.locator(f"#board-{stage.lower()} .board-count")).to_have_text("1")
    assert stage_of(deal) == "negotiation"
    assert complaints == []


def test_a_loss_asks_why_and_the_card_waits(visit: Open, rita: User, deal: Opportunity) -> None:
    page = visit(rita, "/opportunities/")
    page.locator(f"#deal-{deal.pk}").focus()
    page.keyboard.press("m")
    page.get_by_role("button", name="Lost", exact=True).press("Enter")
    dialog = page.get_by_role("dialog", name="Lost: Initech rollout")
    expect(dialog).to_be_visible()
    expect(page.locator("#cards-prospecting")).to_contain_text("Initech rollout")
    assert stage_of(deal) == "prospecting"
    dialog.get_by_label("Competitor", exact=True).first.check()
    dialog.get_by_role("button", name="Mark as lost").click()
    expect(dialog).to_contain_text("Name the competitor")
    dialog.get_by_role("textbox", name="Competitor").fill("Hooli")
    dialog.get_by_role("button", name="Mark as lost").click()
    expect(page.locator("#cards-lost")).to_contain_text("Initech rollout")
    assert stage_of(deal) == "lost"


def test_a_manager_changes_owners_in_bulk_and_undoes_it(
    visit: Open, complaints: list[str], sam: User, lead: Lead
) -> None:
    page = visit(sam, "/leads/")
    page.locator("[data-pick]").first.check()
    bar = page.locator("#bulk")
    bar.get_by_label("New owner of the selected leads").select_option(label="Sam Sales")
    bar.get_by_role("button", name="Change owner").click()
    expect(page.locator(".toast")).to_contain_text("1 lead now has the owner Sam Sales.")
    assert LeadState.objects.get().owner == sam
    page.locator("[data-undo]").click()
    expect(page.locator(".toast").last).to_contain_text("1 lead was given back.")
    assert LeadState.objects.get().owner != sam
    assert complaints == []


def test_filters_live_in_the_address_and_are_removed_one_by_one(
    visit: Open, complaints: list[str], sam: User, lead: Lead
) -> None:
    page = visit(sam, "/leads/?stage=mql&origin=nowhere")
    expect(page.locator("#list")).to_contain_text("Nothing matches these filters.")
    page.locator(".chip", has_text="nowhere").click()
    expect(page.locator("#leads")).to_contain_text("Lovelace")
    expect(page).to_have_url(re.compile(r"/leads/\?stage=mql$"))
    page.locator("#list-search").fill("initech")
    expect(page).to_have_url(re.compile(r"q=initech"))
    assert complaints == []


def test_a_row_of_the_definition_is_added_and_taken_out(
    visit: Open, complaints: list[str], sam: User
) -> None:
    definitions.create_draft(actor=sam, now=clock.now())
    page = visit(sam, "/settings/definition/2/edit/")
    before = page.locator("#rules-fit [data-line]").count()
    page.get_by_role("button", name="Another criterion").click()
    expect(page.locator("#rules-fit [data-line]")).to_have_count(before + 1)
    page.locator("#rules-fit [data-removes-line]").first.click()
    expect(page.locator("#rules-fit [data-line]")).to_have_count(before)
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".toast")).to_contain_text("Saved.")
    assert complaints == []


def test_a_lead_is_moved_on_its_board_by_keyboard_and_the_way_back_asks_why(
    visit: Open, complaints: list[str], sam: User
) -> None:
    with transaction.atomic():
        lead = capture_lead(Source.objects.get(code="web"), at=clock.now() - DAY)
    page = visit(sam, "/leads/board/")
    page.locator(f"#lead-{lead.pk}").focus()
    page.keyboard.press("m")
    page.get_by_role("dialog").get_by_role("button", name="MQL", exact=True).click()
    expect(page.locator(".toast")).to_contain_text("moved to MQL")
    expect(page.locator("#board-mql .board-count")).to_have_text("1")
    page.locator(f"#lead-{lead.pk}").focus()
    page.keyboard.press("m")
    page.get_by_role("dialog").get_by_role("button", name="Lead", exact=True).click()
    dialog = page.locator("#move-form")
    dialog.get_by_label("Why").fill("Wrong person")
    dialog.get_by_role("button", name="Move", exact=True).click()
    expect(page.locator(f"#board-lead #lead-{lead.pk}")).to_be_visible()
    assert LeadState.objects.get(lead=lead).stage.code == "lead"
    assert [c for c in complaints if "422" not in c] == []
