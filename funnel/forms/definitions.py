"""The editor of a definition: its document as rows of plain fields, and back.

The rules themselves are checked by ``funnel.domain.drafts``; here text becomes values and problems
find their row. What the simple form can't show (a second condition of a signal) is carried along.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms as django_forms
from django.http import QueryDict
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from funnel.domain.definitions import CELLS
from funnel.domain.drafts import without_blanks
from funnel.forms.conditions import condition_values, read_condition, read_number, text_of
from funnel.selectors import definition_prose
from smarketing.core.errors import FieldError

MOST_ROWS = 120
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "fit": ("key", "name", "path", "operator", "value", "points"),
    "signals": ("key", "name", "event", "path", "operator", "value", "points", "daily_cap", "more"),
    "exclusions": ("key", "path", "operator", "value", "reason"),
    "minimum_information": ("band", "first", "second", "third"),
    "personas": ("name", "description", "path", "operator", "value"),
    "ideal": ("path", "operator", "value"),
}
# A row of which only these are filled says nothing and is left out.
_DEFAULTED = frozenset({"key", "operator", "event", "more", "daily_cap", "band"})
SCALARS = ("half_life_days", "hysteresis", "fit_A", "fit_B", "interest_1", "interest_2")
TEXTS = ("effective_on", "ideal_description")


@dataclass(slots=True)
class Row:
    """One rule as text, with what is wrong with it."""

    values: dict[str, str]
    errors: list[str] = field(default_factory=list)

    @property
    def is_blank(self) -> bool:
        """Whether nothing was filled in."""
        return not any(v.strip() for name, v in self.values.items() if name not in _DEFAULTED)


@dataclass(slots=True)
class Editor:
    """The whole form: rows by section, single values, the matrix, and what concerns none of them."""

    name: str
    rows: dict[str, list[Row]]
    scalars: dict[str, str]
    matrix: dict[str, str]
    scalar_errors: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    @property
    def has_errors(self) -> bool:
        """Whether anything has to be mended."""
        wrong = any(row.errors for rows in self.rows.values() for row in rows)
        return wrong or bool(self.scalar_errors or self.errors)


def of_document(document: Mapping[str, Any], *, name: str) -> Editor:
    """The form with what a version says."""
    return Editor(
        name=name,
        rows={
            "fit": [Row(_rule(entry)) for entry in document["fit"]],
            "signals": [Row(_signal(entry)) for entry in document["signals"]],
            "exclusions": [
                Row({**condition_values(e), "key": e["key"], "reason": e["reason"]})
                for e in document["exclusions"]
            ],
            "minimum_information": [
                *(Row(_requirement(item, "")) for item in document["minimum_information"]),
                *(
                    Row(_requirement(item, band))
                    for band, items in sorted(document.get("minimum_by_band", {}).items())
                    for item in items
                ),
            ],
            "personas": [row for entry in document.get("personas", []) for row in _persona_rows(entry)],
            "ideal": [Row(condition_values(c)) for c in document.get("ideal_customer", {}).get("where", [])],
        },
        scalars={
            "half_life_days": text_of(document["half_life_days"]),
            "hysteresis": text_of(round(document["hysteresis"] * 100, 6)),
            "fit_A": text_of(document["fit_bands"]["A"]),
            "fit_B": text_of(document["fit_bands"]["B"]),
            "interest_1": text_of(document["interest_bands"]["1"]),
            "interest_2": text_of(document["interest_bands"]["2"]),
            "effective_on": document.get("effective_on", ""),
            "ideal_description": document.get("ideal_customer", {}).get("description", ""),
        },
        matrix={cell: document["matrix"][cell] for cell in CELLS},
    )


def of_post(data: QueryDict) -> Editor:
    """The form as it was sent; blank rows are left out."""
    rows = {}
    for section, names in COLUMNS.items():
        columns = {name: data.getlist(f"{section}-{name}")[:MOST_ROWS] for name in names}
        length = max(len(column) for column in columns.values())
        made = (
            Row({name: columns[name][i] if i < len(columns[name]) else "" for name in names})
            for i in range(length)
        )
        rows[section] = [row for row in made if not row.is_blank]
    return Editor(
        name=data.get("name", ""),
        rows=rows,
        scalars={name: data.get(name, "") for name in (*SCALARS, *TEXTS)},
        matrix={cell: data.get(f"matrix-{cell}", "") for cell in CELLS},
    )


def document_of(editor: Editor) -> Mapping[str, Any]:
    """The document that the form says; values that can't be read stay text, for the rules to refuse."""
    scalars = {name: read_number(editor.scalars[name]) for name in SCALARS}
    asked = editor.rows["minimum_information"]
    hysteresis = scalars["hysteresis"]
    document = {
        "fit": _entries(editor.rows["fit"], _fit_entry),
        "signals": _entries(editor.rows["signals"], _signal_entry),
        "exclusions": _entries(editor.rows["exclusions"], _exclusion_entry),
        "minimum_information": [_asked(row) for row in asked if not row.values["band"]],
        "minimum_by_band": {
            band: [_asked(row) for row in asked if row.values["band"] == band]
            for band in sorted({row.values["band"] for row in asked} - {""})
        },
        "personas": _personas(editor.rows["personas"]),
        "ideal_customer": {
            "description": editor.scalars["ideal_description"].strip(),
            "where": [read_condition(row.values) for row in editor.rows["ideal"]],
        },
        "effective_on": editor.scalars["effective_on"].strip() or None,
        "half_life_days": scalars["half_life_days"],
        "hysteresis": hysteresis / 100 if isinstance(hysteresis, int | float) else hysteresis,
        "fit_bands": {"A": scalars["fit_A"], "B": scalars["fit_B"]},
        "interest_bands": {"1": scalars["interest_1"], "2": scalars["interest_2"]},
        "matrix": dict(editor.matrix),
    }
    return without_blanks(document)


