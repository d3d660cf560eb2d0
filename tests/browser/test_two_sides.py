"""The promise between the teams in two browsers: signed, kept once, broken once, and the same everywhere."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import transaction
from playwright.sync_api import Page, expect

from funnel.models import Handoff
from sla.domain.calendars import WeeklyCalendar
from sla.models import AgreementVersion, Calendar, CalendarVersion, Clock, ClockEvent, ClockState
from sla.services import agreements, sweep
from smarketing.core import clock
from smarketing.notifications.models import Notification
from smarketing.notifications.services import outbox
from smarketing.users.domain.roles import Role
from smarketing.users.models import Team, User
from tests.browser.conftest import Open
from tests.sla.conftest import HOUR, MINUTE, make_lead, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "correct horse battery"
Later = Callable[[timedelta], datetime]


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Later:
    """``later(HOUR)``: everything but the browsers' clocks goes on by an hour; the instant it then is."""
    gone = timedelta(0)
    real = clock.now

    def now() -> datetime:
        return real() + gone

    def advance(by: timedelta) -> datetime:
        nonlocal gone
        gone += by
        return now()

    monkeypatch.setattr(clock, "now", now)
    return advance


@pytest.fixture
def proposed(db: None) -> AgreementVersion:
    """A first response within an hour, whatever the hour; then the team lead, then both managers."""
    now = clock.now()
    always = Calendar.objects.create(name="Always", created_at=now, updated_at=now)
    body = WeeklyCalendar.always().to_json()
    CalendarVersion.objects.create(calendar=always, number=1, body=body, created_at=now)
    author = make_user(Role.ADMIN, "Ada Admin")
    promise = {
        "side": "sales",
        "metric": "first_response",
        "comparator": "<=",
        "target": "60",
        "period": "",
        "calendar": always.pk,
        "population": {},
        "terms": {"lead_after_minutes": 15, "managers_after_minutes": 30},
        "grace_seconds": 0,
    }
    draft = agreements.update(
        version=agreements.draft(actor=author, now=now), clauses=[promise], actor=author, now=now
    )
    return agreements.propose(version=draft, actor=author, now=now)


def colleague(role: Role, name: str) -> User:
    user = make_user(role, name)
    user.set_password(PASSWORD)
    user.save(update_fields=["password"])
    return user


def sign(page: Page, version: int) -> None:
    page.goto(re.sub(r"(//[^/]+)/.*", rf"\1/agreement/{version}/sign/", page.url))
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign for my team").click()
    page.wait_for_selector("html[data-ready]")


def deliver(desk: Page) -> None:
    """By the page of a lead: the gate says what is missing, and is overridden with a reason."""
    desk.get_by_role("button", name="Deliver to sales").click()
    expect(desk.locator(".toast").last).to_contain_text("Not delivered")
    desk.reload()
    desk.wait_for_selector("html[data-ready]")
    desk.get_by_role("button", name="Override the gate").click()
    desk.get_by_label("Why it passes all the same").fill("They asked for it by name")
    desk.get_by_role("button", name="Deliver all the same").click()
    expect(desk.locator(".toast").last).to_contain_text("Rita Rep")


def told(user: User) -> list[str]:
    outbox.fan_out(now=clock.now(), limit=500)
    return list(Notification.objects.filter(user=user).order_by("pk").values_list("text", flat=True))


def figure(page: Page, path: str, label: str) -> str:
    """The number beside a label of a page."""
    page.goto(re.sub(r"(//[^/]+)/.*", rf"\1{path}", page.url))
    return page.locator(".kpi", has_text=label).first.locator(".kpi-value").inner_text().strip()


