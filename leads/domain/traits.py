"""What traits of an identify call say about a person, by the names that the SDKs' users write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# Column of a person → the names of the trait, the first that says something counts.
_NAMES = {
    "first_name": ("firstName", "first_name", "firstname", "givenName"),
    "last_name": ("lastName", "last_name", "lastname", "familyName"),
    "title": ("title", "jobTitle", "job_title", "position"),
    "language": ("language", "locale"),
    "website": ("website",),
    "country": ("country",),
    "city": ("city",),
}
_LENGTHS = {
    "first_name": 120,
    "last_name": 120,
    "title": 200,
    "language": 12,
    "country": 80,
    "city": 120,
    "website": 500,
}


@dataclass(frozen=True, slots=True)
class Employer:
    """The company that traits name: ``key`` is its id in the source system."""

    name: str = ""
    key: str = ""
    industry: str = ""
    employees: int | None = None
    domain: str = ""

    def __bool__(self) -> bool:
        return bool(self.name or self.key)


@dataclass(frozen=True, slots=True)
class Said:
    """What traits say: columns of the person, phone numbers, the employer, and all else by its name."""

    columns: dict[str, str] = field(default_factory=dict)
    phones: tuple[str, ...] = ()
    employer: Employer = Employer()
    others: dict[str, Any] = field(default_factory=dict)


def read(traits: Mapping[str, Any]) -> Said:
    """The person behind ``traits``. Blank and null mean that nothing was said."""
    columns = {name: text for name, keys in _NAMES.items() if (text := _first(traits, keys))}
    address = traits.get("address")
    if isinstance(address, Mapping):
        columns |= {n: t for n in ("country", "city") if n not in columns and (t := _text(address.get(n)))}
    if "first_name" not in columns and "last_name" not in columns:
        columns |= _split(_text(traits.get("name")))
    known = {key for keys in _NAMES.values() for key in keys} | {
        "name",
        "email",
        "phone",
        "company",
        "address",
    }
    return Said(
        columns={name: text[: _LENGTHS[name]].rstrip() for name, text in columns.items()},
        phones=tuple(filter(None, [_text(traits.get("phone"))])),
        employer=employer(traits.get("company")),
        others={str(key): value for key, value in traits.items() if key not in known},
    )


def employer(said: object) -> Employer:
    """The company of a trait "company": a mapping as Segment describes it, or its name."""
    if not isinstance(said, Mapping):
        return Employer(name=_text(said)[:255])
    count = said.get("employee_count", said.get("employees"))
    return Employer(
        name=_text(said.get("name"))[:255],
        key=_text(said.get("id"))[:255],
        industry=_text(said.get("industry"))[:120],
        employees=count
        if isinstance(count, int) and not isinstance(count, bool) and 0 < count < 10**8
        else None,
        domain=_text(said.get("website") or said.get("domain"))[:253],
    )


def _first(traits: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    return next((text for key in keys if (text := _text(traits.get(key)))), "")


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return " ".join(str(value).split())


def _split(name: str) -> dict[str, str]:
    """First and last name of a full one: the last word is the last name, a single word a first name."""
    first, _, last = name.rpartition(" ")
    if not first:
        return {"first_name": last} if last else {}
    return {"first_name": first, "last_name": last}
