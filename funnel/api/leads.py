"""``/api/v1/leads``: laps of persons with stage, owner and score; capture, edit, move, assign, deliver."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import filters
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from funnel.api import lead_inputs as inputs
from funnel.api.handoffs import HandoffDetailOut
from funnel.api.lead_outputs import (
    LeadDetailOut,
    LeadMadeOut,
    LeadOut,
    QualificationOut,
    ScoreExplanationOut,
)
from funnel.forms.lead_filters import LeadFilter
from funnel.models import LeadState, MoveCause
from funnel.selectors import lead_list, past_scores, scores, told_leads
from funnel.selectors.lead_list import Row
from funnel.selectors.told_leads import Told
from funnel.services import handoffs, lifecycle, owners, qualifications
from leads.models import Lead
from leads.selectors import duplicates
from leads.services import leads as service
from smarketing.core import locks
from smarketing.core.errors import FieldError, Missing
from smarketing.users.domain.roles import Capability as C
from smarketing.web.rest import concurrency
from smarketing.web.rest.fields import MOST_ID
from smarketing.web.rest.filters import InstantFilter
from smarketing.web.rest.parameters import MAX_SEARCH, BadParameter, flag
from smarketing.web.rest.views import Creatable, Resource, Retrievable, Updatable


class LeadResourceFilter(LeadFilter):
    """The filters of the leads page, and exact ones for programs; from ≤ captured_at < to."""

    person = filters.NumberFilter(field_name="lead__person", min_value=1, max_value=MOST_ID)
    company = filters.NumberFilter(field_name="lead__company", min_value=1, max_value=MOST_ID)
    external_id = filters.CharFilter(field_name="lead__external_id", max_length=255)
    captured_from = InstantFilter(field_name="captured_at", lookup_expr="gte")
    captured_to = InstantFilter(field_name="captured_at", lookup_expr="lt")


class LeadResource(Retrievable, Creatable, Updatable, Resource):
    """Leads. Stage, owner and answers change by actions; ``PATCH`` edits how the lead came."""

    model = LeadState
    capabilities = {
        "list": C.VIEW,
        "retrieve": C.VIEW,
        "score": C.VIEW,
        "create": C.EDIT_LEADS,
        "partial_update": C.EDIT_LEADS,
        "move": C.EDIT_LEADS,
        "assign": C.CHANGE_OWNER,
        "deliver": C.DELIVER,
        "qualification": C.ANSWER_OWN_HANDOFF,
    }
    output = LeadDetailOut
    outputs = {
        "list": LeadOut,
        "create": LeadMadeOut,
        "score": ScoreExplanationOut,
        "deliver": HandoffDetailOut,
        "qualification": QualificationOut,
    }
    inputs = {
        "create": inputs.LeadIn,
        "partial_update": inputs.LeadPatch,
        "move": inputs.MoveLeadIn,
        "assign": inputs.AssignIn,
        "deliver": inputs.DeliverIn,
        "qualification": inputs.QualificationIn,
    }
    parameters = {"score": ("at",), "create": ("probable_duplicates",)}
    filterset_class = LeadResourceFilter
    ordering_fields = {
        "id": "pk",
        "captured_at": "captured_at",
        lead_list.BY_FIT: "fit",
        lead_list.BY_INTEREST: "heat",
    }
    ordering_default = ("-captured_at",)
    searchable = True
    finds_stored = True
    _created = True
    _lookalikes: list[dict[str, Any]] | None = None

    def visible(self) -> QuerySet[LeadState]:
        return lead_list.listed(self.actor, sort=self._sort())

    def version_of(self, obj: Any) -> int | str | None:
        """A lead's ETag tells its own columns and where it stands: either changes it."""
        if isinstance(obj, Row):
            return f"{obj.lead.version}.{obj.state.version}"
        return super().version_of(obj)

    def load(self, *, match: bool = False, lock: bool = True) -> Row:
        """As the kernel's; the lead itself is locked, as the order of locks asks, not its state."""
        pk = int(self.kwargs["pk"])
        if lock and self.request.method == "PATCH":
            locks.rows(Lead.objects.visible_to(self.actor), [pk])
        row = self._row(pk)
        if self.request.method not in ("GET", "HEAD", "OPTIONS"):
            concurrency.check_match(self.request, self.version_of(row), required=match)
        return row

    def list(self, request: Request) -> Response:
        """Leads, a page at a time: found on narrow tables, then shown in a few queries."""
        states = self.filter_queryset(self.visible())
        text = request.query_params.get("search", "").strip()
        if len(text) > MAX_SEARCH:
            raise BadParameter(f"search has at most {MAX_SEARCH} characters.")
        if text:
            states = lead_list.matching(states, text)
        found = [state.pk for state in self.paginate_queryset(states) or []]
        told = LeadOut(told_leads.of_keys(found, at=self.now), many=True)
        return self.get_paginated_response(told.data)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One lead."""
        return self.answer(self._told(int(self.kwargs["pk"])))

    def answer(self, obj: Any, *, status: int = 200) -> Response:
        """As the kernel's; a lead that was loaded or changed is told as it stands now."""
        return super().answer(self._told(obj.pk) if isinstance(obj, Row) else obj, status=status)

    def make(self, data: dict[str, Any]) -> Told:
        wants_lookalikes = flag(self.request, "probable_duplicates")
        with inputs.pointing_into(data):
            captured = service.capture(
                **inputs.capture_of(data, now=self.now), actor=self.actor, now=self.now
            )
        self._created = captured.created
        if wants_lookalikes:
            self._lookalikes = duplicates.told(captured.lead.person)
        return self._told(captured.lead.pk)

    def get_serializer_context(self) -> dict[str, Any]:
        """As the framework's, with who looks like the person of a lead that was just captured."""
        return {**super().get_serializer_context(), "lookalikes": self._lookalikes}

    def is_new(self, obj: Told) -> bool:
        return self._created

    def change(self, obj: Row, data: dict[str, Any]) -> Row:
        service.update(lead=obj.lead, changes=data, actor=self.actor, now=self.now)
        return self._row(obj.pk)

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "probable_duplicates", bool, description="Answer who looks like the lead's person, too."
            )
        ]
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Capture a lead: 201, or 200 for one that is there. Who looks like its person is never merged."""
        return super().create(request, *args, **kwargs)

    @extend_schema(
        parameters=[OpenApiParameter("at", str, description="The instant, with its offset; now by default.")]
    )
    @action(detail=True, methods=["get"])
    def score(self, request: Request, pk: str) -> Response:
        """Why fit and interest are what they are, or were at ``at``; the parts sum to the numbers."""
        if "at" in request.query_params:
            lead = self.load().lead
            at = inputs.past_instant(request.query_params["at"], since=lead.captured_at, now=self.now)
            return self.answer(past_scores.explain(lead=lead, at=at).to_json())
        return self.answer(scores.explain(lead=self.load().lead, at=self.now).to_json())

    @action(detail=True, methods=["post"])
    def move(self, request: Request, pk: str) -> Response:
        """Move it to another stage by hand."""
        row, data = self.load(), self.valid()
        lifecycle.move(
            lead=row.lead,
            to=data["to"].code,
            reason=data.get("reason", ""),
            cause=MoveCause.MANUAL,
            actor=self.actor,
            at=self.now,
            now=self.now,
        )
        return self.answer(self._row(row.pk))

    @action(detail=True, methods=["post"])
    def assign(self, request: Request, pk: str) -> Response:
        """Make another colleague, or nobody, its owner."""
        row, data = self.load(), self.valid()
        owners.assign(
            lead=row.lead, owner=data["owner"], reason=owners.BY_HAND, actor=self.actor, now=self.now
        )
        return self.answer(self._row(row.pk))

    @action(detail=True, methods=["post"])
    def deliver(self, request: Request, pk: str) -> Response:
        """Deliver it to sales. The handoff's state says whether it passed the gate; see ``missing``."""
        row, data = self.load(), self.valid()
        return self.answer(handoffs.deliver(lead=row.lead, **data, actor=self.actor, now=self.now))

    @action(detail=True, methods=["post"])
    def qualification(self, request: Request, pk: str) -> Response:
        """Record need and budget; an accepted lead with both becomes an SQL."""
        row, data = self.load(), self.valid()
        found = qualifications.record(
            lead=row.lead,
            need=data["need"],
            budget=data.get("budget"),
            currency=data.get("currency", ""),
            actor=self.actor,
            now=self.now,
        )
        return self.answer(found)

    def allowed_parameters(self) -> set[str]:
        """The declared filters and those of the custom attributes."""
        allowed = super().allowed_parameters()
        if self.action == "list" and not allowed.issuperset(self.request.query_params):
            custom = LeadResourceFilter(data={}, queryset=LeadState.objects.none())
            allowed |= set(custom.filters)
            allowed |= {f"{name}_{end}" for name in custom.filters for end in ("min", "max")}
        return allowed

    def ordering_paths(self) -> tuple[str, ...]:
        """As the kernel's; by interest and by fit each alone, for each has its own index."""
        sent = {n.removeprefix("-") for n in self.request.query_params.get("ordering", "").split(",")}
        alone = {lead_list.BY_FIT, lead_list.BY_INTEREST}
        if sent & alone and len(sent) > 1:
            raise BadParameter(
                "Order by fit or by interest alone.",
                errors=[FieldError("ordering", "alone", "Name one of them and nothing else.")],
            )
        return super().ordering_paths()

    def _sort(self) -> str:
        sent = self.request.query_params.get("ordering", "") if self.action == "list" else ""
        return sent.removeprefix("-")

    def _row(self, pk: int) -> Row:
        rows = lead_list.dressed(list(lead_list.listed(self.actor).filter(pk=pk)), at=self.now)
        if not rows:
            raise _missing()
        return rows[0]

    def _told(self, pk: int) -> Told:
        told = told_leads.one(self.actor, pk, at=self.now)
        if told is None:
            raise _missing()
        return told


def _missing() -> Missing:
    return Missing("There is no such object, or you may not see it.")
