"""How likely a lead becomes a customer: what a trained model knows, its answer and its reasons.

A model is plain numbers that travel as JSON: nothing is unpickled, and predicting needs numpy alone. Two
forms: a logistic regression over the bins of the traits (each bin adds to the log-odds), or boosted trees
over the bins' own rates. Either answer goes through a logistic calibration (Platt 1999) fitted on leads that
the model had not seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np

from funnel.domain.traits import Binning, Codes, Floats, Value, auc, binning_from

_FEW = 1e-6
ECE_BINS = 10


class Form(StrEnum):
    """The two forms a model takes."""

    LOGISTIC = "logistic"
    BOOSTING = "boosting"


@dataclass(frozen=True, slots=True)
class Tree:
    """One regression tree as arrays: at node i go ``left`` while feature <= threshold; -1 marks a leaf."""

    feature: tuple[int, ...]
    threshold: tuple[float, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    value: tuple[float, ...]

    def answers(self, matrix: Floats) -> Floats:
        """The leaf's value of each row."""
        feature, threshold = np.array(self.feature), np.array(self.threshold)
        left, right = np.array(self.left), np.array(self.right)
        node = np.zeros(len(matrix), dtype=np.int64)
        rows = np.arange(len(matrix))
        while True:
            inner = left[node] >= 0
            if not inner.any():
                return np.array(self.value)[node]
            goes_left = matrix[rows, np.maximum(feature[node], 0)] <= threshold[node]
            node = np.where(inner, np.where(goes_left, left[node], right[node]), node)


@dataclass(frozen=True, slots=True)
class Model:
    """A trained model. ``weights`` holds, per trait, what each bin adds to the log-odds.

    For boosted trees ``weights`` are the bins' own log-odds, which the trees read, and ``trees`` answer.
    ``slope`` and ``shift`` are the calibration. ``average`` is the mean contribution of each trait.
    """

    form: Form
    binnings: tuple[Binning, ...]
    weights: tuple[tuple[float, ...], ...]
    average: tuple[float, ...]
    intercept: float
    slope: float
    shift: float
    trees: tuple[Tree, ...] = field(default=())

    def codes(self, columns: Mapping[str, Sequence[Value]]) -> Codes:
        """The bins of leads, one row each; ``columns`` maps the key of each trait to its values."""
        found = [binning.codes(columns[binning.trait.key]) for binning in self.binnings]
        return np.column_stack(found) if found else np.zeros((0, 0), dtype=np.int64)

    def parts(self, codes: Codes) -> Floats:
        """What each trait of each lead adds to the log-odds, beside the average lead."""
        looked = [
            np.array(weights)[codes[:, number]] - self.average[number]
            for number, weights in enumerate(self.weights)
        ]
        return np.column_stack(looked)

    def likelihoods(self, codes: Codes) -> Floats:
        """The calibrated probability of each lead, between 0 and 1."""
        return _sigmoid(self.slope * self.margins(codes) + self.shift)

    def margins(self, codes: Codes) -> Floats:
        """The raw log-odds, before calibration."""
        read = np.column_stack([np.array(w)[codes[:, i]] for i, w in enumerate(self.weights)])
        if self.form is Form.LOGISTIC:
            return np.asarray(read.sum(axis=1) + self.intercept)
        total = np.full(len(codes), self.intercept)
        for tree in self.trees:
            total += tree.answers(read)
        return total

    def reasons(self, codes: Codes, *, most: int = 3) -> list[list[tuple[str, str, float]]]:
        """Per lead what speaks for and against it: (trait, bin in words, log-odds), the weightiest first.

        At most ``most`` of either sign. For boosted trees it is what each trait says by itself.
        """
        told: list[list[tuple[str, str, float]]] = []
        if not len(codes):
            return told
        # Many leads are alike, and what is alike is told once.
        kinds, kind = np.unique(codes, axis=0, return_inverse=True)
        for row, parts in zip(kinds, self.parts(kinds), strict=True):
            order = np.argsort(-np.abs(parts))
            chosen: list[tuple[str, str, float]] = []
            for sign in (1, -1):
                picked = [int(i) for i in order if parts[i] * sign > 0.01][:most]
                chosen += [
                    (b.trait.label, b.name(int(row[i])), round(float(parts[i]), 3))
                    for i in picked
                    for b in (self.binnings[i],)
                ]
            told.append(sorted(chosen, key=lambda reason: -abs(reason[2])))
        return [told[number] for number in kind.ravel().tolist()]

    def as_json(self) -> dict[str, Any]:
        """The model as JSON, for :func:`model_from`."""
        return {
            "form": str(self.form),
            "binnings": [binning.as_json() for binning in self.binnings],
            "weights": [list(w) for w in self.weights],
            "average": list(self.average),
            "intercept": self.intercept,
            "slope": self.slope,
            "shift": self.shift,
            "trees": [
                [list(t.feature), list(t.threshold), list(t.left), list(t.right), list(t.value)]
                for t in self.trees
            ],
        }


def model_from(told: Mapping[str, Any]) -> Model:
    """The model that :meth:`Model.as_json` told."""
    return Model(
        form=Form(told["form"]),
        binnings=tuple(binning_from(b) for b in told["binnings"]),
        weights=tuple(tuple(w) for w in told["weights"]),
        average=tuple(told["average"]),
        intercept=told["intercept"],
        slope=told["slope"],
        shift=told["shift"],
        trees=tuple(Tree(*(tuple(part) for part in tree)) for tree in told["trees"]),
    )


@dataclass(frozen=True, slots=True)
class Quality:
    """How good the answers were on leads that the model had not seen.

    ``calibration_error`` is the expected calibration error over ten equal bins of probability; ``curve`` has,
    per bin, (mean answer, share that won, n). ``top_decile_lift`` is the win rate of the best tenth over that
    of all.
    """

    n: int
    won: int
    auc: float
    log_loss: float
    brier: float
    calibration_error: float
    top_decile_lift: float
    curve: tuple[tuple[float, float, int], ...]

    def as_json(self) -> dict[str, Any]:
        """Rounded to what the numbers can carry."""
        return {
            "n": self.n,
            "won": self.won,
            "auc": round(self.auc, 4),
            "log_loss": round(self.log_loss, 4),
            "brier": round(self.brier, 4),
            "calibration_error": round(self.calibration_error, 4),
            "top_decile_lift": round(self.top_decile_lift, 2),
            "curve": [[round(p, 4), round(share, 4), n] for p, share, n in self.curve],
        }


def quality(won: Floats, answers: Floats) -> Quality:
    """Measure ``answers`` (probabilities) against what happened (1 won, 0 not)."""
    clipped = np.clip(answers, _FEW, 1 - _FEW)
    loss = -np.mean(won * np.log(clipped) + (1 - won) * np.log(1 - clipped))
    places = np.minimum((answers * ECE_BINS).astype(int), ECE_BINS - 1)
    curve = []
    for place in range(ECE_BINS):
        here = places == place
        if here.any():
            curve.append((float(answers[here].mean()), float(won[here].mean()), int(here.sum())))
    error = sum(n * abs(mean - share) for mean, share, n in curve) / len(won)
    best = np.argsort(-answers, kind="stable")[: max(1, len(won) // 10)]
    base = float(won.mean())
    return Quality(
        n=len(won),
        won=int(won.sum()),
        auc=auc(won, answers),
        log_loss=float(loss),
        brier=float(np.mean((answers - won) ** 2)),
        calibration_error=float(error),
        top_decile_lift=float(won[best].mean() / base) if base else 0.0,
        curve=tuple(curve),
    )


def _sigmoid(margins: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(margins, -40, 40))))
