"""``/api/v1/absences`` and ``/routing-decisions``: who is away, and why a lead went where it went."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import filters
from django_filters.filterset import FilterSet
from rest_framework import serializers

from funnel.api.routing import CandidateOut
from funnel.models import Absence, RoutingDecision
from funnel.selectors import absences, decisions
from funnel.services import absences as service
from smarketing.users.domain.roles import Capability as C
from smarketing.users.models import User
from smarketing.users.selectors import users
from smarketing.web.rest.fields import MOST_ID, Instant, ModelOut, NamedOut, VisibleKey
from smarketing.web.rest.filters import InstantFilter
from smarketing.web.rest.views import Creatable, Deletable, Listable, Resource, Retrievable, Updatable


class AbsenceOut(ModelOut[Absence]):
    """A stretch without leads: from ≤ t < until; until null is until somebody says otherwise."""

    user = NamedOut(read_only=True)
    author = NamedOut(read_only=True, allow_null=True)

    class Meta:
        model = Absence
        fields = ("id", "user", "starts_at", "ends_at", "note", "author", "created_at")


class AbsencePatch(serializers.Serializer[Any]):
    """When somebody is away."""

    starts_at = Instant(required=False)
    ends_at = Instant(required=False, allow_null=True)
    note = serializers.CharField(max_length=200, required=False, allow_blank=True)


class AbsenceIn(AbsencePatch):
    """A new absence; without ``user`` one's own."""

    user = VisibleKey(User, users.visible_to, required=False)
    starts_at = Instant()


class AbsenceResourceFilter(FilterSet):
    """Absences by whose they are and when they begin: from ≤ starts_at < to."""

    user = filters.NumberFilter(min_value=1, max_value=MOST_ID)
    starts_from = InstantFilter(field_name="starts_at", lookup_expr="gte")
    starts_to = InstantFilter(field_name="starts_at", lookup_expr="lt")

    class Meta:
        model = Absence
        fields = ("user",)


class AbsenceResource(Listable, Retrievable, Creatable, Updatable, Deletable, Resource):
    """Absences: one's own; of everybody for managers."""

    model = Absence
    capabilities = dict.fromkeys(("list", "retrieve", "create", "partial_update", "destroy"), C.VIEW)
    output = AbsenceOut
    inputs = {"create": AbsenceIn, "partial_update": AbsencePatch}
    filterset_class = AbsenceResourceFilter
    ordering_fields = {"starts_at": "starts_at"}
    ordering_default = ("-starts_at",)

    def visible(self) -> QuerySet[Absence]:
        return absences.visible_to(self.actor)

    def version_of(self, obj: Absence) -> str:
        ends = obj.ends_at.timestamp() if obj.ends_at else 0
        return f"{obj.starts_at.timestamp():.0f}-{ends:.0f}"

    def make(self, data: dict[str, Any]) -> Absence:
        user = data.pop("user", self.actor)
        return service.add(user=user, **data, actor=self.actor, now=self.now)

    def change(self, obj: Absence, data: dict[str, Any]) -> Absence:
        kept = {"starts_at": obj.starts_at, "ends_at": obj.ends_at, "note": obj.note}
        return service.change(absence=obj, **{**kept, **data}, actor=self.actor, now=self.now)

    def remove(self, obj: Absence) -> None:
        service.remove(absence=obj, actor=self.actor, now=self.now)


class RoutingDecisionOut(ModelOut[RoutingDecision]):
    """Why this owner. Managers read all candidates; others who was chosen and their own line."""

    owner = NamedOut(read_only=True)
    pool = NamedOut(read_only=True, allow_null=True)
    rule = NamedOut(read_only=True, allow_null=True)
    candidates = serializers.SerializerMethodField()
    candidates_in_all = serializers.SerializerMethodField()

    class Meta:
        model = RoutingDecision
        fields = (
            "id", "lead", "handoff", "owner", "pool", "rule", "band", "weight", "reason", "candidates",
            "candidates_in_all", "at", "credited_at",
        )  # fmt: skip

    def get_candidates(self, decision: RoutingDecision) -> list[dict[str, Any]]:
        """Those the viewer may read about."""
        viewer: User = self.context["view"].actor
        return list(CandidateOut(decisions.told(decision.candidates, viewer=viewer), many=True).data)

    def get_candidates_in_all(self, decision: RoutingDecision) -> int:
        """How many were considered."""
        return len(decision.candidates)


class RoutingDecisionFilter(FilterSet):
    """Decisions by lead, handoff, pool and time: from ≤ at < to."""

    lead = filters.NumberFilter(min_value=1, max_value=MOST_ID)
    handoff = filters.NumberFilter(min_value=1, max_value=MOST_ID)
    pool = filters.NumberFilter(min_value=1, max_value=MOST_ID)
    at_from = InstantFilter(field_name="at", lookup_expr="gte")
    at_to = InstantFilter(field_name="at", lookup_expr="lt")

    class Meta:
        model = RoutingDecision
        fields = ("lead", "handoff", "pool")


class RoutingDecisionResource(Listable, Retrievable, Resource):
    """The record of every choice of an owner, the latest first."""

    model = RoutingDecision
    capabilities = {"list": C.VIEW, "retrieve": C.VIEW}
    output = RoutingDecisionOut
    filterset_class = RoutingDecisionFilter
    ordering_fields = {"at": "at"}
    ordering_default = ("-at",)

    def visible(self) -> QuerySet[RoutingDecision]:
        return decisions.visible(self.actor)
