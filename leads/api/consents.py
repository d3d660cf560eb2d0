"""``/api/v1/consents``: the ledger of what people allow, and ``/consent-purposes``."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import filters
from django_filters.filterset import FilterSet
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from leads.api.timed import TimedListable
from leads.models import ConsentEntry, ConsentState, ContactChannel, Person, Purpose
from leads.selectors import consents as reads
from leads.services import consents as service
from smarketing.core.errors import FieldError, Invalid
from smarketing.users.domain.roles import Capability as C
from smarketing.web.rest.fields import MOST_ID, Code, Instant, ModelOut, VisibleKey
from smarketing.web.rest.filters import InstantFilter
from smarketing.web.rest.views import Creatable, Listable, Resource, Retrievable


class PurposeOut(ModelOut[Purpose]):
    """Something that needs consent."""

    class Meta:
        model = Purpose
        fields = ("id", "code", "name", "description", "channel", "is_active")


class PurposeResource(Listable, Retrievable, Resource):
    """Purposes that people may say yes or no to."""

    model = Purpose
    capabilities = {"list": C.VIEW, "retrieve": C.VIEW}
    output = PurposeOut
    ordering_fields = {"id": "pk"}
    ordering_default = ("id",)

    def visible(self) -> QuerySet[Purpose]:
        return Purpose.objects.order_by()


class ConsentOut(ModelOut[ConsentEntry]):
    """One entry. Without ``purpose`` it is the do-not-contact flag of ``channel``."""

    purpose = serializers.CharField(source="purpose.code", allow_null=True, default=None)
    text = serializers.CharField(source="text.text", allow_null=True, default=None)
    text_version = serializers.IntegerField(source="text.number", allow_null=True, default=None)
    evidence = serializers.DictField(read_only=True)

    class Meta:
        model = ConsentEntry
        fields = (
            "id", "person", "address", "purpose", "channel", "state", "text", "text_version", "source",
            "occurred_at", "recorded_at", "network", "evidence",
        )  # fmt: skip


class ConsentIn(serializers.Serializer[Any]):
    """What somebody said. Name a ``purpose``, or a ``channel`` to forbid (withdrawn) or allow (granted)."""

    person = VisibleKey(Person)
    purpose = Code(Purpose, required=False, allow_null=True)
    channel = serializers.ChoiceField(choices=ContactChannel.choices, required=False, allow_blank=True)
    state = serializers.ChoiceField(choices=ConsentState.choices)
    text = serializers.CharField(max_length=4000, required=False, allow_blank=True)
    source = serializers.CharField(max_length=60)
    occurred_at = Instant()
    address = serializers.CharField(max_length=320, required=False, allow_blank=True)
    evidence = serializers.DictField(required=False)


class MayContactIn(serializers.Serializer[Any]):
    """Whether somebody may be contacted by a channel, for a purpose, or both."""

    person = VisibleKey(Person)
    channel = serializers.ChoiceField(choices=ContactChannel.choices, required=False, allow_blank=True)
    purpose = serializers.SlugField(max_length=40, required=False, allow_blank=True)


class MayContactOut(serializers.Serializer[Any]):
    """The answer, with the reason in words if not."""

    allowed = serializers.BooleanField()
    reason = serializers.CharField()


class ConsentFilter(FilterSet):
    """Entries by whom, what and when; times are half-open: from ≤ occurred_at < to."""

    person = filters.NumberFilter(min_value=1, max_value=MOST_ID)
    purpose = filters.ModelChoiceFilter(queryset=Purpose.objects.all(), to_field_name="code")
    channel = filters.ChoiceFilter(choices=ContactChannel.choices)
    state = filters.ChoiceFilter(choices=ConsentState.choices)
    occurred_from = InstantFilter(field_name="occurred_at", lookup_expr="gte")
    occurred_to = InstantFilter(field_name="occurred_at", lookup_expr="lt")

    class Meta:
        model = ConsentEntry
        fields = ("person", "purpose", "channel", "state")


class ConsentResource(TimedListable, Retrievable, Creatable, Resource):
    """The consent ledger; entries are only added."""

    model = ConsentEntry
    capabilities = {
        "list": C.VIEW,
        "retrieve": C.VIEW,
        "create": C.RECORD_CONSENT,
        "may_contact": C.VIEW,
    }
    output = ConsentOut
    inputs = {"create": ConsentIn, "may_contact": MayContactIn}
    outputs = {"may_contact": MayContactOut}
    filterset_class = ConsentFilter
    ordering_fields = {"id": "pk", "occurred_at": "occurred_at"}
    ordering_default = ("-id",)

    def visible(self) -> QuerySet[ConsentEntry]:
        return reads.visible_to(self.actor)

    def make(self, data: dict[str, Any]) -> ConsentEntry:
        return service.record(**data, actor=self.actor, now=self.now)

    @action(detail=False, methods=["post"], url_path="may-contact")
    def may_contact(self, request: Request) -> Response:
        """Ask before anything is sent."""
        given = self.valid()
        if not given.get("channel") and not given.get("purpose"):
            detail = "Name a channel, a purpose, or both."
            raise Invalid(detail, errors=[FieldError("channel", "required", detail)])
        verdict = reads.may_contact(
            given["person"], channel=given.get("channel", ""), purpose=given.get("purpose", "")
        )
        return Response({"allowed": verdict.allowed, "reason": verdict.reason})
