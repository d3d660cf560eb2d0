"""How a lead is told: with its person, where it stands and what it scores."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from funnel.models import FitBand, Handoff, LeadAction, Qualification
from funnel.selectors.lead_list import Row
from leads.models import Person
from smarketing.web.rest.fields import Instant, ModelOut, NamedOut


class LeadPersonOut(ModelOut[Person]):
    """Whose lead it is; the first e-mail address is the main one."""

    name = serializers.CharField(read_only=True)
    emails = serializers.SerializerMethodField()
    phones = serializers.SerializerMethodField()

    class Meta:
        model = Person
        fields = ("id", "name", "first_name", "last_name", "title", "emails", "phones", "country")

    def get_emails(self, person: Person) -> list[str]:
        """Addresses in normal form."""
        return [e.email for e in sorted(person.emails.all(), key=lambda e: (not e.is_primary, e.pk))]

    def get_phones(self, person: Person) -> list[str]:
        """Numbers in E.164, else as written."""
        return [str(p) for p in sorted(person.phones.all(), key=lambda p: p.pk)]


class LeadCompanyOut(serializers.Serializer[Any]):
    """The company it was captured for, else the person's."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    domain = serializers.CharField()


class LeadScoreOut(serializers.Serializer[Any]):
    """Fit 0–100 and its band, interest in points now and its band, and what the cell says."""

    fit = serializers.FloatField()
    fit_band = serializers.ChoiceField(choices=FitBand.choices)
    interest = serializers.FloatField()
    interest_band = serializers.IntegerField(min_value=1, max_value=3)
    cell = serializers.CharField()
    action = serializers.ChoiceField(choices=LeadAction.choices)
    qualified_at = Instant(allow_null=True)


class LeadOut(serializers.Serializer[Any]):
    """A lead. ``version`` is its ETag."""

    id = serializers.IntegerField(source="pk")
    person = LeadPersonOut()
    company = LeadCompanyOut(allow_null=True)
    lap = serializers.IntegerField(source="lead.lap")
    stage = serializers.CharField(source="stage.code")
    entered_at = Instant(source="state.entered_at")
    owner = NamedOut(source="state.owner", allow_null=True)
    score = serializers.SerializerMethodField()
    origin = serializers.CharField(source="lead.origin")
    channel = serializers.CharField(source="lead.channel.code", allow_null=True, default=None)
    campaign = NamedOut(source="lead.campaign", allow_null=True)
    landing_page = serializers.CharField(source="lead.landing_page")
    description = serializers.CharField(source="lead.description")
    attributes = serializers.DictField(source="lead.attributes")
    source = serializers.CharField(source="lead.source.code")
    external_id = serializers.CharField(source="lead.external_id", allow_null=True)
    captured_at = Instant(source="lead.captured_at")
    closed_at = Instant(source="lead.closed_at", allow_null=True)
    created_at = Instant(source="lead.created_at")
    updated_at = Instant(source="lead.updated_at")
    version = serializers.SerializerMethodField()

    @extend_schema_field(LeadScoreOut(allow_null=True))
    def get_score(self, row: Row) -> Any:
        """As the definition in force saw it last; interest as it has decayed until now."""
        found: Any = getattr(row.lead, "score", None)
        if found is None:
            return None
        return LeadScoreOut(
            {
                "fit": found.fit,
                "fit_band": found.fit_band,
                "interest": round(row.interest, 1),
                "interest_band": found.interest_band,
                "cell": str(found),
                "action": found.action,
                "qualified_at": found.qualified_at,
            }
        ).data

    def get_version(self, row: Row) -> str:
        """Changes with the lead's columns, stage and owner."""
        return str(self.context["view"].version_of(row))


class QualificationOut(ModelOut[Qualification]):
    """What sales found out; with acceptance it makes the lead an SQL."""

    recorded_by = NamedOut(read_only=True, allow_null=True)
    is_complete = serializers.BooleanField(read_only=True)

    class Meta:
        model = Qualification
        fields = ("lead", "need", "budget", "currency", "recorded_by", "is_complete", "updated_at", "version")


class LeadHandoffOut(ModelOut[Handoff]):
    """The last handoff of the lead, in short."""

    class Meta:
        model = Handoff
        fields = ("id", "state", "delivered_at", "answered_at", "missing")


class LeadDetailOut(LeadOut):
    """A lead with its last handoff and what sales found out."""

    handoff = serializers.SerializerMethodField()
    qualification = serializers.SerializerMethodField()

    @extend_schema_field(LeadHandoffOut(allow_null=True))
    def get_handoff(self, row: Row) -> Any:
        """Null while it was never about to be delivered."""
        last = Handoff.objects.filter(lead=row.pk).order_by("-pk").first()
        return LeadHandoffOut(last).data if last else None

    @extend_schema_field(QualificationOut(allow_null=True))
    def get_qualification(self, row: Row) -> Any:
        """Null while nothing was recorded."""
        found = Qualification.objects.select_related("recorded_by").filter(lead=row.pk).first()
        return QualificationOut(found).data if found else None


class ScoreExplanationOut(serializers.Serializer[Any]):
    """Every criterion and signal with its points; they add up to ``score``."""

    at = serializers.DateTimeField()
    definition = serializers.CharField()
    cell = serializers.CharField()
    action = serializers.CharField()
    fit = serializers.DictField()
    interest = serializers.DictField()
    excluded = serializers.CharField(allow_blank=True)
    qualified_at = serializers.DateTimeField(allow_null=True)


class BulkErrorOut(serializers.Serializer[Any]):
    """What is wrong with one member of a row."""

    pointer = serializers.CharField(help_text="JSON pointer within the row.")
    code = serializers.CharField()
    detail = serializers.CharField()


class BulkRowOut(serializers.Serializer[Any]):
    """What became of one row; ``id`` is the lead's."""

    row = serializers.IntegerField(help_text="Its place in the request, from 0.")
    status = serializers.ChoiceField(choices=["created", "found", "refused"])
    id = serializers.IntegerField(allow_null=True)
    detail = serializers.CharField(allow_blank=True)
    errors: Any = BulkErrorOut(many=True)


class BulkOut(serializers.Serializer[Any]):
    """Counts, and one entry per row in the order of the request."""

    created = serializers.IntegerField()
    found = serializers.IntegerField()
    refused = serializers.IntegerField()
    results = BulkRowOut(many=True)
