"""Nobody learns from the work or the words of a failed sign-in whether an account exists (T21)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client

from smarketing.users.domain.roles import Role
from smarketing.users.models import User
from smarketing.users.passwords import BoundedArgon2
from smarketing.users.services import users

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
GOOD = "correct horse battery staple"


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Notes every hash that is computed."""
    done: list[str] = []
    original = MD5PasswordHasher.encode

    def encode(self: Any, password: str, salt: str) -> str:
        done.append(password)
        return str(original(self, password, salt))

    monkeypatch.setattr(MD5PasswordHasher, "encode", encode)
    return done


def test_every_failure_costs_one_hash(client: Client, hashes: list[str]) -> None:
    def add(name: str, password: str | None) -> User:
        email = f"{name}@example.com"
        return users.create(name=name, email=email, role=Role.REP, actor=None, now=NOW, password=password)

    add("known", GOOD)
    add("passwordless", None)
    users.deactivate(user=add("gone", GOOD), actor=None, now=NOW)
    costs = {}
    for name in ("known", "passwordless", "gone", "unknown"):
        hashes.clear()
        client.post("/accounts/login/", {"login": f"{name}@example.com", "password": "not it at all"})
        costs[name] = len(hashes)
    assert set(costs.values()) == {1}, costs


def test_reset_answers_the_same_for_all(client: Client) -> None:
    users.create(name="Ann", email="ann@example.com", role=Role.REP, actor=None, now=NOW, password=GOOD)
    answers = [
        client.post("/accounts/password/reset/", {"email": f"{name}@example.com"}) for name in ("ann", "bob")
    ]
    assert answers[0].status_code == answers[1].status_code == 302
    assert answers[0]["Location"] == answers[1]["Location"]


def test_argon2_is_what_the_product_uses() -> None:
    hasher = BoundedArgon2()
    encoded = hasher.encode("x", hasher.salt())
    assert encoded.startswith("argon2$argon2id$")
    assert hasher.verify("x", encoded)
