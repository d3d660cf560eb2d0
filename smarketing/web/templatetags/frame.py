"""The frame around every page: what is the same on all of them is written once per language.

Menu, palette and list of keys took a third of the time of a page while they were templates.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby

from django import template
from django.conf import settings
from django.template.loader import render_to_string
from django.urls import get_script_prefix, get_urlconf
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from smarketing.web import formats, markup
from smarketing.web.markup import filled, together
from smarketing.web.navigation import Entry

register = template.Library()


@register.simple_tag
def menu_entries(entries: Sequence[Entry]) -> SafeString:
    """The main menu: a list of links for each section, below its heading."""
    parts: list[SafeString] = []
    for number, (section, found) in enumerate(groupby(entries, lambda e: e.item.section), start=1):
        heading = section.label
        if heading:
            parts.append(filled('<p class="side-title" id="nav-{}">{}</p>', number, heading))
        named = filled(' aria-labelledby="nav-{}"', number) if heading else ""
        links = together(filled("<li>{}</li>", _link(entry)) for entry in found)
        parts.append(filled('<ul class="side-list"{}>{}</ul>', named, links))
    return together(parts)


@register.simple_tag
def phone_entries(entries: Sequence[Entry]) -> SafeString:
    """The entries of the bottom bar."""
    return together(
        filled(
            '<a class="bottom-link" href="{}"{}>{}<span>{}</span>{}</a>',
            entry.url,
            _current(entry),
            markup.icon(entry.item.icon, 20, ""),
            entry.item.label,
            _count(entry),
        )
        for entry in entries
    )


@register.simple_tag
def always(name: str) -> SafeString:
    """A template that depends on nothing but the language and where the site lies."""
    if settings.DEBUG:  # templates are being edited
        return render_to_string(name)
    return _always(name, get_language(), get_script_prefix(), get_urlconf())


@register.simple_tag
def shortcuts(entries: Sequence[Entry]) -> SafeString:
    """The dialog that lists the keys, those of the user's menu among them."""
    keys = tuple((e.item.key.upper(), str(e.item.label)) for e in entries if e.item.key)
    return _shortcuts(keys, get_language())


def _link(entry: Entry) -> SafeString:
    item = entry.item
    go = filled(' data-go="{}" aria-keyshortcuts="g {}"', item.key, item.key) if item.key else ""
    return filled(
        '<a class="nav-link" href="{}" title="{}"{}{}>{}<span>{}</span>{}</a>',
        entry.url,
        item.label,
        go,
        _current(entry),
        markup.icon(item.icon, 16, ""),
        item.label,
        _count(entry),
    )


def _current(entry: Entry) -> SafeString | str:
    return filled(' aria-current="page"') if entry.is_current else ""


def _count(entry: Entry) -> SafeString | str:
    if not entry.count:
        return ""
    shown = formats.number(entry.count)
    return filled('<span class="count">{}<span class="sr"> {}</span></span>', shown, entry.item.badge_label)


@lru_cache(maxsize=64)
def _always(name: str, *_state: object) -> SafeString:
    return render_to_string(name)


@lru_cache(maxsize=64)
def _shortcuts(keys: tuple[tuple[str, str], ...], _language: str | None) -> SafeString:
    return render_to_string("components/_shortcuts.html", {"keys": keys})
