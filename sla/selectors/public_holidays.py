"""Public holidays of a country or region, from the ``holidays`` package."""

from __future__ import annotations

import holidays
from holidays.registry import COUNTRIES

from smarketing.core.errors import FieldError, Invalid


class UnknownPlace(Invalid):
    """There are no public holidays on record for this country, region or year."""

    code = "unknown_place"


def countries() -> list[tuple[str, str]]:
    """Code and English name of every country with holidays on record, by name."""
    named = ((entry[1], key.replace("_", " ").title()) for key, entry in COUNTRIES.items())
    return sorted(named, key=lambda pair: pair[1])


def of_country(country: str, *, region: str = "", year: int) -> list[dict[str, str]]:
    """The days as a calendar's body lists them. Raises :class:`UnknownPlace`."""
    if country not in {code for code, _name in countries()}:
        raise _unknown("country", "Choose a country.")
    try:
        found = holidays.country_holidays(country, subdiv=region or None, years=year)
    except NotImplementedError as error:
        raise _unknown("region", "This country has no such region; leave it empty for the whole.") from error
    return [{"date": day.isoformat(), "name": name} for day, name in sorted(found.items())]


def _unknown(field: str, detail: str) -> UnknownPlace:
    return UnknownPlace(detail, errors=[FieldError(field, UnknownPlace.code, detail)])
