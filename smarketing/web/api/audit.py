"""``/api/v1/audit-entries``: who changed what, read only."""

from __future__ import annotations

from django.db.models import QuerySet
from django_filters import filters
from django_filters.filterset import FilterSet
from rest_framework import serializers

from smarketing.audit.models import AuditEntry
from smarketing.audit.selectors import entries
from smarketing.users.domain.roles import Capability as C
from smarketing.web.rest.filters import InstantFilter
from smarketing.web.rest.views import Listable, Resource, Retrievable


class AuditEntryOut(serializers.ModelSerializer[AuditEntry]):
    """One change; secrets are masked."""

    class Meta:
        model = AuditEntry
        fields = (
            "id",
            "at",
            "actor",
            "action",
            "object_type",
            "object_id",
            "object_label",
            "before",
            "after",
            "request_id",
        )


class AuditEntryFilter(FilterSet):
    """Filters of the list; times are half-open: from ≤ at < to."""

    action = filters.CharFilter(max_length=80)
    object_type = filters.CharFilter(max_length=80)
    object_id = filters.CharFilter(max_length=64)
    actor = filters.NumberFilter(min_value=1, max_value=10**15)
    at_from = InstantFilter(field_name="at", lookup_expr="gte")
    at_to = InstantFilter(field_name="at", lookup_expr="lt")

    class Meta:
        model = AuditEntry
        fields = ("action", "object_type", "object_id", "actor")


class AuditEntryResource(Listable, Retrievable, Resource):
    """The audit trail, the latest first."""

    model = AuditEntry
    capabilities = {"list": C.READ_AUDIT, "retrieve": C.READ_AUDIT}
    output = AuditEntryOut
    filterset_class = AuditEntryFilter
    ordering_fields = {"at": ("at",)}
    ordering_default = ("-at",)

    def visible(self) -> QuerySet[AuditEntry]:
        return entries.visible_to(self.actor)
