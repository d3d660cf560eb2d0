"""A word with the meaning that both teams agreed on, linked to the agreement."""

from __future__ import annotations

from collections.abc import Mapping

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

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


@register.filter
def term_anchor(text: str) -> str:
    """The id of a word's entry, to which :func:`term` links."""
    return anchor(text)


@register.filter
def of_clause(rows: Mapping[int, object] | None, clause_id: int) -> object:
    """What is told of one clause, from a mapping by its id; nothing where it has no entry."""
    return (rows or {}).get(clause_id)
