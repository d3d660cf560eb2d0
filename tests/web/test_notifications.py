"""The bell and the page behind it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.test import Client

from smarketing.notifications.models import Notification
from smarketing.users.models import User
from tests.web.conftest import HTMX

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 12, 14, 5, tzinfo=UTC)


@pytest.fixture
def sara(person: Callable[..., User]) -> User:
    return person(name="Sara Kohl")


@pytest.fixture
def client(sara: User) -> Client:
    client = Client()
    client.force_login(sara)
    return client


def tell(user: User, text: str, link: str = "") -> Notification:
    return Notification.objects.create(user=user, topic="t", text=text, link=link, created_at=NOW)


def test_the_bell_counts_own_unread_notifications(
    client: Client, sara: User, person: Callable[..., User]
) -> None:
    tell(sara, "A lead is waiting")
    tell(person(name="Rob Roy"), "Not yours")
    html = client.get("/notifications/bell", headers=HTMX).content.decode()
    assert "Notifications, 1 unread" in html
    page = client.get("/notifications").content.decode()
    assert "A lead is waiting" in page
    assert "Not yours" not in page


def test_following_one_marks_it_read_and_goes_there(client: Client, sara: User) -> None:
    note, other = tell(sara, "A lead is waiting", "/profile"), tell(sara, "Another")
    response = client.post(f"/notifications/{note.pk}/follow")
    assert (response.status_code, response["Location"]) == (303, "/profile")
    note.refresh_from_db()
    other.refresh_from_db()
    assert note.read_at is not None
    assert other.read_at is None


def test_a_link_to_elsewhere_is_not_followed(client: Client, sara: User) -> None:
    note = tell(sara, "Click", "https://evil.example/")
    assert client.post(f"/notifications/{note.pk}/follow")["Location"] == "/notifications"


def test_nobody_follows_the_notification_of_another(client: Client, person: Callable[..., User]) -> None:
    note = tell(person(name="Rob Roy"), "Not yours")
    assert client.post(f"/notifications/{note.pk}/follow").status_code == 404
    note.refresh_from_db()
    assert note.read_at is None


def test_all_are_marked_read_at_once(client: Client, sara: User) -> None:
    tell(sara, "One")
    tell(sara, "Two")
    client.post("/notifications/read")
    assert Notification.objects.filter(read_at=None).count() == 0


def test_older_ones_are_loaded_on_demand(client: Client, sara: User) -> None:
    for n in range(60):
        tell(sara, f"Note {n}")
    html = client.get("/notifications").content.decode()
    assert "Note 59" in html
    assert "Note 9<" not in html
    address = html.split('hx-get="/notifications?cursor=')[1].split('"')[0]
    headers = {**HTMX, "HX-Target": "li#notes-more"}
    older = client.get(f"/notifications?cursor={address}", headers=headers).content.decode()
    assert "Note 9<" in older
    assert "<html" not in older


def test_the_bell_answers_304_until_something_comes_and_then_tells_it(client: Client, sara: User) -> None:
    first = client.get("/notifications/bell", headers=HTMX)
    tag = first["ETag"]
    assert f"data-etag='{tag}'" in first.content.decode()
    assert client.get("/notifications/bell", headers={**HTMX, "If-None-Match": tag}).status_code == 304
    note = tell(sara, "Ada visited /pricing.\nMore")
    answer = client.get("/notifications/bell", headers={**HTMX, "If-None-Match": tag})
    html = answer.content.decode()
    assert (answer.status_code, answer["HX-Trigger"]) == (200, "notified")
    assert "Notifications, 1 unread" in html
    assert "Ada visited /pricing." in html
    assert "More" not in html
    client.post(f"/notifications/{note.pk}/follow")
    read = client.get("/notifications/bell", headers={**HTMX, "If-None-Match": answer["ETag"]})
    assert read.status_code == 200
    assert "Ada visited" not in read.content.decode()


def test_a_quiet_bell_costs_one_read_of_notifications(client: Client, django_assert_max_num_queries) -> None:
    tag = client.get("/notifications/bell", headers=HTMX)["ETag"]
    with django_assert_max_num_queries(3):  # session, user, unread
        client.get("/notifications/bell", headers={**HTMX, "If-None-Match": tag})


def test_a_tag_that_nobody_made_is_no_fault(client: Client, sara: User) -> None:
    tell(sara, "A lead is waiting")
    for tag in ('"x"', '"1-99999999999999999999999"', "-", '"-"'):
        assert client.get("/notifications/bell", headers={**HTMX, "If-None-Match": tag}).status_code == 200


def test_the_list_loads_itself_again_when_the_bell_hears_of_something(client: Client, sara: User) -> None:
    tell(sara, "A lead is waiting")
    part = client.get("/notifications", headers={**HTMX, "HX-Target": "div#notes"}).content.decode()
    assert "A lead is waiting" in part
    assert "<html" not in part
