"""``/api/v1/stages`` and ``/api/v1/opportunity-stages``: the shared funnel and the board's columns."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from funnel.models import OpportunityStage, OwnRole, Stage, StageVersion
from funnel.selectors import stage_figures
from funnel.selectors import stages as selector
from funnel.services import stages as service
from smarketing.users.domain.roles import Capability as C
from smarketing.users.models import SideChoices
from smarketing.web.rest.fields import ModelOut
from smarketing.web.rest.parameters import BadParameter
from smarketing.web.rest.views import Creatable, Listable, Resource, Retrievable, Updatable


class ConditionField(serializers.Serializer[Any]):
    """One criterion, in the language of the definition; also about ``score.…`` and ``facts.…``."""

    path = serializers.CharField(max_length=120)
    operator = serializers.CharField(max_length=20)
    value = serializers.JSONField(required=False)


class StageOut(ModelOut[Stage]):
    """One stage: who owns it, what it means, its place, criteria, targets and time limit."""

    counts_as = serializers.CharField(
        help_text="The stage of the product that an own one stands for in delivery, routing and deals."
    )

    class Meta:
        model = Stage
        fields = (
            "id", "code", "name", "kind", "role", "position", "owner_side", "meaning", "entry", "exit",
            "rule", "counts_as", "monthly_target", "target_conversion", "time_limit_seconds", "is_builtin",
            "is_active", "version",
        )  # fmt: skip


class StageVersionOut(ModelOut[StageVersion]):
    """What a stage said in one of its versions."""

    class Meta:
        model = StageVersion
        fields = ("version", "document", "created_at")


class StageVersionsOut(serializers.Serializer[Any]):
    """What a stage said, the newest version first."""

    results = StageVersionOut(many=True, read_only=True)


class StageFigureOut(serializers.Serializer[Any]):
    """How one stage stands. ``further`` of ``known`` leads that came in 90 days are past it; the rest of
    ``came`` is undecided. ``median_seconds``: how long the middle one of those here has been here.
    """

    stage = serializers.CharField(source="stage.code", help_text="The code of the stage.")
    here = serializers.IntegerField()
    late = serializers.IntegerField(help_text="Longer here than the time limit.")
    median_seconds = serializers.IntegerField(allow_null=True)
    came_this_month = serializers.IntegerField()
    came = serializers.IntegerField()
    known = serializers.IntegerField()
    further = serializers.IntegerField()
    undecided = serializers.IntegerField()
    conversion = serializers.FloatField(allow_null=True, help_text="100 × further / known.")
    is_slow = serializers.BooleanField()
    is_leaky = serializers.BooleanField()


class StageFiguresOut(serializers.Serializer[Any]):
    """The stages in the order of the road."""

    results = StageFigureOut(many=True, read_only=True)


class StageChangeIn(serializers.Serializer[Any]):
    """What may be changed. ``after`` is the code of the step of the road behind which an own one stands."""

    name = serializers.CharField(max_length=80)
    owner_side = serializers.ChoiceField(choices=SideChoices.choices)
    meaning = serializers.CharField(max_length=2000, required=False, allow_blank=True)
    entry = serializers.CharField(max_length=2000, required=False, allow_blank=True)
    exit = serializers.CharField(max_length=2000, required=False, allow_blank=True)
    rule = ConditionField(many=True, required=False)
    monthly_target = serializers.IntegerField(min_value=1, required=False, allow_null=True)
    target_conversion = serializers.IntegerField(min_value=1, max_value=100, required=False, allow_null=True)
    time_limit_seconds = serializers.IntegerField(min_value=1, required=False, allow_null=True)
    after = serializers.SlugField(max_length=40, required=False, allow_null=True)


class StageIn(StageChangeIn):
    """A new stage: a step of the road (``main``) or a place beside it (``parking``)."""

    role = serializers.ChoiceField(choices=OwnRole.choices)


class StageResource(Listable, Retrievable, Creatable, Updatable, Resource):
    """Stages of leads."""

    model = Stage
    capabilities = {
        "list": C.VIEW,
        "retrieve": C.VIEW,
        "versions": C.VIEW,
        "figures": C.VIEW,
        "create": C.EDIT_STAGES,
        "partial_update": C.EDIT_STAGES,
        "retire": C.EDIT_STAGES,
        "restore": C.EDIT_STAGES,
    }
    output = StageOut
    inputs = {"create": StageIn, "partial_update": StageChangeIn}
    outputs = {"versions": StageVersionsOut, "figures": StageFiguresOut}
    parameters = {"figures": ("owner",)}
    ordering_fields = {"position": "position"}
    ordering_default = ("position",)

    def visible(self) -> QuerySet[Stage]:
        return Stage.objects.all()

    def make(self, data: dict[str, Any]) -> Stage:
        role, after = data.pop("role"), data.pop("after", None)
        return service.create(role=role, fields=data, after=after, actor=self.actor, now=self.now)

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Change the members that are sent."""
        # The service locks all stages in one order; with one of them locked here two could wait for ever.
        stage = self.load(match=True, lock=False)
        changes = self.valid(partial=True)
        return self.answer(
            service.update(
                stage=stage,
                changes=changes,
                actor=self.actor,
                now=self.now,
                expected_version=stage.version,
            )
        )

    @action(detail=True, methods=["post"])
    def retire(self, request: Request, pk: str) -> Response:
        """Take an own stage out of use; 409 while leads stand in it."""
        return self.answer(service.retire(stage=self.load(lock=False), actor=self.actor, now=self.now))

    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: str) -> Response:
        """Use it again."""
        return self.answer(service.restore(stage=self.load(lock=False), actor=self.actor, now=self.now))

    @extend_schema(parameters=[OpenApiParameter("owner", int, description="One owner's leads only.")])
    @action(detail=False, methods=["get"])
    def figures(self, request: Request) -> Response:
        """Counts, age, conversion and bottlenecks of every stage, as the board shows them."""
        sent = request.query_params.get("owner")
        if sent is not None and not (sent.isascii() and sent.isdecimal() and 0 < len(sent) < 19):
            raise BadParameter("owner is the id of a user.")
        month = timezone.localtime(self.now).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        found = stage_figures.all_of(owner=int(sent) if sent else None, month=month, now=self.now)
        return Response(StageFiguresOut({"results": found}).data)

    @action(detail=True, methods=["get"])
    def versions(self, request: Request, pk: str) -> Response:
        """What it said, the newest version first; a transition names the one it went by."""
        return Response(StageVersionsOut({"results": selector.versions_of(self.load(lock=False))}).data)


class OpportunityStageOut(ModelOut[OpportunityStage]):
    """One column of the board; ``kind`` is the outcome it stands for."""

    class Meta:
        model = OpportunityStage
        fields = ("id", "code", "name", "kind", "position", "rotting_days")


class OpportunityStageResource(Listable, Retrievable, Resource):
    """Columns of the opportunities board."""

    model = OpportunityStage
    capabilities = {"list": C.VIEW, "retrieve": C.VIEW}
    output = OpportunityStageOut
    ordering_fields = {"position": "position"}
    ordering_default = ("position",)

    def visible(self) -> QuerySet[OpportunityStage]:
        return OpportunityStage.objects.all()
