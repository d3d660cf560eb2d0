"""Clauses of an agreement: typed promises, checked, in one canonical form that both sides sign.

A clause is data, never prose; its sentence is generated (``sla.selectors.prose``), so that text and
behaviour can't differ. Only metrics that are measured can be promised.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

FIRST_RESPONSE = "first_response"
SIDES = ("marketing", "sales")
BANDS = tuple(f + i for f in "ABC" for i in "123")
MAX_CLAUSES = 40


@dataclass(frozen=True, slots=True)
class Metric:
    """What can be promised: by whom, in which unit, and within which bounds a target makes sense."""

    key: str
    side: str
    comparator: str
    unit: str
    least: Decimal
    most: Decimal
    needs_calendar: bool


METRICS: Mapping[str, Metric] = {
    FIRST_RESPONSE: Metric(
        key=FIRST_RESPONSE,
        side="sales",
        comparator="<=",
        unit="minutes",
        least=Decimal(1),
        most=Decimal(30 * 24 * 60),
        needs_calendar=True,
    )
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend. ``field`` is a dotted path ("clauses.0.target"), ``detail`` one sentence."""

    field: str
    code: str
    detail: str


class ClausesInvalid(ValueError):
    """The clauses can't be used; ``problems`` names each place."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(f"{p.field}: {p.detail}" for p in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class ClauseSpec:
    """One checked promise. ``calendar``, ``accountable`` and ``backup`` are ids.

    ``bands`` names the cells it covers ("A1"); empty means every delivered lead. ``target`` is in the
    unit of the metric.
    """

    side: str
    metric: str
    comparator: str
    target: Decimal
    period: str = ""
    calendar: int | None = None
    bands: tuple[str, ...] = ()
    grace_seconds: int = 0
    accountable: int | None = None
    backup: int | None = None

    @property
    def duration(self) -> timedelta:
        """The target of a clause about time, grace included."""
        return timedelta(minutes=float(self.target), seconds=self.grace_seconds)

    def covers(self, cell: str) -> bool:
        """Does the promise hold for leads of this cell? One without a known cell is always covered."""
        return not self.bands or not cell or cell in self.bands

    def to_json(self) -> dict[str, Any]:
        """The canonical form of one clause."""
        return {
            "side": self.side,
            "metric": self.metric,
            "comparator": self.comparator,
            "target": str(self.target.normalize() + 0),
            "period": self.period,
            "calendar": self.calendar,
            "population": {"bands": list(self.bands)} if self.bands else {},
            "grace_seconds": self.grace_seconds,
            "accountable": self.accountable,
            "backup": self.backup,
        }


def canonical(clauses: Sequence[ClauseSpec]) -> bytes:
    """Canonical JSON: sorted keys, no spaces, UTF-8, in the order of the agreement."""
    document = {"clauses": [clause.to_json() for clause in clauses]}
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(clauses: Sequence[ClauseSpec]) -> str:
    """SHA-256 of the canonical form, in hex: what both sides sign."""
    return hashlib.sha256(canonical(clauses)).hexdigest()


def parse(data: object) -> tuple[ClauseSpec, ...]:
    """Check a list of clauses as clients send them. Raises ClausesInvalid with every problem found."""
    if not isinstance(data, list):
        raise ClausesInvalid([Problem("clauses", "not_a_list", "Send a list of clauses.")])
    problems: list[Problem] = []
    if not data:
        problems.append(Problem("clauses", "empty", "An agreement needs at least one clause."))
    if len(data) > MAX_CLAUSES:
        problems.append(Problem("clauses", "too_many", f"At most {MAX_CLAUSES} clauses."))
    parsed = []
    for i, item in enumerate(data[:MAX_CLAUSES]):
        reader = _Reader(f"clauses.{i}", problems)
        clause = reader.clause(item)
        if clause is not None:
            parsed.append(clause)
    _check_no_double(parsed, problems)
    if problems:
        raise ClausesInvalid(problems)
    return tuple(parsed)


def _check_no_double(clauses: Sequence[ClauseSpec], problems: list[Problem]) -> None:
    """Two clauses of one metric must not both cover a lead: which of them would be measured?"""
    for i, clause in enumerate(clauses):
        for earlier in clauses[:i]:
            shared = not clause.bands or not earlier.bands or set(clause.bands) & set(earlier.bands)
            if clause.metric == earlier.metric and shared:
                detail = "Two clauses promise this for the same leads. Give them different bands."
                problems.append(Problem(f"clauses.{i}.population", "overlap", detail))


class _Reader:
    """Reads one clause and collects what is wrong with it."""

    def __init__(self, path: str, problems: list[Problem]) -> None:
        self.path = path
        self.problems = problems

    def clause(self, item: object) -> ClauseSpec | None:
        if not isinstance(item, Mapping):
            self.refuse("", "not_an_object", "A clause must be an object.")
            return None
        known = {*ClauseSpec.__dataclass_fields__, "population"} - {"bands"}
        for name in sorted(set(map(str, item)) - known):
            self.refuse(name, "unknown", "There is no such part of a clause.")
        metric = METRICS.get(str(item.get("metric", "")))
        if metric is None:
            self.refuse("metric", "unknown", f"Choose one of: {', '.join(METRICS)}.")
            return None
        before = len(self.problems)
        clause = ClauseSpec(
            side=self.one_of(item, "side", (metric.side,)),
            metric=metric.key,
            comparator=self.one_of(item, "comparator", (metric.comparator,)),
            target=self.target(item.get("target"), metric),
            period=self.one_of(item, "period", ("",)),
            calendar=self.identifier(item, "calendar"),
            bands=self.bands(item.get("population")),
            grace_seconds=self.grace(item.get("grace_seconds", 0)),
            accountable=self.identifier(item, "accountable"),
            backup=self.identifier(item, "backup"),
        )
        if metric.needs_calendar and clause.calendar is None and len(self.problems) == before:
            self.refuse("calendar", "required", "Choose the calendar whose hours count.")
        return clause if len(self.problems) == before else None

    def one_of(self, item: Mapping[str, Any], name: str, allowed: tuple[str, ...]) -> str:
        value = item.get(name, allowed[0])
        if value not in allowed:
            self.refuse(name, "not_allowed", f"This metric only knows: {', '.join(allowed) or 'none'}.")
            return allowed[0]
        return str(value)

    def target(self, value: object, metric: Metric) -> Decimal:
        try:
            target = Decimal(str(value)) if not isinstance(value, bool) else Decimal("NaN")
        except InvalidOperation:
            target = Decimal("NaN")
        if not target.is_finite() or not metric.least <= target <= metric.most:
            detail = f"Give a number of {metric.unit} from {metric.least} to {metric.most}."
            self.refuse("target", "out_of_range", detail)
            return metric.least
        return target.quantize(Decimal("0.0001"))

    def bands(self, population: object) -> tuple[str, ...]:
        if population is None or population == {}:
            return ()
        bands = population.get("bands") if isinstance(population, Mapping) else None
        if not isinstance(bands, list) or set(map(str, bands)) - set(BANDS) or len(population) != 1:  # type: ignore[arg-type]
            self.refuse("population", "unknown", "Name the cells it covers, A1 to C3, or leave it empty.")
            return ()
        return tuple(sorted(set(map(str, bands))))

    def grace(self, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 30 * 86400:
            self.refuse("grace_seconds", "out_of_range", "Give whole seconds from 0 to 30 days.")
            return 0
        return value

    def identifier(self, item: Mapping[str, Any], name: str) -> int | None:
        value = item.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**63:
            self.refuse(name, "not_an_id", "Give an id or leave it empty.")
            return None
        return value

    def refuse(self, name: str, code: str, detail: str) -> None:
        self.problems.append(Problem(f"{self.path}.{name}" if name else self.path, code, detail))