def test_two_teams_sign_keep_and_break_their_promise(
    proposed: AgreementVersion, visit: Open, complaints: list[str], later: Later
) -> None:
    mia, sam = colleague(Role.MARKETING_MANAGER, "Mia Market"), colleague(Role.SALES_MANAGER, "Sam Seller")
    rita = make_user(Role.REP, "Rita Rep")
    team = Team.objects.create(name="Inside sales", side="sales")
    lea = make_user(Role.SALES_MANAGER, "Lea Lead")
    team.memberships.create(user=rita)
    team.memberships.create(user=lea, is_lead=True)

    # Both sides sign the same text, each in a browser of its own.
    marketing, sales = visit(mia, "/agreement/"), visit(sam, "/agreement/")
    sign(marketing, proposed.number)
    proposed.refresh_from_db()
    assert proposed.state == "proposed"
    assert told(sam) == ["Mia Market signed version 2 of the agreement for Marketing."]
    sign(sales, proposed.number)
    proposed.refresh_from_db()
    assert proposed.state == "in_force"
    assert {s.digest for s in proposed.signatures.all()} == {proposed.digest}

    # A lead is delivered in one browser and stands on the rep's page of the other within five seconds.
    queue = visit(rita, "/queue/")
    expect(queue.locator("#queue-cards")).to_contain_text("Nothing waits for you")
    with transaction.atomic():
        kept, left = make_lead("Ada Kept", clock.now() - HOUR), make_lead("Bob Left", clock.now() - HOUR)
    desk = visit(mia, f"/leads/{kept.pk}/")
    deliver(desk)
    began = time.monotonic()
    outbox.fan_out(now=clock.now(), limit=500)  # the nudged loop
    expect(queue.locator("#queue-cards")).to_contain_text("Ada Kept", timeout=6_000)
    assert time.monotonic() - began < 6

    # The countdown ticks.
    countdown = queue.locator("#queue-cards [data-due]").first
    before = countdown.inner_text()
    assert re.match(r"(59|60) min left", before), before
    ticking = visit(rita, "/queue/")
    ticking.clock.install(time=clock.now() + 5 * MINUTE)
    ticking.reload()
    ticking.clock.fast_forward(20_000)
    expect(ticking.locator("#queue-cards [data-due]").first).to_contain_text(re.compile("5[345] min left"))
    ticking.close()

    # The rep logs a call and accepts by keys; whoever delivered sees it.
    queue.keyboard.press("j")
    queue.keyboard.press("l")
    queue.keyboard.press("n")
    expect(queue.locator(".toast").last).to_contain_text("Call · Ada Kept")
    queue.keyboard.press("a")
    expect(queue.locator("#queue-cards")).not_to_contain_text("Ada Kept")
    promise = Clock.objects.get(handoff__lead=kept, kind="respond")
    assert promise.state == ClockState.MET
    assert "Rita Rep accepted Ada Kept (Initech)." in told(mia)
    desk.goto(desk.url)
    expect(desk.locator("main")).to_contain_text("Accepted")

    # Another lead is left alone: a warning, the breach, and each step of the ladder, once.
    desk.goto(desk.url.replace(f"/leads/{kept.pk}/", f"/leads/{left.pk}/"))
    deliver(desk)
    alone = Clock.objects.get(handoff__lead=left, kind="respond")
    seen = {}
    for step, by in (
        ("warning", 31 * MINUTE),
        ("breach", 30 * MINUTE),
        ("lead", 15 * MINUTE),
        ("both", 15 * MINUTE),
    ):
        now = later(by)
        sweep.run_once(now=now)
        sweep.run_once(now=now)
        seen[step] = {user.name.split()[0]: told(user) for user in (rita, lea, sam, mia)}
    overdue = "First response to Bob Left is overdue (owner: Rita Rep)."
    assert "Bob Left is waiting for a first attempt" in seen["warning"]["Rita"][-1]
    assert (seen["breach"]["Rita"].count(overdue), seen["breach"]["Lea"].count(overdue)) == (1, 0)
    assert (seen["lead"]["Lea"].count(overdue), seen["lead"]["Sam"].count(overdue)) == (1, 0)
    assert (seen["both"]["Sam"].count(overdue), seen["both"]["Mia"].count(overdue)) == (1, 1)
    fired = list(ClockEvent.objects.filter(clock=alone).order_by("level").values_list("kind", flat=True))
    assert fired == ["warning", "warning", "warning", "breach", "lead", "managers"]

    # Board, manager's day and commitment say the same of both.
    alone.refresh_from_db()
    assert alone.state == ClockState.BREACHED_OPEN
    assert figure(sales, "/sla/", "Overdue") == figure(sales, "/sla/day/", "Overdue") == "1"
    assert figure(sales, "/sla/", "Kept this month").startswith("1 of 2")
    sales.goto(re.sub(r"(//[^/]+)/.*", r"\1/sla/?show=breached", sales.url))
    expect(sales.locator("table").last).to_contain_text("Bob Left")
    expect(sales.locator("table").last).not_to_contain_text("Ada Kept")
    marketing.goto(re.sub(r"(//[^/]+)/.*", r"\1/commitments/", marketing.url))
    kept_row = marketing.locator("tr", has_text="First response")
    numbers = kept_row.locator("td").all_inner_texts()
    assert [text.strip() for text in numbers[1:5]] == ["100%", "2", "2", "1"]
    expect(kept_row).to_contain_text("50%")
    assert Handoff.objects.filter(lead__in=[kept, left], delivered_at__isnull=False).count() == 2
    assert complaints == []
