"""The audit trail: who changed which setting, with the values before and after."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from smarketing.audit.models import AuditEntry
from smarketing.audit.selectors import entries
from smarketing.users.domain.roles import Capability
from smarketing.web import lists
from smarketing.web.forms.settings_filters import AuditFilter
from smarketing.web.lists import Empty
from smarketing.web.pages import Request, page
from smarketing.web.tables import Column, TableSpec

ENTRIES = TableSpec(
    id="audit",
    caption=gettext_lazy("Audit trail"),
    default_sort="-at",
    columns=(
        Column("at", gettext_lazy("When"), sort="at"),
        Column("actor", gettext_lazy("Who")),
        Column("action", gettext_lazy("What")),
        Column("object", gettext_lazy("Object")),
        Column("changes", gettext_lazy("Before and after")),
    ),
)


@dataclass(frozen=True, slots=True)
class Change:
    """One member of what was changed; an empty side was not there."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as the page shows it."""

    entry: AuditEntry
    action: str
    kind: str
    changes: list[Change]

    @property
    def pk(self) -> int:
        """The key of the row."""
        return self.entry.pk


@page(capability=Capability.READ_AUDIT)
def show(request: Request) -> HttpResponse:
    """The trail, the latest first."""
    return lists.render(
        request,
        "settings/audit.html",
        spec=ENTRIES,
        filterset=AuditFilter(request.GET, queryset=entries.visible_to(request.user).order_by()),
        row="settings/_audit_row.html",
        empty=Empty("scroll-text", _("Every change of the settings is kept here; nobody can remove it.")),
        dress=lambda rows: [_line(row) for row in rows],
    )


def _line(entry: AuditEntry) -> Line:
    action = entry.action.replace("_", " ").replace(".", " ").capitalize()
    kind = entry.object_type.rpartition(".")[2]
    return Line(entry, action, kind, list(_changes(entry)))


def _changes(entry: AuditEntry) -> Iterator[Change]:
    for name in {**entry.before, **entry.after}:
        before, after = _text(entry.before.get(name)), _text(entry.after.get(name))
        yield Change(str(name).replace("_", " "), before, after)


def _text(value: Any) -> str:
    match value:
        case None | "":
            return ""
        case bool():
            return _("yes") if value else _("no")
        case str() | int() | float():
            return str(value)
        case list() if all(isinstance(part, str | int | float) for part in value):
            return ", ".join(str(part) for part in value)
        case _:
            return json.dumps(value, ensure_ascii=False, sort_keys=True)
