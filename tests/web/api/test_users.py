"""Colleagues over the API."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from smarketing.users.domain.roles import Role
from smarketing.users.models import Team, User
from tests.rest import assert_problem, client_for

pytestmark = pytest.mark.django_db
Person = Callable[..., User]


def test_an_admin_adds_edits_and_promotes(person: Person) -> None:
    client = client_for(person())
    made = client.post(
        "/api/v1/users", {"name": "Bob", "email": "Bob@Example.com", "role": "rep"}, format="json"
    )
    assert made.status_code == 201
    assert (made.json()["email"], made.json()["version"], made["ETag"]) == ("bob@example.com", 1, '"1"')
    path = made["Location"]
    edited = client.patch(path, {"region": "North"}, format="json", HTTP_IF_MATCH='"1"')
    assert (edited.json()["region"], edited["ETag"]) == ("North", '"2"')
    promoted = client.post(f"{path}/role", {"role": "sales_manager"}, format="json")
    assert promoted.json()["role"] == "sales_manager"
    assert client.post(f"{path}/deactivate").json()["is_active"] is False
    assert client.get("/api/v1/users?is_active=false").json()["results"][0]["name"] == "Bob"


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
def test_nobody_else_changes_users(person: Person, role: Role) -> None:
    ada, actor = person(), person(role, "Rita Rep")
    client = client_for(actor)
    assert client.get(f"/api/v1/users/{ada.pk}").status_code == 200
    attempts = [
        client.post("/api/v1/users", {"name": "X", "role": "admin"}, format="json"),
        client.patch(f"/api/v1/users/{actor.pk}", {"name": "X"}, format="json", HTTP_IF_MATCH="*"),
        client.post(f"/api/v1/users/{actor.pk}/role", {"role": "admin"}, format="json"),
        client.post(f"/api/v1/users/{ada.pk}/deactivate"),
    ]
    for response in attempts:
        assert_problem(response, 403, "denied")
    assert list(User.objects.values_list("name", "role", "is_active").order_by("pk")) == [
        ("Sara Kohl", "admin", True),
        ("Rita Rep", role, True),
    ]


def test_mass_assignment_changes_nothing(person: Person) -> None:
    ada, client = person(), client_for(person(name="Bea Boss"))
    before = User.objects.filter(pk=ada.pk).values().get()
    for name in [field.attname for field in User._meta.get_fields() if hasattr(field, "attname")]:
        if name in ("name", "email", "region", "time_zone", "locale", "last_login"):
            continue
        response = client.patch(f"/api/v1/users/{ada.pk}", {name: 1}, format="json", HTTP_IF_MATCH="*")
        assert_problem(response, 422, "invalid")
    assert User.objects.filter(pk=ada.pk).values().get() == before


def test_an_address_in_use_is_a_conflict(person: Person) -> None:
    ada = person()
    client = client_for(ada)
    response = client.post("/api/v1/users", {"name": "X", "email": ada.email, "role": "rep"}, format="json")
    assert_problem(response, 409, "email_taken")
    assert User.objects.count() == 1


def test_teams(person: Person) -> None:
    client = client_for(person())
    made = client.post("/api/v1/teams", {"name": "Inside", "side": "sales"}, format="json")
    assert made.json() == {"id": Team.objects.get().pk, "name": "Inside", "side": "sales", "members": []}
    assert_problem(
        client.post("/api/v1/teams", {"name": "inside", "side": "sales"}, format="json"), 409, "conflict"
    )
