"""Browser input on a stage: its name and meaning, its place, its criteria, its targets and time limit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from funnel.forms.conditions import condition_values, read_condition
from funnel.forms.definitions import Row
from funnel.models import Stage, StageRole
from smarketing.core.errors import FieldError
from smarketing.users.models import SideChoices

DAY = 86_400
SECTION = "stage"
MOST_ROWS = 40
_COLUMNS = ("path", "operator", "value")
_LONG = {"rows": 2}


class StageForm(forms.Form):
    """What a stage is called and means, whose it is, where it stands, its targets and time limit.

    ``steps`` are those behind which an own step of the road may stand; None for a stage that keeps its
    place. ``is_new`` asks what kind of stage it is.
    """

    name = forms.CharField(label=_("Name"), max_length=80)
    role = forms.ChoiceField(
        label=_("What it is"),
        choices=[
            (StageRole.MAIN, _("A step of the road, on the way to customer")),
            (StageRole.PARKING, _("A place beside the road, from which leads come back")),
        ],
        initial=StageRole.MAIN,
    )
    after = forms.ChoiceField(
        label=_("Comes after"),
        required=False,
        help_text=_("For a step of the road. After MQL a lead is with sales, as an MQL is."),
    )
    owner_side = forms.ChoiceField(label=_("Owner team"), choices=SideChoices.choices)
    meaning = forms.CharField(
        label=_("What it means"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs=_LONG),
        help_text=_("In plain words: it is shown wherever the stage is named."),
    )
    entry = forms.CharField(
        label=_("How a lead gets in"), max_length=2000, required=False, widget=forms.Textarea(attrs=_LONG)
    )
    exit = forms.CharField(
        label=_("How a lead gets out"), max_length=2000, required=False, widget=forms.Textarea(attrs=_LONG)
    )
    monthly_target = forms.IntegerField(
        label=_("Target per month"), required=False, min_value=1, help_text=_("Leads that should enter it.")
    )
    target_conversion = forms.IntegerField(
        label=_("Target conversion in percent"),
        required=False,
        min_value=1,
        max_value=100,
        help_text=_("Of those who enter it, how many should get further."),
    )
    limit_days = forms.DecimalField(
        label=_("Time limit in days"),
        required=False,
        min_value=0,
        max_value=3650,
        decimal_places=2,
        help_text=_("After this time somebody must look at the lead."),
    )
    version = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)

    def __init__(self, *args: Any, steps: Iterable[Stage] | None, is_new: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not is_new:
            del self.fields["role"]
        after = self.fields["after"]
        if steps is None:
            del self.fields["after"]
        elif isinstance(after, forms.ChoiceField):
            after.choices = [(step.code, step.name) for step in steps]

    @staticmethod
    def filled(stage: Stage, *, steps: Iterable[Stage] | None, after: str | None) -> StageForm:
        """The form with what the stage says."""
        names = (
            "name", "owner_side", "meaning", "entry", "exit", "monthly_target",
            "target_conversion", "version",
        )  # fmt: skip
        limit = stage.time_limit_seconds
        initial = {name: getattr(stage, name) for name in names}
        initial |= {"limit_days": limit / DAY if limit else None, "after": after}
        return StageForm(initial=initial, steps=steps, is_new=False)

    def changes(self) -> dict[str, Any]:
        """What the service takes."""
        apart = ("version", "limit_days", "role", "after")
        given = {name: value for name, value in self.cleaned_data.items() if name not in apart}
        days = self.cleaned_data["limit_days"]
        return {**given, "time_limit_seconds": int(days * DAY) if days else None}


def rows_of(rule: Sequence[Mapping[str, Any]]) -> list[Row]:
    """The criteria as rows of the editor."""
    return [Row(condition_values(entry)) for entry in rule]


def rows_of_post(data: QueryDict) -> list[Row]:
    """The rows as they were sent; blank ones are left out."""
    columns = [data.getlist(f"{SECTION}-{name}")[:MOST_ROWS] for name in _COLUMNS]
    sent = zip_longest(*columns, fillvalue="")
    rows = (Row(dict(zip(_COLUMNS, values, strict=True))) for values in sent)
    return [row for row in rows if not row.is_blank]


def rule_of(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """The criteria that the rows say."""
    return [read_condition(row.values) for row in rows]


def place_errors(rows: Sequence[Row], errors: Iterable[FieldError]) -> list[FieldError]:
    """Put what is wrong with a criterion beside its row; what concerns none is returned."""
    others = []
    for error in errors:
        parts = error.field.split(".")
        if parts[0] == "rule" and len(parts) > 1 and parts[1].isdecimal() and int(parts[1]) < len(rows):
            rows[int(parts[1])].errors.append(error.detail)
        else:
            others.append(error)
    return others
