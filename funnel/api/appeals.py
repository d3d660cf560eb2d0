"""``/api/v1/appeals``: marketing's word against a return, and the ruling."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from funnel.forms.appeals import AppealFilter
from funnel.models import Appeal, Handoff, Ruling
from funnel.selectors import appeals
from funnel.services import appeals as service
from smarketing.users.domain.roles import Capability as C
from smarketing.web.rest.fields import ModelOut, NamedOut, VisibleKey
from smarketing.web.rest.filters import InstantFilter
from smarketing.web.rest.views import Creatable, Listable, Resource, Retrievable


class AppealOut(ModelOut[Appeal]):
    """One appeal; ``ruling`` is empty while it waits for its arbiter."""

    lead = serializers.IntegerField(source="handoff.lead_id", read_only=True)
    owner = NamedOut(source="handoff.owner", read_only=True, help_text="The rep who got the lead.")
    return_reason = serializers.CharField(source="handoff.return_reason", read_only=True)
    return_note = serializers.CharField(source="handoff.return_note", read_only=True)
    appellant = NamedOut(read_only=True)
    arbiter = NamedOut(read_only=True, allow_null=True)
    ruled_by = NamedOut(read_only=True, allow_null=True)

    class Meta:
        model = Appeal
        fields = (
            "id", "handoff", "lead", "owner", "return_reason", "return_note", "evidence", "appellant",
            "arbiter", "ruling", "ruling_note", "definition_unclear", "ruled_by", "ruled_at", "created_at",
            "updated_at", "version",
        )  # fmt: skip


class AppealIn(serializers.Serializer[Any]):
    """The return to contest, and what speaks against it."""

    handoff = VisibleKey(Handoff)
    evidence = serializers.CharField(max_length=service.LONGEST)


class RulingIn(serializers.Serializer[Any]):
    """Upheld or overturned, and why; both sides read it."""

    ruling = serializers.ChoiceField(choices=Ruling.choices)
    note = serializers.CharField(max_length=service.LONGEST)
    definition_unclear = serializers.BooleanField(default=False)


class AppealResourceFilter(AppealFilter):
    """The filters of the page, and the time of the appeal; from ≤ created_at < to."""

    created_from = InstantFilter(field_name="created_at", lookup_expr="gte")
    created_to = InstantFilter(field_name="created_at", lookup_expr="lt")


class AppealResource(Listable, Retrievable, Creatable, Resource):
    """Appeals. Marketing appeals once, while the agreement lets it; the arbiter rules, and that stands."""

    model = Appeal
    capabilities = {"list": C.VIEW, "retrieve": C.VIEW, "create": C.APPEAL_RETURNS, "rule": C.RULE_APPEALS}
    output = AppealOut
    inputs = {"create": AppealIn, "rule": RulingIn}
    filterset_class = AppealResourceFilter
    ordering_fields = {"id": "pk", "created_at": "created_at"}
    ordering_default = ("-created_at",)

    def visible(self) -> QuerySet[Appeal]:
        return appeals.listed(self.actor)

    def make(self, data: dict[str, Any]) -> Appeal:
        made = service.appeal(**data, actor=self.actor, now=self.now)
        return self.visible().get(pk=made.pk)

    @action(detail=True, methods=["post"])
    def rule(self, request: Request, pk: str) -> Response:
        """Uphold or overturn the return; an overturned one goes to another rep."""
        appeal, data = self.load(), self.valid()
        service.rule(appeal=appeal, **data, actor=self.actor, now=self.now)
        return self.answer(self.visible().get(pk=appeal.pk))
