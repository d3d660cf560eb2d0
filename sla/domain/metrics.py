"""What can be promised: a closed table of metrics, each measured, and the further terms each knows.

A *clock* metric is one promise per lead with a deadline; a *volume* is counted per period against a
floor and perhaps a ceiling; a *rate* is a share of the leads of a period, with its counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Kind = Literal["clock", "volume", "rate"]

FIRST_RESPONSE = "first_response"
DEPTH = "depth"
OUTCOME = "outcome"
RETURN_FEEDBACK = "return_feedback"
SUPPLY_COUNT = "supply_count"
SUPPLY_VALUE = "supply_value"
MINIMUM_INFORMATION = "minimum_information"
TOUCHED = "touched"
WORKED = "worked"
CONTACTS = "contacts"
ACCEPTANCE = "acceptance"
CLOSE_RATE = "close_rate"
MEETINGS = "meetings"

PER_REP = "rep"
PER_TEAM = "team"
MOST_MINUTES = Decimal(30 * 24 * 60)
MOST_DAYS = Decimal(90)


@dataclass(frozen=True, slots=True)
class Term:
    """A further number or word of a clause. ``choices`` makes it a word; ``default`` may be None."""

    key: str
    least: int = 0
    most: int = 0
    default: int | str | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Metric:
    """What can be promised: by whom, in which unit, and within which bounds a target makes sense."""

    key: str
    side: str
    comparator: str
    unit: str
    least: Decimal
    most: Decimal
    kind: Kind
    needs_calendar: bool = False
    periods: tuple[str, ...] = ("",)
    terms: tuple[Term, ...] = ()


# Open time after the deadline at which somebody further is told; None means that step is left out.
_LADDER = (
    Term("lead_after_minutes", 1, 43_200),
    Term("reassign_after_minutes", 1, 43_200),
    Term("managers_after_minutes", 1, 43_200),
)
# How much open time the clocks of one clause may wait in all, per lead.
_PAUSE = Term("pause_hours", 0, 400, default=16)
# Calendar days from a return on in which marketing may contest it.
_APPEAL = Term("appeal_days", 1, 90, default=14)
_PER = Term("per", choices=(PER_REP, PER_TEAM), default=PER_REP)
_CEILING = Term("ceiling", 1, 1_000_000_000)
_VOLUME_PERIODS = ("month", "week", "quarter")
_RATE_PERIODS = ("month", "quarter")
_HUNDRED = Decimal(100)


def _time(key: str, unit: str, most: Decimal, *more: Term, least: Decimal = Decimal(1)) -> Metric:
    return Metric(
        key=key,
        side="sales",
        comparator="<=",
        unit=unit,
        least=least,
        most=most,
        kind="clock",
        needs_calendar=True,
        terms=(*more, _PAUSE, *_LADDER),
    )


def _rate(key: str, side: str, *terms: Term) -> Metric:
    return Metric(
        key=key,
        side=side,
        comparator=">=",
        unit="percent",
        least=Decimal("0.1"),
        most=_HUNDRED,
        kind="rate",
        periods=_RATE_PERIODS,
        terms=terms,
    )


def _supply(key: str, unit: str, most: int) -> Metric:
    return Metric(
        key=key,
        side="marketing",
        comparator=">=",
        unit=unit,
        least=Decimal(1),
        most=Decimal(most),
        kind="volume",
        needs_calendar=True,
        periods=_VOLUME_PERIODS,
        terms=(_PER, _CEILING),
    )


METRICS: Mapping[str, Metric] = {
    metric.key: metric
    for metric in (
        _supply(SUPPLY_COUNT, "leads", 1_000_000),
        _supply(SUPPLY_VALUE, "money", 1_000_000_000),
        _rate(MINIMUM_INFORMATION, "marketing"),
        _time(FIRST_RESPONSE, "minutes", MOST_MINUTES),
        Metric(
            key=DEPTH,
            side="sales",
            comparator=">=",
            unit="attempts",
            least=Decimal(1),
            most=Decimal(30),
            kind="clock",
            needs_calendar=True,
            terms=(
                Term("channels", 1, 3, default=2),
                Term("days", 1, 30, default=3),
                Term("within_days", 1, 90, default=10),
                _PAUSE,
                *_LADDER,
            ),
        ),
        _time(OUTCOME, "days", MOST_DAYS, least=Decimal("0.1")),
        _time(RETURN_FEEDBACK, "days", MOST_DAYS, _APPEAL, least=Decimal("0.1")),
        _rate(TOUCHED, "sales"),
        _rate(WORKED, "sales"),
        Metric(
            key=CONTACTS,
            side="sales",
            comparator=">=",
            unit="persons",
            least=Decimal(1),
            most=Decimal(10_000),
            kind="volume",
            needs_calendar=True,
            periods=("week", "month"),
        ),
        _rate(ACCEPTANCE, "sales"),
        _rate(CLOSE_RATE, "sales", Term("maturity_days", 0, 730, default=90)),
        # Marketing calls the two teams together; a meeting counts when somebody of each side was there.
        Metric(
            key=MEETINGS,
            side="marketing",
            comparator=">=",
            unit="meetings",
            least=Decimal(1),
            most=Decimal(31),
            kind="volume",
            periods=("week", "month", "quarter"),
        ),
    )
}
CLOCKS = frozenset(key for key, metric in METRICS.items() if metric.kind == "clock")
