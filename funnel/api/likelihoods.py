"""``/api/v1/likelihoods`` and ``/api/v1/likelihood-models``: answers with reasons, and the models' cards."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import filters
from django_filters.filterset import FilterSet
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from funnel.models import Likelihood, LikelihoodModel, ModelState
from funnel.selectors import likelihoods as told
from funnel.services import likelihoods
from smarketing.users.domain.roles import Capability as C
from smarketing.web.rest.fields import ModelOut
from smarketing.web.rest.views import Listable, Resource, Retrievable


class ReasonOut(serializers.Serializer[Any]):
    """What speaks for (positive) or against the lead, in log-odds beside the average lead."""

    trait = serializers.CharField()
    what = serializers.CharField()
    weight = serializers.FloatField()


class LikelihoodOut(ModelOut[Likelihood]):
    """How likely the lead becomes a customer: ``value`` is a probability."""

    model = serializers.IntegerField(source="model.number", read_only=True)
    reasons = serializers.SerializerMethodField()

    class Meta:
        model = Likelihood
        fields = ("lead", "model", "value", "reasons", "computed_at")

    def get_reasons(self, likelihood: Likelihood) -> list[dict[str, Any]]:
        """The weightiest first."""
        return [{"trait": r.trait, "what": r.what, "weight": r.weight} for r in told.reasons_of(likelihood)]


class LikelihoodFilter(FilterSet):
    """Answers by how likely, and of one lead."""

    value_from = filters.NumberFilter(field_name="value", lookup_expr="gte")
    lead = filters.NumberFilter(field_name="lead_id")

    class Meta:
        model = Likelihood
        fields = ("value_from", "lead")


class LikelihoodResource(Listable, Retrievable, Resource):
    """Answers of the model in use, likeliest first."""

    model = Likelihood
    capabilities = {"list": C.VIEW, "retrieve": C.VIEW}
    output = LikelihoodOut
    filterset_class = LikelihoodFilter
    ordering_fields = {"value": "value"}
    ordering_default = ("-value",)

    def visible(self) -> QuerySet[Likelihood]:
        """Answers for the leads the actor may see."""
        return told.visible_answers(self.actor)


class LikelihoodModelOut(ModelOut[LikelihoodModel]):
    """A model and its card: what it was judged by, on which leads, what each column was worth."""

    card = serializers.DictField(read_only=True)

    class Meta:
        model = LikelihoodModel
        fields = ("id", "number", "state", "card", "trained_at", "promoted_at", "retired_at")


class LikelihoodModelFilter(FilterSet):
    """Models by their state."""

    state = filters.MultipleChoiceFilter(choices=ModelState.choices, distinct=False)

    class Meta:
        model = LikelihoodModel
        fields = ("state",)


class LikelihoodModelResource(Listable, Retrievable, Resource):
    """Trained models."""

    model = LikelihoodModel
    capabilities = {"list": C.VIEW, "retrieve": C.VIEW, "promote": C.EDIT_DEFINITION}
    output = LikelihoodModelOut
    filterset_class = LikelihoodModelFilter
    ordering_fields = {"number": "number"}
    ordering_default = ("-number",)

    def visible(self) -> QuerySet[LikelihoodModel]:
        """All models, to whoever may view."""
        return told.visible_models(self.actor)

    @action(detail=True, methods=["post"])
    def promote(self, request: Request, pk: str) -> Response:
        """Put a challenger into use; open leads get its answers in the background."""
        model = self.load()
        return self.answer(likelihoods.promote(model=model, actor=self.actor, now=self.now))