def place_errors(editor: Editor, errors: Sequence[FieldError]) -> None:
    """Put each problem beside the row or field it is about."""
    for error in errors:
        parts = error.field.split(".")
        rows = _rows_about(editor, parts)
        if len(parts) > 1 and parts[1].isdecimal() and int(parts[1]) < len(rows):
            rows[int(parts[1])].errors.append(error.detail)
            continue
        scalar = {"fit_bands": "fit_", "interest_bands": "interest_"}.get(parts[0], "")
        name = scalar + parts[-1] if scalar else parts[0]
        if name in SCALARS or name in TEXTS:
            editor.scalar_errors[name] = error.detail
        else:
            editor.errors.append(error.detail)


def _rows_about(editor: Editor, parts: list[str]) -> list[Row]:
    """The rows among which the second word of a problem's path counts; ``parts`` is made to say so."""
    if parts[0] == "minimum_by_band" and len(parts) > 2:
        rows = [row for row in editor.rows["minimum_information"] if row.values["band"] == parts[1]]
        del parts[1]
        return rows
    if parts[0] == "ideal_customer" and len(parts) > 2:
        del parts[1]
        return editor.rows["ideal"]
    if parts[0] == "ideal_customer":
        parts[-1] = "ideal_description"
        parts[0] = parts[-1]
        return []
    if parts[0] == "personas" and len(parts) > 1:
        groups = list(_by_name(editor.rows["personas"]).values())
        if len(parts) > 3 and parts[3].isdecimal() and int(parts[1]) < len(groups):
            told = [row for row in groups[int(parts[1])] if row.values["path"]]
            parts[1] = parts[3]
            return told
        return [group[0] for group in groups]
    if parts[0] == "minimum_information":
        return [row for row in editor.rows["minimum_information"] if not row.values["band"]]
    return editor.rows.get(parts[0], [])


def _rule(entry: Mapping[str, Any]) -> dict[str, str]:
    return {
        "key": entry["key"], "name": _humane(entry["key"]), "points": text_of(entry["points"]),
        **condition_values(entry),
    }  # fmt: skip


def _signal(entry: Mapping[str, Any]) -> dict[str, str]:
    where = entry.get("where") or []
    cap = entry.get("daily_cap")
    return {
        **_rule({**entry, **(where[0] if where else {"path": "", "operator": "contains"})}),
        "event": entry["event"],
        "daily_cap": "" if cap is None else str(cap),
        "more": json.dumps(where[1:]) if len(where) > 1 else "",
    }


