"""Show 5: two sign in Chromium, an edit clears it, the day comes, a rep reads the new meaning."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from funnel.models import DefinitionSignature, DefinitionState, DefinitionVersion
from funnel.services import definitions
from smarketing.core import clock
from smarketing.users.domain.roles import Role
from smarketing.users.models import User
from tests.browser.conftest import Open, accessibility_faults

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "a long enough pass phrase"  # noqa: S105 - of a test
VERSION = "/settings/definition/2/"


def user(role: Role, name: str) -> User:
    made = User.objects.create(email=f"{name.lower()}@example.com", name=name, role=role)
    made.set_password(PASSWORD)
    made.save(update_fields=["password"])
    return made


def sign(page: Page) -> None:
    page.get_by_role("link", name="Read and sign").click()
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Sign for my team").click()
    expect(page.locator(".toast")).to_contain_text("Signed")


def test_two_sign_an_edit_clears_it_the_day_comes_and_a_rep_reads_the_new_meaning(
    visit: Open, complaints: list[str]
) -> None:
    max_, sam, rita = (
        user(Role.MARKETING_MANAGER, "Max"),
        user(Role.SALES_MANAGER, "Sam"),
        user(Role.REP, "Rita"),
    )
    day = (clock.now() + timedelta(days=7)).date()

    marketing = visit(max_, "/settings/definition/")
    marketing.get_by_role("button", name="Draft a new version").click()
    expect(marketing.locator("#definition-reach")).to_contain_text("Counted over all 0 open leads.")
    marketing.get_by_role("button", name="Save").click()
    propose(marketing, day.isoformat())
    sign(marketing)
    assert DefinitionSignature.objects.get().signer == max_

    sales = visit(sam, f"{VERSION}edit/")
    sales.locator("#definition-interest_1").fill("70")
    sales.get_by_role("button", name="Save").click()
    expect(sales.locator("main")).to_contain_text("Interest 1 from 70 points")
    assert not DefinitionSignature.objects.exists()
    found = accessibility_faults(sales)
    sales.get_by_label("Comment").fill("40 let in too many.")
    sales.get_by_role("button", name="Say it").click()
    expect(sales.locator(".comments")).to_contain_text("40 let in too many.")
    propose(sales, day.isoformat())
    sign(sales)
    marketing.goto(marketing.url.split("/settings")[0] + VERSION)
    sign(marketing)
    assert DefinitionVersion.objects.get(number=2).state == DefinitionState.SIGNED

    rep = visit(rita, "/queue/")
    word = rep.locator("button.term", has_text="qualified lead")
    assert "interest 1 at 40 points" in str(word.get_attribute("title"))
    due = definitions.effective_from(day=day)
    assert definitions.run_once(now=due - timedelta(seconds=1)) == 0
    assert definitions.run_once(now=due) == 1
    rep.reload()
    title = str(word.get_attribute("title"))
    assert "interest 1 at 70 points" in title
    assert "(version 2 of the definition)" in title
    word.focus()
    rep.keyboard.press("Enter")
    means = rep.locator(".term-means:popover-open")
    expect(means).to_contain_text("interest 1 at 70 points")
    found += accessibility_faults(rep)
    rep.keyboard.press("Escape")
    expect(means).to_have_count(0)
    word.click()
    means.get_by_role("link", name="The definition").click()
    expect(rep.locator("main")).to_contain_text("version 2")
    narrow = visit(sam, "/settings/questionnaires/", scheme="dark", size=(390, 844))
    found += accessibility_faults(narrow)
    assert found == []
    assert complaints == []


def propose(page: Page, day: str) -> None:
    page.get_by_label("In force from").fill(day)
    page.get_by_role("button", name="Propose for signing").click()
    expect(page.locator(".toast")).to_contain_text("Proposed")
