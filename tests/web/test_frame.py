"""Menu, bell, palette, panels, toasts, profile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client, RequestFactory

from smarketing.notifications.selectors.notifications import Unread
from smarketing.users.domain.roles import Capability, Role
from smarketing.users.models import User
from smarketing.web import navigation, palette, panels, rendering
from smarketing.web.navigation import NavItem, Section
from smarketing.web.palette import Hit
from smarketing.web.panels import Panel
from tests.web.conftest import HTMX, SignIn

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.web.sample_urls")]
NOW = datetime(2026, 3, 12, 14, 5, tzinfo=UTC)


@pytest.fixture(autouse=True)
def own_registries(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(navigation, "_items", {})
    monkeypatch.setattr(navigation, "_bell", [])
    monkeypatch.setattr(navigation, "_first_pages", {})
    monkeypatch.setattr(palette, "_providers", {})
    monkeypatch.setitem(panels._regions, "person.side", {})
    return


def test_a_role_sees_only_the_entries_it_may_open(person: Callable[..., User]) -> None:
    navigation.register(NavItem("Profile", "user", "web:profile", order=2))
    navigation.register(NavItem("Colleagues", "users", "colleagues", order=1, badge=lambda user: 7))
    navigation.register(NavItem("Admin", "lock", "web:home", capability=Capability.MANAGE_USERS))
    navigation.register(NavItem("Reps", "phone", "web:palette", roles=frozenset({Role.MARKETER})))
    navigation.register(NavItem("Gone", "x", "no:such"))
    entries = navigation.entries(person(Role.REP), "/colleagues/7")
    assert [(e.item.label, e.is_current, e.count) for e in entries] == [
        ("Colleagues", True, 7),
        ("Profile", False, 0),
    ]


def test_a_menu_runs_from_the_own_day_to_the_whole_picture(person: Callable[..., User]) -> None:
    navigation.register(NavItem("Reports", "chart", "web:profile", section=Section.WHOLE, order=1))
    navigation.register(NavItem("Leads", "users", "colleagues", section=Section.FUNNEL, order=9))
    navigation.register(NavItem("Queue", "inbox", "web:home"))
    entries = navigation.entries(person(Role.REP), "/")
    assert [(str(e.item.section.label), e.item.label) for e in entries] == [
        ("", "Queue"),
        ("Funnel", "Leads"),
        ("Whole picture", "Reports"),
    ]


def test_without_a_page_of_its_own_a_role_sees_the_first_entry_of_the_menu(signed_in: SignIn) -> None:
    assert signed_in().get("/")["Location"] == "/profile"
    navigation.register(NavItem("Colleagues", "users", "colleagues"))
    assert signed_in(Role.REP).get("/")["Location"] == "/colleagues"


def test_the_bell_counts_what_is_unread(signed_in: SignIn) -> None:
    navigation.register_bell("colleagues", lambda user: Unread(3, 7))
    assert "Notifications, 3 unread" in signed_in().get("/profile").content.decode()


def test_the_palette_finds_places_and_records_and_says_when_it_finds_nothing(signed_in: SignIn) -> None:
    navigation.register(NavItem("Colleagues", "users", "colleagues", key="c"))
    palette.register("people", "People", lambda user, text: [Hit("Ada", "/ada")] if text == "ada" else [])
    client = signed_in()
    empty = client.get("/palette", headers=HTMX).content.decode()
    assert "Colleagues" in empty
    assert "G C" in empty
    found = client.get("/palette?q= ada ", headers=HTMX).content.decode()
    assert 'href="/ada"' in found
    assert "Colleagues" not in found
    nothing = client.get("/palette?q=<b>", headers=HTMX).content.decode()
    assert "Nothing found for “&lt;b&gt;”" in nothing


def test_panels_of_other_apps_fill_a_region_in_order(person: Callable[..., User]) -> None:
    def show(subject: Any, *, viewer: User, now: datetime) -> Panel | None:
        return Panel("x.html", {"subject": subject}, title="First")

    def hide(subject: Any, *, viewer: User, now: datetime) -> Panel | None:
        return None

    panels.register("person.side", "b", show, order=20)
    panels.register("person.side", "a", hide, order=10)
    panels.register("person.side", "c", show, order=5, capability=Capability.MANAGE_USERS)
    built = panels.build("person.side", "Ada", viewer=person(Role.REP), now=NOW)
    assert [(p.title, p.context) for p in built] == [("First", {"subject": "Ada"})]
    assert len(panels.build("person.side", "Ada", viewer=person(Role.ADMIN), now=NOW)) == 2


def test_a_toast_of_a_redirect_is_shown_on_the_next_page_with_undo(signed_in: SignIn) -> None:
    client = signed_in()
    response = client.post("/styleguide/toast", headers=HTMX)
    html = response.content.decode()
    assert response["HX-Reswap"] == "none"
    assert 'hx-post="/styleguide/toast"' in html
    assert "Undo" in html


def test_the_fragment_is_chosen_by_the_element_it_fills() -> None:
    request = RequestFactory().get("/", headers={**HTMX, "HX-Target": "div#lead-rows"})
    assert rendering.target_id(request) == "lead-rows"
    request = RequestFactory().get("/", headers={**HTMX, "HX-Target": "body"})
    assert rendering.target_id(request) == ""


def test_a_user_changes_name_zone_and_format(signed_in: SignIn) -> None:
    client = signed_in(Role.REP)
    given = {"name": " Sara  Kohl-Meyer ", "time_zone": "Asia/Tokyo", "locale": "de", "theme": "dark"}
    response = client.post("/profile", given)
    assert response.status_code == 303
    user = User.objects.get()
    assert (user.name, user.time_zone, user.locale) == ("Sara Kohl-Meyer", "Asia/Tokyo", "de")
    assert client.cookies["theme"].value == "dark"
    html = client.get("/profile").content.decode()
    assert 'data-theme="dark"' in html
    assert 'data-shortcuts="off"' in html
    assert "Saved." in html


def test_a_wrong_zone_changes_nothing_and_is_said_beside_the_field(signed_in: SignIn) -> None:
    client = signed_in(Role.REP)
    response = client.post("/profile", {"name": "Sara", "time_zone": "Mars/Base", "locale": "de"})
    assert response.status_code == 422
    assert 'aria-invalid="true"' in response.content.decode()
    user = User.objects.get()
    assert (user.name, user.time_zone, user.locale) == ("Sara Kohl", "UTC", "en")


def test_a_password_opens_the_door_and_a_wrong_one_does_not(person: Callable[..., User]) -> None:
    user = person(Role.REP)
    user.set_password("correct-horse-9")
    user.save(update_fields=["password"])
    client = Client()
    wrong = client.post("/accounts/login/", {"login": user.email, "password": "wrong"})
    assert wrong.status_code == 200
    assert 'role="alert"' in wrong.content.decode()
    right = client.post(
        "/accounts/login/?next=/profile", {"login": user.email, "password": "correct-horse-9"}
    )
    assert (right.status_code, right["Location"]) == (302, "/profile")
    for address in ("/accounts/2fa/", "/accounts/sessions/", "/accounts/password/change/"):
        assert client.get(address).status_code == 200
    assert client.post("/accounts/logout/").status_code == 302