def _requirement(item: str | Sequence[str], band: str) -> dict[str, str]:
    paths = [item] if isinstance(item, str) else list(item)
    padded = [band, *paths, "", "", ""]
    return dict(zip(COLUMNS["minimum_information"], padded, strict=False))


def _asked(row: Row) -> list[str]:
    return [path for name, path in row.values.items() if name != "band" and path]


def _persona_rows(entry: Mapping[str, Any]) -> list[Row]:
    """A persona as rows, one per condition; its description stands in the first."""
    where = entry.get("where") or [{"operator": "matches"}]
    description = entry.get("description", "")
    return [
        Row({"name": entry["name"], "description": "" if i else description, **condition_values(c)})
        for i, c in enumerate(where)
    ]


def _by_name(rows: Sequence[Row]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.values["name"].strip().casefold(), []).append(row)
    return groups


def _personas(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Rows of the same name are one persona with several conditions."""
    used: set[str] = set()
    return [
        {
            "key": _key("", group[0].values["name"], used),
            "name": group[0].values["name"].strip(),
            "description": " ".join(filter(None, (row.values["description"].strip() for row in group))),
            "where": [read_condition(row.values) for row in group if row.values["path"]],
        }
        for group in _by_name(rows).values()
    ]


def _entries(rows: Sequence[Row], make: Callable[[Row, set[str]], dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows as entries whose keys differ within their part."""
    used: set[str] = set()
    return [make(row, used) for row in rows]


def _fit_entry(row: Row, used: set[str]) -> dict[str, Any]:
    values = row.values
    named = values["name"] or f"{values['path'].rpartition('.')[2]} {values['value']}"
    return {
        "key": _key(values["key"], named, used),
        "points": read_number(values["points"]),
        **read_condition(values),
    }


def _signal_entry(row: Row, used: set[str]) -> dict[str, Any]:
    values = row.values
    named = values["name"] or f"{values['event']} {values['value']}"
    where = [read_condition(values)] if values["path"] else []
    where += _carried(values["more"])
    entry = {
        "key": _key(values["key"], named, used),
        "event": values["event"],
        "points": read_number(values["points"]),
        "daily_cap": read_number(values["daily_cap"]) if values["daily_cap"].strip() else None,
    }
    return {**entry, "where": where} if where else entry


def _exclusion_entry(row: Row, used: set[str]) -> dict[str, Any]:
    values = row.values
    return {
        "key": _key(values["key"], _humane(values["key"] or values["reason"] or "excluded"), used),
        "reason": values["reason"],
        **read_condition(values),
    }


def _carried(text: str) -> list[Any]:
    """The further conditions of a signal, as they were; the rules check them again."""
    try:
        found = json.loads(text) if text else []
    except ValueError:
        return [text]
    return found if isinstance(found, list) else [found]


def _key(key: str, named: str, used: set[str]) -> str:
    """A stable key: the one it had while its name is the same, else one made from the name."""
    made = key if key and _humane(key) == named.strip() else slugify(named).replace("-", "_")[:50]
    if not made or not made[0].isalpha():
        made = f"rule_{made}".rstrip("_")
    unique, number = made, 2
    while unique in used:
        unique, number = f"{made}_{number}", number + 1
    used.add(unique)
    return unique


def _humane(key: str) -> str:
    return key.replace("_", " ").capitalize()


class ProposeForm(django_forms.Form):
    """From which day a proposal is to hold."""

    effective_on = django_forms.DateField(
        label=_("In force from"),
        required=False,
        widget=django_forms.DateInput(attrs={"type": "date"}),
        help_text=_("Empty: as soon as both sides have signed."),
    )


class CommentForm(django_forms.Form):
    """A comment on a version, or on one of its parts."""

    text = django_forms.CharField(
        label=_("Comment"), max_length=4000, widget=django_forms.Textarea(attrs={"rows": 3})
    )
    part = django_forms.ChoiceField(
        label=_("About"),
        required=False,
        choices=[("", _("the whole version")), *definition_prose.PARTS.items()],
    )
