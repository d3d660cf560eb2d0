"""How a lead is told: with its person, where it stands and what it scores."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from funnel.models import FitBand, Handoff, LeadAction, Qualification
from funnel.selectors import told_leads
from funnel.selectors.told_leads import Told
from smarketing.web.rest.fields import Instant, ModelOut, NamedOut, told_instant
from smarketing.web.rest.likeness import LookalikeOut


class LeadPersonOut(serializers.Serializer[Any]):
    """Whose lead it is; the first e-mail address is the main one, numbers are in E.164 or as written."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    title = serializers.CharField()
    emails = serializers.ListField(child=serializers.CharField())
    phones = serializers.ListField(child=serializers.CharField())
    country = serializers.CharField()


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
    """A lead. ``version`` is its ETag.

    The fields tell the OpenAPI document what :meth:`to_representation` makes; a test holds them together.
    Written out, because a page of fifty leads costs a tenth of what the fields would take.
    """

    id = serializers.IntegerField()
    person = LeadPersonOut()
    company = LeadCompanyOut(allow_null=True)
    lap = serializers.IntegerField()
    stage = serializers.CharField()
    entered_at = Instant()
    owner = NamedOut(allow_null=True)
    score = LeadScoreOut(allow_null=True)
    origin = serializers.CharField()
    channel = serializers.CharField(allow_null=True)
    campaign = NamedOut(allow_null=True)
    landing_page = serializers.CharField()
    description = serializers.CharField()
    attributes = serializers.DictField()
    source = serializers.CharField()
    external_id = serializers.CharField(allow_null=True)
    captured_at = Instant()
    closed_at = Instant(allow_null=True)
    created_at = Instant()
    updated_at = Instant()
    version = serializers.CharField()

    def to_representation(self, lead: Told) -> dict[str, Any]:
        """The members, in the order of the fields."""
        return {
            "id": lead.pk,
            "person": _person(lead),
            "company": _company(lead),
            "lap": lead.lap,
            "stage": lead.stage,
            "entered_at": told_instant(lead.entered_at),
            "owner": _named(lead.owner_id, lead.owner_name),
            "score": _score(lead),
            "origin": lead.origin,
            "channel": lead.channel,
            "campaign": _named(lead.campaign_id, lead.campaign_name),
            "landing_page": lead.landing_page,
            "description": lead.description,
            "attributes": lead.attributes,
            "source": lead.source,
            "external_id": lead.external_id,
            "captured_at": told_instant(lead.captured_at),
            "closed_at": told_instant(lead.closed_at),
            "created_at": told_instant(lead.created_at),
            "updated_at": told_instant(lead.updated_at),
            "version": lead.version,
        }


def _person(lead: Told) -> dict[str, Any]:
    return {
        "id": lead.person_id,
        "name": f"{lead.first_name} {lead.last_name}".strip(),
        "first_name": lead.first_name,
        "last_name": lead.last_name,
        "title": lead.title,
        "emails": lead.emails,
        "phones": lead.phones,
        "country": lead.country,
    }


def _company(lead: Told) -> dict[str, Any] | None:
    if lead.company_id is None:
        return None
    return {"id": lead.company_id, "name": lead.company_name, "domain": lead.company_domain}


def _score(lead: Told) -> dict[str, Any] | None:
    """As the definition in force saw it last; interest as it has decayed until now."""
    if lead.fit is None:
        return None
    return {
        "fit": lead.fit,
        "fit_band": lead.fit_band,
        "interest": round(lead.interest, 1),
        "interest_band": lead.interest_band,
        "cell": f"{lead.fit_band}{lead.interest_band}",
        "action": lead.action,
        "qualified_at": told_instant(lead.qualified_at),
    }


def _named(key: int | None, name: str) -> dict[str, Any] | None:
    return None if key is None else {"id": key, "name": name}


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
    """A lead with its last handoff (null while it was never about to be delivered) and what sales found out
    (null while nothing was recorded).
    """

    handoff = LeadHandoffOut(allow_null=True)
    qualification = QualificationOut(allow_null=True)

    def to_representation(self, lead: Told) -> dict[str, Any]:
        """The members, in the order of the fields."""
        last, found = told_leads.ends(lead.pk)
        return {
            **super().to_representation(lead),
            "handoff": LeadHandoffOut(last).data if last else None,
            "qualification": QualificationOut(found).data if found else None,
        }


class LeadMadeOut(LeadDetailOut):
    """What became of a capture. ``probable_duplicates``: who looks like the lead's person, the likeliest
    first; nobody was merged. Only where asked for by ``?probable_duplicates=true``.
    """

    probable_duplicates = LookalikeOut(many=True, required=False)

    def to_representation(self, lead: Told) -> dict[str, Any]:
        """The members, in the order of the fields."""
        told, alike = super().to_representation(lead), self.context["lookalikes"]
        return told if alike is None else {**told, "probable_duplicates": alike}


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
    persona = serializers.DictField(allow_null=True, help_text="Name and description of whom it is like.")
    is_ideal = serializers.BooleanField(allow_null=True, help_text="Null: nobody has said who is ideal.")


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
