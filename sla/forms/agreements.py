"""Browser input beside the clauses: roles, links, words, plan, the day it takes effect; comments; pauses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from funnel.models import Stage
from sla.domain.metrics import METRICS
from sla.selectors import prose
from smarketing.core.errors import DomainError
from smarketing.users.models import SideChoices

MOST_ROWS = 60


def _bindings() -> list[tuple[str, str]]:
    numbers = [(f"metric:{key}", prose.name(key)) for key in METRICS]
    stages = [(f"stage:{stage.code}", stage.name) for stage in Stage.objects.order_by("position", "pk")]
    return [("", "–"), *numbers, *stages]


class RoleForm(forms.Form):
    """Who does what."""

    side = forms.ChoiceField(label=_("Side"), choices=SideChoices.choices)
    title = forms.CharField(label=_("Role"), max_length=200)
    who = forms.CharField(label=_("Who"), max_length=200, required=False)
    duties = forms.CharField(
        label=_("Responsible for"), max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )


class LinkForm(forms.Form):
    """Where to find something."""

    title = forms.CharField(label=_("What"), max_length=200)
    url = forms.CharField(label=_("Where"), max_length=2000)


class TermForm(forms.Form):
    """What a word means, and which number or stage it explains wherever that appears."""

    term = forms.CharField(label=_("Word"), max_length=200)
    bound_to = forms.ChoiceField(label=_("Explains"), choices=_bindings, required=False)
    meaning = forms.CharField(
        label=_("What it means"), max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )


class PlanForm(forms.Form):
    """Something the two teams set out to do."""

    what = forms.CharField(label=_("What"), max_length=2000, widget=forms.Textarea(attrs={"rows": 2}))
    owner = forms.CharField(label=_("Who"), max_length=200)
    due = forms.DateField(label=_("Until"), widget=forms.DateInput(attrs={"type": "date"}))


PARTS: Mapping[str, type[forms.Form]] = {
    "roles": RoleForm,
    "glossary": TermForm,
    "links": LinkForm,
    "plan": PlanForm,
}
TITLES = {
    "roles": _("Roles and responsibilities"),
    "glossary": _("What words mean"),
    "links": _("Where to find what"),
    "plan": _("Plan of action"),
}


class EffectiveForm(forms.Form):
    """From which day a version holds."""

    effective_on = forms.DateField(
        label=_("In force from"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("Empty: as soon as both sides have signed."),
    )
    version = forms.IntegerField(widget=forms.HiddenInput, required=False, max_value=10**9)


class CommentForm(forms.Form):
    """A comment on a version, or on one of its clauses."""

    text = forms.CharField(label=_("Comment"), max_length=4000, widget=forms.Textarea(attrs={"rows": 3}))
    position = forms.TypedChoiceField(
        label=_("About"), coerce=int, empty_value=None, required=False, choices=[]
    )

    def __init__(self, *args: Any, clauses: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["position"].choices = [("", str(_("the whole version"))), *clauses]  # type: ignore[attr-defined]


class PauseForm(forms.Form):
    """Why a clock should wait."""

    reason = forms.CharField(max_length=300)


class AnnexForms:
    """The formsets of the annex, each with an empty row to write into; emptied rows fall away."""

    def __init__(self, annex: Mapping[str, Any], *, data: QueryDict | None = None) -> None:
        self.sets = {}
        for part, form in PARTS.items():
            made = forms.formset_factory(form, extra=1, max_num=MOST_ROWS, can_delete=True)
            self.sets[part] = made(data, initial=annex.get(part, []), prefix=part)

    def is_valid(self) -> bool:
        """Whether every row can be read."""
        answers = [formset.is_valid() for formset in self.sets.values()]
        return all(answers)

    def document(self) -> dict[str, list[dict[str, str]]]:
        """The annex as ``sla.domain.annex.parse`` reads it."""
        return {
            part: [
                {name: str(form.cleaned_data[name] or "") for name in PARTS[part].base_fields}
                for form in formset.forms
                if form.cleaned_data and form not in formset.deleted_forms
            ]
            for part, formset in self.sets.items()
        }

    def refuse(self, error: DomainError) -> None:
        """Put what the service refused beside its row ("annex.links.0.url")."""
        for item in error.errors:
            parts = item.field.split(".")
            formset = self.sets.get(parts[1]) if len(parts) > 1 else None
            if formset is not None and len(parts) == 4 and parts[2].isdigit():
                rows = [f for f in formset.forms if f.cleaned_data and f not in formset.deleted_forms]
                rows[int(parts[2])].add_error(parts[3], item.detail)
            elif formset is not None:
                formset.non_form_errors().append(item.detail)
        if not error.errors:
            next(iter(self.sets.values())).non_form_errors().append(error.detail)

    def cards(self) -> list[tuple[str, Any]]:
        """Each part's title and formset."""
        return [(str(TITLES[part]), formset) for part, formset in self.sets.items()]
