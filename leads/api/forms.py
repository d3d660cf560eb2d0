"""``/api/v1/forms`` and ``/api/v1/submissions``: forms of websites and what was sent through them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import filters
from django_filters.filterset import FilterSet
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from leads.domain import form_layouts
from leads.models import Campaign, Form, FormRoad, FormSubmission, SubmissionState
from leads.selectors import forms as reads
from leads.selectors import submissions as submission_rows
from leads.services import forms as service
from leads.services import submissions
from smarketing.users.domain.roles import Capability as C
from smarketing.users.models import User
from smarketing.users.selectors import users
from smarketing.web.rest.fields import MOST_ID, ModelOut, NamedOut, VisibleKey
from smarketing.web.rest.filters import InstantFilter
from smarketing.web.rest.views import Creatable, Listable, Resource, Retrievable, Updatable


class FormOut(ModelOut[Form]):
    """A form with its counts. ``draft`` and ``published`` are its layouts; ``key`` is in its address."""

    campaign = NamedOut(read_only=True, allow_null=True)
    notify = NamedOut(read_only=True, allow_null=True)
    sites = serializers.ListField(child=serializers.CharField(), read_only=True)
    redirect_hosts = serializers.ListField(child=serializers.CharField(), read_only=True)
    views = serializers.IntegerField(source="view_count", read_only=True)
    answers = serializers.IntegerField(source="answer_count", read_only=True)
    became_leads = serializers.IntegerField(source="taken_count", read_only=True)
    in_quarantine = serializers.IntegerField(source="waiting_count", read_only=True)
    published_version = serializers.IntegerField(source="published_number", read_only=True, allow_null=True)

    class Meta:
        model = Form
        fields = (
            "id", "key", "guid", "name", "is_active", "campaign", "content", "origin", "notify", "sites",
            "redirect_hosts", "min_seconds", "published_version", "views", "answers", "became_leads",
            "in_quarantine", "created_at", "updated_at", "version",
        )  # fmt: skip


class FormDetailOut(FormOut):
    """A form with its layouts."""

    draft = serializers.SerializerMethodField()
    published = serializers.SerializerMethodField()

    class Meta(FormOut.Meta):
        fields = (*FormOut.Meta.fields, "draft", "published")

    def get_draft(self, form: Form) -> dict[str, Any] | None:
        """The layout that is worked on, if any."""
        found = reads.draft(form)
        return reads.layout_of(found).as_json() if found else None

    def get_published(self, form: Form) -> dict[str, Any] | None:
        """The layout that is shown to the world, if any."""
        found = reads.published(form)
        return reads.layout_of(found).as_json() if found else None


class FormPatch(serializers.Serializer[Any]):
    """What can be edited. ``layout`` becomes the draft; ``publish`` shows it to the world."""

    name = serializers.CharField(max_length=120, required=False)
    is_active = serializers.BooleanField(required=False)
    campaign = VisibleKey(Campaign, required=False, allow_null=True)
    content = serializers.CharField(max_length=200, required=False, allow_blank=True)
    origin = serializers.CharField(max_length=120, required=False, allow_blank=True)
    notify = VisibleKey(User, users.visible_to, required=False, allow_null=True)
    sites = serializers.ListField(child=serializers.CharField(max_length=300), required=False, max_length=100)
    redirect_hosts = serializers.ListField(
        child=serializers.CharField(max_length=253), required=False, max_length=100
    )
    min_seconds = serializers.IntegerField(min_value=0, max_value=120, required=False)
    layout = serializers.DictField(required=False)


class FormIn(FormPatch):
    """A new form; without ``layout`` its draft asks for name and e-mail."""

    name = serializers.CharField(max_length=120)


class NothingIn(serializers.Serializer[Any]):
    """No members."""


class FormFilter(FilterSet):
    """Forms by campaign and whether they take answers."""

    campaign = filters.NumberFilter(min_value=1, max_value=MOST_ID)
    is_active = filters.BooleanFilter()

    class Meta:
        model = Form
        fields = ("campaign", "is_active")


class FormResource(Listable, Retrievable, Creatable, Updatable, Resource):
    """Forms of websites."""

    model = Form
    capabilities = {
        "list": C.VIEW,
        "retrieve": C.VIEW,
        "create": C.EDIT_FORMS,
        "partial_update": C.EDIT_FORMS,
        "publish": C.EDIT_FORMS,
    }
    output = FormDetailOut
    outputs = {"list": FormOut}
    inputs = {"create": FormIn, "partial_update": FormPatch, "publish": NothingIn}
    filterset_class = FormFilter
    ordering_fields = {"id": "pk", "name": "name"}
    ordering_default = ("name",)

    def visible(self) -> QuerySet[Form]:
        return reads.listed(self.actor).select_related("campaign", "notify")

    def make(self, data: dict[str, Any]) -> Form:
        layout = data.pop("layout", None)
        form = service.create(**data, actor=self.actor, now=self.now)
        return self._with_layout(form, layout)

    def change(self, obj: Form, data: dict[str, Any]) -> Form:
        layout = data.pop("layout", None)
        form = service.update(form=obj, changes=data, actor=self.actor, now=self.now)
        return self._with_layout(form, layout)

    @action(detail=True, methods=["post"])
    def publish(self, request: Request, pk: str) -> Response:
        """Show the draft to the world."""
        form: Form = self.load()
        service.publish(form=form, actor=self.actor, now=self.now)
        return self.answer(self.visible().get(pk=form.pk))

    def _with_layout(self, form: Form, layout: dict[str, Any] | None) -> Form:
        if layout is not None:
            read = form_layouts.read(layout)
            service.save_draft(form=form, layout=read, actor=self.actor, now=self.now)
        return self.visible().get(pk=form.pk)


class SubmissionOut(ModelOut[FormSubmission]):
    """One answer, raw as it came (``fields``: lists of texts by name), and what became of it."""

    form = NamedOut(read_only=True)
    fields_sent = serializers.SerializerMethodField()

    class Meta:
        model = FormSubmission
        fields = (
            "id", "form", "road", "state", "reason", "fields_sent", "page_url", "referrer", "network",
            "received_at", "applied_at", "person", "lead", "made_lead",
        )  # fmt: skip

    def get_fields_sent(self, row: FormSubmission) -> dict[str, list[str]]:
        """What was filled in, by the names in the post."""
        found: dict[str, list[str]] = row.raw.get("fields", {})
        return found


class SubmissionFilter(FilterSet):
    """Answers by form, state, road and time; times are half-open: from ≤ received_at < to."""

    form = filters.NumberFilter(min_value=1, max_value=MOST_ID)
    person = filters.NumberFilter(min_value=1, max_value=MOST_ID)
    state = filters.MultipleChoiceFilter(choices=SubmissionState.choices, distinct=False)
    road = filters.MultipleChoiceFilter(choices=FormRoad.choices, distinct=False)
    received_from = InstantFilter(field_name="received_at", lookup_expr="gte")
    received_to = InstantFilter(field_name="received_at", lookup_expr="lt")

    class Meta:
        model = FormSubmission
        fields = ("form", "person", "state", "road")


class SubmissionResource(Listable, Retrievable, Resource):
    """Answers to forms."""

    model = FormSubmission
    capabilities = {
        "list": C.VIEW,
        "retrieve": C.VIEW,
        "release": C.EDIT_FORMS,
        "discard": C.EDIT_FORMS,
        "restore": C.EDIT_FORMS,
    }
    output = SubmissionOut
    inputs = {"release": NothingIn, "discard": NothingIn, "restore": NothingIn}
    filterset_class = SubmissionFilter
    ordering_fields = {"id": "pk"}
    ordering_default = ("-id",)

    def visible(self) -> QuerySet[FormSubmission]:
        return submission_rows.listed(self.actor)

    @action(detail=True, methods=["post"])
    def release(self, request: Request, pk: str) -> Response:
        """It is genuine: make it a lead."""
        return self.answer(submissions.release(submission=self.load(), actor=self.actor, now=self.now))

    @action(detail=True, methods=["post"])
    def discard(self, request: Request, pk: str) -> Response:
        """It is spam; ``restore`` takes it back."""
        return self.answer(submissions.discard(submission=self.load(), actor=self.actor, now=self.now))

    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: str) -> Response:
        """Back into quarantine."""
        return self.answer(submissions.restore(submission=self.load(), actor=self.actor, now=self.now))
