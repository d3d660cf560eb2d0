"""Readers of cells: the text of a cell becomes the text that COPY puts into a staging column.

Each factory makes one reader for one column of one run. A reader gets the trimmed, non-blank text
and returns the value (or a tuple, for a field with several staging columns); it raises ``BadValue``
where the row must be rejected, or :class:`LeaveOut` where the cell is left blank and the row kept.
Columns that repeat their values (dates, origins, owners) are read through a bounded memory.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar
from zoneinfo import ZoneInfo

from leads.domain import identities, salesforce, values
from leads.domain.values import BadValue, DateOrder
from leads.services import identifiers
from leads.services.imports import phones

Reader = Callable[[str], Any]
V = TypeVar("V")

_MEMORY = 20_000
_SKEW = timedelta(minutes=5)
# What validate_email would say of these is known, forty times faster: plain ASCII addresses.
_PLAIN_EMAIL = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,64}(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,64})*"
    r"@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}"
)


class LeaveOut(Exception):  # noqa: N818  (it is no error: the row goes on)
    """The cell can't be used, but the row can do without it; the message says why."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What readers must know of the run. ``row`` holds what the row being read says of itself."""

    zone: ZoneInfo
    order: DateOrder
    country: str
    now: datetime
    row: dict[str, str] = field(default_factory=dict)


class ReaderFactory(Protocol):
    """Makes the reader of one column of one run."""

    def __call__(self, *, setting: Setting) -> Reader: ...


def remembered(*, read: Callable[[str], V]) -> Callable[[str], V]:
    """``read`` with a bounded memory of what it has read; faults are not remembered."""
    memory: dict[str, V] = {}

    def reader(text: str) -> V:
        try:
            return memory[text]
        except KeyError:
            value = read(text)
            if len(memory) < _MEMORY:
                memory[text] = value
            return value

    return reader


def line(*, limit: int) -> ReaderFactory:
    """One line of at most ``limit`` characters."""

    def make(*, setting: Setting) -> Reader:
        def read(text: str) -> str | None:
            found = values.line(text)
            if len(found) > limit:
                raise BadValue(f"is longer than {limit} characters")
            return found or None

        return read

    return make


def prose(*, setting: Setting) -> Reader:
    """Text of several lines."""
    return lambda text: values.prose(text) or None


def key(*, setting: Setting) -> Reader:
    """An id of another system. A Salesforce id of 15 characters is the same as that of 18."""

    def read(text: str) -> str:
        found = values.line(text)
        if len(found) > 255:
            raise BadValue("is longer than 255 characters")
        return salesforce.long_id(found)

    return read


def instant(*, setting: Setting) -> Reader:
    """A point in time."""
    read = values.instant_reader(setting.order, setting.zone)
    return remembered(read=_nothing_is_blank(lambda text: read(text).isoformat()))


def past_instant(*, setting: Setting) -> Reader:
    """A point in time that can't lie ahead."""
    read = values.instant_reader(setting.order, setting.zone)
    latest = setting.now + _SKEW

    def told(text: str) -> str:
        found = read(text)
        # A day without a time, written where it is already tomorrow, is still today.
        if found > latest and found > setting.now + timedelta(hours=26 if len(text) <= 10 else 0):
            raise BadValue("lies in the future")
        return min(found, setting.now).isoformat()

    return remembered(read=_nothing_is_blank(told))


def day(*, setting: Setting) -> Reader:
    """A calendar day."""
    read = values.date_reader(setting.order, setting.zone)
    return remembered(read=_nothing_is_blank(lambda text: read(text).isoformat()))


def amount(*, setting: Setting) -> Reader:
    """A sum of money, to two decimals."""
    return remembered(read=_nothing_is_blank(lambda text: format(round(values.number(text), 2), "f")))


def whole(*, setting: Setting) -> Reader:
    """A whole number."""
    return remembered(read=_nothing_is_blank(lambda text: str(values.whole(text))))


