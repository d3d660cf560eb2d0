"""Parameters of reports: parsed strictly, in one place, for page, API and command alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from django.utils.functional import Promise

from leads.models import Source
from smarketing.core.errors import FieldError, Invalid
from smarketing.core.periods import Period, of_dates
from smarketing.users.models import User


@dataclass(frozen=True, slots=True)
class Amount:
    """A further number that a report knows, with its bounds and what holds when it is not given."""

    key: str
    label: str | Promise
    least: Decimal
    most: Decimal
    default: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Params:
    """What a report is asked for. ``first`` and ``last`` are days, both included."""

    first: date | None
    last: date | None
    zone: ZoneInfo
    source_id: int | None
    by: str
    given: Mapping[str, str]
    amounts: Mapping[str, Decimal] = field(default_factory=dict)
    # Whose eyes it is for; None: everything, as on the command line.
    viewer: User | None = None

    @property
    def period(self) -> Period:
        """The half-open range of instants of these days in ``zone``."""
        return of_dates(self.first, self.last, zone=self.zone)


def parse(
    given: Mapping[str, str],
    *,
    zone: ZoneInfo,
    groupings: tuple[str, ...],
    amounts: tuple[Amount, ...] = (),
    viewer: User | None = None,
) -> Params:
    """Read ``from``, ``to``, ``source``, ``by`` and the numbers that the report knows.

    Raises ``Invalid`` naming each entry that is unknown or can't be read, and how to mend it.
    """
    errors: list[FieldError] = []
    known = ("from", "to", "source", "by") if groupings else ("from", "to", "source")
    allowed = (*known, *(amount.key for amount in amounts))
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
    numbers = {amount.key: _amount(given, amount, errors) for amount in amounts}
    if errors:
        raise Invalid("The report can't be made from these parameters.", errors=errors)
    return Params(
        first=first,
        last=last,
        zone=zone,
        source_id=source_id,
        by=by,
        given={k: v for k, v in given.items() if v},
        amounts={key: number for key, number in numbers.items() if number is not None},
        viewer=viewer,
    )


def _amount(given: Mapping[str, str], amount: Amount, errors: list[FieldError]) -> Decimal | None:
    text = given.get(amount.key, "").strip()
    if not text:
        return amount.default
    try:
        number = Decimal(text) if len(text) <= 20 else Decimal("NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or not amount.least <= number <= amount.most:
        detail = f"Give a number from {amount.least} to {amount.most}."
        errors.append(FieldError(amount.key, "out_of_range", detail))
        return None
    return number


def _day(given: Mapping[str, str], key: str, errors: list[FieldError]) -> date | None:
    value = given.get(key, "").strip()
    if not value:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        errors.append(FieldError(key, "invalid", "Write the day as 2026-01-31."))
        return None
