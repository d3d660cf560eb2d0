"""Browser input: what to be told about, for how long not, and when to be left alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from funnel.models import Alert, AlertDelivery, Stage, TriggerChoices
from funnel.services.alerts import About
from leads.models import Company, Person
from smarketing.users.models import User
from smarketing.web.asks import AskForm
from smarketing.web.models import SavedView

OPERATORS = (
    ("", _("any value")),
    ("equals", _("is")),
    ("not_equals", _("is not")),
    ("contains", _("contains")),
    ("at_least", _("is at least")),
    ("at_most", _("is at most")),
    ("known", _("is given")),
)
WINDOWS = (
    (3600, _("an hour")),
    (6 * 3600, _("6 hours")),
    (86_400, _("a day")),
    (7 * 86_400, _("a week")),
)
SNOOZES = (("1h", _("an hour")), ("1d", _("a day")), ("7d", _("a week")), ("30d", _("30 days")))
_LENGTHS = {
    "1h": timedelta(hours=1), "1d": timedelta(days=1), "7d": timedelta(days=7), "30d": timedelta(days=30),
}  # fmt: skip


class WishForm(AskForm):
    """What an alert waits for and how it is told."""

    trigger = forms.ChoiceField(label=_("Tell me when they"), choices=TriggerChoices.choices)
    pattern = forms.CharField(
        label=_("Page"),
        required=False,
        max_length=200,
        help_text=_("For a page: /pricing, /docs/* or *pricing*. Stars stand for anything."),
        widget=forms.TextInput(attrs={"placeholder": "/pricing"}),
    )
    name = forms.CharField(
        label=_("Name of the action or form"),
        required=False,
        max_length=255,
        help_text=_("For an action or a form; without a name any form counts."),
    )
    after_days = forms.IntegerField(
        label=_("Days away"), required=False, min_value=1, max_value=365, help_text=_("For a return.")
    )
    property = forms.CharField(
        label=_("Only if this property"), required=False, max_length=64, help_text=_("Such as plan.")
    )
    operator = forms.ChoiceField(label=_("is so"), required=False, choices=OPERATORS)
    value = forms.CharField(label=_("Value"), required=False, max_length=255)
    delivery = forms.ChoiceField(label=_("How"), choices=AlertDelivery.choices)
    repeat_after_seconds = forms.TypedChoiceField(
        label=_("The same person not again within"), choices=WINDOWS, coerce=int, initial=86_400
    )

    def wish(self) -> dict[str, Any]:
        """What the service takes."""
        given = self.cleaned_data
        names = ("trigger", "pattern", "name", "after_days", "delivery", "repeat_after_seconds")
        condition = {"property": given["property"], "operator": given["operator"] or "known"}
        if condition["operator"] != "known":
            condition["value"] = given["value"]
        return {**{n: given[n] for n in names}, "conditions": [condition] if given["property"] else []}

    @classmethod
    def of(cls, alert: Alert) -> WishForm:
        """The form as the alert stands. A window of another length is offered beside the usual ones."""
        first = alert.conditions[0] if alert.conditions else {}
        form = cls(
            initial={
                **{n: getattr(alert, n) for n in cls.base_fields if hasattr(alert, n)},
                "property": first.get("property", ""),
                "operator": first.get("operator", ""),
                "value": first.get("value", ""),
            }
        )
        return form


class NewAlertForm(WishForm):
    """A new alert: whom it is about comes first, unless the page it was asked from says so."""

    about = forms.ChoiceField(label=_("Who"))
    field_order = ("about",)

    def __init__(
        self,
        *args: Any,
        user: User,
        person: Person | None = None,
        company: Company | None = None,
        stages: list[Stage],
        segments: list[SavedView],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.abouts: dict[str, tuple[Any, About]] = {}
        if person is not None:
            self.abouts["person"] = (person.name or _("This person"), About(person=person))
        if company is not None:
            words = _("Anybody of %(company)s") % {"company": company.name}
            self.abouts["company"] = (words, About(company=company))
        if person is None and company is None:
            self.abouts["mine"] = (_("Anybody whose lead I own"), About(is_mine=True))
            for stage in stages:
                words = _("Anybody in stage %(stage)s") % {"stage": stage.name}
                self.abouts[f"stage:{stage.pk}"] = (words, About(stage=stage))
            for view in segments:
                words = _("Anybody in the saved view “%(view)s”") % {"view": view.name}
                self.abouts[f"segment:{view.pk}"] = (words, About(segment=view))
        choice: Any = self.fields["about"]
        choice.choices = [(key, label) for key, (label, _about) in self.abouts.items()]

    def chosen(self) -> About:
        """Whom the alert is about."""
        return self.abouts[self.cleaned_data["about"]][1]


class SnoozeForm(AskForm):
    """For how long an alert is silent."""

    length = forms.ChoiceField(label=_("Tell me nothing for"), choices=SNOOZES, initial="1d")

    def until(self, now: datetime) -> datetime:
        """The end of the silence."""
        return now + _LENGTHS[self.cleaned_data["length"]]


class HoursForm(AskForm):
    """Quiet hours and the digest, on the user's wall clock."""

    quiet_from = forms.TimeField(
        label=_("Quiet from"), required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    quiet_until = forms.TimeField(
        label=_("until"), required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    digest_at = forms.TimeField(
        label=_("Daily digest at"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
