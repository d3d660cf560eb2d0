"""Bringing in a file: what it holds, how it is read, what its columns are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from leads.domain.synonyms import KINDS
from leads.models import AttributeType, ImportRun
from leads.services.imports.kinds import Kind
from leads.services.imports.previews import Column

KEEP, SKIP = "+", "-"
# What files are written in; the names are those of Python's codecs.
ENCODINGS = (
    ("utf-8", _("Unicode (UTF-8)")),
    ("utf-8-sig", _("Unicode (UTF-8 with a mark)")),
    ("utf-16", _("Unicode (UTF-16)")),
    ("utf-16-le", _("Unicode (UTF-16, little-endian)")),
    ("utf-16-be", _("Unicode (UTF-16, big-endian)")),
    ("utf-32", _("Unicode (UTF-32)")),
    ("cp1252", _("Western European (Windows-1252)")),
    ("iso-8859-1", _("Western European (ISO 8859-1)")),
    ("iso-8859-15", _("Western European (ISO 8859-15)")),
    ("mac_roman", _("Western European (Mac)")),
    ("cp1250", _("Central European (Windows-1250)")),
    ("cp1251", _("Cyrillic (Windows-1251)")),
    ("koi8_r", _("Cyrillic (KOI8-R)")),
    ("cp1253", _("Greek (Windows-1253)")),
    ("cp1254", _("Turkish (Windows-1254)")),
    ("gb18030", _("Chinese (GB 18030)")),
    ("big5", _("Chinese (Big5)")),
    ("shift_jis", _("Japanese (Shift JIS)")),
    ("euc_kr", _("Korean (EUC-KR)")),
)
DELIMITERS = ((",", _("Comma")), (";", _("Semicolon")), ("\t", _("Tab")), ("|", _("Bar")))
_ORDERS = (
    ("", _("Only dates that can be read in one way")),
    ("dmy", _("Day first: 31/12/2026")),
    ("mdy", _("Month first: 12/31/2026")),
)
_LABELS = {
    "external_id": _("Id in the source"),
    "person_ref": _("Id of the person"),
    "lead_ref": _("Id of the lead"),
    "company_ref": _("Id of the company"),
    "campaign_ref": _("Id of the campaign"),
    "parent_ref": _("Id of the parent company"),
    "name": _("Name"),
    "email": _("E-mail"),
    "title": _("Title"),
    "is_deleted": _("Deleted in the source"),
    "is_active": _("Active"),
    "is_done": _("Done"),
    "is_won": _("Won"),
    "is_closed": _("Closed"),
    "is_converted": _("Converted"),
    "is_customer": _("Is a customer"),
    "captured_at": _("Captured"),
    "converted_at": _("Converted on"),
    "occurred_at": _("When it was"),
    "due_at": _("Due"),
    "opened_at": _("Opened on"),
    "closed_at": _("Closed on"),
    "won_at": _("Won on"),
    "lost_at": _("Lost on"),
    "expected_close_on": _("Expected to close on"),
    "duration_seconds": _("Duration in seconds"),
    "utm_source": _("UTM source"),
    "url": _("Web address"),
    "no_email": _("Do not e-mail"),
    "no_phone": _("Do not call"),
    "no_contact": _("Do not contact at all"),
    "consent": _("Consent (yes, or to what)"),
    "consent_at": _("Consent given on"),
}


def kind_label(name: str) -> str:
    """What a kind is called: "Leads"."""
    return gettext(KINDS[name].label) if name in KINDS else name


def field_label(name: str) -> str:
    """What a field is called: "Id in the source"."""
    known = _LABELS.get(name)
    return str(known) if known is not None else gettext(name.replace("_", " ").capitalize())


class UploadForm(forms.Form):
    """A file and what it holds."""

    kind = forms.ChoiceField(label=_("What the file holds"))
    source = forms.CharField(
        label=_("Where it comes from"),
        max_length=60,
        help_text=_("The name of the system, such as HubSpot: ids in the file are those of this system."),
        widget=forms.TextInput(attrs={"list": "import-sources", "autocomplete": "off"}),
    )
    file = forms.FileField(
        label=_("File"),
        max_length=400,
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx", "class": "drop"}),
    )

    def __init__(self, *args: Any, kinds: Sequence[Kind], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = self.fields["kind"]
        if isinstance(choice, forms.ChoiceField):
            choice.choices = [(kind.name, kind_label(kind.name)) for kind in kinds]
        limit = settings.MAX_BODY_BYTES
        self.fields["file"].help_text = gettext(
            "CSV or Excel (XLSX), at most %(n)d MB. Drop it here or choose it."
        ) % {"n": limit // 1024**2}
        self.fields["file"].widget.attrs["data-max-bytes"] = str(limit)


class ReadingForm(forms.Form):
    """How the bytes of the file become cells."""

    encoding = forms.ChoiceField(label=_("Characters"), choices=ENCODINGS, required=False)
    delimiter = forms.ChoiceField(label=_("Between cells"), choices=DELIMITERS, required=False)
    sheet = forms.ChoiceField(label=_("Sheet"), required=False)

    def __init__(self, *args: Any, run: ImportRun, **kwargs: Any) -> None:
        kwargs["initial"] = {name: run.choices.get(name) for name in ("encoding", "delimiter", "sheet")}
        super().__init__(*args, **kwargs)
        sheet = self.fields["sheet"]
        if run.sheets and isinstance(sheet, forms.ChoiceField):
            sheet.choices = [(name, name) for name in run.sheets]
            del self.fields["encoding"], self.fields["delimiter"]
        else:
            del self.fields["sheet"]

    def chosen(self) -> dict[str, str | None]:
        """What ``uploads.read_as`` takes, from a valid form."""
        return {name: self.cleaned_data.get(name) or None for name in ("encoding", "delimiter", "sheet")}


class MappingForm(forms.Form):
    """What each column is, and how values are understood."""

    key = forms.ChoiceField(
        label=_("Records are recognised by"),
        choices=(
            ("external_id", _("Their id in the source, else their e-mail address or phone number")),
            ("email", _("Their e-mail address, whatever the id")),
        ),
    )
    dates = forms.ChoiceField(label=_("Dates such as 03/04/2026"), choices=_ORDERS, required=False)
    create_missing = forms.BooleanField(
        label=_("Make what the file names and is not here yet"),
        required=False,
        help_text=_(
            "Companies, campaigns, products and, for an admin, owners. Otherwise such rows are refused."
        ),
    )

    def __init__(self, *args: Any, kind: Kind, columns: Sequence[Column], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.names = {f"column-{column.position}": column.name for column in columns}
        fields = [(field.name, field_label(field.name)) for field in kind.fields]
        for column in columns:
            first: list[tuple[str, str]] = [(SKIP, gettext("Leave out"))]
            if kind.subject:
                kept = gettext("Keep as an attribute (%(type)s)")
                first.append((KEEP, kept % {"type": AttributeType(column.type).label}))
            self.fields[f"column-{column.position}"] = forms.ChoiceField(
                label=column.name,
                choices=[*first, (gettext("Fields"), fields)],
                initial=column.what,
            )

    def chosen(self) -> dict[str, Any]:
        """What ``uploads.map_columns`` takes, from a valid form."""
        given = self.cleaned_data
        return {
            "columns": {name: given[place] for place, name in self.names.items()},
            "key": given["key"],
            "dates": given["dates"],
            "create_missing": given["create_missing"],
        }


class CellForm(forms.Form):
    """A cell of the file as a person mends it, or a row they leave out."""

    row = forms.IntegerField(min_value=1, max_value=2**31 - 1)
    position = forms.IntegerField(min_value=0, max_value=20_000, required=False)
    text = forms.CharField(max_length=4_000, required=False, strip=False)
    is_out = forms.NullBooleanField(required=False)
