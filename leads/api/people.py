"""``/api/v1/people``: persons with their identifiers."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, QuerySet
from django_filters import filters
from django_filters.filterset import FilterSet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from leads.api.duplicates import LookalikeOut
from leads.api.references import CompanyBriefOut, RefIn, moved, refs_of
from leads.models import Company, Lead, Person, PersonEmail, PersonPhone
from leads.selectors import duplicates, merges, people
from leads.services import finder
from leads.services import people as service
from smarketing.users.domain.roles import Capability as C
from smarketing.web.rest.fields import MOST_ID, ModelOut, VisibleKey
from smarketing.web.rest.views import Creatable, Listable, Resource, Retrievable, Updatable


class PhoneOut(ModelOut[PersonPhone]):
    """A number as written and, where it is a valid one, in E.164."""

    class Meta:
        model = PersonPhone
        fields = ("written", "e164", "is_mobile")


class PersonOut(ModelOut[Person]):
    """One human. The first e-mail address is the main one; ``open_lead`` is their present lap."""

    name = serializers.CharField(read_only=True)
    emails = serializers.SerializerMethodField()
    phones = PhoneOut(many=True, read_only=True)
    company = CompanyBriefOut(read_only=True, allow_null=True)
    open_lead = serializers.SerializerMethodField()
    attributes = serializers.DictField(read_only=True)

    class Meta:
        model = Person
        fields = (
            "id", "name", "first_name", "last_name", "title", "emails", "phones", "company", "language",
            "country", "city", "website", "attributes", "open_lead", "created_at", "updated_at", "version",
        )  # fmt: skip

    def get_emails(self, person: Person) -> list[str]:
        """Addresses in normal form, the main one first."""
        return [e.email for e in sorted(person.emails.all(), key=lambda e: (not e.is_primary, e.pk))]

    def get_open_lead(self, person: Person) -> int | None:
        """The id of the lead that is open, if any is."""
        return next((lead.pk for lead in person.leads.all()), None)


class PersonDetailOut(PersonOut):
    """One person, and who looks like them: nobody is merged by that."""

    probable_duplicates = serializers.SerializerMethodField()

    class Meta:
        model = Person
        fields = (*PersonOut.Meta.fields, "probable_duplicates")

    @extend_schema_field(LookalikeOut(many=True))
    def get_probable_duplicates(self, person: Person) -> list[dict[str, Any]]:
        """The likeliest, at most five."""
        found = duplicates.like(duplicates.profile(person), but=[person.pk])
        return [
            {
                "id": match.person.pk,
                "name": match.person.name,
                "score": match.verdict.score,
                "band": str(match.verdict.band),
                "evidence": finder.told(verdict=match.verdict),
            }
            for match in found
        ]


class PersonPatch(serializers.Serializer[Any]):
    """What can be edited. ``emails`` and ``phones`` replace the lists; ``attributes`` are merged."""

    first_name = serializers.CharField(max_length=120, required=False, allow_blank=True)
    last_name = serializers.CharField(max_length=120, required=False, allow_blank=True)
    title = serializers.CharField(max_length=200, required=False, allow_blank=True)
    emails = serializers.ListField(child=serializers.CharField(max_length=320), required=False, max_length=20)
    phones = serializers.ListField(child=serializers.CharField(max_length=60), required=False, max_length=20)
    company = VisibleKey(Company, required=False, allow_null=True)
    language = serializers.CharField(max_length=12, required=False, allow_blank=True)
    country = serializers.CharField(max_length=80, required=False, allow_blank=True)
    city = serializers.CharField(max_length=120, required=False, allow_blank=True)
    website = serializers.CharField(max_length=500, required=False, allow_blank=True)
    attributes = serializers.DictField(required=False)


class PersonIn(PersonPatch):
    """A new person; needs a name, an e-mail address, a phone number or a ref."""

    refs = RefIn(many=True, required=False)


class PersonFilter(FilterSet):
    """Persons by what they are known by. ``ref`` is ``source:id``, as the other system has it."""

    email = filters.CharFilter(field_name="emails__email", method="by_email", max_length=320)
    phone = filters.CharFilter(field_name="phones__e164", max_length=16)
    ref = filters.CharFilter(method="by_ref", max_length=320)
    company = filters.NumberFilter(min_value=1, max_value=MOST_ID)
    country = filters.CharFilter(max_length=80)

    class Meta:
        model = Person
        fields = ("email", "phone", "ref", "company", "country")

    def by_email(self, queryset: QuerySet[Person], name: str, value: str) -> QuerySet[Person]:
        """The one with this address."""
        return queryset.filter(emails__email=value.strip().lower())

    def by_ref(self, queryset: QuerySet[Person], name: str, value: str) -> QuerySet[Person]:
        """The one with this id in that source."""
        source, _, external_id = value.partition(":")
        return queryset.filter(refs__source__code=source, refs__external_id=external_id)


class PersonResource(Listable, Retrievable, Creatable, Updatable, Resource):
    """Persons. A lead is captured under ``/leads``; this makes or edits the person alone."""

    model = Person
    capabilities = {
        "list": C.VIEW,
        "retrieve": C.VIEW,
        "create": C.EDIT_LEADS,
        "partial_update": C.EDIT_LEADS,
    }
    output = PersonDetailOut
    outputs = {"list": PersonOut}
    inputs = {"create": PersonIn, "partial_update": PersonPatch}
    filterset_class = PersonFilter
    ordering_fields = {"id": "pk", "name": ("last_name", "first_name")}
    ordering_default = ("-id",)
    searchable = True

    def visible(self) -> QuerySet[Person]:
        return (
            Person.objects.visible_to(self.actor)
            .select_related("company")
            .prefetch_related(
                Prefetch("emails", PersonEmail.objects.order_by("pk")),
                Prefetch("phones", PersonPhone.objects.order_by("pk")),
                Prefetch("leads", Lead.objects.open()),
            )
        )

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One object; one that was merged away answers 301 with where it is now."""
        survivor = merges.standing_for(int(kwargs["pk"]))
        return super().retrieve(request, *args, **kwargs) if survivor is None else moved(request, survivor.pk)

    def search(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        return people.matching(queryset, text)

    def make(self, data: dict[str, Any]) -> Person:
        refs = refs_of(data.pop("refs", ()), now=self.now)
        made = service.create(**data, refs=refs, actor=self.actor, now=self.now)
        return self.visible().get(pk=made.pk)

    def change(self, obj: Person, data: dict[str, Any]) -> Person:
        service.update(person=obj, changes=data, actor=self.actor, now=self.now)
        return self.visible().get(pk=obj.pk)
