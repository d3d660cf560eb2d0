"""``/api/v1/users`` and ``/api/v1/me``: colleagues, read only."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from smarketing.users.domain.roles import Capability
from smarketing.users.models import RoleChoices, User
from smarketing.users.selectors import users
from smarketing.web.rest.views import Listable, Resource, Retrievable


class UserOut(serializers.ModelSerializer[User]):
    """What colleagues see of each other."""

    class Meta:
        model = User
        fields = ("id", "name", "email", "role", "region", "manager", "time_zone", "is_active", "version")


class UserFilter(django_filters.FilterSet):
    """Filters of the list."""

    role = django_filters.ChoiceFilter(choices=RoleChoices.choices)
    is_active = django_filters.BooleanFilter()

    class Meta:
        model = User
        fields = ("role", "is_active")


class UserResource(Listable, Retrievable, Resource):
    """Colleagues and their roles."""

    model = User
    capabilities = {"list": Capability.VIEW, "retrieve": Capability.VIEW}
    output = UserOut
    filterset_class = UserFilter
    ordering_fields = {"name": "name", "created_at": "created_at"}
    ordering_default = ("name",)
    searchable = True

    def visible(self) -> QuerySet[User]:
        return users.visible_to(self.actor)

    def search(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        return users.matching(queryset, text)  # type: ignore[arg-type]


class MeResource(Resource):
    """Whoever the token or session belongs to."""

    model = User
    capabilities = {"current": Capability.VIEW}
    output = UserOut

    def visible(self) -> QuerySet[User]:
        return users.visible_to(self.actor).filter(pk=self.actor.pk)

    def current(self, request: Request) -> Response:
        """The user behind this request."""
        return self.answer(self.actor)
