"""``/api/v1/transitions``: the ledger of moves of leads, and the door to make one."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import filters
from django_filters.filterset import FilterSet
from rest_framework import serializers

from funnel.models import MoveCause, Stage, StageTransition
from funnel.selectors import stage_moves
from funnel.services import hand_moves
from funnel.services.hand_moves import Found
from leads.models import Lead
from smarketing.users.domain.roles import Capability as C
from smarketing.web.rest.fields import Code, ModelOut, VisibleKey
from smarketing.web.rest.filters import InstantFilter
from smarketing.web.rest.views import Creatable, Listable, Resource, Retrievable


class TransitionOut(ModelOut[StageTransition]):
    """One move. ``is_implied``: a step that was skipped. ``stage_version``: what the stage said then."""

    from_stage = serializers.SlugRelatedField[Stage](slug_field="code", read_only=True, allow_null=True)
    to_stage = serializers.SlugRelatedField[Stage](slug_field="code", read_only=True)

    class Meta:
        model = StageTransition
        fields = (
            "id", "lead", "seq", "from_stage", "to_stage", "is_implied", "cause", "reason", "actor",
            "definition", "stage_version", "effective_at", "recorded_at",
        )  # fmt: skip


class TransitionIn(serializers.Serializer[Any]):
    """A move by hand. An SQL needs acceptance, need and budget; what is recorded already may be left out."""

    lead = VisibleKey(Lead)
    to = Code(Stage)
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True)
    need = serializers.CharField(max_length=4000, required=False, allow_blank=True)
    budget = serializers.DecimalField(
        max_digits=18, decimal_places=2, min_value=0, required=False, allow_null=True
    )
    currency = serializers.CharField(max_length=3, required=False, allow_blank=True)


class TransitionFilter(FilterSet):
    """Moves of a lead, into a stage, by their cause; from ≤ effective_at < to."""

    lead = filters.NumberFilter(field_name="lead", min_value=1, max_value=10**15)
    stage = filters.ModelChoiceFilter(
        field_name="to_stage", queryset=Stage.objects.get_queryset(), to_field_name="code"
    )
    cause = filters.ChoiceFilter(choices=MoveCause.choices)
    effective_from = InstantFilter(field_name="effective_at", lookup_expr="gte")
    effective_to = InstantFilter(field_name="effective_at", lookup_expr="lt")

    class Meta:
        model = StageTransition
        fields: tuple[str, ...] = ()


class TransitionResource(Listable, Retrievable, Creatable, Resource):
    """Moves of leads between stages. They are never changed: a correction is another move."""

    model = StageTransition
    capabilities = {"list": C.VIEW, "retrieve": C.VIEW, "create": C.EDIT_LEADS}
    output = TransitionOut
    inputs = {"create": TransitionIn}
    filterset_class = TransitionFilter
    ordering_fields = {"id": "pk"}
    ordering_default = ("-id",)
    finds_stored = True
    _is_new = True

    def visible(self) -> QuerySet[StageTransition]:
        return stage_moves.visible_to(self.actor)

    def make(self, data: dict[str, Any]) -> StageTransition:
        lead = data["lead"]
        before = stage_moves.last_of(lead)
        hand_moves.move(
            lead=lead,
            to=data["to"].code,
            reason=data.get("reason", ""),
            actor=self.actor,
            now=self.now,
            found=Found(data.get("need", ""), data.get("budget"), data.get("currency", "")),
        )
        made = stage_moves.last_of(lead)
        self._is_new = made.pk != before.pk
        return made

    def is_new(self, obj: StageTransition) -> bool:
        return self._is_new
