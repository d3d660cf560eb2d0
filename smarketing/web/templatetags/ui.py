"""The building blocks of every page. Shown together on ``/styleguide``."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect
from django.template import Context
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from smarketing.web import charts, formats, markup
from smarketing.web.markup import filled
from smarketing.web.templatetags.fmt import request_now

register = template.Library()

TONES = ("ok", "warn", "bad", "info", "accent", "plain")


@register.simple_tag
def icon(name: str, size: int = 16, label: str = "") -> SafeString:
    """A Lucide icon; silent to screen readers unless ``label`` says what it means."""
    return markup.icon(str(name) + "", size, str(label) + "")


@register.simple_tag
def tag(text: object, tone: str = "plain", title: str = "") -> SafeString:
    """A word in a tinted pill. The word carries the meaning, the tone only supports it."""
    return filled('<span class="tag tag-{}"{}>{}</span>', _tone(tone), _title(title), text)


@register.simple_tag
def term(word: object, meaning: str, tone: str = "", url: str = "", link: str = "") -> SafeString:
    """A word with what it means: by pointer, keyboard and touch; ``url`` leads to the whole of it.

    Without a meaning it is the plain word. ``tone`` shows the word as a tag.
    """
    if not meaning:
        return tag(word, tone) if tone else filled("{}", word)
    key = f"term-{secrets.token_hex(5)}"
    return filled(
        '<button type="button" class="term{}" popovertarget="{}" aria-describedby="{}" title="{}">{}</button>'
        '<span class="term-means" id="{}" popover>{}{}</span>',
        f" tag tag-{_tone(tone)}" if tone else "",
        key,
        key,
        meaning,
        word,
        key,
        meaning,
        filled(' <a href="{}">{}</a>', url, link) if url else "",
    )


@register.simple_tag
def score(value: float | None, band: str = "", label: str = "") -> SafeString | str:
    """A score of 0 to 100 as a bar with its number and, if given, its band ("A1")."""
    if value is None:
        return "–"
    width = f"{max(0.0, min(100.0, float(value))) * 0.64:.1f}"
    return _score(width, formats.number(round(value)), band, label or _("Score"))


# Lists show the same few scores over and over. Typed: text that is HTML already is another key.
@lru_cache(maxsize=4096, typed=True)
def _score(width: str, number: str, band: str, label: str) -> SafeString:
    return filled(
        '<span class="score">'
        '<svg class="score-bar" width="64" height="6" viewBox="0 0 64 6" preserveAspectRatio="none"'
        ' aria-hidden="true">'
        '<rect class="score-back" width="64" height="6" rx="3" />'
        '<rect class="score-fill" width="{}" height="6" rx="3" /></svg>'
        '<span class="score-value"><span class="sr">{} </span>{}</span>{}</span>',
        width,
        label,
        number,
        filled('<span class="band">{}</span>', band) if band else "",
    )


@register.simple_tag
def avatar(name: object, size: str = "") -> SafeString:
    """Initials in a disc whose tint follows the name."""
    tint, initials = _face(str(name))
    sized = f" avatar-{size}" if size else ""
    return filled('<span class="avatar avatar-{}{}" aria-hidden="true">{}</span>', tint, sized, initials)


@register.simple_tag
def who(name: object, sub: object = "", url: str = "") -> SafeString:
    """A person or company: avatar, name (a link with ``url``) and a line below."""
    face = _face(str(name))
    values = (*face, url, name) if url else (*face, name)
    return filled(_WHO[bool(url), bool(sub)], *values, *([sub] if sub else []))


_FACE = '<span class="who"><span class="avatar avatar-{}" aria-hidden="true">{}</span><span>'
_NAMES = {True: '<a href="{}" class="who-name">{}</a>', False: '<span class="who-name">{}</span>'}
_SUBS = {True: '<span class="who-sub">{}</span>', False: ""}
_WHO = {
    (linked, below): f"{_FACE}{_NAMES[linked]}{_SUBS[below]}</span></span>"
    for linked in (True, False)
    for below in (True, False)
}


def _face(name: str) -> tuple[int, str]:
    """The tint of a name and its initials."""
    words = name.split()
    initials = "".join(w[0] for w in (words[:1] + words[1:][-1:])).upper() or "?"
    return sum(map(ord, name)) % 6, initials


@register.inclusion_tag("components/kpi.html")
def kpi(
    label: str,
    value: object,
    *,
    delta: str = "",
    tone: str = "",
    note: str = "",
    url: str = "",
    trend: Sequence[float] = (),
) -> dict[str, Any]:
    """One number that matters: what it is, its value, its change (in words) and its base."""
    drawn = charts.sparkline(trend, width=84) if trend else None
    return {
        "label": label, "value": value, "delta": delta, "tone": tone, "note": note, "url": url, "line": drawn,
    }  # fmt: skip


@register.inclusion_tag("components/empty.html")
def empty(sentence: str, *, icon: str = "inbox", action: str = "", url: str = "") -> dict[str, Any]:
    """What an empty place is for, and the one thing to do."""
    return {"sentence": sentence, "icon": icon, "action": action, "url": url}


@register.inclusion_tag("components/bars.html")
def bars(items: Sequence[charts.Bar], label: str = "", longest: float | None = None) -> dict[str, Any]:
    """Horizontal bars with labels and numbers."""
    return {"bars": charts.draw_bars(items, longest=longest), "label": label}


@register.inclusion_tag("components/spark.html")
def spark(values: Sequence[float], label: str = "") -> dict[str, Any]:
    """A small line without axes; ``label`` says it in words."""
    return {"line": charts.sparkline(values), "label": label}


@register.simple_tag
def progress(value: float, maximum: float = 100, label: str = "") -> SafeString:
    """How far something has come."""
    return filled(
        '<progress max="{}" value="{}" aria-label="{}"></progress>',
        f"{maximum:g}",
        f"{value:g}",
        label or _("Progress"),
    )


@register.simple_tag(takes_context=True)
def due(context: Context, due_at: datetime | None, **how: Any) -> SafeString:
    """:func:`written_due` at the instant of the request."""
    return written_due(due_at, now=request_now(context), **how)


def written_due(
    due_at: datetime | None,
    *,
    now: datetime,
    warn_at: datetime | None = None,
    windows: Sequence[tuple[datetime, datetime]] = (),
    done: str = "",
    paused: str = "",
) -> SafeString:
    """The state of a clock in words and colour; a script keeps it true.

    ``done`` or ``paused`` is the sentence shown instead of a countdown. ``windows`` are the open
    business hours until ``due_at``: with them the countdown counts only business time, and the
    tag says beside it what the time of day will be then.
    """
    if done or paused or due_at is None:
        return tag(done or paused or _("No deadline"), "ok" if done else "plain")
    left = _open_time(now, due_at, windows)
    tone = "bad" if due_at <= now else "warn" if warn_at is not None and warn_at <= now else "ok"
    by = formats.by(due_at, now=now) if windows else ""
    if due_at <= now:
        words = _("Breached %(span)s ago")
    else:
        words = _("%(span)s left · %(by)s") if by else _("Due in %(span)s")
    return filled(
        '<time class="tag tag-{} due" datetime="{}" title="{}" data-due{}{}{}>{}</time>',
        tone,
        due_at.isoformat(),
        formats.moment(due_at),
        filled(' data-warn="{}"', warn_at.isoformat()) if warn_at else "",
        filled(' data-windows="{}"', json.dumps([[a.isoformat(), b.isoformat()] for a, b in windows]))
        if windows else "",
        filled(' data-by="{}"', by) if by else "",
        words % {"span": formats.span(left), "by": by},
    )  # fmt: skip


@register.inclusion_tag("components/field.html")
def field(bound: BoundField, hint: str = "") -> dict[str, Any]:
    """A form field with label, help and error, tied together for screen readers."""
    widget = bound.field.widget
    described = [f"{bound.id_for_label}_help"] if bound.help_text or hint else []
    described += [f"{bound.id_for_label}_error"] if bound.errors else []
    attributes: dict[str, str | bool] = {"aria-describedby": " ".join(described)} if described else {}
    if bound.errors:
        attributes["aria-invalid"] = "true"
    return {
        "field": bound,
        "control": bound.as_widget(attrs=attributes),
        "help": bound.help_text or hint,
        "is_check": isinstance(widget, CheckboxInput),
        "is_group": isinstance(widget, CheckboxSelectMultiple | RadioSelect),
    }


@register.inclusion_tag("components/fields.html")
def fields(form: Any) -> dict[str, Any]:
    """All fields of a form in order, with what concerns the whole form above."""
    return {"form": form}


@register.simple_block_tag(takes_context=True)
def card(
    context: Context,
    content: str,
    *,
    title: str = "",
    sub: str = "",
    id: str = "",
    flush: bool = False,
    url: str = "",
    tight: bool = False,
) -> SafeString:
    """A surface with an optional heading; ``flush`` lets a table or list reach the edges."""
    heading = {"title": title, "sub": sub, "id": id, "flush": flush, "url": url, "tight": tight}
    return _block("card", content, **heading)


@register.simple_block_tag(takes_context=True)
def header(
    context: Context, content: str, title: object, *, sub: object = "", crumbs: Any = ()
) -> SafeString:
    """The heading of a page: ``crumbs`` are (label, url) pairs, the content holds its actions."""
    return _block("header", content, title=title, sub=sub, crumbs=crumbs)


@register.simple_block_tag(takes_context=True)
def menu(
    context: Context, content: str, label: str, *, icon: str = "", quiet: bool = False, end: bool = False
) -> SafeString:
    """A button that opens a small panel; ``quiet`` hides the label from sight."""
    return _block("menu", content, label=label, icon=icon, quiet=quiet, end=end)


@register.simple_block_tag(takes_context=True)
def dialog(context: Context, content: str, id: str, title: str, *, wide: bool = False) -> SafeString:
    """A modal. ``data-opens="id"`` on any button opens it, ``data-closes`` inside closes it."""
    return _block("dialog", content, id=id, title=title, wide=wide)


@register.simple_block_tag(takes_context=True)
def chart(
    context: Context, content: str, title: str, *, head: Sequence[object] = (), rows: Sequence[Any] = ()
) -> SafeString:
    """A picture of numbers with the same numbers as a table behind "Show as table"."""
    return _block("chart", content, title=title, head=head, rows=rows)


@register.inclusion_tag("components/tabs.html", takes_context=True)
def tabs(context: Context, items: Sequence[tuple[object, str]], label: str = "") -> dict[str, Any]:
    """Links between the parts of one thing: (label, url) pairs; the present address is current."""
    path = context["request"].get_full_path()
    bare = context["request"].path
    known = [url for _label, url in items]
    current = path if path in known else bare
    return {"items": [(text, url, url == current) for text, url in items], "label": label}


@register.filter
def toast_tone(tags: str) -> str:
    """The tone in the tags of a message ("ok /undo/7/")."""
    first = (tags or "").split(" ", 1)[0]
    known = {"error": "bad", "warning": "warn", "success": "ok"}
    return known.get(first, first if first in TONES else "info")


@register.filter
def toast_undo(tags: str) -> str:
    """The address of Undo in the tags of a message."""
    return next((part for part in (tags or "").split() if part.startswith("/")), "")


def _block(name: str, content: str, **values: Any) -> SafeString:
    return render_to_string(f"components/{name}.html", {"content": content, **values})


def _tone(tone: str) -> str:
    return tone if tone in TONES else "plain"


def _title(title: str) -> SafeString | str:
    return filled(' title="{}"', title) if title else ""


def _open_time(now: datetime, due_at: datetime, windows: Sequence[tuple[datetime, datetime]]) -> timedelta:
    """Time between now and the deadline, counted in the windows if there are any."""
    if not windows or due_at <= now:
        return abs(due_at - now)
    zero = timedelta(0)
    return sum((max(zero, min(end, due_at) - max(start, now)) for start, end in windows), zero)
