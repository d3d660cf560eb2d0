"""``/api/v1/channel-rules``: versions of the ordered rules by which a visit gets its channel."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from leads.domain.channel_rules import COLUMNS, MAX_RULES, SITES, Rule
from leads.domain.tagging import CLICK_IDS
from leads.models import ChannelReview, ChannelRuleSet
from leads.selectors import channel_rules
from leads.services import channel_reviews
from leads.services import channel_rules as service
from smarketing.core.errors import Missing
from smarketing.users.domain.roles import Capability as C
from smarketing.web.rest.fields import ModelOut
from smarketing.web.rest.views import Creatable, Listable, Resource, Retrievable


class Patterns(serializers.ListField):
    """Patterns of file names, of which one must fit; empty asks for nothing."""

    child = serializers.CharField(max_length=200)


class ChannelRuleIn(serializers.Serializer[Any]):
    """One rule: every column that is not empty must fit."""

    channel = serializers.SlugField(max_length=40)
    # "source" is a name that serializers keep for themselves, so these are added by name below.
    medium = Patterns(required=False, max_length=100)
    campaign = Patterns(required=False, max_length=100)
    referrer = Patterns(required=False, max_length=100)
    site = serializers.ListField(child=serializers.ChoiceField(choices=SITES), required=False)
    click_id = serializers.ListField(child=serializers.ChoiceField(choices=CLICK_IDS), required=False)

    def get_fields(self) -> dict[str, Any]:
        """The declared fields and ``source``."""
        return {**super().get_fields(), "source": Patterns(required=False, max_length=100)}


class ChannelRulesIn(serializers.Serializer[Any]):
    """All rules in their order. ``expected`` is the version they were made from: a later one is 412."""

    expected = serializers.IntegerField(min_value=1, max_value=2**31 - 1)
    rules = serializers.ListField(child=ChannelRuleIn(), max_length=MAX_RULES)


class ChannelRulesOut(ModelOut[ChannelRuleSet]):
    """A version: the one with the highest number is in force."""

    rules = serializers.ListField(child=serializers.DictField(), read_only=True)

    class Meta:
        model = ChannelRuleSet
        fields = ("number", "action", "rules", "created_at")


class ChannelReviewOut(ModelOut[ChannelReview]):
    """Past visits judged anew by a version: visitors done of all, and visits whose channel changed."""

    class Meta:
        model = ChannelReview
        fields = ("rules", "asked_at", "visitors", "done", "changed", "finished_at", "is_superseded")


class ChannelRulesResource(Listable, Retrievable, Creatable, Resource):
    """Versions of the rules of channels, by number."""

    model = ChannelRuleSet
    capabilities = {
        "list": C.VIEW,
        "retrieve": C.VIEW,
        "current": C.VIEW,
        "create": C.EDIT_CAMPAIGNS,
        "review": C.EDIT_CAMPAIGNS,
        "last_review": C.VIEW,
    }
    output = ChannelRulesOut
    outputs = {"review": ChannelReviewOut, "last_review": ChannelReviewOut}
    inputs = {"create": ChannelRulesIn}
    stale_actions = frozenset({"create"})
    ordering_fields = {"number": "number"}
    ordering_default = ("-number",)

    def visible(self) -> QuerySet[ChannelRuleSet]:
        return ChannelRuleSet.objects.visible_to(self.actor)

    def make(self, data: dict[str, Any]) -> ChannelRuleSet:
        return service.replace_all(
            rules=[_rule(row) for row in data["rules"]],
            expected=data["expected"],
            actor=self.actor,
            now=self.now,
        )

    @action(detail=False, methods=["get"])
    def current(self, request: Request) -> Response:
        """The version in force."""
        return self.answer(channel_rules.version(channel_rules.in_force().number))

    @action(detail=True, methods=["post"])
    def review(self, request: Request, pk: str) -> Response:
        """Have past visits judged by this version, in the background; it has to be the one in force."""
        found = self.load(lock=False)
        return self.answer(
            channel_reviews.ask(expected=found.number, actor=self.actor, now=self.now), status=202
        )

    @action(detail=False, methods=["get"], url_path="last-review")
    def last_review(self, request: Request) -> Response:
        """How far the last judging of past visits is; 404 when there never was one."""
        found = channel_rules.last_review()
        if found is None:
            raise Missing("Past visits were never judged anew.")
        return self.answer(found)


def _rule(row: dict[str, Any]) -> Rule:
    lists = {name: tuple(row.get(name, ())) for name in COLUMNS}
    return Rule(id=0, channel=row["channel"], **lists)
