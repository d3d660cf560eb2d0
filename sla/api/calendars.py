"""``/api/v1/calendars`` and ``/own-hours``: hours by which promises are counted, and whose are their own."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, QuerySet
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from sla.models import Calendar, CalendarVersion, OwnHours
from sla.selectors import calendars as reads
from sla.selectors import hours
from sla.services import calendars
from smarketing.users.domain.roles import Capability as C
from smarketing.users.models import User
from smarketing.users.selectors import users
from smarketing.web.rest.fields import ModelOut, NamedOut, VisibleKey
from smarketing.web.rest.views import Creatable, Deletable, Listable, Resource, Retrievable


class CalendarOut(ModelOut[Calendar]):
    """A calendar as it counts now: ``body`` is its latest version, ``number`` that version's."""

    number = serializers.SerializerMethodField()
    body = serializers.SerializerMethodField()

    class Meta:
        model = Calendar
        fields = ("id", "name", "is_default", "number", "body", "created_at")

    def get_number(self, calendar: Calendar) -> int:
        """The version that clocks start with now."""
        return self._present(calendar).number

    def get_body(self, calendar: Calendar) -> dict[str, Any]:
        """Zone, weekly windows and holidays."""
        body: dict[str, Any] = self._present(calendar).body
        return body

    def _present(self, calendar: Calendar) -> CalendarVersion:
        return next(iter(calendar.versions.all()))


class BodyIn(serializers.Serializer[Any]):
    """Opening hours: ``{"zone", "week": {"mon": [["10:00", "18:00"]]}, "holidays": [{"date", "name"}]}``."""

    body = serializers.DictField()


class CalendarIn(BodyIn):
    """A new calendar with its first version."""

    name = serializers.CharField(max_length=120)


class PublishIn(BodyIn):
    """The next version; ``number`` is the one that was read, so that nobody's change is lost."""

    number = serializers.IntegerField(min_value=1, required=False)


class CalendarResource(Listable, Retrievable, Creatable, Resource):
    """Business calendars. A new version decides for clocks that run, too, shortly after."""

    model = Calendar
    capabilities = {
        "list": C.VIEW,
        "retrieve": C.VIEW,
        "create": C.EDIT_CALENDAR,
        "publish": C.EDIT_CALENDAR,
    }
    output = CalendarOut
    inputs = {"create": CalendarIn, "publish": PublishIn}
    ordering_fields = {"name": "name"}
    ordering_default = ("name",)

    def visible(self) -> QuerySet[Calendar]:
        newest = CalendarVersion.objects.order_by("-number")
        return reads.visible_to(self.actor).prefetch_related(Prefetch("versions", newest))

    def version_of(self, obj: Calendar) -> str:
        return str(next(iter(obj.versions.all())).number)

    def make(self, data: dict[str, Any]) -> Calendar:
        made = calendars.create(**data, actor=self.actor, now=self.now)
        return self.visible().get(pk=made.pk)

    @action(detail=True, methods=["post"])
    def publish(self, request: Request, pk: str) -> Response:
        """Publish the next version; equal content makes none."""
        calendar, data = self.load(lock=False), self.valid()
        calendars.publish_version(
            calendar=calendar,
            body=data["body"],
            expected_number=data.get("number"),
            actor=self.actor,
            now=self.now,
        )
        return self.answer(self.visible().get(pk=calendar.pk))


class OwnHoursOut(ModelOut[OwnHours]):
    """By which calendar the promises of one rep are counted, whatever a clause says. ``id`` is the user's."""

    id = serializers.IntegerField(source="user_id", read_only=True)
    user = NamedOut(read_only=True)
    calendar = NamedOut(read_only=True)
    author = NamedOut(read_only=True, allow_null=True)

    class Meta:
        model = OwnHours
        fields = ("id", "user", "calendar", "author", "created_at", "updated_at")


class OwnHoursIn(serializers.Serializer[Any]):
    """Who gets which calendar; somebody who has one gets the other."""

    user = VisibleKey(User, users.visible_to)
    calendar = VisibleKey(Calendar, reads.visible_to)


class OwnHoursResource(Listable, Retrievable, Creatable, Deletable, Resource):
    """Calendars of single reps: for clocks that start from then on, and for pools that keep hours."""

    model = OwnHours
    capabilities = {
        "list": C.VIEW,
        "retrieve": C.VIEW,
        "create": C.EDIT_CALENDAR,
        "destroy": C.EDIT_CALENDAR,
    }
    output = OwnHoursOut
    inputs = {"create": OwnHoursIn}
    ordering_fields = {"user": "user__name"}
    ordering_default = ("user",)

    def visible(self) -> QuerySet[OwnHours]:
        return hours.visible_to(self.actor)

    def version_of(self, obj: OwnHours) -> str:
        return str(obj.calendar_id)

    def make(self, data: dict[str, Any]) -> OwnHours:
        made = calendars.give(**data, actor=self.actor, now=self.now)
        return self.visible().get(pk=made.pk)

    def remove(self, obj: OwnHours) -> None:
        calendars.take_back(user=obj.user, actor=self.actor, now=self.now)
