"""``/api/v1/attributes``: fields of one's own on people, companies, leads and opportunities."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import filters
from django_filters.filterset import FilterSet
from rest_framework import serializers

from leads.models import AttributeDefinition, AttributeSubject, AttributeType
from leads.selectors import attributes as reads
from leads.services import attributes
from smarketing.core.errors import Conflict
from smarketing.users.domain.roles import Capability as C
from smarketing.web.rest.fields import ModelOut
from smarketing.web.rest.views import Creatable, Listable, Resource, Retrievable, Updatable


class AttributeOut(ModelOut[AttributeDefinition]):
    """One attribute; its values stand under ``attributes.<key>`` of each record."""

    choices = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = AttributeDefinition
        fields = (
            "id", "subject", "key", "label", "type", "choices", "is_after_contact", "created_at",
            "updated_at",
        )  # fmt: skip


class AttributePatch(serializers.Serializer[Any]):
    """What can be changed; values that are stored stay, so the type does too."""

    label = serializers.CharField(max_length=120, required=False)
    choices = serializers.ListField(
        child=serializers.CharField(max_length=200), max_length=200, required=False
    )
    is_after_contact = serializers.BooleanField(required=False)


class AttributeIn(AttributePatch):
    """A new attribute."""

    subject = serializers.ChoiceField(choices=AttributeSubject.choices)
    key = serializers.SlugField(max_length=60)
    type = serializers.ChoiceField(choices=AttributeType.choices, required=False)


class AttributeFilter(FilterSet):
    """Attributes by the kind of record they belong to."""

    subject = filters.ChoiceFilter(choices=AttributeSubject.choices)

    class Meta:
        model = AttributeDefinition
        fields = ("subject",)


class AttributeExists(Conflict):
    """The kind of record has an attribute with this key."""

    code = "attribute_exists"


class AttributeResource(Listable, Retrievable, Creatable, Updatable, Resource):
    """Custom attributes."""

    model = AttributeDefinition
    capabilities = {
        "list": C.VIEW,
        "retrieve": C.VIEW,
        "create": C.EDIT_DEFINITION,
        "partial_update": C.EDIT_DEFINITION,
    }
    output = AttributeOut
    inputs = {"create": AttributeIn, "partial_update": AttributePatch}
    filterset_class = AttributeFilter
    ordering_fields = {"id": "pk", "label": "label"}
    ordering_default = ("id",)

    def visible(self) -> QuerySet[AttributeDefinition]:
        return reads.visible_to(self.actor)

    def version_of(self, obj: AttributeDefinition) -> str:
        return obj.updated_at.isoformat()

    def make(self, data: dict[str, Any]) -> AttributeDefinition:
        if reads.find(data["subject"], data["key"]) is not None:
            raise AttributeExists("There is an attribute with this key: change that one.")
        return attributes.define(**data, actor=self.actor, now=self.now)

    def change(self, obj: AttributeDefinition, data: dict[str, Any]) -> AttributeDefinition:
        return attributes.define(
            subject=obj.subject,
            key=obj.key,
            type=obj.type,
            label=data.get("label", obj.label),
            choices=data.get("choices", obj.choices),
            is_after_contact=data.get("is_after_contact", obj.is_after_contact),
            actor=self.actor,
            now=self.now,
        )
