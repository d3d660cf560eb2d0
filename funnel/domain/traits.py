"""What leads have in common: columns of what was known, cut into bins, and which of them may teach a model.

A trait is one column of what was known of a lead at its capture. Numbers are cut at the quantiles of the
training leads, categories keep the levels that are frequent enough; a blank is a bin of its own, because that
nothing is known says something, too. The same bins serve the prediction, its reasons and the lift of traits.

A column that sales writes after the first contact knows the outcome before the model does. Three guards keep
it out: what people have marked, names that speak of later (:data:`LATER`), and a column that alone tells
winners from others better than :data:`TOO_GOOD` (area under the curve). A person may overrule the last two.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Value = float | str | None

BINS = 8
MAX_LEVELS = 40
MIN_SUPPORT = 20
TOO_GOOD = 0.77
_ID_LIKE = 0.5  # distinct texts per lead above which a column names leads instead of describing them
_FOLDS = 5
_PRIOR = 5.0  # leads' worth of the average, for levels with few cases

BLANK = "(blank)"
OTHER = "(other)"

# Names that tell of what was written after somebody had looked at the lead or spoken with the person.
LATER = re.compile(
    r"(?:^|[^a-z])(?:"
    r"last|latest|recent|notable|tags?|quality|rating|verdict|remarks?|disposition|outcome|result"
    r"|duration|talk[ _]?time|call[ _]?length|attempts?|closed?|lost|won|convert\w*"
    r"|next[ _]?step|follow[ _]?up"
    r"|(?:lead[ _]?)(?:profile|status|stage|grade)"
    r"|(?:score|index)(?:$|[^a-z])"
    r")",
    re.IGNORECASE,
)


class Guard(StrEnum):
    """Why a column does not teach the model; ``NONE`` does."""

    NONE = ""
    MARKED = "marked"
    NAME = "name"
    TOO_GOOD = "too_good"
    NAMES_LEADS = "names_leads"
    CONSTANT = "constant"


@dataclass(frozen=True, slots=True)
class Trait:
    """One column: ``key`` is "subject.name" as the definition writes it, ``label`` what people read."""

    key: str
    label: str
    is_number: bool


@dataclass(frozen=True, slots=True)
class Binning:
    """How a trait becomes a bin: cut points of a number, or the levels of a category.

    Bin 0 is the blank. A number falls into 1 + how many ``edges`` are at most it; a category into 1 + the
    place of its level, and what is no level into the last bin.
    """

    trait: Trait
    edges: tuple[float, ...] = ()
    levels: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """How many bins there are, the blank included."""
        return 2 + (len(self.edges) if self.trait.is_number else len(self.levels))

    def codes(self, values: Sequence[Value]) -> Codes:
        """The bin of each value."""
        if self.trait.is_number:
            numbers = np.array([_number(v) for v in values], dtype=np.float64)
            found = 1 + np.searchsorted(np.array(self.edges), numbers, side="right")
            return np.where(np.isnan(numbers), 0, found).astype(np.int64)
        places = {level: number for number, level in enumerate(self.levels, start=1)}
        last = len(self.levels) + 1
        return np.array([places.get(t, last) if (t := _text(v)) else 0 for v in values], dtype=np.int64)

    def name(self, code: int) -> str:
        """What a bin holds, in words."""
        if code == 0:
            return BLANK
        if not self.trait.is_number:
            return self.levels[code - 1] if code <= len(self.levels) else OTHER
        low = self.edges[code - 2] if code >= 2 else None
        high = self.edges[code - 1] if code <= len(self.edges) else None
        if low is None:
            return f"< {high:g}" if high is not None else "any"
        return f"≥ {low:g}" if high is None else f"{low:g} to {high:g}"

    def as_json(self) -> dict[str, Any]:
        """The binning as JSON, for :func:`binning_from`."""
        trait = {"key": self.trait.key, "label": self.trait.label, "is_number": self.trait.is_number}
        return {**trait, "edges": list(self.edges), "levels": list(self.levels)}


def binning_from(told: Mapping[str, Any]) -> Binning:
    """The binning that :meth:`Binning.as_json` told."""
    trait = Trait(told["key"], told["label"], told["is_number"])
    return Binning(trait, tuple(told["edges"]), tuple(told["levels"]))


@dataclass(frozen=True, slots=True)
class Judged:
    """A column, how well it alone tells winners from others (0.5 is not at all), and what holds it out."""

    trait: Trait
    auc: float
    known: float  # share of leads of which it is known
    guard: Guard

    @property
    def is_used(self) -> bool:
        """Whether it teaches the model."""
        return self.guard is Guard.NONE


def trait_of(key: str, label: str, values: Sequence[Value]) -> Trait:
    """A column is a number when all that is known of it are numbers and it has more than two of them."""
    known = {v for v in values if v is not None and v != ""}
    numeric = bool(known) and all(isinstance(v, int | float) and not isinstance(v, bool) for v in known)
    return Trait(key, label, numeric and len(known) > 2)


def bins_of(trait: Trait, values: Sequence[Value]) -> Binning:
    """The bins of a trait, learnt from the training leads."""
    if trait.is_number:
        known = np.array([n for v in values if not math.isnan(n := _number(v))])
        cuts = np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1]) if known.size else np.array([])
        edges = sorted({float(f"{cut:.6g}") for cut in cuts} - {float(known.min())} if known.size else set())
        return Binning(trait, edges=tuple(edges))
    counts = Counter(text for v in values if (text := _text(v)))
    least = max(MIN_SUPPORT, len(values) // 200)
    frequent = [level for level, n in counts.most_common(MAX_LEVELS) if n >= least]
    return Binning(trait, levels=tuple(sorted(frequent)))


def judge(trait: Trait, values: Sequence[Value], won: Floats, *, is_marked: bool, is_allowed: bool) -> Judged:
    """Whether a column may teach the model.

    ``is_marked``: people said that it is written after contact. ``is_allowed``: people said that it is known
    at capture, whatever its name and its strength.
    """
    texts = [v for v in values if v is not None and v != ""]
    known = len(texts) / len(values) if values else 0.0
    distinct = len(set(texts))
    if is_marked:
        return Judged(trait, alone(bins_of(trait, values), values, won), known, Guard.MARKED)
    if _names_leads(trait, texts, distinct):
        return Judged(trait, 0.5, known, Guard.NAMES_LEADS)
    if distinct == 0 or (distinct == 1 and known == 1.0):
        return Judged(trait, 0.5, known, Guard.CONSTANT)
    auc = alone(bins_of(trait, values), values, won)
    guard = Guard.NONE
    if not is_allowed:
        spoken = f"{trait.key.partition('.')[2]} {trait.label}".replace("_", " ")
        guard = Guard.NAME if LATER.search(spoken) else Guard.TOO_GOOD if auc >= TOO_GOOD else Guard.NONE
    return Judged(trait, auc, known, guard)


def _names_leads(trait: Trait, known: Sequence[Value], distinct: int) -> bool:
    """Whether nearly every lead has a value of its own: an id, whatever it is written like."""
    if not trait.is_number:
        return distinct > max(MAX_LEVELS, _ID_LIKE * len(known))
    whole = all(_number(v).is_integer() for v in known)
    return whole and distinct > MAX_LEVELS and distinct >= 0.98 * len(known)


def alone(binning: Binning, values: Sequence[Value], won: Floats) -> float:
    """Area under the curve of the column alone, each fifth judged by the rates of the other four."""
    codes = binning.codes(values)
    folds = np.arange(len(values)) % _FOLDS
    base, scores = float(won.mean()), np.zeros(len(values))
    for fold in range(_FOLDS):
        here, there = folds == fold, folds != fold
        counts = np.bincount(codes[there], minlength=binning.size)
        wins = np.bincount(codes[there], weights=won[there], minlength=binning.size)
        rates = (wins + _PRIOR * base) / (counts + _PRIOR)
        scores[here] = rates[codes[here]]
    found = auc(won, scores)
    return max(found, 1 - found)


def auc(won: Floats, scores: Floats) -> float:
    """Area under the ROC curve: how often a winner is above another lead; ties count half. 0.5 without both.

    The Mann–Whitney statistic by mid-ranks.
    """
    n_won = float(won.sum())
    n_other = won.size - n_won
    if not n_won or not n_other:
        return 0.5
    _distinct, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks = (ends - (counts - 1) / 2.0)[inverse]
    return float((ranks[won == 1].sum() - n_won * (n_won + 1) / 2) / (n_won * n_other))


def _number(value: Value) -> float:
    if isinstance(value, bool) or value is None or value == "":
        return math.nan
    try:
        return float(value)
    except ValueError:
        return math.nan


def _text(value: Value) -> str:
    if value is None:
        return ""
    return str(value).strip()[:80]
