"""Normal forms of what people and companies are recognised by: e-mail, phone, name, domain."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources

import phonenumbers
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from smarketing.core.errors import FieldError, Invalid

# Addresses of intranets and trials are addresses too; nothing is sent here. Taking names out of this
# list is the package's own way to allow them.
for _name in {"local", "test"} & set(SPECIAL_USE_DOMAIN_NAMES):
    SPECIAL_USE_DOMAIN_NAMES.remove(_name)

_MOBILE = (phonenumbers.PhoneNumberType.MOBILE,)
# Names in daily use that the table of ISO 3166 spells otherwise.
_OTHER_NAMES = {
    "america": "US",
    "czech republic": "CZ",
    "deutschland": "DE",
    "england": "GB",
    "great britain": "GB",
    "holland": "NL",
    "south korea": "KR",
    "the netherlands": "NL",
    "uae": "AE",
    "uk": "GB",
    "united kingdom": "GB",
    "united states of america": "US",
    "usa": "US",
}


class BadEmail(Invalid):
    """The text is not an e-mail address."""

    code = "bad_email"


class BadPhone(Invalid):
    """The text can't be a phone number."""

    code = "bad_phone"


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone number as written and, where it is valid, in E.164 ("" where it is not)."""

    written: str
    e164: str
    is_mobile: bool


def email_of(*, text: str) -> str:
    """The address in normal form: trimmed, Unicode NFC, lower case. Raises :class:`BadEmail`."""
    try:
        found = validate_email(
            text.strip().removeprefix("mailto:"), check_deliverability=False, globally_deliverable=False
        )
    except EmailNotValidError as error:
        raise _bad_email(text, str(error)) from error
    if "." not in found.domain:
        raise _bad_email(text, "The part after the @-sign has no dot.")
    return found.normalized.lower()


def _bad_email(text: str, reason: str) -> BadEmail:
    detail = f"“{text[:80]}” is not an e-mail address. {reason}"
    return BadEmail(detail, errors=[FieldError("emails", BadEmail.code, detail)])


def emails_of(*, texts: Iterable[str]) -> tuple[str, ...]:
    """The addresses in normal form, each once, in the order given; blank ones are left out."""
    return tuple(dict.fromkeys(email_of(text=text) for text in texts if text.strip()))


def phone_of(*, text: str, country: str = "") -> Phone:
    """The number as written and in E.164, read with the habits of ``country`` (name or ISO code).

    A number that is not valid there is kept as written, without E.164: people write "ext." and
    worse, and sales can still dial it. Raises :class:`BadPhone` when there is no digit in it.
    """
    written = " ".join(text.replace("\x00", "").split())
    if not re.search(r"\d", written) or len(written) > 60:
        detail = f"“{written[:80]}” is not a phone number."
        raise BadPhone(detail, errors=[FieldError("phones", BadPhone.code, detail)])
    try:
        number = phonenumbers.parse(written, region_of(country=country) or None)
    except phonenumbers.NumberParseException:
        return Phone(written, "", is_mobile=False)
    if not phonenumbers.is_valid_number(number):
        return Phone(written, "", is_mobile=False)
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return Phone(written, e164, is_mobile=phonenumbers.number_type(number) in _MOBILE)


def phones_of(*, texts: Iterable[str], country: str = "") -> tuple[Phone, ...]:
    """The numbers, each once, in the order given; blank ones are left out."""
    found: dict[str, Phone] = {}
    for text in texts:
        if text.strip():
            phone = phone_of(text=text, country=country)
            found.setdefault(phone.e164 or phone.written, phone)
    return tuple(found.values())


def region_of(*, country: str) -> str:
    """The ISO 3166 code of a country given by code or English name, or "" when it is unknown."""
    name = " ".join(country.split()).casefold()
    if len(name) == 2 and name.upper() in phonenumbers.SUPPORTED_REGIONS:
        return name.upper()
    return _OTHER_NAMES.get(name) or _regions().get(name, "")


@cache
def _regions() -> dict[str, str]:
    """English names → codes, from the table that comes with the time zone data."""
    table = resources.files("tzdata").joinpath("zoneinfo", "iso3166.tab").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in table.splitlines() if line and not line.startswith("#"))
    return {re.sub(r" \(.*\)$", "", name).casefold(): code for code, name in rows}
