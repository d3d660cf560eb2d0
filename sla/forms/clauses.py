"""Browser input of an agreement's clauses: one form per clause, with the fields that its metric knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sla.domain import metrics
from sla.domain.clauses import BANDS, ClauseSpec
from sla.domain.metrics import METRICS, Metric
from sla.models import Calendar
from sla.selectors import prose
from smarketing.core.errors import DomainError
from smarketing.users.models import SideChoices, Team, User

UNITS = (("60", gettext_lazy("business hours")), ("1", gettext_lazy("business minutes")))
# Parts of a clause in the service's errors, and the field that shows them.
FIELD_OF = {"population": "bands", "grace_seconds": "grace"}
MOST_CLAUSES = 40
DAY_SECONDS, MINUTE_SECONDS = 86_400, 60

TARGETS: Mapping[str, Promise] = {
    metrics.FIRST_RESPONSE: gettext_lazy("First attempt within"),
    metrics.DEPTH: gettext_lazy("Attempts, at least"),
    metrics.OUTCOME: gettext_lazy("Outcome within (business days)"),
    metrics.RETURN_FEEDBACK: gettext_lazy("Explained within (business days)"),
    metrics.SUPPLY_COUNT: gettext_lazy("Leads, at least"),
    metrics.SUPPLY_VALUE: gettext_lazy("Value, at least"),
    metrics.CONTACTS: gettext_lazy("Prospects per rep, at least"),
    metrics.MEETINGS: gettext_lazy("Meetings, at least"),
}
PERIODS = {
    "week": gettext_lazy("Week"),
    "month": gettext_lazy("Month"),
    "quarter": gettext_lazy("Quarter"),
}
TERM_LABELS: Mapping[str, Promise] = {
    "per": gettext_lazy("Counted for"),
    "ceiling": gettext_lazy("Ceiling: more doesn't count"),
    "channels": gettext_lazy("Channels, at least"),
    "days": gettext_lazy("On business days, at least"),
    "within_days": gettext_lazy("Within (business days)"),
    "appeal_days": gettext_lazy("Marketing may appeal for (days)"),
    "maturity_days": gettext_lazy("Days to become a customer"),
    "pause_hours": gettext_lazy("May be paused (business hours per lead)"),
    "lead_after_minutes": gettext_lazy("Overdue: tell the team lead after (minutes)"),
    "reassign_after_minutes": gettext_lazy("Overdue: give it to another rep after (minutes)"),
    "managers_after_minutes": gettext_lazy("Overdue: tell both managers after (minutes)"),
}
TERM_CHOICES = {
    "per": ((metrics.PER_REP, gettext_lazy("each rep")), (metrics.PER_TEAM, gettext_lazy("all together")))
}


class ClauseForm(forms.Form):
    """One clause. Which fields there are is decided by ``metric``, which is chosen when it is added."""

    metric = forms.ChoiceField(
        choices=lambda: [(key, prose.name(key)) for key in METRICS], widget=forms.HiddenInput, required=False
    )
    target = forms.DecimalField(
        min_value=Decimal("0.01"),
        max_digits=14,
        decimal_places=2,
        widget=forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"}),
    )
    unit = forms.ChoiceField(label=gettext_lazy("Unit"), choices=UNITS)
    period = forms.ChoiceField(label=gettext_lazy("Each"))
    calendar = forms.ModelChoiceField(
        label=gettext_lazy("Hours that count"), queryset=Calendar.objects.all(), empty_label=None
    )
    bands = forms.MultipleChoiceField(
        label=gettext_lazy("Only for leads of these cells"),
        choices=[(band, band) for band in BANDS],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None chosen means every delivered lead."),
    )
    team = forms.ModelChoiceField(
        label=gettext_lazy("Only for the leads of"),
        queryset=Team.objects.filter(side="sales").order_by("name"),
        required=False,
        empty_label=gettext_lazy("all of sales"),
    )
    grace = forms.IntegerField(min_value=0, max_value=43_200, required=False)
    accountable = forms.ModelChoiceField(
        label=gettext_lazy("Accountable"), queryset=User.objects.get_queryset().active(), required=False
    )
    backup = forms.ModelChoiceField(
        label=gettext_lazy("In their absence"), queryset=User.objects.get_queryset().active(), required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rule = self._metric()
        self.fields["metric"].initial = self.rule.key
        self.fields["target"].label = str(TARGETS.get(self.rule.key, _("At least (%)")))
        is_clock = self.rule.kind == "clock"
        self.fields["grace"].label = _("Grace in minutes") if is_clock else _("Counted after (days)")
        self._drop("unit", unless=self.rule.unit == "minutes")
        self._drop("calendar", unless=self.rule.needs_calendar)
        self._drop("period", unless=self.rule.periods != ("",))
        self._drop("grace", unless=self.rule.kind != "volume")
        self._drop("bands", unless=self.rule.key not in (metrics.CONTACTS, metrics.MEETINGS))
        self._drop("team", unless=self.rule.key != metrics.MEETINGS)
        if "period" in self.fields:
            self.fields["period"].choices = [(p, PERIODS[p]) for p in self.rule.periods]  # type: ignore[attr-defined]
        for term in self.rule.terms:
            self.fields[term.key] = _term_field(term)

    @property
    def title(self) -> str:
        """The metric and whose promise it is, for the heading."""
        side = SideChoices(self.rule.side).label
        return _("%(side)s: %(metric)s") % {"side": side, "metric": prose.name(self.rule.key)}

    def document(self) -> dict[str, Any]:
        """The clause as ``sla.domain.clauses.parse`` reads it."""
        values = self.cleaned_data
        population: dict[str, Any] = {"bands": values["bands"]} if values.get("bands") else {}
        if values.get("team"):
            population["team"] = values["team"].pk
        terms = {t.key: values[t.key] for t in self.rule.terms if values.get(t.key) not in (None, "")}
        document = {
            "side": self.rule.side,
            "metric": self.rule.key,
            "target": str(values["target"] * Decimal(values.get("unit") or 1)),
            "population": population,
            "grace_seconds": (values.get("grace") or 0) * _grace_unit(self.rule),
            "accountable": values["accountable"].pk if values["accountable"] else None,
            "backup": values["backup"].pk if values["backup"] else None,
            # What only repeats the default is left out, so that the text stays the same.
            "terms": {
                t.key: terms[t.key] for t in self.rule.terms if terms.get(t.key, t.default) != t.default
            },
        }
        if self.rule.needs_calendar:
            document["calendar"] = values["calendar"].pk
        if values.get("period"):
            document["period"] = values["period"]
        return document

    def _metric(self) -> Metric:
        given = self.data.get(self.add_prefix("metric")) if self.is_bound else self.initial.get("metric")
        return METRICS.get(str(given), METRICS[metrics.FIRST_RESPONSE])

    def _drop(self, name: str, *, unless: bool) -> None:
        if not unless:
            del self.fields[name]


ClauseFormSet = forms.formset_factory(ClauseForm, extra=0, min_num=1, max_num=MOST_CLAUSES, can_delete=True)


class AddClauseForm(forms.Form):
    """Which promise to add."""

    add_metric = forms.ChoiceField(
        label=gettext_lazy("Another promise"),
        choices=lambda: [
            (key, f"{SideChoices(m.side).label}: {prose.name(key)}") for key, m in METRICS.items()
        ],
        initial=metrics.FIRST_RESPONSE,
        required=False,
    )


def initial(specs: Iterable[ClauseSpec]) -> list[dict[str, Any]]:
    """Stored clauses as the forms show them, minutes in hours where that is a whole number."""
    shown = []
    for spec in specs:
        rule = METRICS[spec.metric]
        in_hours = rule.unit == "minutes" and spec.target % 60 == 0
        shown.append(
            {
                "metric": spec.metric,
                "target": (spec.target / 60 if in_hours else spec.target).normalize() + 0,
                "unit": "60" if in_hours else "1",
                "period": spec.period,
                "calendar": spec.calendar,
                "bands": list(spec.bands),
                "team": spec.team,
                "grace": spec.grace_seconds // _grace_unit(rule) or None,
                "accountable": spec.accountable,
                "backup": spec.backup,
                **{term.key: spec.term(term.key) for term in rule.terms},
            }
        )
    return shown


def refuse(formset: Any, error: DomainError) -> None:
    """Put what the service refused beside the clause and field it is about."""
    kept = [form for form in formset.forms if not formset._should_delete_form(form)]
    for item in error.errors:
        parts = item.field.split(".")
        if len(parts) >= 3 and parts[1].isdigit() and int(parts[1]) < len(kept):
            form = kept[int(parts[1])]
            name = FIELD_OF.get(parts[2], parts[-1])
            form.add_error(name if name in form.fields else None, item.detail)
        else:
            formset._non_form_errors.append(item.detail)
    if not error.errors:
        formset._non_form_errors.append(_(error.detail))


def _term_field(term: metrics.Term) -> forms.Field:
    label = str(TERM_LABELS[term.key])
    if term.choices:
        choices = TERM_CHOICES[term.key]
        return forms.ChoiceField(label=label, choices=choices, initial=term.default, required=False)
    return forms.IntegerField(
        label=label, min_value=term.least, max_value=term.most, initial=term.default, required=False
    )


def _grace_unit(rule: Metric) -> int:
    return MINUTE_SECONDS if rule.kind == "clock" else DAY_SECONDS
