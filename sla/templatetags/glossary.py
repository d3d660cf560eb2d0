"""A word with the meaning that both teams agreed on, linked to the agreement."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from sla.domain.metrics import METRICS
from sla.selectors.glossary import Meaning, anchor

register = template.Library()


@register.simple_tag
def term(glossary: Mapping[str, Meaning] | None, binding: str, text: object) -> SafeString | str:
    """``text``, and where the glossary binds a meaning to ``binding`` ("metric:worked") a link with it.

    Needs the mapping of ``sla.selectors.glossary.in_force``, given by the view: no tag asks the database.
    """
    meaning = (glossary or {}).get(binding)
    if meaning is None:
        return str(text)
    return format_html(
        '<a class="term" href="{}#{}" title="{}">{}<span class="sr">: {}</span></a>',
        reverse("sla:agreement"),
        meaning.anchor,
        meaning.meaning,
        text,
        meaning.meaning,
    )


@register.simple_tag
def bound_link(binding: str) -> dict[str, str] | None:
    """Where what a word is bound to is seen: the commitments of a metric, the leads at a stage."""
    kind, _colon, code = (binding or "").partition(":")
    if kind == "metric" and code in METRICS:
        return {"url": reverse("sla:commitments"), "label": _("how it stands")}
    if kind == "stage":
        return {"url": f"{reverse('funnel:leads')}?stage={quote(code)}", "label": _("leads at this stage")}
    return None


@register.filter
def term_anchor(text: str) -> str:
    """The id of a word's entry, to which :func:`term` links."""
    return anchor(text)


@register.filter
def of_clause(rows: Mapping[int, object] | None, clause_id: int) -> object:
    """What is told of one clause, from a mapping by its id; nothing where it has no entry."""
    return (rows or {}).get(clause_id)
