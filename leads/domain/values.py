"""Cells of imported files as values: dates, amounts, yes or no, plain text.

Each reader takes the trimmed, non-blank text of a cell and returns a value, or raises
:class:`BadValue` with a reason that a person can act on. Nothing is guessed where two readings are
equally likely: a date that may be March or April asks for the order of day and month.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from enum import StrEnum

MAX_NUMBER = Decimal(10) ** 15
MIN_YEAR, MAX_YEAR = 1900, 2199


class BadValue(ValueError):
    """A cell can't be read; the message says why, without repeating what is in it."""


class DateOrder(StrEnum):
    """How dates like 03/04/2024 are meant."""

    UNKNOWN = ""
    DAY_FIRST = "dmy"
    MONTH_FIRST = "mdy"


# What exports write where there is nothing; only for cells that can't hold such a word as a value.
NOTHING = frozenset({"null", "none", "n/a", "#n/a", "na", "nan", "-", "--", "\\n", "nil"})

_HIDDEN = re.compile("[\u202a-\u202e\u2066-\u2069\ufeff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_CONTROL_IN_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]+")


def line(text: str) -> str:
    """One line of text: control characters become spaces, marks that turn text around are taken out."""
    if text.isascii() and text.isprintable():
        return text
    text = _CONTROL.sub(" ", _HIDDEN.sub("", text))
    return " ".join(unicodedata.normalize("NFC", text).split())


def prose(text: str) -> str:
    """Text of several lines: as written, without control characters."""
    return _CONTROL_IN_TEXT.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


_ISO = re.compile(r"\d{4}-\d{1,2}-\d{1,2}")
_PARTS = re.compile(
    r"(?P<a>\d{1,4})(?P<sep>[./-])(?P<b>\d{1,2})(?P=sep)(?P<c>\d{1,4})\.?"
    r"(?:[ T,]+(?P<time>\d{1,2}:\d{2}.*))?"
)
_NAMED = re.compile(
    r"(?:(?P<d1>\d{1,2})\.?[ -](?P<m1>[A-Za-z]{3,9})\.?"
    r"|(?P<m2>[A-Za-z]{3,9})\.? (?P<d2>\d{1,2})(?:st|nd|rd|th)?,?)"
    r"[ -](?P<year>\d{4})(?:[ ,T]+(?:at )?(?P<time>\d{1,2}:\d{2}.*))?"
)
_TIME = re.compile(
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?)?\s*(?P<zone>Z|z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2})?"
)
_MONTHS = {
    name: number
    for number, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
        start=1,
    )
}
_BAD_DATE = "is not a date; write it as 2024-03-31 or 2024-03-31 14:05"
_AMBIGUOUS = "may be day or month first; say which with --dates dmy or --dates mdy"


def instant_reader(order: DateOrder, zone: tzinfo) -> Callable[[str], datetime]:
    """A reader of points in time; what has no zone of its own is local time in ``zone``."""

    def read(text: str) -> datetime:
        try:
            # Python takes every spelling of ISO 8601; "20240331" without dashes may be a number.
            found = datetime.fromisoformat(text) if text[4:5] == "-" else None
        except ValueError:
            found = None
        if found is None:
            found = _written(text, order)
        if found.tzinfo is None:
            found = found.replace(tzinfo=zone)
        if not MIN_YEAR <= found.year <= MAX_YEAR:
            raise BadValue(f"is a date outside the years {MIN_YEAR} to {MAX_YEAR}")
        return found.astimezone(UTC)

    return read


def date_reader(order: DateOrder, zone: tzinfo) -> Callable[[str], date]:
    """A reader of calendar days; of a point in time its day in ``zone``."""
    instant = instant_reader(order, zone)

    def read(text: str) -> date:
        return instant(text).astimezone(zone).date()

    return read


def _written(text: str, order: DateOrder) -> datetime:
    if text.isdigit() and text.isascii() and len(text) in (10, 13):
        seconds = int(text) / (1000 if len(text) == 13 else 1)
        return datetime.fromtimestamp(seconds, tz=UTC)
    if match := _PARTS.fullmatch(text):
        year, month, day = _ordered(match["a"], match["b"], match["c"], match["sep"], order)
    elif match := _NAMED.fullmatch(text):
        name = (match["m1"] or match["m2"])[:3].lower()
        if name not in _MONTHS:
            raise BadValue(_BAD_DATE)
        year, month, day = int(match["year"]), _MONTHS[name], int(match["d1"] or match["d2"])
    else:
        raise BadValue(_BAD_DATE)
    try:
        return _at(datetime(year, month, day), match["time"] or "")  # noqa: DTZ001  (the zone follows)
    except (ValueError, OverflowError) as error:
        raise BadValue(_BAD_DATE) from error


def _ordered(a: str, b: str, c: str, separator: str, order: DateOrder) -> tuple[int, int, int]:
    if len(a) == 4:
        return int(a), int(b), int(c)
    if len(c) not in (2, 4):
        raise BadValue(_BAD_DATE)
    year = int(c) if len(c) == 4 else 2000 + int(c) if int(c) < 70 else 1900 + int(c)
    first, second = int(a), int(b)
    if separator == "." or order is DateOrder.DAY_FIRST:
        return year, second, first
    if order is DateOrder.MONTH_FIRST:
        return year, first, second
    if first > 12:
        return year, second, first
    if second > 12 or first == second:
        return year, first, second
    raise BadValue(_AMBIGUOUS)


