"""The building blocks in a real browser: keys, drag, undo, themes, accessibility, policy."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from smarketing.users.domain.roles import Role
from smarketing.users.models import User
from tests.browser.conftest import Open, accessibility_faults

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.web.sample_urls"),
]
PHONE = (390, 844)


@pytest.fixture
def sara() -> User:
    return User.objects.create(email="sara@example.com", name="Sara Kohl", role=Role.ADMIN)


@pytest.fixture
def colleagues() -> list[User]:
    return [
        User.objects.create(email=f"{n.lower()}@example.com", name=n, role=Role.REP)
        for n in ("Ada", "Ben", "Cleo", "Dora", "Emil")
    ]


@pytest.mark.parametrize(
    ("scheme", "size"), [("light", (1280, 900)), ("dark", (1280, 900)), ("light", PHONE)]
)
@pytest.mark.parametrize("path", ["/styleguide", "/colleagues", "/profile", "/notifications", "/nowhere"])
def test_pages_are_accessible_and_break_no_policy(
    visit: Open,
    complaints: list[str],
    sara: User,
    colleagues: list[User],
    path: str,
    scheme: str,
    size: tuple[int, int],
) -> None:
    page = visit(sara, path, scheme=scheme, size=size)
    expected = ["Failed to load resource: the server responded with a status of 404 (Not Found)"]
    assert complaints == (expected if path == "/nowhere" else [])
    assert accessibility_faults(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_sign_in_page_is_accessible(visit: Open, complaints: list[str], scheme: str) -> None:
    page = visit(None, "/accounts/login/", scheme=scheme)
    assert complaints == []
    assert accessibility_faults(page) == []


def test_live_search_keeps_the_focus_and_the_address_follows(
    visit: Open, complaints: list[str], sara: User, colleagues: list[User]
) -> None:
    page = visit(sara, "/colleagues")
    page.keyboard.press("/")
    page.keyboard.type("em")
    expect(page.locator("tbody [data-row]")).to_have_count(1)
    expect(page.locator("#list-search")).to_be_focused()
    expect(page).to_have_url(re.compile(r"/colleagues\?q=em$"))
    assert page.locator("[data-export]").get_attribute("href") == "/export?q=em"
    assert complaints == []


def test_rows_load_on_and_keys_select_them(visit: Open, sara: User, colleagues: list[User]) -> None:
    page = visit(sara, "/colleagues")
    page.get_by_role("link", name="Load more").click()
    expect(page.locator("tbody [data-row]")).to_have_count(5)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("[data-row].is-active")).to_contain_text("Ben")
    expect(page.locator("[data-pick]:checked")).to_have_count(1)


def test_a_chip_is_removed_with_its_field(visit: Open, sara: User, colleagues: list[User]) -> None:
    page = visit(sara, "/colleagues?role=marketer")
    expect(page.locator("tbody [data-row]")).to_have_count(0)
    page.locator(".chip").click()
    expect(page.locator("tbody [data-row]")).to_have_count(3)
    expect(page.locator(".chip")).to_have_count(0)
    assert page.locator("input[name=role]:checked, option:checked[value=marketer]").count() == 0


def test_the_filter_panel_is_fetched_once_it_is_opened(
    visit: Open, complaints: list[str], sara: User, colleagues: list[User]
) -> None:
    page = visit(sara, "/colleagues?role=rep")
    page.keyboard.press("/")
    page.keyboard.type("a")
    expect(page).to_have_url(re.compile(r"role=rep.*q=a|q=a.*role=rep"))
    page.locator(".filters summary").click()
    expect(page.get_by_role("checkbox", name="Sales rep", exact=True)).to_be_checked()
    assert accessibility_faults(page) == []
    page.get_by_role("checkbox", name="Marketer", exact=True).check()
    expect(page.locator(".chip")).to_have_count(2)
    expect(page.get_by_role("checkbox", name="Marketer", exact=True)).to_be_visible()
    page.locator(".chip").first.click()
    expect(page.locator(".chip")).to_have_count(1)
    page.locator(".filters summary").click()
    expect(page.get_by_role("checkbox", name="Sales rep", exact=True)).not_to_be_checked()
    expect(page.get_by_role("checkbox", name="Marketer", exact=True)).to_be_checked()
    assert complaints == []


def test_the_palette_opens_by_key_finds_and_goes(visit: Open, complaints: list[str], sara: User) -> None:
    page = visit(sara, "/styleguide")
    page.keyboard.press("Control+k")
    expect(page.locator("#palette")).to_be_visible()
    expect(page.locator("#palette-hits > *").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#palette")).to_be_hidden()
    assert complaints == []


def test_the_theme_is_chosen_and_remembered(visit: Open, sara: User) -> None:
    page = visit(sara, "/profile")
    page.get_by_role("button", name="Switch between light and dark").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_a_card_is_dragged_and_the_answer_offers_undo(visit: Open, complaints: list[str], sara: User) -> None:
    page = visit(sara, "/styleguide", size=(1280, 1800))
    page.get_by_label("Joan Turing", exact=True).drag_to(page.locator("[data-column=won]"))
    expect(page.locator("[data-column=won] [data-card]")).to_have_count(1)
    expect(page.locator("[data-toast]")).to_contain_text("Joan Turing moved to SQL.")
    page.get_by_role("button", name="Undo").click()
    assert complaints == []


def test_a_card_is_moved_by_keyboard(visit: Open, complaints: list[str], sara: User) -> None:
    page = visit(sara, "/styleguide", size=(1280, 1800))
    page.get_by_label("Joan Turing", exact=True).focus()
    page.keyboard.press("m")
    page.get_by_role("button", name="Customer").click()
    expect(page.locator("[data-column=won] [data-card]")).to_have_count(1)
    expect(page.locator("[data-toast]")).to_be_visible()
    assert complaints == []


def test_a_refused_move_puts_the_card_back(visit: Open, sara: User) -> None:
    page = visit(sara, "/styleguide", size=(1280, 1800))
    card = page.get_by_label("Joan Turing", exact=True)
    card.evaluate("card => { card.dataset.moveUrl = '/refuses' }")
    card.focus()
    page.keyboard.press("m")
    page.get_by_role("button", name="Customer").click()
    expect(page.locator("[data-toast]")).to_contain_text("It is closed already.")
    expect(page.locator("[data-column=mql] [data-card]")).to_have_count(2)


def test_dialogs_open_close_and_give_the_focus_back(visit: Open, sara: User) -> None:
    page = visit(sara, "/styleguide")
    button = page.get_by_role("button", name="Dialog")
    button.click()
    expect(page.locator("#sample-dialog")).to_be_visible()
    assert accessibility_faults(page) == []
    page.keyboard.press("Escape")
    expect(page.locator("#sample-dialog")).to_be_hidden()
    expect(button).to_be_focused()


def test_keys_rest_in_fields_and_when_turned_off(visit: Open, sara: User) -> None:
    page = visit(sara, "/styleguide")
    page.locator("#id_name").first.focus()
    page.keyboard.type("?")
    expect(page.locator("#shortcuts")).to_be_hidden()
    page.evaluate("document.cookie = 'shortcuts=off; path=/'")
    page.reload()
    page.wait_for_selector("html[data-ready]")
    page.keyboard.press("?")
    expect(page.locator("#shortcuts")).to_be_hidden()


def test_on_the_phone_tables_are_cards_and_targets_are_large(
    visit: Open, sara: User, colleagues: list[User]
) -> None:
    page = visit(sara, "/colleagues", size=PHONE)
    expect(page.locator("thead")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    small = page.eval_on_selector_all(
        ".btn, .bottom-link, .chip",
        "all => all.filter(e => e.offsetHeight && e.offsetHeight < 44).map(e => e.outerHTML.slice(0, 80))",
    )
    assert small == []
