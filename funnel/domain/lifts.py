"""What the data says: traits of those who became customers against those who did not (R58).

A trait's bin is told when enough leads are in it and its win rate differs from that of all the others
beyond chance (its Wilson interval does not hold the others' rate). It becomes a suggested criterion: the
points are ten times the natural logarithm of the odds ratio, rounded to fives, so that a trait which makes a
customer e times as likely (in odds) is worth ten.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from funnel.domain.statistics import wilson
from funnel.domain.traits import BLANK, OTHER, Binning, Floats, Value

MIN_LEADS = 30
MOST_POINTS = 40
# Columns that the definition knows by the same path; other columns of a record are custom attributes.
_PATHS = frozenset(
    {
        "person.country", "person.city", "person.language", "person.has_work_email", "company.industry",
        "company.employees", "company.annual_revenue", "company.country", "lead.origin", "lead.channel",
        "lead.source", "lead.lap",
    }
)  # fmt: skip
_SUBJECTS = frozenset({"person", "company", "lead"})


@dataclass(frozen=True, slots=True)
class Lift:
    """One bin of a trait: ``won`` of ``n`` leads in it, and of ``others`` beside it ``others_won``."""

    key: str
    label: str
    what: str
    n: int
    won: int
    others: int
    others_won: int
    points: int
    condition: Mapping[str, Any] | None

    def as_json(self) -> dict[str, Any]:
        """For the card; with the interval of the bin's rate in percent."""
        low, high = wilson(self.won, self.n)
        return {
            "key": self.key,
            "label": self.label,
            "what": self.what,
            "n": self.n,
            "won": self.won,
            "others": self.others,
            "others_won": self.others_won,
            "interval_95": [round(100 * low, 1), round(100 * high, 1)],
            "points": self.points,
            "condition": dict(self.condition) if self.condition is not None else None,
        }


def of(binnings: Sequence[Binning], columns: Mapping[str, Sequence[Value]], won: Floats) -> list[Lift]:
    """The bins that differ from the rest beyond chance, those that differ most first."""
    found = []
    n, n_won = len(won), int(won.sum())
    for binning in binnings:
        codes = binning.codes(columns[binning.trait.key])
        counts = np.bincount(codes, minlength=binning.size)
        wins = np.bincount(codes, weights=won, minlength=binning.size)
        for code in range(binning.size):
            here, good = int(counts[code]), int(wins[code])
            if here < MIN_LEADS or n - here < MIN_LEADS:
                continue
            rest = (n_won - good) / (n - here)
            low, high = wilson(good, here)
            if low <= rest <= high:
                continue
            points = _points(good, here, n_won - good, n - here)
            found.append(
                Lift(
                    binning.trait.key, binning.trait.label, binning.name(code), here, good, n - here,
                    n_won - good, points, condition_of(binning, code),
                )
            )  # fmt: skip
    return sorted(found, key=lambda lift: (-abs(lift.points), -lift.n, lift.key, lift.what))


def condition_of(binning: Binning, code: int) -> dict[str, Any] | None:
    """The condition of the definition that a bin is; ``None`` where the definition can't ask for it."""
    subject, _dot, name = binning.trait.key.partition(".")
    if subject not in _SUBJECTS or name in ("is_known", "campaign_kind"):
        return None
    path = binning.trait.key if binning.trait.key in _PATHS else f"attributes.{name}"
    what = binning.name(code)
    if what == BLANK:
        return {"path": path, "operator": "unknown"}
    if what == OTHER:
        return None
    if not binning.trait.is_number:
        return {"path": path, "operator": "equals", "value": {"yes": True, "no": False}.get(what, what)}
    low = binning.edges[code - 2] if code >= 2 else None
    high = binning.edges[code - 1] if code <= len(binning.edges) else None
    if low is None:
        return {"path": path, "operator": "at_most", "value": high} if high is not None else None
    if high is None:
        return {"path": path, "operator": "at_least", "value": low}
    return {"path": path, "operator": "range", "value": [low, high]}


def _points(won: int, n: int, others_won: int, others: int) -> int:
    """Ten times the log odds ratio (half a case added to each cell, Haldane 1956) in fives, never 0."""
    ratio = (won + 0.5) * (others - others_won + 0.5) / ((n - won + 0.5) * (others_won + 0.5))
    fives = round(10 * math.log(ratio) / 5) or (1 if ratio > 1 else -1)
    return max(-MOST_POINTS, min(MOST_POINTS, 5 * fives))
