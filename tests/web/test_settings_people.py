"""The pages of users, teams and the organisation: who may change what, and what is told."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.test import Client

from smarketing.audit.models import AuditEntry
from smarketing.core import clock
from smarketing.notifications.models import Delivery
from smarketing.notifications.services import deliveries
from smarketing.users.domain.roles import Role
from smarketing.users.models import Membership, Organisation, Team, User
from tests.web.conftest import HTMX, SignIn

pytestmark = pytest.mark.django_db
NEW = {
    "name": "Ann Lee",
    "email": "Ann@Example.com",
    "role": "rep",
    "region": "North",
    "time_zone": "Europe/Berlin",
}
OTHERS = [role for role in Role if role != Role.ADMIN]


def text_of(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


def ann(person: Callable[..., User]) -> User:
    return person(Role.REP, "Ann Lee")


def test_everybody_sees_the_users_but_only_an_admin_may_change_them(signed_in: SignIn) -> None:
    for role in Role:
        text = text_of(signed_in(role), "/settings/users/")
        assert "Sara Kohl" in text
        assert ("Add a user" in text, "Change role" in text) == (
            (True, True) if role == Role.ADMIN else (False, False)
        )


@pytest.mark.parametrize("role", OTHERS)
def test_others_change_nothing(role: Role, signed_in: SignIn, person: Callable[..., User]) -> None:
    user, team = ann(person), Team.objects.create(name="North", side="sales")
    client, before = signed_in(role), User.objects.get_queryset().count()
    for path, data in (
        ("users/new/", NEW),
        (f"users/{user.pk}/edit/", {"name": "X", "time_zone": "UTC"}),
        (f"users/{user.pk}/role/", {"role": "admin"}),
        (f"users/{user.pk}/deactivate/", {}),
        (f"users/{user.pk}/reactivate/", {}),
        (f"users/{user.pk}/invite/", {}),
        ("teams/new/", {"name": "South", "side": "sales"}),
        (f"teams/{team.pk}/add/", {"user": user.pk}),
        (f"teams/{team.pk}/{user.pk}/lead/", {"lead": "1"}),
        (f"teams/{team.pk}/{user.pk}/remove/", {}),
        (f"teams/{team.pk}/{user.pk}/back/", {}),
        ("organisation/edit/", {"name": "X", "version": 0}),
    ):
        assert client.post(f"/settings/{path}", data).status_code == 403, path
    user.refresh_from_db()
    assert (user.name, user.role, user.is_active) == ("Ann Lee", "rep", True)
    assert User.objects.get_queryset().count() == before
    assert [t.name for t in Team.objects.all()] == ["North"]
    assert not Membership.objects.exists()
    assert Organisation.objects.get().name == "Our company"
    assert mail.outbox == []
    assert not AuditEntry.objects.exists()


def test_an_admin_adds_a_user_who_sets_the_password_by_the_link_of_a_mail(signed_in: SignIn) -> None:
    team = Team.objects.create(name="North", side="sales")
    client = signed_in(Role.ADMIN)
    response = client.post("/settings/users/new/", {**NEW, "teams": [team.pk], "invite": "on"}, follow=True)
    assert (
        "A mail with a link to set a password is on its way to ann@example.com." in response.content.decode()
    )
    user = User.objects.get(email="ann@example.com")
    assert (user.role, user.region, user.time_zone) == ("rep", "North", "Europe/Berlin")
    assert [t.name for t in user.teams.all()] == ["North"]
    assert not user.has_usable_password()
    deliveries.run_once(now=clock.now(), limit=10)
    (sent,) = mail.outbox
    assert sent.to == ["ann@example.com"]
    found = re.search(r"https?://[^/\s]+(/accounts/password/reset/key/\S+)", str(sent.body))
    assert found
    stranger = Client()
    asked = stranger.get(found[1], follow=True)
    word = "correct horse battery 9"
    stranger.post(asked.redirect_chain[-1][0], {"password1": word, "password2": word})
    user.refresh_from_db()
    assert user.check_password(word)


def test_without_the_mail_nothing_is_sent_and_it_can_be_sent_later(signed_in: SignIn) -> None:
    client = signed_in(Role.ADMIN)
    client.post("/settings/users/new/", NEW)
    user = User.objects.get(email="ann@example.com")
    assert mail.outbox == []
    client.post(f"/settings/users/{user.pk}/invite/")
    deliveries.run_once(now=clock.now(), limit=10)
    assert [m.to for m in mail.outbox] == [["ann@example.com"]]


class AwayBackend(BaseEmailBackend):
    """A mail server that is away."""

    def send_messages(self, email_messages: Any) -> int:
        raise ConnectionRefusedError


def test_a_mail_server_that_is_away_loses_neither_the_user_nor_the_mail(
    signed_in: SignIn, settings: Any
) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.AwayBackend"
    response = signed_in(Role.ADMIN).post("/settings/users/new/", {**NEW, "invite": "on"}, follow=True)
    assert "is on its way to ann@example.com." in response.content.decode()
    assert User.objects.filter(email="ann@example.com").count() == 1
    deliveries.run_once(now=clock.now(), limit=10)
    waiting = Delivery.objects.get(email="ann@example.com")
    assert (waiting.state, waiting.attempts) == (Delivery.State.PENDING, 1)


def test_bad_fields_come_back_with_what_is_wrong(signed_in: SignIn) -> None:
    client = signed_in(Role.ADMIN)
    for change, words in (
        ({"email": "nonsense"}, "Write an address such as ann@example.com."),
        ({"email": "sara-admin@example.com"}, "Use another address"),
        ({"role": "emperor"}, "Select a valid choice"),
        ({"time_zone": "Moon/Base"}, "Select a valid choice"),
        ({"name": " "}, "This field is required."),
    ):
        response = client.post("/settings/users/new/", {**NEW, **change}, headers=HTMX)
        assert response.status_code in (409, 422), change
        assert words in response.content.decode(), change
    assert client.post("/settings/users/new/").status_code == 422
    assert User.objects.get_queryset().count() == 1


def test_a_user_is_edited_and_given_a_role(signed_in: SignIn, person: Callable[..., User]) -> None:
    user, client = ann(person), signed_in(Role.ADMIN)
    asked = client.get(f"/settings/users/{user.pk}/edit/", headers=HTMX).content.decode()
    assert "<dialog" in asked
    assert 'value="Ann Lee"' in asked
    saved = client.post(
        f"/settings/users/{user.pk}/edit/",
        {"name": "Ann Major", "email": "am@example.com", "region": "South", "time_zone": "UTC"},
        headers=HTMX,
    )
    assert saved["HX-Redirect"] == "/settings/users/"
    client.post(f"/settings/users/{user.pk}/role/", {"role": "sales_manager"})
    user.refresh_from_db()
    assert (user.name, user.email, user.region, user.role) == (
        "Ann Major", "am@example.com", "South", "sales_manager",
    )  # fmt: skip
    assert list(AuditEntry.objects.order_by("pk").values_list("action", flat=True)) == [
        "user_changed",
        "role_changed",
    ]


def test_deactivation_can_be_taken_back_and_nobody_locks_everybody_out(
    signed_in: SignIn, person: Callable[..., User]
) -> None:
    user, client = ann(person), signed_in(Role.ADMIN)
    theirs = Client()
    theirs.force_login(user)
    page = client.post(f"/settings/users/{user.pk}/deactivate/", follow=True).content.decode()
    assert "Ann Lee can no longer sign in." in page
    assert f'hx-post="/settings/users/{user.pk}/reactivate/"' in page
    assert theirs.get("/settings/").status_code == 302
    client.post(f"/settings/users/{user.pk}/reactivate/")
    user.refresh_from_db()
    assert user.is_active
    admin = User.objects.get(role=Role.ADMIN)
    assert client.post(f"/settings/users/{admin.pk}/deactivate/").status_code == 422
    demoted = client.post(f"/settings/users/{admin.pk}/role/", {"role": "rep"}, headers=HTMX)
    assert (demoted.status_code, "This is the last admin." in demoted.content.decode()) == (409, True)
    admin.refresh_from_db()
    assert (admin.is_active, admin.role) == (True, "admin")


def test_the_list_is_searched_and_narrowed(signed_in: SignIn, person: Callable[..., User]) -> None:
    ann(person)
    person(Role.MARKETER, "Bob Moss", is_active=False)
    client = signed_in(Role.ADMIN)

    def names(query: str) -> list[str]:
        return re.findall(r'class="who-name"[^>]*>([^<]+)<', text_of(client, f"/settings/users/?{query}"))

    assert names("") == ["Ann Lee", "Bob Moss", "Sara Kohl"]
    assert names("q=ann") == ["Ann Lee"]
    assert names("role=marketer") == ["Bob Moss"]
    assert names("active=yes") == ["Ann Lee", "Sara Kohl"]
    assert names("active=no") == ["Bob Moss"]


def test_a_team_is_made_joined_led_and_left(signed_in: SignIn, person: Callable[..., User]) -> None:
    user, client = ann(person), signed_in(Role.ADMIN)
    client.post("/settings/teams/new/", {"name": "North", "side": "sales"})
    again = client.post("/settings/teams/new/", {"name": "north", "side": "sales"}, headers=HTMX)
    assert (again.status_code, "There is a team of this name." in again.content.decode()) == (409, True)
    team = Team.objects.get()
    client.post(f"/settings/teams/{team.pk}/add/", {"user": user.pk})
    assert [m.is_lead for m in team.memberships.all()] == [False]
    client.post(f"/settings/teams/{team.pk}/{user.pk}/lead/", {"lead": "1"})
    assert [m.is_lead for m in team.memberships.all()] == [True]
    assert "Leads the team" in text_of(client, "/settings/teams/")
    left = client.post(f"/settings/teams/{team.pk}/{user.pk}/remove/", follow=True).content.decode()
    assert f'hx-post="/settings/teams/{team.pk}/{user.pk}/back/"' in left
    assert not team.memberships.exists()
    assert client.post(f"/settings/teams/{team.pk}/{user.pk}/lead/", {"lead": "1"}).status_code == 404
    assert not team.memberships.exists()


def test_the_organisation_is_changed_unless_somebody_was_faster(signed_in: SignIn) -> None:
    client, version = signed_in(Role.ADMIN), Organisation.objects.get().version
    data = {
        "name": "Acme",
        "time_zone": "Europe/Paris",
        "currency": "eur",
        "country": "fr",
        "version": version,
    }
    assert client.post("/settings/organisation/edit/", data).status_code == 303
    acme = Organisation.objects.get()
    assert (acme.name, acme.time_zone, acme.currency, acme.country) == ("Acme", "Europe/Paris", "EUR", "FR")
    late = client.post("/settings/organisation/edit/", {**data, "name": "Late"}, headers=HTMX)
    assert (late.status_code, "changed in the meantime" in late.content.decode()) == (412, True)
    wrong = client.post("/settings/organisation/edit/", {**data, "currency": "1€", "version": version + 1})
    assert (wrong.status_code, "such as EUR" in wrong.content.decode()) == (422, True)
    assert Organisation.objects.get().name == "Acme"
    assert "Europe/Paris" in text_of(signed_in(Role.READ_ONLY), "/settings/organisation/")
