"""``/api/v1/alerts``: what one asked to be told, and what was told."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import filters
from django_filters.filterset import FilterSet
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from funnel import access
from funnel.domain.alerts import OPERATORS
from funnel.models import Alert, AlertDelivery, AlertHit, Stage, TriggerChoices
from funnel.selectors import alerts as reads
from funnel.services import alerts as service
from funnel.services.alerts import About
from leads.models import Company, Person
from smarketing.users.domain.roles import Capability as C
from smarketing.web.models import SavedView
from smarketing.web.rest.fields import MOST_ID, Code, Instant, ModelOut, VisibleKey
from smarketing.web.rest.views import Creatable, Listable, Resource, Retrievable, Updatable


class ConditionIn(serializers.Serializer[Any]):
    """A property of the event and how it is compared; ``known`` takes no value."""

    property = serializers.CharField(max_length=255)
    operator = serializers.ChoiceField(choices=OPERATORS)
    value = serializers.JSONField(required=False)


class AlertOut(ModelOut[Alert]):
    """An alert. ``told`` counts its hits, ``contacted`` those that a human attempt followed."""

    sentence = serializers.SerializerMethodField()
    stage = serializers.CharField(source="stage.code", read_only=True, allow_null=True)
    conditions = ConditionIn(many=True, read_only=True)
    told = serializers.SerializerMethodField()
    contacted = serializers.SerializerMethodField()
    median_contact_seconds = serializers.SerializerMethodField()

    class Meta:
        model = Alert
        fields = (
            "id", "sentence", "subject", "person", "company", "stage", "segment", "trigger", "pattern",
            "name", "conditions", "after_days", "delivery", "repeat_after_seconds", "snoozed_until",
            "stopped_at", "told", "contacted", "median_contact_seconds", "created_at", "updated_at",
            "version",
        )  # fmt: skip

    def get_sentence(self, alert: Alert) -> str:
        """What it waits for, in words."""
        return reads.sentence(alert)

    def get_told(self, alert: Alert) -> int:
        """How many hits there were."""
        return self._reaction(alert).told

    def get_contacted(self, alert: Alert) -> int:
        """How many of them a human attempt followed."""
        return self._reaction(alert).contacted

    def get_median_contact_seconds(self, alert: Alert) -> int | None:
        """The median from hit to attempt."""
        return self._reaction(alert).median_seconds

    def _reaction(self, alert: Alert) -> reads.Reaction:
        """What came of the user's alerts, read once for the whole answer."""
        context: Any = self.context
        if "reactions" not in context:
            context["reactions"] = reads.reactions(context["view"].actor)
        known: dict[int | None, reads.Reaction] = context["reactions"]
        return known.get(alert.pk, reads.Reaction())


class AlertPatch(serializers.Serializer[Any]):
    """What can be changed; whom an alert is about stays."""

    trigger = serializers.ChoiceField(choices=TriggerChoices.choices, required=False)
    pattern = serializers.CharField(max_length=200, required=False, allow_blank=True)
    name = serializers.CharField(max_length=255, required=False, allow_blank=True)
    conditions = ConditionIn(many=True, required=False)
    after_days = serializers.IntegerField(min_value=1, max_value=365, required=False, allow_null=True)
    delivery = serializers.ChoiceField(choices=AlertDelivery.choices, required=False)
    repeat_after_seconds = serializers.IntegerField(min_value=60, max_value=90 * 86_400, required=False)


def _segments(actor: Any) -> QuerySet[SavedView]:
    return reads.segments_of(actor)


class AlertIn(AlertPatch):
    """A new alert: exactly one of ``person``, ``company``, ``stage``, ``segment`` and ``mine``."""

    trigger = serializers.ChoiceField(choices=TriggerChoices.choices)
    person = VisibleKey(Person, required=False)
    company = VisibleKey(Company, required=False)
    stage = Code(Stage, required=False)
    segment = VisibleKey(SavedView, visible=_segments, required=False)
    mine = serializers.BooleanField(required=False)


class SnoozeIn(serializers.Serializer[Any]):
    """Until when nothing is told; ``null`` wakes it."""

    until = Instant(allow_null=True)


class EmptyIn(serializers.Serializer[Any]):
    """Nothing."""


class AlertFilter(FilterSet):
    """Alerts by what they wait for and whether they run."""

    running = filters.BooleanFilter(field_name="stopped_at", lookup_expr="isnull")
    person = filters.NumberFilter(min_value=1, max_value=MOST_ID)
    company = filters.NumberFilter(min_value=1, max_value=MOST_ID)

    class Meta:
        model = Alert
        fields = ("subject", "trigger", "delivery")


class AlertResource(Listable, Retrievable, Creatable, Updatable, Resource):
    """One's own alerts."""

    model = Alert
    capabilities = dict.fromkeys(
        ("list", "retrieve", "create", "partial_update", "snooze", "stop", "resume"), C.VIEW
    )
    output = AlertOut
    inputs = {
        "create": AlertIn, "partial_update": AlertPatch, "snooze": SnoozeIn,
        "stop": EmptyIn, "resume": EmptyIn,
    }  # fmt: skip
    filterset_class = AlertFilter
    ordering_fields = {"id": "pk"}
    ordering_default = ("-id",)

    def visible(self) -> QuerySet[Alert]:
        return reads.visible_to(self.actor)

    def make(self, data: dict[str, Any]) -> Alert:
        parts = {name: data.pop(name, None) for name in ("person", "company", "stage", "segment")}
        about = About(**parts, is_mine=data.pop("mine", False))
        return service.create(user=self.actor, about=about, **data, now=self.now)

    def change(self, obj: Alert, data: dict[str, Any]) -> Alert:
        return service.change(alert=obj, changes=data, actor=self.actor, now=self.now)

    @action(detail=True, methods=["post"])
    def snooze(self, request: Request, pk: str) -> Response:
        """Tell nothing until then."""
        until = self.valid()["until"]
        return self.answer(service.snooze(alert=self.load(), until=until, actor=self.actor, now=self.now))

    @action(detail=True, methods=["post"])
    def stop(self, request: Request, pk: str) -> Response:
        """Tell nothing any more."""
        return self.answer(service.stop(alert=self.load(), actor=self.actor, now=self.now))

    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:
        """Take back a stop or a snooze."""
        return self.answer(service.resume(alert=self.load(), actor=self.actor, now=self.now))


class HitOut(ModelOut[AlertHit]):
    """What was waited for has happened: by whom, when, when it was told and followed by an attempt."""

    class Meta:
        model = AlertHit
        fields = (
            "id", "person", "event_id", "what", "occurred_at", "raised_at", "tell_at", "told_at",
            "contacted_at",
        )  # fmt: skip


class AlertHitResource(Listable, Resource):
    """Hits of one alert, the latest first."""

    model = AlertHit
    capabilities = {"list": C.VIEW}
    output = HitOut
    ordering_fields = {"raised_at": "raised_at"}
    ordering_default = ("-raised_at",)

    def visible(self) -> QuerySet[AlertHit]:
        alert = access.alert(self.actor, int(self.kwargs["alert"]))
        return reads.hits_of(self.actor).filter(alert=alert)
