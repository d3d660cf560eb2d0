"""The row of a lead in the leads list.

Written here of the building blocks that templates use, because a page has fifty of them: as a template
they took half of the time of the whole page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django import template
from django.template import Context
from django.urls import get_script_prefix, reverse
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from funnel.models import LeadAction
from funnel.selectors.lead_list import Row
from smarketing.web.cells import Cell
from smarketing.web.markup import filled, together
from smarketing.web.templatetags.fmt import ago
from smarketing.web.templatetags.ui import score, tag, who

register = template.Library()
_ANY_KEY = 987654321


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a row in one language."""

    select: str
    stage: str
    fit: str
    interest: str
    origin: str
    owner: str
    captured: str
    actions: Mapping[str, str]


@lru_cache(maxsize=32)
def _words(language: str | None) -> Words:
    return Words(
        # Translators: the name of a check box beside a lead.
        select=_("Select %(name)s"),
        stage=_("Stage"),
        fit=_("Fit"),
        interest=_("Interest"),
        origin=_("Origin"),
        owner=_("Owner"),
        captured=_("Captured"),
        actions={action.value: str(action.label) for action in LeadAction},
    )


@lru_cache(maxsize=8)
def _address(_prefix: str) -> str:
    """The address of a lead's page with a place for its key; the router is asked once."""
    return reverse("leads:lead", args=(_ANY_KEY,)).replace(str(_ANY_KEY), "{}")


@register.simple_tag(takes_context=True)
def lead_row(context: Context, row: Row, selectable: bool) -> SafeString:  # noqa: FBT001 - given by template
    """The ``<tr>`` of one lead, with the cells of other apps."""
    words, lead = _words(get_language()), row.lead
    held: Any = getattr(lead, "score", None)
    name = row.name or lead.origin or "–"
    company, owner, channel = row.company, row.state.owner, lead.channel
    parts = [
        _box(row.pk, words.select % {"name": name}) if selectable else "",
        filled(
            '<td class="lead-cell">{}</td><td data-label="{}">{}</td><td data-label="{}">{}</td>'
            '<td data-label="{}" title="{}">{}</td><td data-label="{}">{}</td>',
            who(name, sub=company.name if company else "", url=_address(get_script_prefix()).format(row.pk)),
            words.stage,
            tag(row.stage.name, "plain", title=row.stage.meaning),
            words.fit,
            score(held.fit, band=held.fit_band, label=words.fit) if held else "–",
            words.interest,
            words.actions[held.action] if held else "",
            score(row.interest, band=_band(row) if held else "", label=words.interest),
            words.origin,
            lead.origin or (channel.name if channel else "") or "–",
        ),
        *(_added(context, cell) for cell in row.cells),
        filled(
            '<td class="nowrap" data-label="{}">{}</td><td class="nowrap" data-label="{}">{}</td>',
            words.owner,
            (owner.name if owner else "") or "–",
            words.captured,
            ago(context, lead.captured_at),
        ),
    ]
    return filled("<tr data-row>{}</tr>", together(parts))


def _box(key: int, label: str) -> SafeString:
    return filled(
        '<td class="pick"><input type="checkbox" name="id" value="{}" form="bulk" data-pick'
        ' aria-label="{}"></td>',
        key,
        label,
    )


def _band(row: Row) -> str:
    """The band of an open lap; of an ended one none is kept up."""
    return str(row.interest_band or "")


def _added(context: Context, cell: Cell) -> SafeString:
    """The cell of another app, by its own template; without anything to show it is empty."""
    shown = ""
    if cell.context and context.template is not None:
        found = context.template.engine.get_template(cell.column.template)
        with context.push(cell=cell.context):
            shown = found.render(context)
    return filled('<td data-label="{}">{}</td>', cell.column.label, shown)
