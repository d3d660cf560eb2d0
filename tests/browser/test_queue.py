"""My queue and the pages of promises in a real browser: keys, undo, live refresh, accessibility."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from playwright.sync_api import Page, expect

from funnel.models import Handoff, HandoffState
from leads.models import Activity
from sla.domain.calendars import WeeklyCalendar
from sla.models import Clock, ClockState
from smarketing.core import clock
from smarketing.users.domain.roles import Role
from smarketing.users.models import User
from tests.browser.conftest import Open, accessibility_faults
from tests.sla.conftest import HOUR, MINUTE, agree, deliver, make_lead, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE = (390, 844)


@pytest.fixture
def rita() -> User:
    """A rep with three leads, due in 10, 30 and 50 minutes whatever the hour."""
    agree(HOUR, WeeklyCalendar.always())
    rep = make_user(Role.REP, "Rita Rep")
    now = clock.now()
    for name, left in (("Ada One", 10), ("Bob Two", 30), ("Cleo Three", 50)):
        at = now - (60 - left) * MINUTE
        with transaction.atomic():
            deliver(rep, at, lead=make_lead(name, at - HOUR))
    return rep


def handoff(first_name: str) -> Handoff:
    return Handoff.objects.get(lead__person__first_name=first_name)


def names(page: Page) -> list[str]:
    return page.locator("#queue-cards .who-name").all_inner_texts()


def active(page: Page) -> str:
    return page.locator(".queue-card.is-active .who-name").inner_text()


def test_a_rep_works_the_queue_by_keys_alone(rita: User, visit: Open, complaints: list[str]) -> None:
    page = visit(rita, "/queue/")
    assert names(page) == ["Ada One", "Bob Two", "Cleo Three"]
    page.keyboard.press("j")
    assert active(page) == "Ada One"
    page.keyboard.press("a")
    expect(page.locator(".toast")).to_contain_text("Accepted: Ada One")
    assert handoff("Ada").state == HandoffState.ACCEPTED
    page.locator(".toast [data-undo]").click()
    expect(page.locator(".toast").last).to_contain_text("Taken back: Ada One")
    assert handoff("Ada").state == HandoffState.DELIVERED
    assert active(page) == "Ada One"

    page.keyboard.press("l")
    page.keyboard.press("n")
    expect(page.locator(".toast").last).to_contain_text("Call · Ada One")
    logged = Activity.objects.get()
    assert (logged.kind, logged.outcome) == ("call", "no_answer")
    assert Clock.objects.get(handoff=handoff("Ada"), kind="respond").state == ClockState.MET
    assert names(page) == ["Bob Two", "Cleo Three", "Ada One"]

    page.keyboard.press("a")
    expect(page.locator("#queue-cards")).not_to_contain_text("Ada One")
    assert handoff("Ada").state == HandoffState.ACCEPTED
    assert complaints == []


def test_a_rep_sets_aside_plans_and_writes_by_keys(rita: User, visit: Open, complaints: list[str]) -> None:
    page = visit(rita, "/queue/")
    dialog = page.locator("#ask-dialog")
    page.keyboard.press("j")
    page.keyboard.press("s")
    expect(dialog).to_contain_text("Set Ada One aside")
    dialog.locator("input[value=hour]").check()
    dialog.get_by_label("Why").fill("asked to wait")
    page.keyboard.press("Enter")
    expect(page.locator(".toast").last).to_contain_text("Set aside: Ada One")
    expect(page.locator("#queue-asleep")).to_be_visible()
    assert names(page) == ["Bob Two", "Cleo Three", "Ada One"]
    assert handoff("Ada").snoozes.get().reason == "asked to wait"

    page.keyboard.press("j")
    writes_to = active(page)
    page.keyboard.press("t")
    expect(dialog).to_contain_text(f"Next step with {writes_to}")
    dialog.get_by_label("What is to be done").fill("Send the offer")
    dialog.locator("input[value=hour]").check()
    page.keyboard.press("Enter")
    expect(dialog).not_to_be_visible()
    task = Activity.objects.get()
    assert (task.kind, task.subject, str(task.person)) == ("task", "Send the offer", writes_to)

    page.keyboard.press("w")
    page.wait_for_url(f"**/people/{task.person_id}/mail/")
    assert complaints == []


def test_a_return_asks_why(rita: User, visit: Open, complaints: list[str]) -> None:
    page = visit(rita, "/queue/")
    page.keyboard.press("j")
    page.keyboard.press("r")
    dialog = page.locator("#return-dialog")
    expect(dialog).to_be_visible()
    assert accessibility_faults(page) == []
    dialog.get_by_role("button", name="Return to marketing").click()
    expect(page.locator("#return-dialog")).to_contain_text("Choose why it goes back")
    page.locator("#return-dialog").get_by_label("Not ready to buy yet").check()
    page.locator("#return-dialog").get_by_role("button", name="Return to marketing").click()
    expect(page.locator(".toast").last).to_contain_text("Returned to marketing: Ada One")
    expect(page.locator("#return-dialog")).not_to_be_visible()
    assert names(page) == ["Bob Two", "Cleo Three"]
    assert handoff("Ada").state == HandoffState.RETURNED
    expect(page.locator("#queue-counts")).to_contain_text("2 leads wait")
    # The browser reports the refused form too.
    assert [line for line in complaints if "422" not in line] == []


def test_a_new_lead_appears_without_a_reload_and_the_active_row_stays(
    rita: User, visit: Open, complaints: list[str]
) -> None:
    page = visit(rita, "/queue/")
    page.clock.install()
    page.reload()
    page.keyboard.press("j")
    page.keyboard.press("j")
    with page.expect_response("**/queue/cards/") as same:
        page.clock.run_for(20_500)
    assert same.value.status == 304
    assert active(page) == "Bob Two"
    with transaction.atomic():
        at = clock.now() - 55 * MINUTE
        deliver(rita, at, lead=make_lead("Dora Four", at - HOUR))
    with page.expect_response("**/queue/cards/") as changed:
        page.clock.run_for(20_500)
    assert changed.value.status == 200
    expect(page.locator("#queue-cards .who-name").first).to_have_text("Dora Four")
    assert active(page) == "Bob Two"
    assert complaints == []


@pytest.mark.parametrize("path", ["/queue/", "/sla/", "/agreement/", "/settings/calendar/", "lead"])
def test_pages_are_accessible_light_dark_and_on_a_phone(
    rita: User, visit: Open, complaints: list[str], path: str
) -> None:
    path = f"/leads/{handoff('Ada').lead_id}/" if path == "lead" else path
    manager = make_user(Role.SALES_MANAGER, "Sam Seller")
    viewer = rita if path == "/queue/" else manager
    for scheme, size in (("light", (1280, 900)), ("dark", (1280, 900)), ("light", PHONE)):
        page = visit(viewer, path, scheme=scheme, size=size)
        assert accessibility_faults(page) == []
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{path} scrolls sideways by {wide} px at {size}"
    assert complaints == []


def test_a_phone_calls_and_mails_with_one_touch(rita: User, visit: Open) -> None:
    page = visit(rita, "/queue/", size=PHONE)
    card = page.locator(".queue-card").first
    expect(card.get_by_role("link", name="Call")).to_have_attribute("href", "tel:+4930123456")
    for button in card.locator(".queue-actions > form > .btn, .queue-actions > .btn").all():
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 44


def test_a_countdown_ticks(rita: User, visit: Open) -> None:
    page = visit(rita, "/queue/")
    first = page.locator("#queue-cards [data-due]").first
    before = first.inner_text()
    assert before.split(" · ")[0] in ("9 min left", "10 min left")
    page.clock.install(time=clock.now() + timedelta(minutes=5))
    page.reload()
    page.clock.fast_forward(20_000)
    expect(page.locator("#queue-cards [data-due]").first).to_contain_text("4 min left")
