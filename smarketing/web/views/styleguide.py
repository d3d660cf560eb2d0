"""Every building block on one page, for eyes, screenshots and accessibility checks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django import forms
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from smarketing.users.domain.roles import Capability
from smarketing.web import rendering
from smarketing.web.charts import Bar
from smarketing.web.pages import Request, page
from smarketing.web.rendering import Toast
from smarketing.web.tables import Column, Header, Table


@dataclass(frozen=True, slots=True)
class _Sample:
    """A row of the sample table."""

    id: int
    name: str
    company: str
    stage: str
    score: int
    band: str
    source: str
    owner: str
    value: int
    due_at: datetime


class _SampleForm(forms.Form):
    name = forms.CharField(label=_("Name"), help_text=_("As the person writes it."))
    mail = forms.EmailField(label=_("E-mail"))
    side = forms.ChoiceField(label=_("Team"), choices=[("sales", _("Sales")), ("marketing", _("Marketing"))])
    note = forms.CharField(label=_("Note"), required=False, widget=forms.Textarea(attrs={"rows": 3}))
    tell = forms.BooleanField(label=_("Tell me when it changes"), required=False)


@page(capability=Capability.VIEW)
def show(request: Request) -> HttpResponse:
    """The gallery."""
    wrong = _SampleForm({"name": "Ada", "mail": "ada@", "side": "sales"})
    context = {
        "form": _SampleForm(),
        "wrong": wrong,
        "table": _table(request.now),
        "funnel": _FUNNEL,
        "funnel_head": [_("Stage"), _("Leads"), _("Of the stage before")],
        "funnel_rows": [(b.label, b.text, b.note) for b in _FUNNEL],
        "trend": [12, 18, 14, 22, 19, 27, 31, 29, 36],
        "entries": _entries(request.now),
        "crumbs": [(_("Leads"), reverse("web:styleguide"))],
        "tabs": [(_("Building blocks"), reverse("web:styleguide")), (_("Elsewhere"), "/elsewhere")],
        "columns": _board(request.now),
    }
    return rendering.page(request, "web/styleguide.html", context)


@page(capability=Capability.VIEW, methods=["POST"])
def toast(request: Request) -> HttpResponse:
    """A toast with Undo, as a change of the board answers."""
    undo = reverse("web:styleguide_toast")
    return rendering.toast_only(request, Toast("Joan Turing moved to SQL.", tone="ok", undo_url=undo))


_FUNNEL = [
    Bar("Lead", 4210, "4,210"),
    Bar("MQL", 1630, "1,630", "38.7% of the stage before"),
    Bar("SQL", 702, "702", "43.1% of the stage before"),
    Bar("Opportunity", 388, "388", "55.3% of the stage before"),
    Bar("Customer", 141, "141", "36.3% of the stage before"),
]


def _samples(now: datetime) -> list[_Sample]:
    given = [
        ("Katherine Dijkstra", "Acme", "SQL", 17, "C2", "Outbound", "Moses Joris", 4500, 310),
        ("Joan Turing", "Initech", "MQL", 61, "B1", "Paid search", "Sara Kohl", 28000, 38),
        ("Grace Wilson", "Globex", "SQL", 88, "A1", "Partner", "Moses Joris", 26000, -75),
        ("Sophie Lamarr", "Vandelay", "Lead", 31, "B3", "Paid search", "Sara Kohl", 36000, 1500),
        ("Linus Wilson", "Initech", "MQL", 71, "A2", "Partner", "Tomás Ruiz", 38000, 52),
    ]
    return [_Sample(i, *row[:-1], due_at=now + timedelta(minutes=row[-1])) for i, row in enumerate(given)]


def _table(now: datetime) -> Table[_Sample]:
    columns = [
        Header(Column("name", _("Lead"), sort="name"), url="?sort=name"),
        Header(Column("stage", _("Stage"))),
        Header(Column("score", _("Score"), sort="score"), url="?sort=-score", direction="descending"),
        Header(Column("source", _("Source"))),
        Header(Column("due", _("Respond"))),
        Header(Column("owner", _("Owner"))),
        Header(Column("value", _("Value"), numeric=True)),
    ]
    return Table(
        id="sample-rows",
        caption=_("Leads waiting for a reply"),
        headers=columns,
        rows=_samples(now),
        next_url="?cursor=x",
        sort="-score",
        is_first=True,
        selectable=True,
    )


def _entries(now: datetime) -> list[dict[str, object]]:
    return [
        {"icon": "arrow-right-left", "tone": "accent", "title": "Handed off to Sara Kohl",
         "at": now - timedelta(minutes=12), "detail": "Fit A, interest 1: pricing twice, asked for a demo."},
        {"icon": "phone", "tone": "ok", "title": "Call, connected", "who": "Sara Kohl",
         "at": now - timedelta(hours=3), "detail": "Wants an offer for 40 seats."},
        {"icon": "mouse-pointer-click", "title": "Opened the pricing page", "at": now - timedelta(days=2)},
        {"icon": "circle-alert", "tone": "bad", "title": "Response breached", "at": now - timedelta(days=12)},
    ]  # fmt: skip


def _board(now: datetime) -> list[dict[str, object]]:
    rows = _samples(now)
    return [
        {"key": "mql", "label": "MQL", "sum": 66000, "cards": rows[1:3]},
        {"key": "sql", "label": "SQL", "sum": 30500, "cards": rows[:1] + rows[3:]},
        {"key": "won", "label": "Customer", "sum": 0, "cards": []},
    ]
