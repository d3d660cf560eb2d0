"""The rows of the leads list.

Written here of the building blocks that templates use, because a page has fifty of them: as a template
they took half of the time of the whole page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from django import template
from django.template import Context
from django.urls import get_script_prefix, reverse
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from funnel.models import LeadAction
from funnel.selectors.lead_rows import LeadRow
from smarketing.web.cells import Cell
from smarketing.web.markup import filled, together
from smarketing.web.tables import Table
from smarketing.web.templatetags.fmt import ago, request_now
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
def lead_rows(context: Context, table: Table[LeadRow]) -> SafeString:
    """A ``<tr>`` for each lead, with the cells of other apps."""
    labels = tuple(str(cell.column.label) for cell in table.rows[0].cells) if table.rows else ()
    frame = _Frame(context, _words(get_language()), _address(get_script_prefix()), table.selectable, labels)
    return together([_row(frame, row) for row in table.rows])


class _Frame(NamedTuple):
    """What all rows of a page have in common."""

    context: Context
    words: Words
    address: str
    is_selectable: bool
    labels: tuple[str, ...]  # of the cells of other apps


def _row(frame: _Frame, row: LeadRow) -> SafeString:
    """One ``<tr>``. What rows repeat (a stage, a score, an owner) is a cell that was written before."""
    words, has_score = frame.words, row.fit is not None
    name = row.name or row.origin or "–"
    return filled(
        '<tr data-row>{}<td class="lead-cell">{}</td>{}{}{}{}{}{}'
        '<td class="nowrap" data-label="{}">{}</td></tr>',
        filled(_BOX, row.pk, words.select % {"name": name}) if frame.is_selectable else "",
        who(name, sub=row.company or "", url=frame.address.format(row.pk)),
        _stage_cell(words.stage, row.stage, row.stage_meaning),
        _cell("", words.fit, score(row.fit, band=row.fit_band or "", label=words.fit)),
        _interest_cell(
            words.interest,
            words.actions[row.action] if row.action else "",
            score(row.interest, band=_band(row) if has_score else "", label=words.interest),
        ),
        _cell("", words.origin, row.origin or row.channel or "–"),
        together([_added(frame.context, *added) for added in zip(frame.labels, row.cells, strict=True)]),
        _cell("nowrap", words.owner, row.owner or "–"),
        words.captured,
        ago(frame.context, row.captured_at),
    )


_BOX = (
    '<td class="pick"><input type="checkbox" name="id" value="{}" form="bulk" data-pick aria-label="{}"></td>'
)


# Kept by their words, and typed: text that is HTML already is another key than the same text that is not.
@lru_cache(maxsize=4096, typed=True)
def _cell(style: str, label: str, shown: str) -> SafeString:
    named = filled(' class="{}"', style) if style else ""
    return filled('<td{} data-label="{}">{}</td>', named, label, shown)


@lru_cache(maxsize=512, typed=True)
def _stage_cell(label: str, stage: str, meaning: str) -> SafeString:
    return filled('<td data-label="{}">{}</td>', label, tag(stage, "plain", title=meaning))


@lru_cache(maxsize=4096, typed=True)
def _interest_cell(label: str, action: str, shown: str) -> SafeString:
    return filled('<td data-label="{}" title="{}">{}</td>', label, action, shown)


def _band(row: LeadRow) -> str:
    """The band of an open lap; of an ended one none is kept up."""
    return str(row.interest_band or "") if row.is_open else ""


def _added(context: Context, label: str, cell: Cell) -> SafeString:
    """The cell of another app, as it writes it; without anything to show it is empty."""
    shown: str = ""
    if cell.context and cell.column.write is not None:
        shown = cell.column.write(cell.context, now=request_now(context))
    elif cell.context and context.template is not None:
        found = context.template.engine.get_template(cell.column.template)
        with context.push(cell=cell.context):
            shown = found.render(context)
    return _cell("", label, shown)
