"""A list page: search, chips, sort, load more, saved views."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from smarketing.users.domain.roles import Role
from smarketing.users.models import User
from smarketing.web.models import SavedView
from tests.web.conftest import HTMX, SignIn

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.web.sample_urls")]

NAMES = ["Ada", "Ben", "Cleo", "Dora", "Emil", "Finn", "Gita"]


@pytest.fixture
def colleagues(person: Callable[..., User]) -> list[User]:
    return [person(Role.REP if i % 2 else Role.MARKETER, name) for i, name in enumerate(NAMES)]


@pytest.fixture
def admin(signed_in: SignIn) -> Client:
    return signed_in(Role.ADMIN)


def names(html: str) -> list[str]:
    return re.findall(r'class="who-name">(\w+)', html)


def page(client: Client, address: str, **headers: str) -> str:
    response = client.get(address, headers=headers)
    assert response.status_code == 200, response.content.decode()[:500]
    return response.content.decode()


def test_first_page_is_in_the_default_order(admin: Client, colleagues: list[User]) -> None:
    html = page(admin, "/colleagues")
    assert names(html) == ["Ada", "Ben", "Cleo"]
    assert 'aria-sort="ascending"' in html


def test_load_more_goes_on_where_the_page_ended_until_all_are_shown(
    admin: Client, colleagues: list[User]
) -> None:
    seen, address = [], "/colleagues"
    for _ in range(5):
        html = page(admin, address, **HTMX, **{"HX-Target": "tr#colleagues-more"})
        seen += names(html)
        assert "<html" not in html
        more = re.search(r'hx-get="([^"]+cursor[^"]+)"', html)
        if more is None:
            break
        address = more.group(1).replace("&amp;", "&")
    assert seen == NAMES


def test_a_column_sorts_both_ways_and_an_unknown_one_not_at_all(
    admin: Client, colleagues: list[User]
) -> None:
    assert names(page(admin, "/colleagues?sort=-name")) == ["Gita", "Finn", "Emil"]
    assert names(page(admin, "/colleagues?sort=password")) == ["Ada", "Ben", "Cleo"]


def test_search_narrows_and_answers_only_the_results_to_htmx(admin: Client, colleagues: list[User]) -> None:
    html = page(admin, "/colleagues?q=in", **HTMX, **{"HX-Target": "div#list-results"})
    assert names(html) == ["Finn"]
    assert 'id="list-results"' not in html
    assert "<html" not in html


def test_each_filter_is_a_chip_that_removes_only_itself(admin: Client, colleagues: list[User]) -> None:
    html = page(admin, "/colleagues?role=rep&role=marketer&q=a&made_after=2020-01-31")
    chips = re.findall(r'class="chip" href="([^"]+)"', html)
    words = re.findall(r'chip-label">([^<]+)</span><b>([^<]+)</b>', html)
    assert words == [("Role", "Sales rep"), ("Role", "Marketer"), ("Made from", "31 Jan 2020")]
    assert [c.replace("&amp;", "&") for c in chips] == [
        "?role=marketer&q=a&made_after=2020-01-31",
        "?role=rep&q=a&made_after=2020-01-31",
        "?role=rep&role=marketer&q=a",
    ]


FIELDS = {**HTMX, "HX-Target": "div#list-fields"}


def test_the_filter_fields_come_when_their_panel_is_opened(admin: Client, colleagues: list[User]) -> None:
    html = page(admin, "/colleagues?role=rep&q=a&sort=-name")
    panel = html[html.index('id="list-fields"') :].partition("</details>")[0]
    assert "<label" not in panel
    assert 'hx-get="/colleagues?role=rep&amp;q=a&amp;sort=-name"' in panel
    assert '<input type="hidden" name="role" value="rep">' in panel  # a search keeps what is in force
    opened = page(admin, "/colleagues?role=rep&q=a&sort=-name", **FIELDS)
    assert "<html" not in opened
    assert names(opened) == []
    assert re.findall(r'name="role" value="(\w+)"[^>]* checked', opened) == ["rep"]
    assert 'type="hidden"' not in opened


def test_what_can_be_done_with_selected_rows_comes_with_a_selection(
    admin: Client, colleagues: list[User]
) -> None:
    assert "Change owner" not in page(admin, "/colleagues")
    asked = page(admin, "/colleagues", **HTMX, **{"HX-Target": "span#bulk-choices"})
    assert "Change owner" in asked
    assert names(asked) == []


def test_without_scripts_a_link_opens_the_panel_and_leaves_no_trace_in_the_filters(
    admin: Client, colleagues: list[User]
) -> None:
    html = page(admin, "/colleagues?role=rep&panel=filters")
    assert '<details class="menu filters" open>' in html
    assert re.findall(r'name="role" value="(\w+)"[^>]* checked', html) == ["rep"]
    assert 'href="/export?role=rep"' in html


def test_a_viewer_has_as_many_rows_at_a_time_as_they_choose(
    admin: Client, person: Callable[..., User]
) -> None:
    for number in range(60):
        person(Role.REP, f"N{number:02d}")
    assert len(names(page(admin, "/colleagues"))) == 3
    html = page(admin, "/colleagues?rows=50&q=N")
    assert names(html) == [f"N{n:02d}" for n in range(50)]
    assert '<input type="hidden" name="rows" value="50">' in html  # a search keeps the choice
    more = re.search(r'href="([^"]+cursor[^"]+)"', html)
    assert more is not None
    assert names(page(admin, f"/colleagues{more[1]}".replace("&amp;", "&"))) == [
        f"N{n}" for n in range(50, 60)
    ]
    assert re.findall(r'href="\?([^"]+)"[^>]* aria-current="true">(\d+)', html) == [("rows=50&amp;q=N", "50")]


@pytest.mark.parametrize("asked", ["49", "0", "-1", "1e9", "٢٠٠", "", "200000000000000000000"])
def test_another_number_of_rows_is_the_usual_one(admin: Client, colleagues: list[User], asked: str) -> None:
    assert len(names(page(admin, f"/colleagues?rows={asked}"))) == 3


def test_a_filter_that_cannot_be_read_shows_no_rows_and_says_why(
    admin: Client, colleagues: list[User]
) -> None:
    html = page(admin, "/colleagues?role=emperor")
    assert names(html) == []
    assert "emperor is not one of the available choices" in html


def test_nothing_matching_offers_everything_and_nothing_at_all_offers_the_first_step(admin: Client) -> None:
    assert "Nobody works here yet." in page(admin, "/colleagues")
    html = page(admin, "/colleagues?q=zzz")
    assert "Nothing matches these filters." in html
    assert "Nobody works here yet." not in html


def test_a_damaged_cursor_is_refused_in_words(admin: Client, colleagues: list[User]) -> None:
    response = admin.get("/colleagues?cursor=%21%21")
    assert response.status_code == 400
    assert "Start from the first page" in response.content.decode()


def test_export_carries_the_filters_without_the_cursor(admin: Client, colleagues: list[User]) -> None:
    html = page(admin, "/colleagues?q=a&sort=-name")
    assert 'href="/export?q=a&amp;sort=-name"' in html


def test_the_number_of_queries_does_not_grow_with_the_rows(
    admin: Client, person: Callable[..., User]
) -> None:
    person(Role.REP, "Ada")
    page(admin, "/colleagues")
    with CaptureQueriesContext(
        connection,
    ) as one:
        page(admin, "/colleagues")
    for name in NAMES[1:]:
        person(Role.REP, name)
    with CaptureQueriesContext(connection) as many:
        page(admin, "/colleagues")
    assert len(many) == len(one)


def test_present_filters_are_saved_under_a_name_and_offered_again(admin: Client) -> None:
    given = {"page": "colleagues", "query": "role=rep", "name": " My  reps ", "is_shared": "on"}
    response = admin.post("/saved-views/save", given)
    assert (response.status_code, response["Location"]) == (303, "/colleagues?role=rep")
    view = SavedView.objects.get()
    assert (view.name, view.query, view.is_shared) == ("My reps", "role=rep", True)
    html = page(admin, "/colleagues")
    assert 'href="/colleagues?role=rep"' in html
    assert "View saved." in html


def test_a_shared_view_is_seen_by_others_but_not_removed_by_them(signed_in: SignIn) -> None:
    marketer, rep = signed_in(Role.MARKETER, name="Mia"), signed_in(Role.REP, name="Rob")
    marketer.post("/saved-views/save", {"page": "colleagues", "query": "q=a", "name": "A", "is_shared": "on"})
    marketer.post("/saved-views/save", {"page": "colleagues", "query": "q=b", "name": "B"})
    html = page(rep, "/colleagues")
    assert "/colleagues?q=a" in html
    assert "/colleagues?q=b" not in html
    shared, own = SavedView.objects.order_by("name")
    assert rep.post(f"/saved-views/{shared.pk}/forget").status_code == 403
    assert rep.post(f"/saved-views/{own.pk}/forget").status_code == 404
    assert SavedView.objects.count() == 2
    assert marketer.post(f"/saved-views/{own.pk}/forget").status_code == 303
    assert SavedView.objects.get() == shared


@pytest.mark.parametrize(
    "given",
    [
        {"page": "colleagues", "name": "", "query": ""},
        {"page": "colleagues", "name": "x" * 81, "query": ""},
        {"page": "colleagues", "name": "x", "query": "q" * 4001},
        {"page": "nowhere", "name": "x", "query": ""},
        {"page": "colleagues", "name": "x\x00", "query": ""},
    ],
)
def test_an_unusable_view_is_refused_and_nothing_is_saved(admin: Client, given: dict[str, str]) -> None:
    response = admin.post("/saved-views/save", given, headers=HTMX)
    assert response.status_code == 422
    assert response["HX-Reswap"] == "none"
    assert SavedView.objects.count() == 0
