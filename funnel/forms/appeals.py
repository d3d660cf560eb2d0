"""Browser input on appeals: contesting a return, ruling on it, narrowing the list."""

from __future__ import annotations

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters import filters
from django_filters.filterset import FilterSet

from funnel.models import Appeal, ReturnReason, Ruling
from smarketing.users.models import User
from smarketing.web.asks import AskForm

WAITING = "waiting"


class AppealForm(AskForm):
    """What speaks against the return."""

    evidence = forms.CharField(
        label=_("What speaks against the return?"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("A manager who is no party to it rules. Both sides read this."),
    )


class RulingForm(AskForm):
    """The ruling and why."""

    ruling = forms.ChoiceField(label=_("Ruling"), choices=Ruling.choices, widget=forms.RadioSelect)
    note = forms.CharField(
        label=_("Why"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Both sides read it."),
    )
    definition_unclear = forms.BooleanField(
        label=_("The definition is unclear here"),
        required=False,
        help_text=_("It is put into the discussion of the definition."),
    )
    version = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)


class AppealFilter(FilterSet):
    """Appeals by ruling and reason, searched by whose lead it was."""

    q = filters.CharFilter(label=_("Search"), method="search", max_length=320)
    ruling = filters.ChoiceFilter(
        label=_("State"), choices=[(WAITING, _("Waiting for a ruling")), *Ruling.choices], method="by_ruling"
    )
    reason = filters.ChoiceFilter(
        label=_("Reason"), choices=ReturnReason.choices, field_name="handoff__return_reason"
    )
    arbiter = filters.ModelChoiceFilter(
        label=_("Ruled by"), queryset=User.objects.filter(pk__in=Appeal.objects.values("arbiter"))
    )

    class Meta:
        model = Appeal
        fields = ("q", "ruling", "reason", "arbiter")

    def search(self, queryset: QuerySet[Appeal], name: str, value: str) -> QuerySet[Appeal]:
        """By the person's name, address or company."""
        return queryset.filter(handoff__lead__person__search_text__contains=value.strip().lower())

    def by_ruling(self, queryset: QuerySet[Appeal], name: str, value: str) -> QuerySet[Appeal]:
        """Those that wait, or those ruled so."""
        return queryset.filter(ruling="" if value == WAITING else value)
