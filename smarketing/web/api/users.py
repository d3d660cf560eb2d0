"""``/api/v1/users``, ``/api/v1/teams`` and ``/api/v1/me``: colleagues."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import filters
from django_filters.filterset import FilterSet
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from smarketing.core.errors import FieldError, Invalid
from smarketing.users.domain.roles import Capability as C
from smarketing.users.models import RoleChoices, SideChoices, Team, User
from smarketing.users.selectors import users
from smarketing.users.services import teams as team_service
from smarketing.users.services import users as user_service
from smarketing.web.rest.views import Creatable, Listable, Resource, Retrievable, Updatable


class UserOut(serializers.ModelSerializer[User]):
    """What colleagues see of each other."""

    class Meta:
        model = User
        fields = (
            "id",
            "name",
            "email",
            "role",
            "region",
            "manager",
            "time_zone",
            "locale",
            "is_active",
            "version",
        )


class UserPatch(serializers.Serializer[Any]):
    """What can be edited; role and state have actions of their own."""

    name = serializers.CharField(max_length=200, required=False)
    email = serializers.CharField(max_length=320, required=False, allow_null=True, allow_blank=True)
    region = serializers.CharField(max_length=120, required=False, allow_blank=True)
    time_zone = serializers.CharField(max_length=64, required=False)
    locale = serializers.CharField(max_length=12, required=False)
    manager = serializers.IntegerField(required=False, allow_null=True, min_value=1)


class UserIn(UserPatch):
    """A new colleague; without a password, they set one by “forgot password”."""

    name = serializers.CharField(max_length=200)
    role = serializers.ChoiceField(choices=RoleChoices.choices)


class RoleIn(serializers.Serializer[Any]):
    """Another role."""

    role = serializers.ChoiceField(choices=RoleChoices.choices)


class UserFilter(FilterSet):
    """Filters of the list."""

    role = filters.ChoiceFilter(choices=RoleChoices.choices)
    is_active = filters.BooleanFilter()

    class Meta:
        model = User
        fields = ("role", "is_active")


class UserResource(Listable, Retrievable, Creatable, Updatable, Resource):
    """Colleagues and their roles."""

    model = User
    capabilities = {
        "list": C.VIEW,
        "retrieve": C.VIEW,
        "create": C.MANAGE_USERS,
        "partial_update": C.MANAGE_USERS,
        "role": C.MANAGE_USERS,
        "deactivate": C.MANAGE_USERS,
        "reactivate": C.MANAGE_USERS,
    }
    output = UserOut
    inputs = {"create": UserIn, "partial_update": UserPatch, "role": RoleIn}
    filterset_class = UserFilter
    ordering_fields = {"name": "name", "created_at": "created_at"}
    ordering_default = ("name",)
    searchable = True

    def visible(self) -> QuerySet[User]:
        return users.visible_to(self.actor)

    def search(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        return users.matching(queryset, text)  # type: ignore[arg-type]

    def make(self, data: dict[str, Any]) -> User:
        return user_service.create(
            email=data.pop("email", None), **self._with_manager(data), actor=self.actor, now=self.now
        )

    def change(self, obj: User, data: dict[str, Any]) -> User:
        return user_service.update(user=obj, **self._with_manager(data), actor=self.actor, now=self.now)

    @action(detail=True, methods=["post"])
    def role(self, request: Request, pk: str) -> Response:
        """Give another role; nobody grants a level above their own."""
        user = self.load()
        return self.answer(
            user_service.change_role(user=user, role=self.valid()["role"], actor=self.actor, now=self.now)
        )

    @action(detail=True, methods=["post"])
    def deactivate(self, request: Request, pk: str) -> Response:
        """End this user's access at once."""
        return self.answer(user_service.deactivate(user=self.load(), actor=self.actor, now=self.now))

    @action(detail=True, methods=["post"])
    def reactivate(self, request: Request, pk: str) -> Response:
        """Let this user in again."""
        return self.answer(user_service.reactivate(user=self.load(), actor=self.actor, now=self.now))

    def _with_manager(self, data: dict[str, Any]) -> dict[str, Any]:
        if data.get("manager") is not None:
            manager = self.visible().filter(pk=data["manager"]).first()
            if manager is None:
                raise Invalid(
                    "There is no such manager.",
                    errors=[FieldError("manager", "unknown", "Name the id of a user.")],
                )
            data = {**data, "manager": manager}
        return data


class MeResource(Resource):
    """Whoever the token or session belongs to."""

    model = User
    capabilities = {"current": C.VIEW}
    output = UserOut

    def visible(self) -> QuerySet[User]:
        return users.visible_to(self.actor).filter(pk=self.actor.pk)

    def current(self, request: Request) -> Response:
        """The user behind this request."""
        return self.answer(self.actor)


class TeamOut(serializers.ModelSerializer[Team]):
    """A team and the ids of its members."""

    members: serializers.PrimaryKeyRelatedField[User] = serializers.PrimaryKeyRelatedField(
        many=True, read_only=True
    )

    class Meta:
        model = Team
        fields = ("id", "name", "side", "members")


class TeamIn(serializers.Serializer[Any]):
    """A new team."""

    name = serializers.CharField(max_length=120)
    side = serializers.ChoiceField(choices=SideChoices.choices)


class TeamResource(Listable, Retrievable, Creatable, Resource):
    """Teams of the two sides."""

    model = Team
    capabilities = {"list": C.VIEW, "retrieve": C.VIEW, "create": C.MANAGE_USERS}
    output = TeamOut
    inputs = {"create": TeamIn}
    ordering_fields = {"name": "name"}
    ordering_default = ("name",)

    def visible(self) -> QuerySet[Team]:
        return users.teams_visible_to(self.actor)

    def make(self, data: dict[str, Any]) -> Team:
        return team_service.create(**data, actor=self.actor, now=self.now)
