"""``/api/v1/activities``: what colleagues did or plan to do with a person."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import filters
from django_filters.filterset import FilterSet
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from leads.api.timed import TimedListable
from leads.models import Activity, ActivityKind, ActivityOutcome, Company, Direction, Lead, Person
from leads.services import activities as service
from leads.services import sources
from smarketing.core.errors import FieldError, Invalid
from smarketing.users.domain.roles import Capability as C
from smarketing.users.models import User
from smarketing.users.selectors import users
from smarketing.web.rest.fields import MOST_ID, Instant, ModelOut, NamedOut, VisibleKey
from smarketing.web.rest.filters import InstantFilter
from smarketing.web.rest.views import Creatable, Resource, Retrievable

_OF_TASKS = frozenset({"company", "due_at", "owner"})
_OF_BOTH = frozenset({"person", "lead", "kind", "subject", "body"})


class WrongMember(Invalid):
    """A member of the body does not belong to this kind of activity, or one is missing."""

    code = "wrong_member"


class ActivityOut(ModelOut[Activity]):
    """A call, mail, meeting, note or task. ``actor`` did it, or is to do it."""

    actor = NamedOut(read_only=True, allow_null=True)
    source = serializers.CharField(source="source.code")

    class Meta:
        model = Activity
        fields = (
            "id", "person", "lead", "company", "kind", "direction", "outcome", "subject", "body",
            "occurred_at", "duration_seconds", "due_at", "done_at", "actor", "is_automated", "source",
            "external_id", "created_at", "updated_at", "version",
        )  # fmt: skip


class ActivityIn(serializers.Serializer[Any]):
    """Something that was done (now, without ``occurred_at``), or a task with ``due_at`` and ``owner``."""

    person = VisibleKey(Person, required=False, allow_null=True)
    lead = VisibleKey(Lead, required=False, allow_null=True)
    company = VisibleKey(Company, required=False, allow_null=True, help_text="Tasks only.")
    kind = serializers.ChoiceField(choices=ActivityKind.choices)
    direction = serializers.ChoiceField(choices=Direction.choices, required=False)
    outcome = serializers.ChoiceField(choices=ActivityOutcome.choices, required=False, allow_blank=True)
    subject = serializers.CharField(max_length=300, required=False, allow_blank=True)
    body = serializers.CharField(max_length=50_000, required=False, allow_blank=True)
    occurred_at = Instant(required=False)
    duration_seconds = serializers.IntegerField(
        min_value=0, max_value=2_147_483_647, required=False, allow_null=True
    )
    due_at = Instant(required=False, allow_null=True, help_text="Tasks only.")
    owner = VisibleKey(User, users.visible_to, required=False, help_text="Tasks only; else yourself.")
    is_automated = serializers.BooleanField(required=False)
    source = serializers.SlugField(max_length=60, required=False)
    external_id = serializers.CharField(max_length=255, required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Each kind with the members that belong to it."""
        is_task = attrs["kind"] == ActivityKind.TASK
        wrong = set(attrs) - _OF_BOTH - _OF_TASKS if is_task else set(attrs) & _OF_TASKS
        errors = [FieldError(name, WrongMember.code, "Not for this kind.") for name in sorted(wrong)]
        if not is_task and attrs.get("person") is None:
            errors.append(FieldError("person", "required", "Name the person."))
        if errors:
            raise WrongMember("Some members don't belong to this kind of activity.", errors=errors)
        return attrs


class ActivityFilter(FilterSet):
    """Activities by whom, what and when; times are half-open: from ≤ occurred_at < to."""

    person = filters.NumberFilter(min_value=1, max_value=MOST_ID)
    lead = filters.NumberFilter(min_value=1, max_value=MOST_ID)
    company = filters.NumberFilter(min_value=1, max_value=MOST_ID)
    actor = filters.NumberFilter(min_value=1, max_value=MOST_ID)
    kind = filters.MultipleChoiceFilter(choices=ActivityKind.choices, distinct=False)
    direction = filters.ChoiceFilter(choices=Direction.choices)
    outcome = filters.MultipleChoiceFilter(choices=ActivityOutcome.choices, distinct=False)
    done = filters.BooleanFilter(field_name="done_at", lookup_expr="isnull", exclude=True)
    occurred_from = InstantFilter(field_name="occurred_at", lookup_expr="gte")
    occurred_to = InstantFilter(field_name="occurred_at", lookup_expr="lt")

    class Meta:
        model = Activity
        fields = ("person", "lead", "company", "actor", "kind", "direction", "outcome")


class ActivityResource(TimedListable, Retrievable, Creatable, Resource):
    """Activities. What was done is not edited; a task is completed or reopened."""

    model = Activity
    capabilities = {
        "list": C.VIEW,
        "retrieve": C.VIEW,
        "create": C.LOG_ACTIVITY,
        "complete": C.LOG_ACTIVITY,
        "reopen": C.LOG_ACTIVITY,
    }
    output = ActivityOut
    inputs = {"create": ActivityIn}
    filterset_class = ActivityFilter
    ordering_fields = {"id": "pk", "occurred_at": "occurred_at"}
    ordering_default = ("-id",)
    finds_stored = True

    def visible(self) -> QuerySet[Activity]:
        return Activity.objects.visible_to(self.actor).select_related("actor", "source")

    def make(self, data: dict[str, Any]) -> Activity:
        if data["kind"] == ActivityKind.TASK:
            data.pop("kind")
            owner = data.pop("owner", self.actor)
            subject = data.pop("subject", "")
            return service.add_task(**data, subject=subject, owner=owner, actor=self.actor, now=self.now)
        source = sources.of_program(code=data.pop("source", ""), now=self.now)
        data.setdefault("occurred_at", self.now)
        return service.log(**data, source=source, actor=self.actor, now=self.now)

    def is_new(self, obj: Activity) -> bool:
        return obj.created_at == self.now

    @action(detail=True, methods=["post"])
    def complete(self, request: Request, pk: str) -> Response:
        """Mark a task as done."""
        return self.answer(service.complete_task(task=self.load(), actor=self.actor, now=self.now))

    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: str) -> Response:
        """Take that back."""
        return self.answer(service.reopen_task(task=self.load(), actor=self.actor, now=self.now))
