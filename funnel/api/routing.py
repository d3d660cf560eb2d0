"""``/api/v1/routing-rules`` and ``/pools``: which leads go where, who shares them, and trying a lead."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from funnel.domain.definitions import CELLS
from funnel.domain.fit import OPERATORS
from funnel.forms.rehearsals import LONGEST_DAYS
from funnel.models import (
    Overflow,
    Pool,
    PoolMember,
    ReturnPolicyChoices,
    RoutingRule,
)
from funnel.selectors import decisions, rehearsals, routing_rules
from funnel.selectors.rehearsals import Changed
from funnel.services import delivery, pools
from funnel.services import routing as choosing
from funnel.services import routing_rules as rule_service
from funnel.services.routing import Choice
from leads.models import Lead
from smarketing.core.periods import of_dates
from smarketing.users.domain.roles import Capability as C
from smarketing.users.models import User
from smarketing.users.selectors import organisation, users
from smarketing.web.rest.fields import ModelOut, NamedOut, VisibleKey
from smarketing.web.rest.views import Creatable, Deletable, Listable, Resource, Retrievable, Updatable


class Skills(serializers.ListField):
    """Short words; case does not matter."""

    child = serializers.CharField(max_length=pools.MAX_SKILL)


class RuleConditionIn(serializers.Serializer[Any]):
    """What is asked of a lead, as in a definition: a path such as ``company.country``."""

    path = serializers.CharField(max_length=200)
    operator = serializers.ChoiceField(choices=OPERATORS)
    value = serializers.JSONField(required=False, allow_null=True)


class RoutingRuleOut(ModelOut[RoutingRule]):
    """A rule; rules in use are asked by ``position``, the first whose conditions all hold decides."""

    conditions = RuleConditionIn(many=True, read_only=True)
    sentences = serializers.SerializerMethodField()
    pool = NamedOut(read_only=True)

    class Meta:
        model = RoutingRule
        fields = (
            "id", "name", "position", "is_active", "conditions", "sentences", "skills", "pool",
            "created_at", "updated_at", "version",
        )  # fmt: skip

    def get_sentences(self, rule: RoutingRule) -> list[str]:
        """The conditions in words."""
        return routing_rules.sentences(rule)


class RoutingRulePatch(serializers.Serializer[Any]):
    """What can be changed; its place is changed by ``move``."""

    name = serializers.CharField(max_length=120, required=False)
    pool = VisibleKey(Pool, visible=routing_rules.pools_visible_to, required=False)
    conditions = RuleConditionIn(many=True, required=False)
    skills = Skills(required=False, max_length=pools.MAX_SKILLS)
    is_active = serializers.BooleanField(required=False)


class RoutingRuleIn(RoutingRulePatch):
    """A new rule, asked after the others."""

    name = serializers.CharField(max_length=120)
    pool = VisibleKey(Pool, visible=routing_rules.pools_visible_to)


class MoveIn(serializers.Serializer[Any]):
    """One place earlier or later."""

    earlier = serializers.BooleanField()


class TrialIn(serializers.Serializer[Any]):
    """A lead by id, or facts of one that is only described: ``{"company": {"country": "DE"}}``."""

    lead = VisibleKey(Lead, required=False)
    facts = serializers.DictField(child=serializers.DictField(), required=False)
    band = serializers.ChoiceField(choices=CELLS, required=False)


class CandidateOut(serializers.Serializer[Any]):
    """One candidate; ``blocked`` lists what spoke against them. The lowest ``pointer`` is next."""

    user = serializers.IntegerField(source="key")
    weight = serializers.IntegerField()
    pointer = serializers.IntegerField()
    blocked = serializers.ListField(child=serializers.CharField())
    chosen = serializers.BooleanField()


class TrialOut(serializers.Serializer[Any]):
    """Who would get the lead now. Managers read all candidates, others their own line."""

    owner = serializers.IntegerField(allow_null=True)
    reason = serializers.CharField()
    rule = serializers.IntegerField(allow_null=True)
    pool = serializers.IntegerField(allow_null=True)
    band = serializers.CharField(allow_blank=True)
    overflow = serializers.CharField(allow_blank=True, help_text="What becomes of it above the ceiling.")
    candidates = CandidateOut(many=True)
    candidates_in_all = serializers.IntegerField()


class RoutingRuleResource(Listable, Retrievable, Creatable, Updatable, Deletable, Resource):
    """Rules of routing, in their order."""

    model = RoutingRule
    capabilities = {
        "list": C.VIEW, "retrieve": C.VIEW, "create": C.CHANGE_OWNER, "partial_update": C.CHANGE_OWNER,
        "destroy": C.CHANGE_OWNER, "move": C.CHANGE_OWNER, "trial": C.VIEW,
    }  # fmt: skip
    output = RoutingRuleOut
    outputs = {"trial": TrialOut}
    inputs = {
        "create": RoutingRuleIn, "partial_update": RoutingRulePatch, "move": MoveIn, "trial": TrialIn,
    }  # fmt: skip
    ordering_fields = {"position": "position"}
    ordering_default = ("position",)

    def visible(self) -> QuerySet[RoutingRule]:
        return routing_rules.visible(self.actor)

    def make(self, data: dict[str, Any]) -> RoutingRule:
        return rule_service.create(**data, actor=self.actor, now=self.now)

    def change(self, obj: RoutingRule, data: dict[str, Any]) -> RoutingRule:
        return rule_service.update(rule=obj, changes=data, actor=self.actor, now=self.now)

    def remove(self, obj: RoutingRule) -> None:
        rule_service.remove(rule=obj, actor=self.actor, now=self.now)

    @action(detail=True, methods=["post"])
    def move(self, request: Request, pk: str) -> Response:
        """Ask it one place earlier or later."""
        rule = self.load(lock=False)
        rule_service.move(rule=rule, **self.valid(), actor=self.actor, now=self.now)
        return self.answer(self.visible().get(pk=rule.pk))

    @extend_schema(operation_id="routing_rules_trial")
    @action(detail=False, methods=["post"], url_path="try")
    def trial(self, request: Request) -> Response:
        """Who would get a lead now, and why; nothing is changed."""
        data = self.valid()
        lead: Lead | None = data.get("lead")
        if lead is not None:
            choice = delivery.dry_run(lead=lead, now=self.now)
        else:
            choice = choosing.try_out(
                known=data.get("facts", {}), band=data.get("band", ""), company_id=None, now=self.now
            )
        return self.answer(_told(choice, self.actor))


def _told(choice: Choice, viewer: User) -> dict[str, Any]:
    record = choice.record
    candidates = record.get("candidates", [])
    return {
        "owner": choice.owner.pk if choice.owner else None,
        "reason": record["reason"],
        "rule": record.get("rule"),
        "pool": record.get("pool"),
        "band": record.get("band", ""),
        "overflow": choice.overflow,
        "candidates": decisions.told(candidates, viewer=viewer),
        "candidates_in_all": len(candidates),
    }


class PlaceOut(ModelOut[PoolMember]):
    """A place: share, limits, skills."""

    user = NamedOut(read_only=True)
    takes_leads = serializers.BooleanField(source="is_active", read_only=True)

    class Meta:
        model = PoolMember
        fields = ("user", "weight", "takes_leads", "open_cap", "capacity", "skills", "last_assigned_at")


class PoolOut(ModelOut[Pool]):
    """A pool with its places. A rep gets a place in the default pool with their first lead."""

    places = PlaceOut(source="members", many=True, read_only=True)

    class Meta:
        model = Pool
        fields = (
            "id", "name", "is_default", *pools.FIELDS[1:], "places", "created_at", "updated_at", "version",
        )  # fmt: skip


class PoolPatch(serializers.Serializer[Any]):
    """What can be changed; ``overflow`` is what becomes of leads above the agreement's ceiling."""

    name = serializers.CharField(max_length=120, required=False)
    company_owner_first = serializers.BooleanField(required=False)
    keeps_hours = serializers.BooleanField(required=False)
    return_policy = serializers.ChoiceField(choices=ReturnPolicyChoices.choices, required=False)
    owed_at_most = serializers.IntegerField(min_value=0, max_value=pools.MAX_OWED, required=False)
    hold_minutes = serializers.IntegerField(min_value=1, max_value=pools.MAX_HOLD_MINUTES, required=False)
    overflow = serializers.ChoiceField(choices=Overflow.choices, required=False, allow_blank=True)
    overflow_pool = VisibleKey(Pool, visible=routing_rules.pools_visible_to, required=False, allow_null=True)


