"""The builder's page as a layout: rows of fields and consents, in the order in which they stand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.http import QueryDict

from leads.domain import form_layouts
from leads.domain.form_layouts import ConsentAsk, Field, Layout

_ROW = re.compile(r"^[a-z0-9]{1,12}$")
_WORDS = ("title", "intro", "submit", "thanks", "redirect_url")
_UP, _DOWN, _DROP, _ADD = "up", "down", "drop", "add"


@dataclass(frozen=True, slots=True)
class Row:
    """A field or consent with the key that its controls carry, which stays when it moves."""

    key: str
    value: Any


@dataclass(frozen=True, slots=True)
class Draft:
    """What stands on the page."""

    layout: Layout
    fields: list[Row]
    consents: list[Row]

    @property
    def field_keys(self) -> list[str]:
        """The keys of the fields, in order."""
        return [row.key for row in self.fields]


def of_layout(layout: Layout) -> Draft:
    """A stored layout, with keys for its rows."""
    return Draft(
        layout,
        [Row(f"f{n}", value) for n, value in enumerate(layout.fields)],
        [Row(f"c{n}", value) for n, value in enumerate(layout.consents)],
    )


def of_post(post: QueryDict) -> Draft:
    """What the page has sent, after the button that was pressed (``do`` = ``up:f3``) has done its work."""
    fields = [Row(key, _field(post, key)) for key in _keys(post, "field")]
    consents = [Row(key, _consent(post, key)) for key in _keys(post, "consent")]
    action, _sep, what = post.get("do", "").partition(":")
    fields = _moved(fields, action, what)
    consents = _moved(consents, action, what)
    if action == _ADD and what == "consent" and len(consents) < form_layouts.MOST_CONSENTS:
        consents.append(Row(_free(consents, "c"), ConsentAsk("", "")))
    elif action == _ADD and what == "field" and len(fields) < form_layouts.MOST_FIELDS:
        target = post.get("new_target", "")
        fields.append(Row(_free(fields, "f"), _new(target, [row.value.name for row in fields])))
    layout = form_layouts.read({name: post.get(name, "") for name in _WORDS})
    full = replace(
        layout, fields=tuple(row.value for row in fields), consents=tuple(row.value for row in consents)
    )
    return Draft(full, fields, consents)


def focus(draft: Draft, do: str) -> str:
    """The id of the control that has the focus after a button did its work; "" for none."""
    action, _sep, what = do.partition(":")
    keys = draft.field_keys
    if action == _ADD:
        return f"{keys[-1]}-label" if what == "field" and keys else "add-consent"
    if action == _DROP:
        return "add-consent" if what.startswith("c") else "add-field"
    if what not in keys:
        return ""
    # At the end of its way a button rests; its neighbour leads back.
    is_at_end = what == (keys[0] if action == _UP else keys[-1])
    other = {_UP: _DOWN, _DOWN: _UP}.get(action, "")
    return f"{other if is_at_end else action}-{what}"


def _keys(post: QueryDict, name: str) -> list[str]:
    most = form_layouts.MOST_FIELDS
    return list(dict.fromkeys(key for key in post.getlist(name) if _ROW.match(key)))[:most]


def _field(post: QueryDict, key: str) -> Field:
    def text(name: str) -> str:
        return post.get(f"{key}-{name}", "").replace("\x00", "").strip()[:500]

    choices = (line.strip()[:200] for line in post.get(f"{key}-choices", "")[:20_000].splitlines())
    return Field(
        name=text("name"),
        target=text("target"),
        label=text("label"),
        help=text("help"),
        default=text("default"),
        required=f"{key}-required" in post,
        hidden=f"{key}-hidden" in post,
        progressive=f"{key}-progressive" in post,
        choices=tuple(dict.fromkeys(line for line in choices if line)),
    )


def _consent(post: QueryDict, key: str) -> ConsentAsk:
    return ConsentAsk(
        purpose=post.get(f"{key}-purpose", "")[:40],
        text=post.get(f"{key}-text", "").replace("\x00", "").strip()[:4000],
        required=f"{key}-required" in post,
        double_opt_in=f"{key}-double" in post,
    )


def _moved(rows: list[Row], action: str, what: str) -> list[Row]:
    place = next((n for n, row in enumerate(rows) if row.key == what), None)
    if place is None:
        return rows
    if action == _DROP:
        return [row for row in rows if row.key != what]
    other = place - 1 if action == _UP else place + 1 if action == _DOWN else place
    if 0 <= other < len(rows):
        rows[place], rows[other] = rows[other], rows[place]
    return rows


def _free(rows: Sequence[Row], letter: str) -> str:
    taken = {row.key for row in rows}
    return next(key for n in range(1000) if (key := f"{letter}{n}") not in taken)


def _new(target: str, names: Sequence[str]) -> Field:
    base = re.sub(r"[^A-Za-z0-9_-]", "_", target.rpartition(".")[2]) or "field"
    name = next(n for i in range(100) if (n := base if i == 0 else f"{base}{i}") not in names)
    return Field(name=name, target=target[:500], label="")
