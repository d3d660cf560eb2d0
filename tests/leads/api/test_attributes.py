"""``/api/v1/attributes``: defined by managers, never changed in type."""

from __future__ import annotations

import pytest

from leads.models import AttributeDefinition
from smarketing.users.domain.roles import Role
from smarketing.users.models import User
from tests.rest import assert_problem, client_for

pytestmark = pytest.mark.django_db
URL = "/api/v1/attributes"
NEW = {"subject": "lead", "key": "budget_class", "type": "choice", "choices": ["small", "large"]}


def client_of(role: Role):
    return client_for(User.objects.create(email=f"{role}@example.com", name="Sara Kohl", role=role))


def test_an_attribute_is_defined_once_filtered_and_edited() -> None:
    client = client_of(Role.MARKETING_MANAGER)
    made = client.post(URL, NEW, format="json")
    assert (made.status_code, made.json()["label"]) == (201, "Budget class")
    assert_problem(client.post(URL, NEW | {"type": "text"}, format="json"), 409, "attribute_exists")
    assert [a["key"] for a in client.get(f"{URL}?subject=lead").json()["results"]] == ["budget_class"]
    assert client.get(f"{URL}?subject=person").json()["results"] == []
    where, match = made["Location"], {"If-Match": made["ETag"]}
    changed = client.patch(where, {"choices": ["small", "large", "huge"]}, format="json", headers=match)
    assert changed.json()["choices"] == ["small", "large", "huge"]
    assert changed.json()["type"] == "choice"
    assert client.patch(where, {"label": "Size"}, format="json", headers=match).status_code == 412
    assert client.patch(where, {"type": "text"}, format="json", headers={"If-Match": "*"}).status_code == 422
    assert AttributeDefinition.objects.get(key="budget_class").label == "Budget class"


def test_what_can_not_be_used_is_named() -> None:
    client = client_of(Role.SALES_MANAGER)
    problem = assert_problem(client.post(URL, NEW | {"choices": []}, format="json"), 422, "bad_attribute")
    assert problem["errors"][0]["pointer"] == "/choices"
    assert client.post(URL, NEW | {"key": "two words"}, format="json").status_code == 422
    assert not AttributeDefinition.objects.filter(key__contains="budget").exists()


def test_who_may_not_define_may_read() -> None:
    client = client_of(Role.REP)
    assert client.post(URL, NEW, format="json").status_code == 403
    assert client.get(URL).status_code == 200
