"""``/api/v1/reports``: the same numbers as the pages and ``manage.py report``."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from reporting.domain import rendering
from reporting.models import Journey
from reporting.reports import catalogue
from smarketing.core.errors import Invalid
from smarketing.users.domain.roles import Capability as C
from smarketing.users.selectors import organisation
from smarketing.web.rest.parameters import BadParameter
from smarketing.web.rest.views import Resource


class ReportOut(serializers.Serializer[Any]):
    """A report there is, and how its lines can be grouped."""

    key = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    groupings = serializers.ListField(child=serializers.CharField())


class ReportListOut(serializers.Serializer[Any]):
    """All reports."""

    results = ReportOut(many=True)


class ReportTableOut(serializers.Serializer[Any]):
    """Lines by column; a rate is ``{k, n, percent, interval_95}``, money has its currency beside it."""

    title = serializers.CharField()
    rows = serializers.ListField(child=serializers.DictField())
    total = serializers.DictField(allow_null=True)


class ReportResultOut(serializers.Serializer[Any]):
    """A report's figures and tables, with the formula of each number."""

    report = serializers.CharField()
    title = serializers.CharField()
    params = serializers.DictField()
    as_of = serializers.DateTimeField()
    figures = serializers.DictField()
    tables = serializers.DictField(child=ReportTableOut())
    formulas = serializers.DictField(child=serializers.CharField())
    notes = serializers.ListField(child=serializers.CharField())
    why_empty = serializers.CharField(allow_null=True)


class ReportResource(Resource):
    """Reports. Days are those of the organisation's time zone, both included."""

    model = Journey
    capabilities = {"index": C.VIEW, "compute": C.VIEW}
    output = ReportResultOut
    outputs = {"index": ReportListOut}
    parameters = {"compute": ("from", "to", "source", "by", "cost", "margin")}
    pagination_class = None

    @extend_schema(operation_id="reports_list")
    def index(self, request: Request) -> Response:
        """Which reports there are."""
        found = [
            {"key": r.key, "title": r.title(), "description": r.description(), "groupings": list(r.groupings)}
            for r in catalogue.all_reports()
        ]
        return Response({"results": found})

    @extend_schema(operation_id="reports_compute")
    def compute(self, request: Request, key: str) -> Response:
        """Compute one report."""
        report = catalogue.get(key)
        given = {name: str(value) for name, value in request.query_params.items() if value}
        try:
            result = report.run(given, zone=organisation.zone(), now=self.now, viewer=self.actor)
        except Invalid as error:  # these come from the address, not from a body
            raise BadParameter(error.detail, errors=error.errors) from error
        return Response(rendering.as_json(result))
