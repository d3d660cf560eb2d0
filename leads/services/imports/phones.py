"""Phone numbers of files, fast: what ``identifiers.phone_of`` says, without asking it a million times.

Most numbers of a file are plain: digits with or without a country code. For those the library's own
patterns, compiled once per region, decide in microseconds. Everything else (extensions, carrier
codes, prefixes that may be read in two ways) goes to the library.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache

import phonenumbers
from phonenumbers.phonemetadata import PhoneMetadata, PhoneNumberDesc

from leads.services import identifiers
from leads.services.identifiers import Phone

_NOISE = str.maketrans("", "", " ()-./\u00a0\u2009\u2011")
_SPECIAL = (
    "premium_rate",
    "toll_free",
    "shared_cost",
    "voip",
    "personal_number",
    "pager",
    "uan",
    "voicemail",
)


@dataclass(frozen=True, slots=True)
class _Pattern:
    """One kind of number of one region."""

    lengths: frozenset[int]
    digits: re.Pattern[str]

    def fits(self, number: str) -> bool:
        return (not self.lengths or len(number) in self.lengths) and self.digits.fullmatch(number) is not None


@dataclass(frozen=True, slots=True)
class _Region:
    """What is needed of a region's rules."""

    code: str
    general: _Pattern
    fixed: _Pattern | None
    mobile: _Pattern | None
    special: tuple[_Pattern, ...]
    prefix: str
    prefix_pattern: re.Pattern[str] | None
    is_plain_prefix: bool
    international: re.Pattern[str] | None
    is_alone: bool

    def is_mobile(self, number: str) -> bool | None:
        """Whether a national number is a mobile one; None where it is no valid number at all."""
        if not self.general.fits(number):
            return None
        if any(pattern.fits(number) for pattern in self.special):
            return False
        if self.fixed is not None and self.fixed.fits(number):
            return False
        return True if self.mobile is not None and self.mobile.fits(number) else None


def phone_of(*, text: str, country: str) -> Phone:
    """As ``identifiers.phone_of``; raises ``BadPhone`` likewise."""
    bare = text.translate(_NOISE)
    if len(text) <= 60 and bare.isascii():
        found: tuple[str, bool] | None = None
        if bare[:1] == "+" and bare[1:].isdigit():
            found = _international(bare[1:])
        elif bare.isdigit():
            found = _national(bare, _region_of(country))
        if found is not None:
            return Phone(" ".join(text.split()), found[0], is_mobile=found[1])
    return identifiers.phone_of(text=text, country=country)


def _international(digits: str) -> tuple[str, bool] | None:
    for size in (1, 2, 3):
        region = _of_calling_code(digits[:size])
        if region is None:
            continue
        number = digits[size:]
        if region.prefix_pattern is not None and region.prefix_pattern.match(number):
            return None
        is_mobile = region.is_mobile(number)
        if is_mobile is not None:
            return f"+{digits}", is_mobile
        # No other region of this code could know the number: it is not valid.
        return ("", False) if region.is_alone else None
    return None


def _national(digits: str, region: _Region | None) -> tuple[str, bool] | None:
    if region is None or (region.international is not None and region.international.match(digits)):
        return None
    number = digits
    if region.prefix_pattern is not None and region.prefix_pattern.match(digits):
        if not region.is_plain_prefix or region.general.fits(digits):
            return None
        number = digits[len(region.prefix) :]
    is_mobile = region.is_mobile(number)
    return None if is_mobile is None else (f"+{region.code}{number}", is_mobile)


@lru_cache(maxsize=1024)
def _region_of(country: str) -> _Region | None:
    return _region(identifiers.region_of(country=country))


@cache
def _of_calling_code(code: str) -> _Region | None:
    """The main region of a calling code: it is asked first, and its word stands when it knows the number."""
    name = phonenumbers.region_code_for_country_code(int(code)) if code and code[0] != "0" else "ZZ"
    return None if name in ("ZZ", "001") else _region(name)


@cache
def _region(name: str) -> _Region | None:
    rules = PhoneMetadata.metadata_for_region(name, None) if name else None
    if rules is None or rules.leading_digits:
        return None
    general = _pattern(rules.general_desc)
    if general is None:
        return None
    special = (_pattern(getattr(rules, kind)) for kind in _SPECIAL)
    for_parsing = rules.national_prefix_for_parsing or ""
    code = rules.country_code or 0
    return _Region(
        code=str(code),
        general=general,
        fixed=_pattern(rules.fixed_line),
        mobile=_pattern(rules.mobile),
        special=tuple(pattern for pattern in special if pattern is not None),
        prefix=rules.national_prefix or "",
        prefix_pattern=re.compile(for_parsing) if for_parsing else None,
        is_plain_prefix=for_parsing == rules.national_prefix and for_parsing.isdigit(),
        international=re.compile(rules.international_prefix) if rules.international_prefix else None,
        is_alone=len(phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]) == 1,
    )


def _pattern(kind: PhoneNumberDesc | None) -> _Pattern | None:
    if kind is None or not kind.national_number_pattern:
        return None
    lengths = frozenset(length for length in kind.possible_length if length > 0)
    return _Pattern(lengths, re.compile(kind.national_number_pattern))
