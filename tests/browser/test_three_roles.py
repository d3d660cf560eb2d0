"""The loop in three browsers: what a rep answers and moves, the managers of both sides see counted."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from playwright.sync_api import Page, expect

from funnel.models import Handoff, HandoffState, Opportunity
from funnel.services import opportunities
from leads.models import Lead, Source
from smarketing.core import clock
from smarketing.users.domain.roles import Role
from smarketing.users.models import User
from tests.browser.conftest import Open
from tests.funnel.conftest import asks_for_demo, capture_lead

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "correct horse battery"
DAY = timedelta(days=1)


def colleague(role: Role, name: str) -> User:
    user = User.objects.create(email=f"{name.split()[0].lower()}@example.com", name=name, role=role)
    user.set_password(PASSWORD)
    user.save(update_fields=["password"])
    return user


def signed_in(visit: Open, user: User) -> Page:
    """Through the sign-in page, as people do it."""
    page = visit(None, "/accounts/login/")
    page.locator("input[name=login]").fill(str(user.email))
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("form.form button[type=submit]").first.click()
    page.wait_for_selector(".side")
    return page


def go(page: Page, path: str) -> None:
    page.goto(re.sub(r"(//[^/]+)/.*", rf"\1{path}", page.url))
    page.wait_for_selector("html[data-ready]")


def delivered() -> Lead:
    now = clock.now()
    with transaction.atomic():
        made = capture_lead(Source.objects.get(code="web"), at=now - DAY, origin="webinar")
        asks_for_demo(made, at=now - timedelta(minutes=1))
    return made


def test_a_rep_answers_two_leads_and_moves_a_deal_and_managers_see_it(
    visit: Open, complaints: list[str]
) -> None:
    rita, mia = colleague(Role.REP, "Rita Rep"), colleague(Role.MARKETER, "Mia Market")
    sam = colleague(Role.SALES_MANAGER, "Sam Sales")
    taken, given_back = delivered(), delivered()
    deal = opportunities.open(
        name="Initech rollout", amount=Decimal(12000), currency="EUR", owner=rita,
        opened_at=clock.now() - DAY, actor=rita, now=clock.now() - DAY,
    )  # fmt: skip

    # The marketer and the manager look before anything has happened.
    marketing, manager = signed_in(visit, mia), signed_in(visit, sam)
    go(marketing, "/leads/?stage=recycled")
    expect(marketing.locator("#list")).to_contain_text("Nothing matches these filters.")
    go(manager, "/opportunities/")
    expect(manager.locator("#board-proposal .board-count")).to_have_text("0")

    # The rep accepts one lead, returns one with a reason, and moves a deal by keyboard.
    desk = signed_in(visit, rita)
    go(desk, "/queue/")
    expect(desk.locator(".queue-card")).to_have_count(2)
    accepted = Handoff.objects.get(lead=taken)
    desk.locator(f"#handoff-{accepted.pk}").get_by_role("button", name="Accept").click()
    expect(desk.locator(f"#handoff-{accepted.pk}")).not_to_contain_text("Accept A")
    go(desk, f"/leads/{given_back.pk}/")
    desk.keyboard.press("r")
    dialog = desk.locator("#return-dialog")
    dialog.get_by_label("No budget").check()
    dialog.get_by_role("button", name="Return to marketing").click()
    expect(desk.locator("#record-header")).to_contain_text("Recycled")
    go(desk, "/opportunities/")
    desk.locator(f"#deal-{deal.pk}").focus()
    desk.keyboard.press("m")
    desk.get_by_role("button", name="Proposal", exact=True).press("Enter")
    expect(desk.locator("#board-proposal .board-count")).to_have_text("1")

    # Both others see the numbers changed.
    states = dict(Handoff.objects.values_list("lead_id", "state"))
    assert states == {taken.pk: HandoffState.ACCEPTED, given_back.pk: HandoffState.RETURNED}
    assert Opportunity.objects.get().stage.code == "proposal"
    marketing.reload()
    expect(marketing.locator("#leads [data-row]")).to_have_count(1)
    expect(marketing.locator("#leads")).to_contain_text(given_back.person.name)
    manager.reload()
    expect(manager.locator("#board-proposal .board-head")).to_contain_text("€12,000")
    expect(manager.locator("#board-proposal .board-count")).to_have_text("1")
    assert complaints == []
