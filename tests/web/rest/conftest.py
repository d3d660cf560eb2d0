"""A small resource of colleagues, as a domain app would write one, and clients that call it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import F, QuerySet
from django.urls import include, path
from rest_framework import serializers
from rest_framework.test import APIClient

from smarketing.users.domain.roles import Capability, Role
from smarketing.users.models import Team, User
from smarketing.web.rest.routers import Router
from smarketing.web.rest.views import Creatable, Listable, Resource, Retrievable, Updatable
from tests.rest import client_for


class PersonOut(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ("id", "name", "region", "version")


class PersonIn(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=20)
    region = serializers.CharField(max_length=20, required=False)


class PeopleResource(Listable, Retrievable, Creatable, Updatable, Resource):
    """Reps, editable; only used in tests."""

    model = User
    capabilities = {
        "list": Capability.VIEW,
        "retrieve": Capability.VIEW,
        "create": Capability.MANAGE_USERS,
        "partial_update": Capability.MANAGE_USERS,
    }
    output = PersonOut
    inputs = {"create": PersonIn, "partial_update": PersonIn}
    ordering_fields = {"name": "name", "region": "region"}
    ordering_default = ("name",)

    def visible(self) -> QuerySet[User]:
        return User.objects.get_queryset().filter(role=Role.REP)

    def make(self, data: dict[str, Any]) -> User:
        made = User.objects.create(role=Role.REP, **data)
        if data["name"] == "explode":
            Team.objects.create(name="x" * 500, side="sales")
        return made

    def change(self, obj: User, data: dict[str, Any]) -> User:
        User.objects.get_queryset().filter(pk=obj.pk).update(**data, version=F("version") + 1)
        obj.refresh_from_db()
        return obj


router = Router()
router.register("people", PeopleResource, basename="test-person")
urlpatterns = [path("api/v1/", include(router.urls))]


@pytest.fixture
def make_user(db: None) -> Callable[..., User]:
    def make(role: str = Role.ADMIN, **fields: Any) -> User:
        number = User.objects.get_queryset().count()
        return User.objects.create(
            name=f"user {number}", email=f"user{number}@example.com", role=role, **fields
        )

    return make


@pytest.fixture
def client_of() -> Callable[..., APIClient]:
    return client_for


@pytest.fixture
def admin(make_user: Callable[..., User], client_of: Callable[..., APIClient]) -> APIClient:
    return client_of(make_user(Role.ADMIN))
