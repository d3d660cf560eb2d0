"""``/api/v1/mails`` and ``/api/v1/mail-templates``: mails that colleagues write to people."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import filters
from django_filters.filterset import FilterSet
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from leads.domain import mail_templates as rules
from leads.models import Lead, Mail, MailTemplate, Person
from leads.selectors import mails as reads
from leads.services import mail_templates, mails
from smarketing.users.domain.roles import Capability as C
from smarketing.web.rest.fields import MOST_ID, ModelOut, NamedOut, VisibleKey
from smarketing.web.rest.views import Creatable, Listable, Resource, Retrievable, Updatable


class MailOut(ModelOut[Mail]):
    """A mail. ``activity`` is its line on the timeline, there once it has gone out."""

    sender = NamedOut(read_only=True, allow_null=True)

    class Meta:
        model = Mail
        fields = (
            "id", "person", "lead", "sender", "address", "subject", "body", "message_id", "state", "refusal",
            "send_at", "sent_at", "activity", "created_at",
        )  # fmt: skip


class MailIn(serializers.Serializer[Any]):
    """A mail to one of the person's addresses; it leaves ten seconds later."""

    person = VisibleKey(Person)
    lead = VisibleKey(Lead, required=False, allow_null=True)
    address = serializers.CharField(max_length=320)
    subject = serializers.CharField(max_length=rules.LONGEST_SUBJECT)
    body = serializers.CharField(max_length=rules.LONGEST_BODY)


class TakeBackIn(serializers.Serializer[Any]):
    """Nothing."""


class MailFilter(FilterSet):
    """Mails by person and lead."""

    person = filters.NumberFilter(min_value=1, max_value=MOST_ID)

    class Meta:
        model = Mail
        fields = ("person",)


class MailResource(Listable, Retrievable, Creatable, Resource):
    """Mails that colleagues write. One can be taken back for ten seconds."""

    model = Mail
    capabilities = {
        "list": C.VIEW,
        "retrieve": C.VIEW,
        "create": C.LOG_ACTIVITY,
        "take_back": C.LOG_ACTIVITY,
    }
    output = MailOut
    inputs = {"create": MailIn, "take_back": TakeBackIn}
    filterset_class = MailFilter
    ordering_fields = {"id": "pk"}
    ordering_default = ("-id",)

    def visible(self) -> QuerySet[Mail]:
        return reads.visible_to(self.actor)

    def make(self, data: dict[str, Any]) -> Mail:
        return mails.write(**data, actor=self.actor, now=self.now)

    @action(detail=True, methods=["post"], url_path="take-back")
    def take_back(self, request: Request, pk: str) -> Response:
        """Stop a mail within ten seconds; only who wrote it may."""
        self.valid()
        return self.answer(mails.take_back(mail=self.load(lock=False), actor=self.actor, now=self.now))


class MailTemplateOut(ModelOut[MailTemplate]):
    """A template; ``{{ first_name }}`` and the like are filled in when a mail begins with it."""

    class Meta:
        model = MailTemplate
        fields = ("id", "name", "subject", "body", "is_active", "created_at", "updated_at", "version")


class MailTemplateIn(serializers.Serializer[Any]):
    """A template; its fields are from a fixed list, which a refusal names."""

    name = serializers.CharField(max_length=120)
    subject = serializers.CharField(max_length=rules.LONGEST_SUBJECT)
    body = serializers.CharField(max_length=rules.LONGEST_BODY)
    is_active = serializers.BooleanField(required=False)


class MailTemplateResource(Listable, Retrievable, Creatable, Updatable, Resource):
    """Templates of mails; managers write them."""

    model = MailTemplate
    capabilities = {
        "list": C.VIEW,
        "retrieve": C.VIEW,
        "create": mail_templates.MAY,
        "partial_update": mail_templates.MAY,
    }
    output = MailTemplateOut
    inputs = {"create": MailTemplateIn, "partial_update": MailTemplateIn}
    ordering_fields = {"id": "pk"}
    ordering_default = ("id",)

    def visible(self) -> QuerySet[MailTemplate]:
        return reads.templates(self.actor)

    def make(self, data: dict[str, Any]) -> MailTemplate:
        return mail_templates.write(**data, actor=self.actor, now=self.now)

    def change(self, obj: MailTemplate, data: dict[str, Any]) -> MailTemplate:
        kept = {name: getattr(obj, name) for name in ("name", "subject", "body", "is_active")}
        return mail_templates.write(template=obj, **{**kept, **data}, actor=self.actor, now=self.now)
