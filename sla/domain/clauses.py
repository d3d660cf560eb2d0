"""Clauses of an agreement: typed promises, checked, in one canonical form that both sides sign.

A clause is data, never prose; its sentence is generated (``sla.selectors.prose``), so that text and
behaviour can't differ. Only metrics that are measured can be promised.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from sla.domain.metrics import CLOCKS, DEPTH, METRICS, Metric, Term

BANDS = tuple(f + i for f in "ABC" for i in "123")
MAX_CLAUSES = 40
LONGEST_GRACE = 30 * 86400
SIDES = ("marketing", "sales")


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
    """One checked promise. ``calendar``, ``accountable``, ``backup`` and ``team`` are ids.

    ``bands`` names the cells it covers ("A1"), ``team`` whose leads; empty means every delivered lead.
    ``target`` is in the unit of the metric, ``terms`` are the further numbers that the metric knows.
    """

    side: str
    metric: str
    comparator: str
    target: Decimal
    period: str = ""
    calendar: int | None = None
    bands: tuple[str, ...] = ()
    team: int | None = None
    grace_seconds: int = 0
    accountable: int | None = None
    backup: int | None = None
    terms: Mapping[str, Any] = field(default_factory=dict)

    def duration(self, business_day: timedelta) -> timedelta:
        """The promised open time of a clause about time, grace included; a day is ``business_day``."""
        grace = timedelta(seconds=self.grace_seconds)
        if self.metric == DEPTH:
            return int(self.term("within_days")) * business_day + grace
        if METRICS[self.metric].unit == "days":
            return float(self.target) * business_day + grace
        return timedelta(minutes=float(self.target)) + grace

    def term(self, key: str) -> Any:
        """A further number or word of the clause, or what holds when it says nothing; None for neither."""
        default = next(term.default for term in METRICS[self.metric].terms if term.key == key)
        return self.terms.get(key, default)

    def covers(self, cell: str, teams: Collection[int] = ()) -> bool:
        """Does the promise hold for leads of this cell, whose owner is in these teams?

        One without a known cell is always covered.
        """
        in_team = self.team is None or self.team in teams
        return in_team and (not self.bands or not cell or cell in self.bands)

    @property
    def population(self) -> dict[str, Any]:
        """Whose leads it covers, as it is stored."""
        bands = {"bands": list(self.bands)} if self.bands else {}
        return bands | ({"team": self.team} if self.team is not None else {})

    def to_json(self) -> dict[str, Any]:
        """The canonical form of one clause; parts added later are left out while they say nothing."""
        told = {
            "side": self.side,
            "metric": self.metric,
            "comparator": self.comparator,
            "target": str(self.target.normalize() + 0),
            "period": self.period,
            "calendar": self.calendar,
            "population": self.population,
            "grace_seconds": self.grace_seconds,
            "accountable": self.accountable,
            "backup": self.backup,
        }
        return told | ({"terms": dict(self.terms)} if self.terms else {})


def canonical(
    clauses: Sequence[ClauseSpec], *, annex: Mapping[str, Any] | None = None, effective_on: date | None = None
) -> bytes:
    """Canonical JSON of the text: sorted keys, no spaces, UTF-8, clauses in the order of the agreement."""
    document: dict[str, Any] = {"clauses": [clause.to_json() for clause in clauses]}
    if annex:
        document["annex"] = annex
    if effective_on is not None:
        document["effective_on"] = effective_on.isoformat()
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(
    clauses: Sequence[ClauseSpec], *, annex: Mapping[str, Any] | None = None, effective_on: date | None = None
) -> str:
    """SHA-256 of the canonical form, in hex: what both sides sign."""
    return hashlib.sha256(canonical(clauses, annex=annex, effective_on=effective_on)).hexdigest()


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
    """Two clocks of one metric must not both run for a lead; a count for some leads may stand beside all."""
    for i, clause in enumerate(clauses):
        for earlier in clauses[:i]:
            if clause.metric != earlier.metric or clause.team != earlier.team:
                continue
            shared = not clause.bands or not earlier.bands or set(clause.bands) & set(earlier.bands)
            same = clause.bands == earlier.bands and clause.terms.get("per") == earlier.terms.get("per")
            if shared if clause.metric in CLOCKS else same and clause.period == earlier.period:
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
        known = {*ClauseSpec.__dataclass_fields__, "population"} - {"bands", "team"}
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
            period=self.one_of(item, "period", metric.periods),
            calendar=self.identifier(item, "calendar"),
            bands=self.bands(item.get("population")),
            team=self.team(item.get("population")),
            grace_seconds=self.grace(item.get("grace_seconds", 0)),
            accountable=self.identifier(item, "accountable"),
            backup=self.identifier(item, "backup"),
            terms=self.terms(item.get("terms"), metric),
        )
        self.ceiling(clause)
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
        if population is None:
            return ()
        bands = population.get("bands", []) if isinstance(population, Mapping) else None
        unknown = set(population) - {"bands", "team"} if isinstance(population, Mapping) else set()
        if not isinstance(bands, list) or set(map(str, bands)) - set(BANDS) or unknown:
            self.refuse("population", "unknown", "Name the cells it covers, A1 to C3, or leave it empty.")
            return ()
        return tuple(sorted(set(map(str, bands))))

    def team(self, population: object) -> int | None:
        return self.identifier(population, "team") if isinstance(population, Mapping) else None

    def terms(self, given: object, metric: Metric) -> dict[str, Any]:
        if given is None:
            return {}
        if not isinstance(given, Mapping):
            self.refuse("terms", "not_an_object", "The further terms must be an object.")
            return {}
        known = {term.key: term for term in metric.terms}
        for name in sorted(set(map(str, given)) - set(known)):
            self.refuse(f"terms.{name}", "unknown", f"This metric only knows: {', '.join(known) or 'none'}.")
        read = {}
        for key in sorted(set(known) & set(map(str, given))):
            if given[key] is not None and self.is_good(given[key], known[key]):
                read[key] = given[key]
        return read

    def is_good(self, value: object, term: Term) -> bool:
        if term.choices:
            good, detail = value in term.choices, f"Choose one of: {', '.join(term.choices)}."
        else:
            good = isinstance(value, int) and not isinstance(value, bool) and term.least <= value <= term.most
            detail = f"Give a whole number from {term.least} to {term.most}."
        if not good:
            self.refuse(f"terms.{term.key}", "out_of_range", detail)
        return good

    def ceiling(self, clause: ClauseSpec) -> None:
        ceiling = clause.terms.get("ceiling")
        if ceiling is not None and ceiling < clause.target:
            self.refuse("terms.ceiling", "below_floor", "The ceiling can't lie below what is promised.")

    def grace(self, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LONGEST_GRACE:
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
