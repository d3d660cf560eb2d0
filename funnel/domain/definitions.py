"""The definition of a qualified lead: one document that both teams sign, and the decisions it makes.

A version is a JSON document in canonical form; its SHA-256 digest is what is signed. ``parse`` checks the
document and reports every problem with its path; ``Definition`` answers questions: which band, which cell,
which action, what information is missing, which exclusion applies.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from funnel.domain import fit, personas
from funnel.domain.fit import Condition, Criterion, Facts
from funnel.domain.personas import Portrait

FIT_BANDS = ("A", "B", "C")
INTEREST_BANDS = ("1", "2", "3")
CELLS = tuple(f + i for f in FIT_BANDS for i in INTEREST_BANDS)
# Parts that a document may do without; one that says nothing is left out of it, so that equal meaning has
# equal bytes and what was signed before a part existed keeps its digest.
OPTIONAL = frozenset({"effective_on", "minimum_by_band", "personas", "ideal_customer"})
Requirements = tuple[tuple[str, ...], ...]


class Action(StrEnum):
    """What a cell of the matrix says to do with a lead."""

    HAND_OFF = "hand_off"
    NURTURE = "nurture"
    SELF_SERVE = "self_serve"
    DISCARD = "discard"


@dataclass(frozen=True, slots=True)
class Signal:
    """A behaviour worth points: the kind of event, what must hold for it, and how many count per day.

    Conditions read the event's properties, to which the caller adds its ``name`` and ``url``.
    """

    key: str
    event: str
    points: float
    daily_cap: int | None = None
    where: tuple[Condition, ...] = ()

    def matches(self, event: str, properties: Mapping[str, Any]) -> bool:
        """Is this event one of the signal's?"""
        if event != self.event:
            return False
        return all(fit.holds(condition, {"properties": properties}) for condition in self.where)


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A condition under which a lead is never delivered, with its reason for people."""

    key: str
    condition: Condition
    reason: str


@dataclass(frozen=True, slots=True)
class Definition:
    """A checked version. ``document`` is its canonical form, ``digest`` the SHA-256 of that in hex."""

    document: Mapping[str, Any]
    digest: str
    criteria: tuple[Criterion, ...]
    signals: tuple[Signal, ...]
    half_life: timedelta
    fit_bands: Mapping[str, float]
    interest_bands: Mapping[int, float]
    matrix: Mapping[str, Action]
    minimum_information: Requirements
    exclusions: tuple[Exclusion, ...]
    hysteresis: float
    # What a lead of a band of fit needs besides ``minimum_information``.
    minimum_by_band: Mapping[str, Requirements] = field(default_factory=dict)
    personas: tuple[Portrait, ...] = ()
    ideal_customer: Portrait | None = None
    # In force from the start of this day where the organisation is; None: with the second signature.
    effective_on: date | None = None
    _scorer: fit.Scorer = field(init=False, repr=False, compare=False)
    _exclusions: tuple[tuple[fit.Matcher, Exclusion], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_scorer", fit.Scorer(self.criteria))
        matchers = tuple((fit.Matcher(exclusion.condition), exclusion) for exclusion in self.exclusions)
        object.__setattr__(self, "_exclusions", matchers)

    def asks(self, *paths: str) -> bool:
        """Whether fit or an exclusion rests on one of these attributes."""
        asked = {criterion.condition.path for criterion in self.criteria}
        return not asked.union(exclusion.condition.path for exclusion in self.exclusions).isdisjoint(paths)

    def fit_score(self, facts: Facts) -> int:
        """The fit, 0–100, without its explanation (that is ``fit.evaluate(self.criteria, facts)``)."""
        return self._scorer.score(facts)

    def fit_band(self, score: float) -> str:
        """A, B or C."""
        return fit.band(score, self.fit_bands)

    def interest_band(self, score: float, previous: int | None = None) -> int:
        """1, 2 or 3. Entered at ≥ T; the band held before is left only below T·(1−hysteresis)."""
        for name in (1, 2):
            threshold = self.interest_bands[name]
            if previous is not None and previous <= name:
                threshold *= 1 - self.hysteresis
            if score >= threshold:
                return name
        return 3

    def leave_below(self, band: int) -> float | None:
        """The score below which band 1 or 2 is left; None for band 3."""
        return self.interest_bands[band] * (1 - self.hysteresis) if band in self.interest_bands else None

    def decide(self, fit_band: str, interest_band: int) -> Action:
        """What to do with a lead of this cell."""
        return self.matrix[f"{fit_band}{interest_band}"]

    def missing(self, facts: Facts) -> list[str]:
        """Minimum information that is not there: "person.email" or "person.phone or person.mobile".

        What everybody needs comes first, then what the lead's band of fit needs besides.
        """
        asked = list(self.minimum_information)
        if self.minimum_by_band:
            band = self.fit_band(self.fit_score(facts))
            asked += [paths for paths in self.minimum_by_band.get(band, ()) if paths not in asked]
        return [
            " or ".join(paths) for paths in asked if all(fit.look_up(facts, path) is None for path in paths)
        ]

    def persona_of(self, facts: Facts) -> Portrait | None:
        """The first persona that the facts fit, or None."""
        return personas.first_that_fits(self.personas, facts)

    def is_ideal(self, facts: Facts) -> bool | None:
        """Whether the facts fit the ideal customer; None where nobody has said who that is."""
        if self.ideal_customer is None or not self.ideal_customer.where:
            return None
        return self.ideal_customer.fits(facts)

    def excluded_by(self, facts: Facts) -> Exclusion | None:
        """The first exclusion that holds, or None."""
        return next((exclusion for matcher, exclusion in self._exclusions if matcher.holds(facts)), None)

    def signals_for(self, event: str, properties: Mapping[str, Any]) -> list[int]:
        """Slots (positions) of the signals an event counts for."""
        return [slot for slot, signal in enumerate(self.signals) if signal.matches(event, properties)]

    @property
    def weights(self) -> list[float]:
        """Points per slot, for ``interest.Decay``."""
        return [signal.points for signal in self.signals]

    @property
    def caps(self) -> list[int | None]:
        """Daily cap per slot."""
        return [signal.daily_cap for signal in self.signals]


def canonical(document: Any) -> bytes:
    """Canonical JSON: sorted keys, no spaces, UTF-8, whole floats as integers. Equal meaning, equal bytes."""
    return json.dumps(
        _whole(document), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def digest(document: Any) -> str:
    """SHA-256 of the canonical form, in hex: what both sides sign."""
    return hashlib.sha256(canonical(document)).hexdigest()


def _whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {str(key): _whole(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_whole(item) for item in value]
    return value


# --- the versions a new installation starts with ------------------------------------------------------


def default_document() -> dict[str, Any]:
    """Fit × interest, half-life 30 days: the recommended start."""
    return {
        "fit": [
            _criterion("decides", 15, "person.title", "matches", value="*head*"),
            _criterion("directs", 20, "person.title", "matches", value="*director*"),
            _criterion("chief", 20, "person.title", "matches", value="*chief*"),
            _criterion("vice_president", 20, "person.title", "matches", value="*vp*"),
            _criterion("company_known", 15, "company.name", "known"),
            _criterion("company_size", 25, "company.employees", "at_least", value=50),
            _criterion("company_revenue", 15, "company.annual_revenue", "at_least", value=1_000_000),
            _criterion("industry_known", 10, "company.industry", "known"),
            _criterion("work_email", 15, "person.has_work_email", "equals", value=True),
            _criterion("private_email", -15, "person.has_work_email", "equals", value=False),
        ],
        "signals": [
            _signal("page", 1, 5, "page"),
            _signal("pricing_page", 8, 2, "page", ("url", "contains", "pricing")),
            _signal("email_opened", 1, 1, "email_open"),
            _signal("email_clicked", 4, 2, "email_click"),
            _signal("form_submitted", 15, 1, "form"),
            _signal("demo_requested", 40, 1, "form", ("name", "matches", "*demo*")),
            _signal("content_downloaded", 12, 2, "track", ("name", "matches", "content downloaded")),
            _signal("webinar_attended", 20, 1, "track", ("name", "matches", "webinar attended")),
            _signal("event_attended", 20, 1, "track", ("name", "matches", "event attended")),
            _signal("trial_started", 40, 1, "track", ("name", "matches", "trial started")),
            _signal("unsubscribed", -30, 1, "track", ("name", "matches", "*unsubscribed")),
        ],
        "half_life_days": 30,
        "fit_bands": {"A": 60, "B": 30},
        "interest_bands": {"1": 40, "2": 15},
        "matrix": {
            "A1": "hand_off", "A2": "hand_off", "A3": "nurture",
            "B1": "hand_off", "B2": "nurture", "B3": "nurture",
            "C1": "self_serve", "C2": "self_serve", "C3": "discard",
        },
        "minimum_information": [["person.name"], ["person.email", "person.phone"], ["company.name"]],
        "exclusions": [
            {"key": "unsubscribed", "path": "person.do_not_contact", "operator": "equals", "value": True,
             "reason": "Asked not to be contacted"},
            {"key": "student", "path": "person.title", "operator": "matches", "value": "*student*",
             "reason": "Student"},
        ],
        "hysteresis": 0.1,
    }  # fmt: skip


def interest_only_document() -> dict[str, Any]:
    """Whoever shows enough interest is handed off, whatever the fit."""
    matrix = {f + i: {"1": "hand_off", "2": "nurture", "3": "discard"}[i] for f in "ABC" for i in "123"}
    return {**default_document(), "matrix": matrix}


def need_and_budget_document() -> dict[str, Any]:
    """Sales-ready by budget, authority, need and time: what is known of them is the fit, and is asked for."""
    authority = ("chief", "vice_president", "directs", "decides")
    return {
        **default_document(),
        "fit": [
            _criterion("budget_known", 25, "attributes.budget", "known"),
            _criterion("need_known", 25, "attributes.need", "known"),
            _criterion("time_known", 25, "attributes.timeline", "known"),
            *({**entry, "points": 25} for entry in default_document()["fit"] if entry["key"] in authority),
        ],
        "fit_bands": {"A": 75, "B": 50},
        "matrix": {
            "A1": "hand_off", "A2": "hand_off", "A3": "hand_off",
            "B1": "hand_off", "B2": "nurture", "B3": "nurture",
            "C1": "nurture", "C2": "nurture", "C3": "discard",
        },
        "minimum_by_band": {"A": [["attributes.budget"], ["attributes.need"]], "B": [["attributes.need"]]},
    }  # fmt: skip


TEMPLATES = {
    "fit_and_interest": default_document,
    "interest_only": interest_only_document,
    "need_and_budget": need_and_budget_document,
}


def _criterion(key: str, points: int, path: str, operator: str, *, value: Any = None) -> dict[str, Any]:
    entry: dict[str, Any] = {"key": key, "path": path, "operator": operator, "points": points}
    if operator not in fit.WITHOUT_VALUE:
        entry["value"] = value
    return entry


def _signal(
    key: str, points: int, daily_cap: int, event: str, *where: tuple[str, str, str]
) -> dict[str, Any]:
    conditions = [{"path": f"properties.{name}", "operator": op, "value": value} for name, op, value in where]
    entry = {"key": key, "event": event, "points": points, "daily_cap": daily_cap}
    return {**entry, "where": conditions} if conditions else entry
