"""What a form may ask, in words, and the builder's rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from leads.domain import form_layouts
from leads.domain.form_layouts import Around, ConsentAsk, Field
from leads.forms.form_builder import Row
from leads.selectors import forms as reads

Text = str | Promise
LABELS: dict[str, Text] = {
    "person.email": _("E-mail"),
    "person.first_name": _("First name"),
    "person.last_name": _("Last name"),
    "person.phone": _("Phone"),
    "person.title": _("Job title"),
    "person.country": _("Country"),
    "person.city": _("City"),
    "person.website": _("Website"),
    "person.language": _("Language"),
    "company.name": _("Company"),
    "lead.description": _("What they ask for"),
    "lead.heard": _("How did you hear about us?"),
    "lead.origin": _("Origin"),
}
_PARTS = ("label", "name", "target", "choices", "required", "hidden", "progressive", "default")


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field of the draft with what is wrong with each of its parts."""

    key: str
    field: Field
    what: Text
    takes_choices: bool
    choices: str
    errors: Sequence[str]
    is_first: bool
    is_last: bool

    @property
    def up_id(self) -> str:
        """The id of the button that moves it up."""
        return f"up-{self.key}"

    @property
    def down_id(self) -> str:
        """The id of the button that moves it down."""
        return f"down-{self.key}"

    @property
    def label_id(self) -> str:
        """The id of its question."""
        return f"{self.key}-label"


@dataclass(frozen=True, slots=True)
class ConsentRow:
    """One consent of the draft."""

    key: str
    ask: ConsentAsk
    errors: Sequence[str]


def choices() -> list[tuple[str, Text]]:
    """Everything that a form may ask, custom attributes last."""
    return [*LABELS.items(), *reads.attribute_labels()]


def rows(fields: Sequence[Row], around: Around, wrong: Mapping[str, str]) -> list[FieldRow]:
    """The fields of the draft, in order."""
    words = dict(choices())
    return [
        FieldRow(
            key=row.key,
            field=row.value,
            what=words.get(row.value.target, row.value.target),
            takes_choices=form_layouts.kind_of(row.value.target, around.attributes)
            in (form_layouts.TEXT, form_layouts.CHOICE),
            choices="\n".join(row.value.choices),
            errors=[text for part in _PARTS if (text := wrong.get(f"{row.key}-{part}"))],
            is_first=number == 0,
            is_last=number == len(fields) - 1,
        )
        for number, row in enumerate(fields)
    ]


def consent_rows(asks: Sequence[Row], wrong: Mapping[str, str]) -> list[ConsentRow]:
    """The consents of the draft, in order."""
    parts = ("purpose", "text", "double_opt_in")
    return [
        ConsentRow(row.key, row.value, [t for part in parts if (t := wrong.get(f"{row.key}-{part}"))])
        for row in asks
    ]
