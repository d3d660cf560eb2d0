"""Browser input on nurture: whose a lead is and what brings it back, the organisation's rule, the list."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_filters import filters
from django_filters.filterset import FilterSet

from funnel.models import Nurture, NurtureCause, NurtureRule, NurtureState
from funnel.selectors import nurtures
from smarketing.users.models import User
from smarketing.web.asks import AskForm

MOST = 100_000


class NurtureForm(AskForm):
    """Whose it is, why, and what brings the lead back."""

    owner = forms.ModelChoiceField(
        User.objects.get_queryset().none(),
        label=_("Owner in marketing"),
        required=False,
        empty_label=_("Nobody"),
    )
    reason = forms.CharField(
        label=_("Reason"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    returns_on = forms.DateField(
        label=_("Comes back on"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("Empty: no day was agreed."),
    )
    gain_points = forms.IntegerField(
        label=_("Comes back after gaining"),
        required=False,
        min_value=1,
        max_value=MOST,
        help_text=_("Points of interest from what they do from now on. Empty: only the definition decides."),
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owner = self.fields["owner"]
        assert isinstance(owner, forms.ModelChoiceField)  # noqa: S101
        owner.queryset = nurtures.marketers()

    @staticmethod
    def initial_of(nurture: Nurture) -> dict[str, Any]:
        """What the form starts with."""
        zone = timezone.get_current_timezone()
        day = nurture.returns_at.astimezone(zone).date() if nurture.returns_at else None
        return {
            "owner": nurture.owner,
            "reason": nurture.reason,
            "returns_on": day,
            "gain_points": nurture.gain_points,
            "version": nurture.version,
        }

    def changes(self) -> dict[str, Any]:
        """What differs from what was shown, as the service takes it."""
        given = {name: self.cleaned_data[name] for name in self.changed_data if name in self.cleaned_data}
        given.pop("version", None)
        if "returns_on" in given:
            day = given.pop("returns_on")
            given["returns_at"] = timezone.make_aware(datetime.combine(day, time(9))) if day else None
        return given


class NurtureRuleForm(forms.Form):
    """How the organisation keeps leads warm."""

    settle_days = forms.IntegerField(
        label=_("Days before a lead with little interest goes to nurture"),
        min_value=1,
        max_value=3650,
        help_text=_("It fits, and the definition's cell says “nurture” for so long."),
    )
    gain_points = forms.IntegerField(
        label=_("Points of new interest that bring somebody back"),
        min_value=1,
        max_value=MOST,
        help_text=_("For leads that had qualified before. The others come back by the definition."),
    )
    return_days = forms.IntegerField(
        label=_("Days after which they come back all the same"), min_value=1, max_value=3650
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    @classmethod
    def filled(cls, rule: NurtureRule) -> NurtureRuleForm:
        """With what holds now."""
        names = ("settle_days", "gain_points", "return_days", "version")
        return cls(initial={name: getattr(rule, name) for name in names})


class NurtureFilter(FilterSet):
    """Who is kept warm: by person, owner, what sent them, and whether sales has taken over."""

    q = filters.CharFilter(label=_("Search"), method="by_text", max_length=200)
    state = filters.ChoiceFilter(label=_("State"), choices=NurtureState.choices)
    cause = filters.MultipleChoiceFilter(label=_("Sent by"), choices=NurtureCause.choices)
    owner = filters.ModelChoiceFilter(
        label=_("Owner"), queryset=User.objects.get_queryset(), null_label=_("Nobody"), null_value="nobody"
    )

    class Meta:
        model = Nurture
        fields: tuple[str, ...] = ()

    def filter_queryset(self, queryset: QuerySet[Nurture]) -> QuerySet[Nurture]:
        """Without a state: those that marketing has in hand, which their own index serves."""
        found: QuerySet[Nurture] = super().filter_queryset(queryset)
        return found if self.form.cleaned_data.get("state") else found.filter(state=NurtureState.ACTIVE)

    def by_text(self, queryset: QuerySet[Nurture], name: str, value: str) -> QuerySet[Nurture]:
        """Names, e-mail addresses and companies that hold every word."""
        return nurtures.matching(queryset, value)
