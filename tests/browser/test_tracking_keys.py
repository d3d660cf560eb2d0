"""The pages of tracking keys in a real browser: made, copied, revoked, taken back; accessible."""

from __future__ import annotations

import re
import uuid

import pytest
from playwright.sync_api import expect

from leads.models import DeadLetter, IntakeCount, KeyKind, WriteKey
from leads.services import sources, write_keys
from smarketing.core import clock
from smarketing.users.domain.roles import Role
from smarketing.users.models import User
from tests.browser.conftest import Open, accessibility_faults

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE = (390, 844)


@pytest.fixture
def adam() -> User:
    return User.objects.create(email="adam@example.com", name="Adam Admin", role=Role.ADMIN)


@pytest.fixture
def key(adam: User) -> WriteKey:
    now = clock.now()
    source = sources.ensure(code="site", name="Main website", kind="web", now=now)
    issued = write_keys.issue(
        source=source,
        name="Main website",
        kind=KeyKind.BROWSER,
        origins=["https://www.example.com"],
        actor=adam,
        now=now,
    )
    for outcome, events in (("stored", 4321), ("gpc", 120), ("no_identity", 3)):
        IntakeCount.objects.create(day=now.date(), source=source, outcome=outcome, events=events)
    id = uuid.uuid4()
    DeadLetter.objects.create(
        origin="event",
        message_id=id,
        source_id=source.pk,
        attempts=5,
        error="ValueError: odd",
        body={"id": str(id), "type": "track", "name": "Signed Up", "message_id": "m-1"},
        received_at=now,
        created_at=now,
    )
    return issued.key


def test_a_key_is_made_and_its_tag_copied(visit: Open, adam: User, complaints: list[str]) -> None:
    page = visit(adam, "/settings/tracking/")
    page.click("text=New key >> nth=0")
    page.fill("#ask_new_source", "Web shop")
    page.fill("#ask_name", "Shop")
    page.click("dialog button[type=submit]")
    expect(page.locator("#snippet")).to_have_value(re.compile(r'src="\S+/t\.js" data-key="wk_\w+"'))
    assert WriteKey.objects.get().public_key in page.locator("#snippet").input_value()
    assert complaints == []


def test_revoking_can_be_taken_back(visit: Open, adam: User, key: WriteKey) -> None:
    page = visit(adam, "/settings/tracking/")
    page.click("td button:has-text('Revoke')")
    expect(page.locator("td .tag", has_text="Revoked")).to_be_visible()
    page.click("text=Undo")
    expect(page.locator("td .tag", has_text="Nothing yet")).to_be_visible()
    key.refresh_from_db()
    assert key.revoked_at is None


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1280, 900), PHONE])
def test_the_pages_are_accessible(
    visit: Open, adam: User, key: WriteKey, complaints: list[str], scheme: str, size: tuple[int, int]
) -> None:
    for path in ("", f"{key.pk}/", "dead-letters/"):
        page = visit(adam, f"/settings/tracking/{path}", scheme=scheme, size=size)
        assert accessibility_faults(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert complaints == []
