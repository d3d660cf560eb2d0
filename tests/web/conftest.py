"""The cast of the page tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from smarketing.users.domain.roles import Role
from smarketing.users.models import User

SignIn = Callable[..., Client]
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
def person(db: None) -> Callable[..., User]:
    """Makes a user of a role."""

    def make(role: Role = Role.ADMIN, name: str = "Sara Kohl", **fields: object) -> User:
        email = f"{name.split()[0].lower()}-{role}@example.com"
        return User.objects.create(email=email, name=name, role=role, **fields)

    return make


@pytest.fixture
def signed_in(person: Callable[..., User]) -> SignIn:
    """Makes a client that is signed in as a new user of a role."""

    def make(role: Role = Role.ADMIN, **fields: object) -> Client:
        client = Client()
        client.force_login(person(role, **fields))
        return client

    return make
