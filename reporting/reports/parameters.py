"""Parameters of reports: parsed strictly, in one place, for page, API and command alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from leads.models import Source
from smarketing.core.errors import FieldError, Invalid
from smarketing.core.periods import Period, of_dates


@dataclass(frozen=True, slots=True)
class Params:
    """What a report is asked for. ``first`` and ``last`` are days, both included."""

    first: date | None
    last: date | None
    zone: ZoneInfo
    source_id: int | None
    by: str
    given: Mapping[str, str]

    @property
    def period(self) -> Period:
        """The half-open range of instants of these days in ``zone``."""
        return of_dates(self.first, self.last, zone=self.zone)


def parse(given: Mapping[str, str], *, zone: ZoneInfo, groupings: tuple[str, ...]) -> Params:
    """Read ``from``, ``to``, ``source`` and ``by``.

    Raises ``Invalid`` naming each entry that is unknown or can't be read, and how to mend it.
    """
    errors: list[FieldError] = []
    allowed = ("from", "to", "source", "by") if groupings else ("from", "to", "source")
    errors += [
        FieldError(key, "unknown", f"There is no such parameter; use one of {', '.join(allowed)}.")
        for key in given
        if key not in allowed
    ]
    first, last = (_day(given, key, errors) for key in ("from", "to"))
    if first and last and last < first:
        errors.append(FieldError("to", "order", "The last day is before the first one."))
    source_id = None
    if code := given.get("source", "").strip():
        source_id = Source.objects.filter(code=code).values_list("pk", flat=True).first()
        if source_id is None:
            errors.append(FieldError("source", "unknown", f"There is no source “{code}”."))
    by = given.get("by") or (groupings[0] if groupings else "")
    if groupings and by not in groupings:
        errors.append(FieldError("by", "unknown", f"Group by one of {', '.join(groupings)}."))
    if errors:
        raise Invalid("The report can't be made from these parameters.", errors=errors)
    return Params(first, last, zone, source_id, by, {k: v for k, v in given.items() if v})


def _day(given: Mapping[str, str], key: str, errors: list[FieldError]) -> date | None:
    value = given.get(key, "").strip()
    if not value:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        errors.append(FieldError(key, "invalid", "Write the day as 2026-01-31."))
        return None