def _at(day: datetime, text: str) -> datetime:
    if not text:
        return day
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise ValueError("no time")
    hour = int(match["hour"])
    if match["half"]:
        if not 1 <= hour <= 12:
            raise ValueError("no hour")
        hour = hour % 12 + (12 if match["half"][0] in "Pp" else 0)
    # A leap second is the last instant of its minute.
    second = min(int(match["second"] or 0), 59)
    micro = int((match["fraction"] or "0")[:6].ljust(6, "0"))
    found = day.replace(hour=hour, minute=int(match["minute"]), second=second, microsecond=micro)
    return found.replace(tzinfo=_zone(match["zone"])) if match["zone"] else found


def _zone(text: str) -> tzinfo:
    if text[0] not in "+-":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    ahead = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    sample = datetime.fromisoformat(f"2000-01-01T00:00:00{text[0]}{digits[:2]}:{digits[2:]}")
    if ahead > timedelta(hours=14) or sample.tzinfo is None:
        raise ValueError("no zone")
    return sample.tzinfo


_AROUND = re.compile(r"^(?:[A-Z]{3}|[A-Z]{0,2}[$€£¥₹])?\s*|\s*(?:[A-Z]{3}|[$€£¥₹]|%)?$")
_GROUPED = {",": re.compile(r"\d{1,3}(,\d{3})+"), ".": re.compile(r"\d{1,3}(\.\d{3}){2,}")}
_SPACED = re.compile(r"\d{1,3}( \d{3})+([.,]\d+)?|[^ ]+")
_PLAIN = re.compile(r"\d{1,20}(\.\d{1,20})?([eE][+-]?\d{1,2})?|\.\d{1,20}")
_BAD_NUMBER = "is not a number"


def number(text: str) -> Decimal:
    """An amount, with or without currency sign and thousands separators: ``1,234.50  1.234,50  (5)``."""
    if text.isascii() and text.isdigit() and len(text) < 16:
        return Decimal(text)
    bare = text.replace("\u2212", "-").replace("\u00a0", " ").replace("\u202f", " ").strip()
    negative = bare.startswith("-") or (bare.startswith("(") and bare.endswith(")"))
    bare = bare.strip("()")
    bare = bare[1:].strip() if bare[:1] in ("+", "-") else bare.strip()
    bare = _AROUND.sub("", bare)
    if bare.startswith("-") and not negative:
        negative, bare = True, bare[1:]
    if not _SPACED.fullmatch(bare):
        raise BadValue(_BAD_NUMBER)
    bare = bare.replace(" ", "").replace("'", "").replace("\u2019", "")
    if not bare.isascii():
        raise BadValue(_BAD_NUMBER)
    bare = _decimal_point(bare)
    if not _PLAIN.fullmatch(bare):
        raise BadValue(_BAD_NUMBER)
    try:
        found = Decimal(bare)
    except InvalidOperation as error:
        raise BadValue(_BAD_NUMBER) from error
    if found > MAX_NUMBER:
        raise BadValue("is too large a number")
    return -found if negative else found


def _decimal_point(text: str) -> str:
    if "," in text and "." in text:
        last = max(text.rfind(","), text.rfind("."))
        groups = text[:last].replace(",", "").replace(".", "")
        return f"{groups}.{text[last + 1 :]}"
    for mark, grouped in _GROUPED.items():
        if mark in text and grouped.fullmatch(text):
            return text.replace(mark, "")
    return text.replace(",", ".")


def whole(text: str) -> int:
    """A whole number of things, not negative."""
    found = number(text.rstrip("+"))
    if found != found.to_integral_value():
        raise BadValue("is not a whole number")
    if not 0 <= found <= 2_147_483_647:
        raise BadValue("is outside 0 to 2,147,483,647")
    return int(found)


_YES = frozenset(["true", "t", "yes", "y", "1", "x", "on", "wahr", "ja", "oui", "si", "sí", "sim"])
_NO = frozenset(["false", "f", "no", "n", "0", "off", "falsch", "nein", "non", "não"])


def boolean(text: str) -> bool:
    """Yes or no, in the words that exports use."""
    word = text.casefold()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise BadValue("is neither yes nor no")


_DIGEST = re.compile(r"[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[A-Za-z0-9+/]{22}==|[A-Za-z0-9+/]{43}=")


def is_digest(text: str) -> bool:
    """Whether the text is a hash (MD5, SHA-1, SHA-256 in hex or base 64) in the place of a value."""
    return _DIGEST.fullmatch(text) is not None


_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")


def domain(text: str) -> str:
    """The host of a web address or an e-mail address, lower case, without ``www.``."""
    host = text.strip().lower()
    host = host.split("://", 1)[-1].split("/", 1)[0].split("?", 1)[0].split("#", 1)[0]
    host = host.rsplit("@", 1)[-1].split(":", 1)[0].removeprefix("www.").rstrip(".")
    if not host.isascii():
        try:
            host = host.encode("idna").decode()
        except UnicodeError as error:
            raise BadValue("is not a web address") from error
    if len(host) > 253 or not _HOST.fullmatch(host):
        raise BadValue("is not a web address")
    return host
