"""``/api/v1/people``: persons with their identifiers."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, QuerySet
from django_filters import filters
from django_filters.filterset import FilterSet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from leads.api.references import CompanyBriefOut, RefIn, moved, refs_of
from leads.models import Company, Erasure, Lead, Person, PersonEmail, PersonPhone
from leads.selectors import duplicates, merges, people
from leads.services import erasure, exports
from leads.services import people as service
from smarketing.core.errors import FieldError, Invalid
from smarketing.users.domain.roles import Capability as C
from smarketing.web.rest.fields import MOST_ID, ModelOut, VisibleKey
from smarketing.web.rest.likeness import LookalikeOut
from smarketing.web.rest.views import Creatable, Listable, Resource, Retrievable, Updatable


class NotConfirmed(Invalid):
    """What can't be undone was not confirmed."""

    code = "not_confirmed"


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
        return duplicates.told(person)


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


class EraseIn(serializers.Serializer[Any]):
    """There is no way back, so the id is said once more. ``reason`` is kept; write no personal data there."""

    confirm = serializers.IntegerField(min_value=1, max_value=MOST_ID, help_text="The person's id again.")
    reason = serializers.CharField(max_length=200, required=False, allow_blank=True)


class ErasureOut(ModelOut[Erasure]):
    """What was erased: rows by table. ``swept_at`` is null until the last traces are gone, too."""

    class Meta:
        model = Erasure
        fields = ("id", "person", "asked_at", "counts", "swept_at")


class PersonExportOut(serializers.Serializer[Any]):
    """Everything known about a person: the rows of each table that leads to them."""

    exported_at = serializers.DateTimeField()
    person = serializers.DictField()
    records = serializers.DictField()
    cut = serializers.ListField(child=serializers.CharField(), help_text="Tables of which rows are missing.")


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
        "export": C.EXPORT,
        "erase": C.MANAGE_PRIVACY,
    }
    output = PersonDetailOut
    outputs = {"list": PersonOut, "export": PersonExportOut, "erase": ErasureOut}
    inputs = {"create": PersonIn, "partial_update": PersonPatch, "erase": EraseIn}
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

    @action(detail=True, methods=["post"])
    def export(self, request: Request, pk: str) -> Response:
        """Everything known about the person. A POST, for the audit trail keeps who took it."""
        return Response(exports.of_person(person=self.load(lock=False), actor=self.actor, now=self.now))

    @action(detail=True, methods=["post"])
    def erase(self, request: Request, pk: str) -> Response:
        """Erase the person for good; keyed hashes of their addresses stay, so that none is written to."""
        person, data = self.load(), self.valid()
        if data["confirm"] != person.pk:
            wrong = FieldError("confirm", "not_confirmed", "Write the id of the person who is to be erased.")
            raise NotConfirmed(wrong.detail, errors=[wrong])
        done = erasure.erase(person=person, reason=data.get("reason", ""), actor=self.actor, now=self.now)
        return self.answer(done)
