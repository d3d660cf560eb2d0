"""The settings in a real browser: dialogs, a secret that is copied once, Back after signing out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from leads.services import attributes
from smarketing.core import clock
from smarketing.notifications.services import endpoints
from smarketing.users.domain.roles import Role
from smarketing.users.models import ApiToken, Membership, Team, User
from smarketing.users.services import users
from tests.browser.conftest import Open, accessibility_faults

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE = (390, 844)
PAGES = ("users", "teams", "organisation", "tokens", "webhooks", "audit", "attributes")


@pytest.fixture
def admin() -> User:
    """An admin, a colleague in a team, a receiver of webhooks and an attribute."""
    now = clock.now()
    sara = User.objects.create(email="sara@example.com", name="Sara Kohl", role=Role.ADMIN)
    ann = User.objects.create(email="ann@example.com", name="Ann Lee", role=Role.REP, region="North")
    team = Team.objects.create(name="Sales North", side="sales")
    Membership.objects.create(user=ann, team=team, is_lead=True)
    users.change_role(user=ann, role="sales_manager", actor=sara, now=now)
    endpoints.create(name="Chat", url="https://hooks.example.com/in", topics=["*"], actor=sara, now=now)
    attributes.define(subject="lead", key="size", type="choice", choices=["s", "m"], actor=sara, now=now)
    return sara


def keep(page: Page, name: str) -> None:
    """A picture to look at, where ``SCREENSHOTS`` names a directory."""
    if os.environ.get("SCREENSHOTS"):
        path = Path(os.environ["SCREENSHOTS"]) / f"{name}.png"
        page.screenshot(path=str(path), caret="initial")  # hiding the caret would need an inline style


@pytest.mark.parametrize(
    ("scheme", "size"), [("light", (1280, 900)), ("dark", (1280, 900)), ("light", PHONE)]
)
def test_the_pages_are_accessible(
    admin: User, visit: Open, complaints: list[str], scheme: str, size: tuple[int, int]
) -> None:
    page = visit(admin, "/settings/", scheme=scheme, size=size)
    for name in PAGES:
        page.goto(page.url.partition("/settings/")[0] + f"/settings/{name}/")
        page.wait_for_selector("html[data-ready]")
        keep(page, f"{name}-{scheme}-{size[0]}")
        assert accessibility_faults(page) == [], name
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, name
    assert complaints == []


def test_an_admin_adds_a_user_and_takes_a_deactivation_back(
    admin: User, visit: Open, complaints: list[str]
) -> None:
    page = visit(admin, "/settings/users/")
    page.get_by_role("link", name="Add a user").click()
    dialog = page.locator("dialog[open]")
    expect(dialog).to_be_visible()
    keep(page, "user-new")
    assert accessibility_faults(page) == []
    dialog.get_by_label("Name").fill("Bob Moss")
    dialog.get_by_label("E-mail").fill("nonsense")
    dialog.get_by_role("button", name="Add the user").click()
    expect(dialog).to_contain_text("Write an address such as ann@example.com.")
    complaints.clear()  # the browser notes the refusal
    dialog.get_by_label("E-mail").fill("bob@example.com")
    dialog.get_by_role("button", name="Add the user").click()
    expect(page.locator(".toast")).to_contain_text("Bob Moss was added.")
    row = page.locator("tr", has_text="Ann Lee")
    row.locator("summary").click()
    keep(page, "user-menu")
    row.get_by_role("button", name="Deactivate").click()
    expect(page.locator(".toast")).to_contain_text("Ann Lee can no longer sign in.")
    page.locator(".toast [data-undo]").click()
    expect(page.locator(".toast")).to_contain_text("Ann Lee can sign in again.")
    assert User.objects.get(name="Ann Lee").is_active
    assert complaints == []


def test_a_token_is_shown_once_and_the_list_follows(admin: User, visit: Open, complaints: list[str]) -> None:
    page = visit(admin, "/settings/tokens/")
    page.get_by_role("link", name="New token").click()
    dialog = page.locator("dialog[open]")
    dialog.get_by_label("Name").fill("Script")
    dialog.get_by_role("button", name="Make the token").click()
    secret = dialog.locator("#secret-value").input_value()
    assert secret.startswith("sm_")
    keep(page, "token-once")
    assert accessibility_faults(page) == []
    expect(page.locator("#list")).to_contain_text("Script")
    dialog.get_by_role("button", name="Copy").click()
    dialog.get_by_role("link", name="I have kept it").click()
    expect(page.locator("#list")).to_contain_text("Script")
    assert secret not in page.content()
    page.get_by_role("link", name="Revoke").click()
    page.locator("dialog[open]").get_by_role("button", name="Revoke").click()
    expect(page.locator(".toast")).to_contain_text("Token revoked.")
    assert ApiToken.objects.get().revoked_at is not None
    assert complaints == []


def test_back_after_signing_out_shows_nothing(admin: User, visit: Open) -> None:
    page = visit(admin, "/settings/users/")
    page.goto(page.url.replace("users", "organisation"))
    page.locator(".user-button").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/accounts/login/**")
    page.go_back()
    page.wait_for_load_state()
    assert "Europe" not in page.content()
    assert "/accounts/login/" in page.url
    page.go_back()
    page.wait_for_load_state()
    assert "Ann Lee" not in page.content()
