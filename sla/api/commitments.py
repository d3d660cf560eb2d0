"""``/api/v1/commitments``: how each promise stands in a period, and the periods that are closed."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import filters
from django_filters.filterset import FilterSet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from sla.models import Commitment
from sla.selectors import closed, commitments, prose
from sla.selectors.commitments import Line
from smarketing.core.errors import FieldError
from smarketing.users.domain.roles import Capability as C
from smarketing.users.selectors import users
from smarketing.web.rest.fields import MOST_ID, Instant, ModelOut
from smarketing.web.rest.filters import InstantFilter
from smarketing.web.rest.parameters import BadParameter
from smarketing.web.rest.views import Listable, Resource, Retrievable

MOST_BACK = 60


class StandingOut(serializers.Serializer[Any]):
    """One promise in one period. Shares are from 0 to 1; ``due`` of a share is how many cases are judged."""

    clause = serializers.IntegerField(source="clause.pk")
    side = serializers.CharField(source="spec.side")
    metric = serializers.CharField(source="spec.metric")
    sentence = serializers.CharField()
    starts_at = Instant(source="period.start")
    ends_at = Instant(source="period.end")
    unit = serializers.CharField()
    owner = serializers.IntegerField(source="owner_id", allow_null=True)
    promised = serializers.FloatField(source="standing.promised")
    due = serializers.FloatField(source="standing.due")
    gross = serializers.FloatField(source="standing.gross")
    net = serializers.FloatField(source="standing.net")
    done = serializers.FloatField(source="standing.done")
    pending = serializers.IntegerField(source="standing.pending")
    late = serializers.IntegerField(source="standing.late")
    pace = serializers.FloatField(source="standing.pace", allow_null=True)
    forecast = serializers.FloatField(source="standing.forecast", allow_null=True)
    attainment = serializers.FloatField(source="standing.attainment", allow_null=True)
    is_kept = serializers.BooleanField(source="standing.is_kept", allow_null=True)
    without_estimate = serializers.SerializerMethodField()

    def get_without_estimate(self, line: Line) -> list[str]:
        """Cells whose leads count for nothing because too few were delivered before to know their worth."""
        return list(line.notes)


class StandingsOut(serializers.Serializer[Any]):
    """All promises of both sides."""

    results = StandingOut(many=True)


class RestatementOut(serializers.Serializer[Any]):
    """What became known after a period was closed."""

    figures = serializers.DictField()
    rows_digest = serializers.CharField()
    found_at = Instant()


class CommitmentOut(ModelOut[Commitment]):
    """A closed period: its figures as they were known then, and later restatements."""

    side = serializers.CharField(source="clause.side")
    metric = serializers.CharField(source="clause.metric")
    sentence = serializers.SerializerMethodField()
    figures = serializers.DictField(read_only=True)
    restatements = serializers.SerializerMethodField()

    class Meta:
        model = Commitment
        fields = (
            "id", "clause", "side", "metric", "sentence", "starts_at", "ends_at", "figures", "rows_digest",
            "closed_at", "restatements",
        )  # fmt: skip

    def get_sentence(self, commitment: Commitment) -> str:
        """The promise in one sentence."""
        return prose.sentence(commitment.clause)

    @extend_schema_field(RestatementOut(many=True))
    def get_restatements(self, commitment: Commitment) -> Any:
        """Oldest first."""
        return RestatementOut(commitment.restatements.all(), many=True).data


class CommitmentFilter(FilterSet):
    """Closed periods by promise, side and time."""

    clause = filters.NumberFilter(min_value=1, max_value=MOST_ID)
    side = filters.ChoiceFilter(
        field_name="clause__side", choices=[("marketing", "marketing"), ("sales", "sales")]
    )
    metric = filters.CharFilter(field_name="clause__metric", max_length=40)
    ends_from = InstantFilter(field_name="ends_at", lookup_expr="gte")
    ends_to = InstantFilter(field_name="ends_at", lookup_expr="lt")

    class Meta:
        model = Commitment
        fields = ("clause",)


class CommitmentResource(Listable, Retrievable, Resource):
    """Commitments. The list holds closed periods; ``standing`` tells the present one or one before."""

    model = Commitment
    capabilities = {"list": C.VIEW, "retrieve": C.VIEW, "standing": C.VIEW}
    output = CommitmentOut
    outputs = {"standing": StandingsOut}
    filterset_class = CommitmentFilter
    parameters = {"standing": ("back", "owner")}
    ordering_fields = {"ends_at": "ends_at"}
    ordering_default = ("-ends_at",)

    def visible(self) -> QuerySet[Commitment]:
        return closed.everything()

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "back", OpenApiTypes.INT, description="How many periods back; 0 is the present one."
            ),
            OpenApiParameter("owner", OpenApiTypes.INT, description="Only this rep's part."),
        ],
        filters=False,
    )
    @action(detail=False, methods=["get"], pagination_class=None, filterset_class=None)
    def standing(self, request: Request) -> Response:
        """Every promise of both sides in its period: promised, due so far, gross, net, pace, forecast."""
        back, owner_id = self._number("back", 0, MOST_BACK), self._number("owner", None, MOST_ID)
        owner = None
        if owner_id is not None:
            owner = users.visible_to(self.actor).filter(pk=owner_id).first()
            if owner is None:
                raise BadParameter(
                    "There is no such user.", errors=[FieldError("owner", "unknown", "Unknown.")]
                )
        told = commitments.lines(now=self.now, back=back or 0, owner=owner)
        return Response(StandingsOut({"results": told}).data)

    def _number(self, name: str, default: int | None, most: int) -> int | None:
        text = self.request.query_params.get(name)
        if text is None:
            return default
        if not text.isascii() or not text.isdecimal() or len(text) > 19 or int(text) > most:
            detail = f"Give a whole number from 0 to {most}."
            raise BadParameter(detail, errors=[FieldError(name, "out_of_range", detail)])
        return int(text)
