"""``/api/v1/people/<id>/timeline`` and of a company: everything that happened, newest first."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.utils.http import urlencode
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from leads import access
from leads.models import Company, Person
from leads.selectors import timeline
from leads.selectors.timeline import Category, Facts, Subject
from smarketing.core.errors import FieldError
from smarketing.users.domain.roles import Capability as C
from smarketing.web.rest.parameters import BadParameter
from smarketing.web.rest.views import Resource

MOST = 100
NAMES = ("before", "limit", "only", "of")


class EntryOut(serializers.Serializer[Any]):
    """One line: what happened and when; ``provider`` and ``id`` say which record it is."""

    at = serializers.DateTimeField()
    provider = serializers.CharField()
    id = serializers.CharField(source="pk")
    title = serializers.CharField()
    detail = serializers.CharField()
    who = serializers.CharField()
    about = serializers.CharField()
    lead_id = serializers.IntegerField(allow_null=True)


class TimelineOut(serializers.Serializer[Any]):
    """A page of entries; ``next`` is the address of the next one, or null at the end."""

    results = EntryOut(many=True)
    next = serializers.CharField(allow_null=True)


PARAMETERS = [
    OpenApiParameter("before", str, description="A place, taken from `next`."),
    OpenApiParameter("limit", int, description=f"1 to {MOST}, 25 by default."),
    OpenApiParameter("only", str, enum=[c.value for c in Category], description="One kind of fact."),
    OpenApiParameter("of", str, enum=[f.value for f in Facts], description="Whose facts."),
]


class PersonTimelineResource(Resource):
    """The timeline of one person."""

    model: ClassVar[Any] = Person
    capabilities = {"read": C.VIEW}
    output = TimelineOut
    parameters = {"read": NAMES}
    pagination_class = None

    @extend_schema(operation_id="people_timeline", parameters=PARAMETERS)
    def read(self, request: Request, pk: str) -> Response:
        """Entries of all kinds, the newest first."""
        return self.page_of(access.get_person(self.actor, int(pk)))

    def page_of(self, subject: Subject) -> Response:
        """One page as JSON. Raises :class:`BadParameter`, ``timeline.BadPosition``."""
        given = {name: self.request.query_params.get(name, "") for name in NAMES}
        asked: dict[str, Any] = {
            "before": timeline.position_of(given["before"]),
            "limit": self._limit(given["limit"]),
            "only": [Category(_one_of("only", given["only"], Category))] if given["only"] else [],
            "of": Facts(_one_of("of", given["of"], Facts)) if given["of"] else None,
        }
        if isinstance(subject, Company):
            found = timeline.of_company(subject, **asked)
        else:
            found = timeline.of_person(subject, **asked)
        return self.answer({"results": found.entries, "next": self._next(found.next, given)})

    def _limit(self, text: str) -> int:
        if not text:
            return timeline.PAGE
        if not (text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= MOST):
            raise _bad("limit", f"Choose 1 to {MOST}.")
        return int(text)

    def _next(self, position: timeline.Position | None, given: dict[str, str]) -> str | None:
        if position is None:
            return None
        query = {name: value for name, value in given.items() if value} | {"before": str(position)}
        return f"{settings.SITE_URL}{self.request.path}?{urlencode(query)}"


class CompanyTimelineResource(PersonTimelineResource):
    """The timeline of all people of one company."""

    model: ClassVar[Any] = Company

    @extend_schema(operation_id="companies_timeline", parameters=PARAMETERS)
    def read(self, request: Request, pk: str) -> Response:
        """Entries about all of them, the newest first; ``about`` says who."""
        return self.page_of(access.get_company(self.actor, int(pk)))


def _one_of(name: str, value: str, allowed: type[Category] | type[Facts]) -> str:
    if value not in set(allowed):
        raise _bad(name, f"Choose one of {', '.join(allowed)}.")
    return value


def _bad(name: str, detail: str) -> BadParameter:
    return BadParameter(f"{name}: {detail}", errors=[FieldError(name, "invalid", detail)])
