"""Looking up forms, their versions, and how many who saw one sent it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from leads.domain import form_layouts
from leads.domain.form_layouts import Around, Attribute, Layout
from leads.models import (
    AttributeDefinition,
    Form,
    FormDay,
    FormSubmission,
    FormVersion,
    FormVersionState,
    Purpose,
    SubmissionState,
)
from smarketing.users.models import User


@dataclass(frozen=True, slots=True)
class Counts:
    """``taken`` answers are those that became or joined a lead; ``waiting`` are in quarantine."""

    views: int
    answers: int
    taken: int
    waiting: int


def listed(user: User) -> QuerySet[Form]:
    """The forms that ``user`` may see, with their counts, for lists."""
    views = FormDay.objects.filter(form=OuterRef("pk")).order_by().values("form").annotate(n=Sum("views"))
    answers = FormSubmission.objects.filter(form=OuterRef("pk")).order_by().values("form")
    taken = answers.filter(state=SubmissionState.APPLIED).annotate(n=Count("pk"))
    waiting = answers.filter(state=SubmissionState.QUARANTINED).annotate(n=Count("pk"))
    published = FormVersion.objects.filter(form=OuterRef("pk"), state=FormVersionState.PUBLISHED)
    return Form.objects.visible_to(user).annotate(
        view_count=_number(views),
        answer_count=_number(answers.annotate(n=Count("pk"))),
        taken_count=_number(taken),
        waiting_count=_number(waiting),
        published_number=Subquery(published.values("number")[:1]),
    )


def counts(form: Form) -> Counts:
    """The counts of one form."""
    rows = FormSubmission.objects.filter(form=form).aggregate(
        answers=Count("pk"),
        taken=Count("pk", filter=Q(state=SubmissionState.APPLIED)),
        waiting=Count("pk", filter=Q(state=SubmissionState.QUARANTINED)),
    )
    seen = FormDay.objects.filter(form=form).aggregate(n=Sum("views"))["n"]
    return Counts(views=seen or 0, answers=rows["answers"], taken=rows["taken"], waiting=rows["waiting"])


def by_key(key: str) -> Form | None:
    """The form with this public key, with what a capture needs."""
    return Form.objects.filter(key=key).select_related("campaign__channel", "notify").first() if key else None


def by_guid(guid: UUID) -> Form | None:
    """The form that programs made for HubSpot know by this id."""
    return Form.objects.filter(guid=guid).select_related("campaign__channel", "notify").first()


def published(form: Form) -> FormVersion | None:
    """The version that is shown to the world."""
    return FormVersion.objects.filter(form=form, state=FormVersionState.PUBLISHED).first()


def draft(form: Form) -> FormVersion | None:
    """The version that is being worked on."""
    return FormVersion.objects.filter(form=form, state=FormVersionState.DRAFT).first()


def versions(form: Form) -> QuerySet[FormVersion]:
    """All versions, newest first."""
    return FormVersion.objects.filter(form=form).select_related("published_by").order_by("-number")


def layout_of(version: FormVersion | None) -> Layout:
    """What a version asks; an empty layout for none."""
    return form_layouts.read(version.layout if version else {})


def attributes() -> Mapping[str, Attribute]:
    """The custom attributes of people and leads by target."""
    rows = AttributeDefinition.objects.filter(subject__in=("person", "lead"), is_after_contact=False)
    return {f"{d.subject}.attr.{d.key}": Attribute(d.type, tuple(d.choices)) for d in rows}


def attribute_labels() -> list[tuple[str, str]]:
    """Targets of custom attributes with their labels, for the builder."""
    rows = AttributeDefinition.objects.filter(subject__in=("person", "lead"), is_after_contact=False)
    return [(f"{d.subject}.attr.{d.key}", f"{d.get_subject_display()}: {d.label}") for d in rows]


def around(form: Form) -> Around:
    """What a layout of this form is checked against."""
    return Around(
        attributes=attributes(),
        purposes=frozenset(Purpose.objects.filter(is_active=True).values_list("code", flat=True)),
        redirect_hosts=frozenset(form.redirect_hosts),
    )


def _number(rows: QuerySet[Any, Any]) -> Coalesce:
    return Coalesce(Subquery(rows.values("n"), output_field=IntegerField()), 0)
