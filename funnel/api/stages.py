"""``/api/v1/stages`` and ``/api/v1/opportunity-stages``: the shared funnel and the board's columns."""

from __future__ import annotations

from django.db.models import QuerySet

from funnel.models import OpportunityStage, Stage
from smarketing.users.domain.roles import Capability as C
from smarketing.web.rest.fields import ModelOut
from smarketing.web.rest.views import Listable, Resource, Retrievable


class StageOut(ModelOut[Stage]):
    """One stage: who owns it, what it means, its target and time limit."""

    class Meta:
        model = Stage
        fields = (
            "id", "code", "name", "kind", "position", "owner_side", "meaning", "entry", "exit",
            "monthly_target", "time_limit_seconds", "is_active", "version",
        )  # fmt: skip


class StageResource(Listable, Retrievable, Resource):
    """Stages of leads."""

    model = Stage
    capabilities = {"list": C.VIEW, "retrieve": C.VIEW}
    output = StageOut
    ordering_fields = {"position": "position"}
    ordering_default = ("position",)

    def visible(self) -> QuerySet[Stage]:
        return Stage.objects.all()


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