def boolean(*, setting: Setting) -> Reader:
    """Yes or no."""
    return remembered(read=_nothing_is_blank(lambda text: "t" if values.boolean(text) else "f"))


def currency(*, setting: Setting) -> Reader:
    """A currency of ISO 4217."""

    def read(text: str) -> str:
        if len(text) != 3 or not text.isalpha() or not text.isascii():
            raise BadValue("is not a currency code such as EUR")
        return text.upper()

    return remembered(read=read)


def email(*, setting: Setting) -> Reader:
    """An e-mail address in normal form."""

    def read(text: str) -> str | None:
        lower = text.lower()
        if _PLAIN_EMAIL.fullmatch(lower) and len(lower) <= 254 and lower.find("@") <= 64:
            return lower
        if lower in values.NOTHING:
            return None
        if values.is_digest(text):
            raise LeaveOut("is a hash, not an e-mail address")
        try:
            return identifiers.email_of(text=text)
        except identifiers.BadEmail as error:
            raise BadValue("is not an e-mail address") from error

    return read


def loose_email(*, setting: Setting) -> Reader:
    """An e-mail address, left out where it is none: for records that are known by an id as well."""
    strict = email(setting=setting)

    def read(text: str) -> str | None:
        try:
            found: str | None = strict(text)
        except BadValue as error:
            raise LeaveOut(str(error)) from error
        return found

    return read


def phone(*, setting: Setting) -> Reader:
    """A phone number: as written, in E.164 ("" where it is not valid), and whether it is a mobile one."""

    def read(text: str) -> tuple[str | None, str | None, str | None]:
        if text.lower() in values.NOTHING:
            return None, None, None
        try:
            country = setting.row.get("country") or setting.country
            found = phones.phone_of(text=text, country=country)
        except identifiers.BadPhone as error:
            raise LeaveOut("is not a phone number") from error
        return found.written, found.e164 or None, "t" if found.is_mobile else "f"

    return read


def company(*, setting: Setting) -> Reader:
    """A company's name and the key it is found by."""

    def read(text: str) -> tuple[str | None, str | None]:
        found = salesforce.long_id(values.line(text))
        if not found or found.lower() in values.NOTHING:
            return None, None
        if len(found) > 255:
            raise BadValue("is longer than 255 characters")
        return found, identities.company_key(found) or found.casefold()[:255]

    return remembered(read=read)


def full_name(*, setting: Setting) -> Reader:
    """A whole name as first and last name: "Ada Lovelace" or "Lovelace, Ada"."""

    def read(text: str) -> tuple[str | None, str | None]:
        found = values.line(text)
        if ", " in found:
            last, first = found.split(", ", 1)
        elif " " in found:
            first, last = found.rsplit(" ", 1)
        else:
            first, last = "", found
        if len(first) > 120 or len(last) > 120:
            raise BadValue("is longer than 120 characters")
        return first or None, last or None

    return read


def domain(*, setting: Setting) -> Reader:
    """The domain of a web address; what is none is left out."""

    def read(text: str) -> str:
        try:
            return values.domain(text)
        except BadValue as error:
            raise LeaveOut(str(error)) from error

    return remembered(read=read)


def choice(*, meanings: Mapping[str, str], told: str, otherwise: str = "") -> ReaderFactory:
    """One of a few words; ``meanings`` is keyed by the word in lower case without
    punctuation; a word that is not there is ``otherwise``, or rejects the row."""

    def make(*, setting: Setting) -> Reader:
        def read(text: str) -> str:
            word = re.sub(r"[\W_]+", "", text).casefold()
            if word not in meanings and not otherwise:
                raise BadValue(f"is not {told}")
            return meanings.get(word, otherwise)

        return remembered(read=read)

    return make


def _nothing_is_blank(read: Callable[[str], str]) -> Callable[[str], str | None]:
    def reader(text: str) -> str | None:
        return None if text.lower() in values.NOTHING else read(text)

    return reader
