"""A clock in words and colour, for templates and for the cells of lists."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import template
from django.template import Context
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from sla.selectors.clocks import ClockView
from smarketing.web.templatetags.fmt import request_now
from smarketing.web.templatetags.ui import tag, written_due

register = template.Library()


@register.simple_tag(takes_context=True)
def clock_tag(context: Context, view: ClockView | None) -> SafeString:
    """How a clock stands at the instant of the request."""
    return _written(view, request_now(context))


def clock_cell(shown: Mapping[str, Any], *, now: datetime) -> SafeString:
    """The SLA cell of the leads list."""
    return _written(shown["view"], now)


def _written(view: ClockView | None, now: datetime) -> SafeString:
    if not view:
        return tag(_("No deadline"), "plain")
    if view.done:
        return tag(view.done, view.tone)
    return written_due(view.due_at, now=now, warn_at=view.warn_at, windows=view.windows, paused=view.paused)
