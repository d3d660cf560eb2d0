"""How the browser finds its scripts."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from django import template
from django.conf import settings
from django.template import Context
from django.templatetags.static import static
from django.utils.html import format_html, json_script
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from smarketing.web import markup

register = template.Library()

ON_DEMAND = frozenset({"sortable", "echarts"})
"""Modules that only some pages load; all others are fetched at once, not one after another."""

HTMX_CONFIG = {
    "includeIndicatorCSS": False,
    "history": "reload",
    "mode": "same-origin",
    "defaultTimeout": 30000,
    "transitions": False,
}


@register.simple_tag(takes_context=True)
def importmap(context: Context) -> SafeString:
    """The map from bare names to (hashed) addresses, the one inline script; and early loading."""
    found, preloads = _import_map() if settings.DEBUG else _kept_import_map()
    nonce = context["request"].csp_nonce
    return markup.filled('<script type="importmap" nonce="{}">{}</script>{}', nonce, found, preloads)


def _import_map() -> tuple[SafeString, SafeString]:
    imports: dict[str, Any] = {name: static(path) for name, path in settings.IMPORTMAP.items()}
    early = [url for name, url in imports.items() if name not in ON_DEMAND]
    links = markup.together(markup.filled('<link rel="modulepreload" href="{}">', url) for url in early)
    return markup.script_json({"imports": imports}), links


_kept_import_map = lru_cache(maxsize=1)(_import_map)  # where static files lie is settled with the start


@register.simple_tag
def htmx_config() -> SafeString:
    """The settings of htmx: same origin only, no injected style, history by reload."""
    return format_html('<meta name="htmx-config" content="{}">', json.dumps(HTMX_CONFIG))


@register.simple_tag
def script_words() -> SafeString:
    """The words that scripts write, translated."""
    return json_script(
        {
            "due": _("Due in {span}"),
            "left": _("{span} left · {by}"),
            "breached": _("Breached {span} ago"),
            "ago": _("{span} ago"),
            "in": _("in {span}"),
            "now": _("just now"),
            "minute": _("{n} min"),
            "hour": _("{n} h"),
            "day": _("{n} d"),
            "selected": _("{n} selected"),
            "offline": _("No connection. Nothing was changed; try again."),
            "fault": _("Something broke on our side. Try again."),
            "moved": _("Moved to {column}"),
            "move_title": _("Move {card} to"),
            "light": _("Light"),
            "dark": _("Dark"),
        },
        "script-words",
    )