class PoolIn(PoolPatch):
    """A new pool without members."""

    name = serializers.CharField(max_length=120)


class PlaceIn(serializers.Serializer[Any]):
    """A place as it is to be; what is left out has its default (weight 1, no limit, no skills)."""

    user = VisibleKey(User, users.visible_to)
    weight = serializers.IntegerField(min_value=1, max_value=20, required=False)
    takes_leads = serializers.BooleanField(required=False)
    open_cap = serializers.IntegerField(min_value=1, max_value=2**31 - 1, required=False, allow_null=True)
    capacity = serializers.IntegerField(min_value=1, max_value=10_000, required=False, allow_null=True)
    skills = Skills(required=False, max_length=pools.MAX_SKILLS)


class LeaveIn(serializers.Serializer[Any]):
    """Who leaves."""

    user = VisibleKey(User, users.visible_to)


class SeatIn(serializers.Serializer[Any]):
    """An owner as they are to be in the rehearsed pool."""

    user = VisibleKey(User, users.visible_to)
    weight = serializers.IntegerField(min_value=1, max_value=20, default=1)
    capacity = serializers.IntegerField(min_value=1, max_value=10_000, required=False, allow_null=True)


class RehearsalIn(serializers.Serializer[Any]):
    """Days of the organisation's time zone, both included, and the whole pool as it is to be."""

    first = serializers.DateField()
    last = serializers.DateField()
    members = SeatIn(many=True, allow_empty=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """At most a year, in order."""
        if not 0 <= (attrs["last"] - attrs["first"]).days < LONGEST_DAYS:
            raise serializers.ValidationError({"last": "Choose at most a year, and a day after the first."})
        return attrs


class RehearsalLineOut(serializers.Serializer[Any]):
    """One owner: what they were given, and what they would have been."""

    user = serializers.IntegerField(source="owner.pk")
    was = serializers.IntegerField(source="was.count")
    would = serializers.IntegerField(source="would.count")
    expected_customers_was = serializers.FloatField(source="was.value")
    expected_customers_would = serializers.FloatField(source="would.value")
    bands = serializers.DictField(source="would.bands", child=serializers.IntegerField())


class RehearsalOut(serializers.Serializer[Any]):
    """The leads of the days given away again."""

    leads = serializers.IntegerField()
    waited = serializers.IntegerField(source="outcome.waited")
    left_waiting = serializers.IntegerField(source="outcome.left")
    jain_was = serializers.FloatField(allow_null=True)
    jain_would = serializers.FloatField(allow_null=True)
    lines = RehearsalLineOut(many=True)


class PoolResource(Listable, Retrievable, Creatable, Updatable, Deletable, Resource):
    """Pools: owners who share leads."""

    model = Pool
    capabilities = {
        "list": C.VIEW, "retrieve": C.VIEW, "create": C.CHANGE_OWNER, "partial_update": C.CHANGE_OWNER,
        "destroy": C.CHANGE_OWNER, "place": C.CHANGE_OWNER, "leave": C.CHANGE_OWNER,
        "rehearse": C.CHANGE_OWNER,
    }  # fmt: skip
    output = PoolOut
    outputs = {"rehearse": RehearsalOut}
    inputs = {
        "create": PoolIn, "partial_update": PoolPatch, "place": PlaceIn, "leave": LeaveIn,
        "rehearse": RehearsalIn,
    }  # fmt: skip
    ordering_fields = {"id": "pk"}
    ordering_default = ("id",)

    def visible(self) -> QuerySet[Pool]:
        places = PoolMember.objects.select_related("user").order_by("pk")
        return routing_rules.pools_visible_to(self.actor).prefetch_related(Prefetch("members", places))

    def make(self, data: dict[str, Any]) -> Pool:
        return pools.create(**data, actor=self.actor, now=self.now)

    def change(self, obj: Pool, data: dict[str, Any]) -> Pool:
        return pools.update(pool=obj, changes=data, actor=self.actor, now=self.now)

    def remove(self, obj: Pool) -> None:
        pools.remove(pool=obj, actor=self.actor, now=self.now)

    @action(detail=True, methods=["post"])
    def place(self, request: Request, pk: str) -> Response:
        """Give somebody a place, or change it."""
        pool = self.load()
        pools.set_place(pool=pool, **self.valid(), actor=self.actor, now=self.now)
        return self.answer(self.visible().get(pk=pool.pk))

    @action(detail=True, methods=["post"])
    def leave(self, request: Request, pk: str) -> Response:
        """Take somebody out of a pool that does not hold everybody."""
        pool = self.load()
        pools.leave(pool=pool, **self.valid(), actor=self.actor, now=self.now)
        return self.answer(self.visible().get(pk=pool.pk))

    @action(detail=True, methods=["post"])
    def rehearse(self, request: Request, pk: str) -> Response:
        """Who would have got what through a changed pool; nothing is changed."""
        pool, data = self.load(lock=False), self.valid()
        period = of_dates(data["first"], data["last"], zone=organisation.zone())
        changed = {m["user"].pk: Changed(m["weight"], m.get("capacity")) for m in data["members"]}
        return self.answer(rehearsals.rehearse(pool, period, changed))
