"""Filters and tags that write values the way the viewer does."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django import template
from django.template import Context
from django.utils.safestring import SafeString

from smarketing.core import clock
from smarketing.web import formats, query
from smarketing.web.markup import filled

register = template.Library()

register.filter("number", formats.number)
register.filter("money", formats.money)
register.filter("percent", formats.percent)
register.filter("moment", formats.moment)
register.filter("day", formats.day)


@register.filter
def span(value: timedelta | float | None) -> str:
    """A length of time; a bare number counts seconds."""
    if value is None:
        return "–"
    return formats.span(value if isinstance(value, timedelta) else timedelta(seconds=float(value)))


@register.simple_tag
def share(part: int, whole: int) -> str:
    """``{% share k n %}``: the percentage with its counts; below ten cases the counts alone."""
    return formats.share(part, whole)


@register.simple_tag(takes_context=True)
def ago(context: Context, value: datetime | None) -> SafeString | str:
    """``{% ago instant %}``: "3 h ago", with the exact instant on hover; kept true by a script."""
    if value is None:
        return "–"
    return filled(
        '<time datetime="{}" title="{}" data-ago>{}</time>',
        value.isoformat(),
        formats.moment(value),
        formats.ago(value, now=request_now(context)),
    )


@register.simple_tag
def at(value: datetime | date | None) -> SafeString | str:
    """``{% at instant %}``: day and time (or day) in the viewer's zone, machine-readable."""
    if value is None:
        return "–"
    text = formats.moment(value) if isinstance(value, datetime) else formats.day(value)
    return filled('<time datetime="{}">{}</time>', value.isoformat(), text)


@register.simple_tag(takes_context=True)
def query_with(context: Context, **changes: Any) -> str:
    """``{% query_with sort="name" cursor=None %}``: this page's query string with changes."""
    changes = {k: None if v is None else str(v) for k, v in changes.items()}
    return query.changed(context["request"].GET, **changes)


def request_now(context: Context) -> datetime:
    """The instant of the request that is being answered."""
    request = context.get("request")
    return getattr(request, "now", None) or clock.now()
