"""``/api/v1/handoffs``: leads delivered to sales, and sales' answers."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import filters
from django_filters.filterset import FilterSet
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from funnel.models import Handoff, HandoffState, ReturnReason
from funnel.selectors import decisions, handoffs
from funnel.services import handoffs as service
from smarketing.users.domain.roles import Capability as C
from smarketing.users.models import User
from smarketing.users.selectors import users
from smarketing.web.rest.fields import MOST_ID, ModelOut, NamedOut, VisibleKey
from smarketing.web.rest.filters import InstantFilter
from smarketing.web.rest.views import Listable, Resource, Retrievable


class HandoffOut(ModelOut[Handoff]):
    """One delivery; ``missing`` says what kept it from being delivered."""

    person = NamedOut(source="lead.person", read_only=True)
    owner = NamedOut(read_only=True, allow_null=True)
    definition = serializers.IntegerField(source="definition.number", help_text="The version's number.")
    missing = serializers.ListField(child=serializers.CharField(), read_only=True)
    delivered_by = NamedOut(read_only=True, allow_null=True, help_text="Null: the automation.")
    answered_by = NamedOut(read_only=True, allow_null=True)

    class Meta:
        model = Handoff
        fields: tuple[str, ...] = (
            "id", "lead", "person", "state", "owner", "definition", "missing", "override_reason",
            "delivered_by", "delivered_at", "answered_by", "answered_at", "return_reason", "return_note",
            "created_at", "updated_at", "version",
        )  # fmt: skip


class HandoffDetailOut(HandoffOut):
    """With the packet: what the owner was told at delivery, frozen."""

    packet = serializers.SerializerMethodField()

    class Meta(HandoffOut.Meta):
        fields = (*HandoffOut.Meta.fields, "packet")

    def get_packet(self, handoff: Handoff) -> dict[str, Any]:
        """The packet; of the other candidates only managers read."""
        viewer: User = self.context["view"].actor
        return decisions.packet_for(handoff.packet, viewer=viewer)


class ReturnIn(serializers.Serializer[Any]):
    """Why the lead is given back; some reasons need a note."""

    reason = serializers.ChoiceField(choices=ReturnReason.choices)
    note = serializers.CharField(max_length=10_000, required=False, allow_blank=True)


class ReassignIn(serializers.Serializer[Any]):
    """Who is to answer instead."""

    owner = VisibleKey(User, users.visible_to)


class ExplainIn(serializers.Serializer[Any]):
    """What was wrong with a lead that was returned without a word."""

    note = serializers.CharField(max_length=service.LONGEST_NOTE)


class HandoffFilter(FilterSet):
    """Handoffs by state, owner, lead and time; times are half-open: from ≤ t < to."""

    state = filters.MultipleChoiceFilter(choices=HandoffState.choices, distinct=False)
    owner = filters.NumberFilter(min_value=1, max_value=MOST_ID)
    lead = filters.NumberFilter(min_value=1, max_value=MOST_ID)
    return_reason = filters.MultipleChoiceFilter(choices=ReturnReason.choices, distinct=False)
    delivered_from = InstantFilter(field_name="delivered_at", lookup_expr="gte")
    delivered_to = InstantFilter(field_name="delivered_at", lookup_expr="lt")
    answered_from = InstantFilter(field_name="answered_at", lookup_expr="gte")
    answered_to = InstantFilter(field_name="answered_at", lookup_expr="lt")

    class Meta:
        model = Handoff
        fields = ("state", "owner", "lead", "return_reason")


class HandoffResource(Listable, Retrievable, Resource):
    """Handoffs. Marketing delivers under ``/leads/<id>/deliver``; the owner or a sales manager answers."""

    model = Handoff
    capabilities = {
        "list": C.VIEW,
        "retrieve": C.VIEW,
        "accept": C.ANSWER_OWN_HANDOFF,
        "return_lead": C.ANSWER_OWN_HANDOFF,
        "explain": C.ANSWER_OWN_HANDOFF,
        "undo": C.ANSWER_OWN_HANDOFF,
        "reassign": C.CHANGE_OWNER,
    }
    output = HandoffDetailOut
    outputs = {"list": HandoffOut}
    inputs = {"return_lead": ReturnIn, "explain": ExplainIn, "reassign": ReassignIn}
    filterset_class = HandoffFilter
    ordering_fields = {"id": "pk", "delivered_at": "delivered_at"}
    ordering_default = ("-id",)

    def visible(self) -> QuerySet[Handoff]:
        found = handoffs.listed(self.actor)
        return found.defer("packet") if self.action == "list" else found

    @action(detail=True, methods=["post"])
    def accept(self, request: Request, pk: str) -> Response:
        """Sales takes the lead; with need and budget recorded it becomes an SQL."""
        return self.answer(service.accept(handoff=self.load(), actor=self.actor, now=self.now))

    @action(detail=True, methods=["post"], url_path="return")
    def return_lead(self, request: Request, pk: str) -> Response:
        """Sales gives the lead back with a reason, which says where it goes."""
        handoff = self.load()
        return self.answer(service.return_(handoff=handoff, **self.valid(), actor=self.actor, now=self.now))

    @action(detail=True, methods=["post"])
    def explain(self, request: Request, pk: str) -> Response:
        """Say afterwards what was wrong with a returned lead."""
        handoff = self.load()
        return self.answer(service.explain(handoff=handoff, **self.valid(), actor=self.actor, now=self.now))

    @action(detail=True, methods=["post"])
    def undo(self, request: Request, pk: str) -> Response:
        """Take one's answer back, within ten seconds."""
        return self.answer(service.undo(handoff=self.load(), actor=self.actor, now=self.now))

    @action(detail=True, methods=["post"])
    def reassign(self, request: Request, pk: str) -> Response:
        """Give it, and its lead, to another owner."""
        handoff = self.load()
        return self.answer(service.reassign(handoff=handoff, **self.valid(), actor=self.actor, now=self.now))
