"""``/api/v1/questionnaires``: rounds of the blind questionnaire; results once both sides have answered."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from funnel.api.definitions import DefinitionDetailOut
from funnel.domain.questionnaires import RATINGS
from funnel.models import Questionnaire
from funnel.selectors import questionnaires
from funnel.services import questionnaires as services
from smarketing.users.domain.roles import Capability as C
from smarketing.web.rest.fields import Instant, ModelOut, NamedOut
from smarketing.web.rest.views import Creatable, Listable, Resource, Retrievable


class QuestionnaireOut(ModelOut[Questionnaire]):
    """A round; ``kappa`` and ``agreement`` are null until it is revealed, or where undefined."""

    started_by = NamedOut(read_only=True, allow_null=True)
    marketing = serializers.IntegerField(read_only=True)
    sales = serializers.IntegerField(read_only=True)

    class Meta:
        model = Questionnaire
        fields: tuple[str, ...] = (
            "id", "quorum", "marketing", "sales", "started_by", "started_at", "closes_at", "revealed_at",
            "cancelled_at", "kappa", "agreement",
        )  # fmt: skip


class ItemOut(serializers.Serializer[Any]):
    """A rule to rate."""

    key = serializers.CharField()
    text = serializers.CharField()


class CaseOut(serializers.Serializer[Any]):
    """A lead without its name: pairs of label and value."""

    key = serializers.CharField()
    known = serializers.ListField(child=serializers.ListField(child=serializers.CharField()))


class GapOut(serializers.Serializer[Any]):
    """How many of each side said qualifies, neutral, disqualifies; ``gap`` from 0 to 1."""

    key = serializers.CharField()
    text = serializers.CharField()
    marketing = serializers.ListField(child=serializers.IntegerField())
    sales = serializers.ListField(child=serializers.IntegerField())
    gap = serializers.FloatField()
    verdict = serializers.IntegerField(allow_null=True)


class QuestionnaireResultOut(serializers.Serializer[Any]):
    """The map of items, widest gap first, and the keys of the leads the sides differ on."""

    gaps = GapOut(many=True)
    differing = serializers.ListField(child=serializers.CharField())


class QuestionnaireDetailOut(QuestionnaireOut):
    """With what is asked, and once it is revealed what both sides said."""

    items = ItemOut(many=True, read_only=True)
    cases = CaseOut(many=True, read_only=True)
    result = serializers.SerializerMethodField()

    class Meta(QuestionnaireOut.Meta):
        fields = (*QuestionnaireOut.Meta.fields, "items", "cases", "result")

    @extend_schema_field(QuestionnaireResultOut(allow_null=True))
    def get_result(self, found: Questionnaire) -> Any:
        """Null while the answers are hidden."""
        if not questionnaires.is_shown(found):
            return None
        told = questionnaires.result(found)
        gaps = [{**asdict(gap), "text": text} for text, gap in told.gaps]
        return QuestionnaireResultOut({"gaps": gaps, "differing": [c.key for c in told.differing]}).data


class QuestionnaireIn(serializers.Serializer[Any]):
    """How many people of each side have to answer, until when, and what they rate besides the rules."""

    quorum = serializers.IntegerField(min_value=1, max_value=services.MOST_QUORUM)
    closes_at = Instant(required=False, allow_null=True)
    statements = serializers.ListField(
        child=serializers.CharField(max_length=200), max_length=services.MOST_STATEMENTS, required=False
    )


class QuestionnaireAnswerIn(serializers.Serializer[Any]):
    """One's own answer: words by question, a rating by item, a label by lead."""

    words = serializers.DictField(
        child=serializers.CharField(max_length=services.LONGEST, allow_blank=True), required=False
    )
    ratings = serializers.DictField(child=serializers.ChoiceField(choices=RATINGS))
    labels = serializers.DictField(child=serializers.BooleanField(), allow_empty=True)


class QuestionnaireDraftIn(serializers.Serializer[Any]):
    """Nothing."""


class QuestionnaireResource(Listable, Retrievable, Creatable, Resource):
    """Rounds, newest first."""

    model = Questionnaire
    capabilities = {
        "list": C.VIEW,
        "retrieve": C.VIEW,
        "create": C.EDIT_DEFINITION,
        "answer_round": C.LOG_ACTIVITY,
        "draft": C.EDIT_DEFINITION,
        "cancel": C.EDIT_DEFINITION,
    }
    output = QuestionnaireDetailOut
    outputs = {"list": QuestionnaireOut, "draft": DefinitionDetailOut}
    inputs = {
        "create": QuestionnaireIn,
        "answer_round": QuestionnaireAnswerIn,
        "draft": QuestionnaireDraftIn,
        "cancel": QuestionnaireDraftIn,
    }
    ordering_fields = {"started": "pk"}
    ordering_default = ("-started",)

    def visible(self) -> QuerySet[Questionnaire]:
        """Every round."""
        return questionnaires.visible_to(self.actor).select_related("started_by")

    def make(self, data: dict[str, Any]) -> Questionnaire:
        """Begin a round."""
        made = services.start(**data, actor=self.actor, now=self.now)
        return self.visible().get(pk=made.pk)

    @action(detail=True, methods=["post"], url_path="answer")
    def answer_round(self, request: Request, pk: str) -> Response:
        """Give or replace one's own answer; the last that is needed reveals the round."""
        found = self.load(lock=False)
        given = {"words": {}, **self.valid()}
        services.answer(questionnaire=found, **given, actor=self.actor, now=self.now)
        return self.answer(self.visible().get(pk=found.pk))

    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """End an open round without a result."""
        self.valid()
        found = self.load(lock=False)
        services.cancel(questionnaire=found, actor=self.actor, now=self.now)
        return self.answer(self.visible().get(pk=found.pk))

    @action(detail=True, methods=["post"])
    def draft(self, request: Request, pk: str) -> Response:
        """A draft of what both sides agree on."""
        self.valid()
        made = services.draft(questionnaire=self.load(lock=False), actor=self.actor, now=self.now)
        return Response(DefinitionDetailOut(made).data)
