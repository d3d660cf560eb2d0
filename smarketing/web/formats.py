"""Numbers, money, shares, instants and spans as the viewer writes them.

The language of the words and the format of the numbers are two things: an English page may show
``1.234,5``. The viewer's format is set once per request (``smarketing.web.middleware``).
"""

from __future__ import annotations

from contextvars import ContextVar
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from django.utils import dateformat, formats, timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

Number = int | float | Decimal
NBSP = "\u00a0"
MINUS = "\u2212"
FEW = 10
"""Below this many cases a share is not shown as a percentage: it would promise too much."""

_locale: ContextVar[str] = ContextVar("format_locale", default="en")

_SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "INR": "₹", "CHF": "CHF", "PLN": "zł"}
_WITHOUT_CENTS = frozenset({"JPY", "KRW", "CLP", "VND", "ISK"})
_SYMBOL_FIRST = frozenset({"en", "ja", "zh", "ko", "nl", "hi", "tr"})


def activate(locale: str) -> None:
    """Use ``locale`` ("en", "en-gb", "de") for everything formatted from now on in this context."""
    _locale.set(locale if translation.check_for_language(locale) else "en")


def number(value: Number | None, decimals: int | None = None) -> str:
    """``1,234.5``; an absent value is a dash."""
    if value is None:
        return "–"
    if decimals is None:
        decimals = 0 if value == int(value) else 1
    text = _number(_size(value), decimals, _locale.get())
    return f"{MINUS}{text}" if value < 0 and _has_digits(text) else text


def money(value: Number | None, currency: str) -> str:
    """``€1,234`` or ``1.234 €``; cents only where there are some."""
    if value is None:
        return "–"
    whole = currency in _WITHOUT_CENTS or value == int(value)
    size = _size(value)
    text = number(size, 0 if whole else 2)
    symbol = _SYMBOLS.get(currency, currency)
    gap = NBSP if symbol.isalpha() else ""
    first = _locale.get()[:2] in _SYMBOL_FIRST
    text = f"{symbol}{gap}{text}" if first else f"{text}{NBSP}{symbol}"
    return f"{MINUS}{text}" if value < 0 else text


def percent(ratio: Number | None, decimals: int = 1) -> str:
    """A ratio (0.4312) as ``43.1%``."""
    if ratio is None:
        return "–"
    scaled = round(Decimal(str(ratio)) * 100, decimals)
    return f"{number(scaled, 0 if scaled == int(scaled) else decimals)}%"


def share(part: int, whole: int) -> str:
    """``43.1% (1,630 of 3,782)``; fewer than ten cases are only counted: ``3 of 7``."""
    counted = _("%(part)s of %(whole)s") % {"part": number(part), "whole": number(whole)}
    return counted if whole < FEW else f"{percent(part / whole)} ({counted})"


def moment(value: datetime | None) -> str:
    """Day and time in the viewer's zone: ``12 Mar 2026, 14:05``."""
    if value is None:
        return "–"
    local = timezone.localtime(value)
    return f"{day(local.date())}, {local:%H:%M}"


def by(value: datetime, *, now: datetime) -> str:
    """A deadline as people say it in the viewer's zone: ``12:00``, ``Mon 12:00``, else the day and time."""
    local, here = timezone.localtime(value), timezone.localtime(now)
    if local.date() == here.date():
        return f"{local:%H:%M}"
    if abs((local.date() - here.date()).days) < 7:
        with translation.override(_locale.get()):
            return f"{dateformat.format(local, 'D')} {local:%H:%M}"
    return moment(value)


def day(value: date | None) -> str:
    """``12 Mar 2026``, month named in the viewer's language."""
    if value is None:
        return "–"
    if isinstance(value, datetime):
        value = timezone.localtime(value).date()
    return _day(value, _locale.get())


def span(length: timedelta) -> str:
    """A length of time in its two largest units at most: ``2 d 4 h``, ``38 min``."""
    return _span(int(abs(length.total_seconds()) // 60), translation.get_language())


def ago(value: datetime, *, now: datetime) -> str:
    """``3 h ago``, ``in 20 min``; beyond a week the day itself."""
    gap = now - value
    if abs(gap) >= timedelta(days=7):
        return day(timezone.localtime(value).date())
    if abs(gap) < timedelta(minutes=1):
        return _("just now")
    minutes = int(abs(gap.total_seconds()) // 60)
    return _since(minutes if gap > timedelta(0) else -minutes, translation.get_language())


def _size(value: Number) -> Number:
    return -value if value < 0 else value


def _has_digits(text: str) -> bool:
    return any(c in "123456789" for c in text)


# Pages show the same few numbers, days and spans over and over; how they are written depends on nothing else.
@lru_cache(maxsize=4096)
def _number(size: Number, decimals: int, locale: str) -> str:
    with translation.override(locale):
        return formats.number_format(
            round(Decimal(str(size)), decimals), decimal_pos=decimals, use_l10n=True, force_grouping=True
        )


@lru_cache(maxsize=4096)
def _day(value: date, locale: str) -> str:
    with translation.override(locale):
        return dateformat.format(value, "j M Y")


@lru_cache(maxsize=16_384)
def _span(minutes: int, _language: str | None) -> str:
    if minutes < 60:
        return ngettext("%(n)d min", "%(n)d min", minutes) % {"n": minutes}
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        head = _("%(n)d h") % {"n": hours}
        return f"{head} {_('%(n)d min') % {'n': minutes}}" if minutes and hours < 10 else head
    days, hours = divmod(hours, 24)
    head = _("%(n)d d") % {"n": days}
    return f"{head} {_('%(n)d h') % {'n': hours}}" if hours and days < 10 else head


@lru_cache(maxsize=16_384)
def _since(minutes: int, language: str | None) -> str:
    """So many minutes ago; fewer than none are still to come."""
    if minutes >= 0:
        return _("%(span)s ago") % {"span": _span(minutes, language)}
    return _("in %(span)s") % {"span": _span(-minutes, language)}
