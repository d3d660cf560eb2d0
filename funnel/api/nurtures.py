"""``/api/v1/nurtures``: who is kept warm, whose they are, and what brings them back."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from funnel.forms.nurtures import NurtureFilter
from funnel.models import Nurture, NurtureRule
from funnel.selectors import nurtures
from funnel.services import nurture_returns
from funnel.services import nurtures as service
from leads.models import Lead
from smarketing.users.domain.roles import Capability as C
from smarketing.users.models import User
from smarketing.web.rest.fields import Instant, ModelOut, VisibleKey
from smarketing.web.rest.views import Creatable, Listable, Resource, Retrievable, Updatable


class NurtureOut(ModelOut[Nurture]):
    """A lead's latest time in nurture, by the lead's id. ``next_lead`` is the lap it came back as."""

    id = serializers.IntegerField(source="pk", read_only=True)
    is_held = serializers.SerializerMethodField()

    class Meta:
        model = Nurture
        fields = (
            "id", "state", "is_held", "owner", "cause", "reason", "began_at", "gain_points", "returns_at",
            "gained_at", "due_at", "ended_at", "next_lead", "updated_at", "version",
        )  # fmt: skip

    def get_is_held(self, obj: Nurture) -> bool:
        """Whether sales is asked not to contact them."""
        return nurtures.is_held(obj)


def _marketers(user: User) -> QuerySet[User]:
    return nurtures.marketers() if user.may(C.VIEW) else User.objects.get_queryset().none()


class NurturePatch(serializers.Serializer[Any]):
    """Whose it is, why, and what brings the lead back; ``null`` takes a rule away."""

    owner = VisibleKey(User, visible=_marketers, required=False, allow_null=True)
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True)
    gain_points = serializers.IntegerField(
        min_value=1, max_value=service.MOST_POINTS, required=False, allow_null=True
    )
    returns_at = Instant(required=False, allow_null=True)


class NurtureIn(NurturePatch):
    """A lead that is kept warm from now on."""

    lead = VisibleKey(Lead)
    reason = serializers.CharField(max_length=500)


class NothingIn(serializers.Serializer[Any]):
    """Nothing is asked."""


class NurtureRuleOut(ModelOut[NurtureRule]):
    """How the organisation keeps leads warm."""

    class Meta:
        model = NurtureRule
        fields = ("settle_days", "gain_points", "return_days", "version")


class NurtureRuleIn(serializers.Serializer[Any]):
    """For everybody who goes to nurture from now on. ``expected`` is the version that was read."""

    settle_days = serializers.IntegerField(min_value=1, max_value=service.MOST_DAYS, required=False)
    gain_points = serializers.IntegerField(min_value=1, max_value=service.MOST_POINTS, required=False)
    return_days = serializers.IntegerField(min_value=1, max_value=service.MOST_DAYS, required=False)
    expected = serializers.IntegerField(min_value=1, max_value=2**31 - 1)


class NurtureResource(Listable, Retrievable, Creatable, Updatable, Resource):
    """Nurture: each lead's latest time in it, those that have ended too."""

    model = Nurture
    capabilities = {
        "list": C.VIEW,
        "retrieve": C.VIEW,
        "create": C.DELIVER,
        "partial_update": C.DELIVER,
        "bring_back": C.DELIVER,
        "rule": C.VIEW,
        "set_rule": C.EDIT_DEFINITION,
    }
    output = NurtureOut
    outputs = {"rule": NurtureRuleOut, "set_rule": NurtureRuleOut}
    inputs = {
        "create": NurtureIn,
        "partial_update": NurturePatch,
        "bring_back": NothingIn,
        "set_rule": NurtureRuleIn,
    }
    filterset_class = NurtureFilter
    ordering_fields = {"id": "pk"}
    ordering_default = ("-id",)

    def visible(self) -> QuerySet[Nurture]:
        return nurtures.listed(self.actor)

    def make(self, data: dict[str, Any]) -> Nurture:
        made = service.start(**data, actor=self.actor, now=self.now)
        return self.visible().get(pk=made.pk)

    def change(self, obj: Nurture, data: dict[str, Any]) -> Nurture:
        return service.change(nurture=obj, changes=data, actor=self.actor, now=self.now)

    @action(detail=True, methods=["post"], url_path="bring-back")
    def bring_back(self, request: Request, pk: str) -> Response:
        """Somebody is ready: the lead goes on, as itself or as the person's next lap."""
        nurture = self.load(lock=False)
        nurture_returns.bring_back(nurture=nurture, actor=self.actor, now=self.now)
        return self.answer(self.visible().get(pk=nurture.pk))

    @action(detail=False, methods=["get"])
    def rule(self, request: Request) -> Response:
        """What holds for the organisation."""
        return self.answer(nurtures.rule())

    @action(detail=False, methods=["post"], url_path="set-rule")
    def set_rule(self, request: Request) -> Response:
        """Change what holds for the organisation."""
        data = self.valid()
        expected = data.pop("expected")
        return self.answer(
            service.set_rule(changes=data, actor=self.actor, now=self.now, expected_version=expected)
        )
