"""The page of custom attributes: defined by managers, read by everybody, never changed in type."""

from __future__ import annotations

import pytest
from django.test import Client

from leads.models import AttributeDefinition
from smarketing.users.domain.roles import CAPABILITIES, Capability, Role
from smarketing.users.models import User

pytestmark = pytest.mark.django_db
NEW = {
    "subject": "lead",
    "label": "Budget class",
    "key": "",
    "type": "choice",
    "choices": "small\nlarge\nsmall",
}
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


def client_of(role: Role) -> Client:
    client = Client()
    client.force_login(User.objects.create(email=f"{role}@example.com", name="Sara Kohl", role=role))
    return client


@pytest.mark.parametrize("role", list(Role))
def test_who_may_define_is_who_edits_the_definition(role: Role) -> None:
    client, may = client_of(role), Capability.EDIT_DEFINITION in CAPABILITIES[role]
    assert ("New attribute" in client.get("/settings/attributes/").content.decode()) == may
    assert client.post("/settings/attributes/new/", NEW).status_code == (303 if may else 403)
    assert AttributeDefinition.objects.count() == int(may)
    if not may:
        return
    known = AttributeDefinition.objects.get()
    assert (known.subject, known.key, known.type, known.choices) == (
        "lead", "budget_class", "choice", ["small", "large"],
    )  # fmt: skip
    page = client.get("/settings/attributes/").content.decode()
    assert "budget_class" in page
    assert "small, large" in page


def test_an_attribute_is_changed_but_keeps_its_key_and_type() -> None:
    client = client_of(Role.ADMIN)
    client.post("/settings/attributes/new/", NEW)
    known = AttributeDefinition.objects.get()
    data = {"label": "Size", "choices": "s\nm", "is_after_contact": "on", "key": "other", "type": "text"}
    assert client.post(f"/settings/attributes/{known.pk}/edit/", data).status_code == 303
    known.refresh_from_db()
    assert (known.label, known.key, known.type, known.choices, known.is_after_contact) == (
        "Size", "budget_class", "choice", ["s", "m"], True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"label": "!!!"}, "Write a key"),
        ({"key": "bad key!"}, "alert"),
        ({"choices": ""}, "Name at least one choice."),
        ({"subject": "planet"}, "Select a valid choice"),
        ({"type": "code"}, "Select a valid choice"),
        ({"label": ""}, "This field is required."),
    ],
)
def test_what_can_not_be_used_is_said_and_nothing_is_defined(change: dict[str, str], words: str) -> None:
    response = client_of(Role.ADMIN).post("/settings/attributes/new/", {**NEW, **change}, headers=HTMX)
    assert response.status_code == 422
    if words != "alert":
        assert words in response.content.decode()
    assert not AttributeDefinition.objects.exists()


def test_a_key_that_is_taken_is_refused_and_the_first_one_stays() -> None:
    client = client_of(Role.ADMIN)
    client.post("/settings/attributes/new/", NEW)
    again = client.post("/settings/attributes/new/", {**NEW, "type": "text"}, headers=HTMX)
    assert (again.status_code, "with this key already" in again.content.decode()) == (422, True)
    assert AttributeDefinition.objects.get().type == "choice"
