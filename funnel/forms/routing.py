"""Browser input of routing: rules as rows of conditions, pools, absences, and what to try out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_filters import filters
from django_filters.filterset import FilterSet

from funnel.domain import routes
from funnel.domain.definitions import CELLS
from funnel.forms.conditions import condition_values, read_condition, read_number
from funnel.forms.definitions import Row
from funnel.forms.settings import PlaceForm
from funnel.models import Absence, Overflow, Pool, ReturnPolicyChoices, RoutingRule
from funnel.selectors import absences
from smarketing.core.errors import FieldError
from smarketing.users.models import User
from smarketing.web.asks import AskForm
from smarketing.web.forms.moments import moment_field

COLUMNS = ("path", "operator", "value")
POOL_FIELDS = (
    "name", "company_owner_first", "keeps_hours", "return_policy", "owed_at_most", "hold_minutes",
    "overflow", "overflow_pool",
)  # fmt: skip


class RuleForm(forms.Form):
    """A rule but for its conditions."""

    name = forms.CharField(label=_("Name"), max_length=120)
    pool = forms.ModelChoiceField(
        Pool.objects.order_by("-is_default", "name"), label=_("Leads go to the pool"), empty_label=None
    )
    skills = forms.CharField(
        label=_("Only reps with the skills"),
        required=False,
        max_length=1000,
        help_text=_("Such as “german, enterprise”: a comma between. Empty: every rep of the pool."),
    )
    version = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)

    def clean_skills(self) -> list[str]:
        """The words between the commas."""
        return [part.strip() for part in self.cleaned_data["skills"].split(",") if part.strip()]


@dataclass(slots=True)
class RuleEditor:
    """The form of a rule with its rows of conditions."""

    form: RuleForm
    rows: list[Row]
    errors: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, rule: RoutingRule | None) -> RuleEditor:
        """The form with what the rule says; a new one begins with a blank row."""
        if rule is None:
            return cls(RuleForm(), [Row(dict.fromkeys(COLUMNS, ""))])
        values = {"name": rule.name, "pool": rule.pool_id, "version": rule.version}
        form = RuleForm(initial={**values, "skills": ", ".join(rule.skills)})
        return cls(form, [Row(condition_values(condition)) for condition in rule.conditions])

    @classmethod
    def sent(cls, data: QueryDict) -> RuleEditor:
        """The form as it was sent; blank rows are left out."""
        return cls(RuleForm(data), rows_of(data, "conditions", COLUMNS))

    def given(self) -> dict[str, Any]:
        """What the service takes, from a valid form."""
        data = self.form.cleaned_data
        conditions = [read_condition(row.values) for row in self.rows]
        return {name: data[name] for name in ("name", "pool", "skills")} | {"conditions": conditions}

    def place_errors(self, errors: Sequence[FieldError], detail: str) -> None:
        """Put each problem beside the row or field it is about."""
        for error in errors:
            parts = error.field.split(".")
            if parts[0] == "conditions" and len(parts) > 1 and int(parts[1]) < len(self.rows):
                self.rows[int(parts[1])].errors.append(error.detail)
            elif error.field in self.form.fields:
                self.form.add_error(error.field, error.detail)
            else:
                self.errors.append(error.detail)
        if not errors:
            self.errors.append(detail)


def rows_of(data: QueryDict, section: str, names: Sequence[str]) -> list[Row]:
    """The rows of a section as they were sent; those that say nothing are left out."""
    columns = {name: data.getlist(f"{section}-{name}")[: routes.MAX_CONDITIONS + 1] for name in names}
    length = max(len(column) for column in columns.values())
    made = [
        Row({name: columns[name][i][:2000] if i < len(columns[name]) else "" for name in names})
        for i in range(length)
    ]
    return [row for row in made if row.values["path"] or row.values["value"].strip()]


class PoolForm(AskForm):
    """How a pool shares out what reaches it."""

    name = forms.CharField(label=_("Name"), max_length=120)
    company_owner_first = forms.BooleanField(
        label=_("Whoever has an open deal with the company goes first"), required=False, initial=True
    )
    keeps_hours = forms.BooleanField(
        label=_("Only in the reps' working hours"),
        required=False,
        help_text=_("The hours of the calendar by which their first response is counted."),
    )
    return_policy = forms.ChoiceField(
        label=_("Turns missed while away"),
        choices=ReturnPolicyChoices.choices,
        help_text=_("Owed turns are made up for at once when the rep is back."),
    )
    owed_at_most = forms.IntegerField(label=_("At most turns owed"), min_value=0, max_value=100, initial=3)
    hold_minutes = forms.IntegerField(
        label=_("Remind managers after minutes of waiting"),
        min_value=1,
        max_value=43_200,
        initial=60,
        help_text=_("When nobody can take a lead it waits in the open."),
    )
    overflow = forms.ChoiceField(
        label=_("Leads above the agreement's ceiling"), required=False, choices=Overflow.choices
    )
    overflow_pool = forms.ModelChoiceField(
        Pool.objects.order_by("name"), label=_("The other pool"), required=False, empty_label="–"
    )
    version = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)

    def given(self) -> dict[str, Any]:
        """What the service takes, from a valid form."""
        return {name: self.cleaned_data[name] for name in POOL_FIELDS}

    @staticmethod
    def initial_of(pool: Pool) -> dict[str, Any]:
        """What the pool says now."""
        return {name: getattr(pool, name) for name in (*POOL_FIELDS, "version")}


class NewPlaceForm(PlaceForm):
    """A place for a colleague who has none in the pool yet."""

    user = forms.ModelChoiceField(User.objects.none(), label=_("Owner"), empty_label=_("Choose an owner"))
    field_order = ("user",)

    def __init__(self, *args: Any, pool: Pool, **kwargs: Any) -> None:
        kwargs.setdefault("auto_id", "ask_%s")
        kwargs.setdefault("initial", {"weight": 1, "takes_leads": True})
        super().__init__(*args, **kwargs)
        choice: Any = self.fields["user"]
        choice.queryset = User.objects.owners().exclude(pool_places__pool=pool).order_by("name", "pk")


class AbsenceForm(AskForm):
    """From when to when somebody gets no leads, on the viewer's wall clock."""

    note = forms.CharField(
        label=_("Note"), required=False, max_length=200, help_text=_("Read by them and by managers.")
    )

    def __init__(self, *args: Any, viewer: User, may_choose: bool, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        whole = timezone.localtime(now).replace(minute=0, second=0, microsecond=0)
        self.fields["starts_at"] = moment_field(_("From"), whole, required=True)
        self.fields["ends_at"] = moment_field(_("Until"), None, required=False)
        self.fields["ends_at"].help_text = _("Empty: until somebody says otherwise.")
        if may_choose:
            people = User.objects.owners().order_by("name", "pk")
            self.fields["user"] = forms.ModelChoiceField(people, label=_("Who"), empty_label=None)
            self.fields["user"].initial = viewer.pk
        self.order_fields(["user", "starts_at", "ends_at", "note"])

    @staticmethod
    def initial_of(absence: Absence) -> dict[str, Any]:
        """What the absence says, on the viewer's wall clock."""
        told: dict[str, Any] = {"note": absence.note}
        for name in ("starts_at", "ends_at"):
            at = getattr(absence, name)
            told[name] = None if at is None else timezone.localtime(at).replace(tzinfo=None)
        return told


class AbsenceFilter(FilterSet):
    """Absences by whether they run, and whose they are."""

    state = filters.ChoiceFilter(
        label=_("State"),
        choices=[
            (absences.RUNNING, _("Away now")),
            (absences.COMING, _("Coming")),
            (absences.PAST, _("Over")),
        ],
        method="narrow",
        empty_label=_("All"),
    )
    user = filters.ModelChoiceFilter(label=_("Who"), queryset=User.objects.owners(), empty_label=_("All"))

    class Meta:
        model = Absence
        fields = ("state", "user")

    def __init__(self, *args: Any, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.now = now

    def narrow(self, queryset: Any, name: str, value: str) -> Any:
        """Only those in the state."""
        return absences.in_state(queryset, value, now=self.now)


class TrialForm(forms.Form):
    """Which lead to try: one that exists, or one that is described by the rows below."""

    lead = forms.CharField(
        label=_("A lead that exists"),
        required=False,
        max_length=320,
        help_text=_("Its number, or the person's e-mail address."),
    )
    band = forms.ChoiceField(
        label=_("Its band"),
        required=False,
        choices=[("", _("not scored")), *((cell, cell) for cell in CELLS)],
        help_text=_("Fit and interest. Of a lead that exists the band is known."),
    )


def described(rows: Sequence[Row]) -> Mapping[str, Any]:
    """The facts that rows of path and value say, as rules ask them."""
    facts: dict[str, dict[str, Any]] = {"person": {}, "company": {}, "lead": {}, "attributes": {}}
    for row in rows:
        root, _dot, name = row.values["path"].partition(".")
        if root in facts and name:
            facts[root][name] = _value(row.values["value"].strip())
    return facts


def _value(text: str) -> Any:
    if text.casefold() in ("yes", "no"):
        return text.casefold() == "yes"
    return read_number(text)
