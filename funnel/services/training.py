"""Training a model on leads whose outcome is known. Imported only by the process that trains.

Time decides who teaches and who tests: the earliest leads train, later ones choose the form and
calibrate, the latest are held out and measured. Leads without dates of their own (one file, one instant)
are split by a fixed shuffle, and the card says so.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from funnel.domain.likelihood import Form, Model, Quality, Tree, quality
from funnel.domain.traits import Binning, Codes, Floats, Guard, Judged, Value, bins_of, judge, trait_of

MIN_WON = 50
MIN_OTHER = 50
MOST_ROWS = 200_000  # the latest; more teach nothing that these do not
_SHARES = (0.6, 0.15)  # train, calibrate; the rest is held out
_SEED = 20_260_101
_CHOICES = (0.01, 0.03, 0.1, 0.3, 1.0)
_BETTER = 0.003  # log-loss by which trees must win to be preferred to the form that explains itself
_TREES = {
    "n_estimators": 120,
    "max_depth": 3,
    "learning_rate": 0.08,
    "subsample": 0.7,
    "min_samples_leaf": 30,
}


class TooFewOutcomes(ValueError):
    """There is not enough to learn from; the message says what there is and what it takes."""


@dataclass(frozen=True, slots=True)
class Cases:
    """Leads with a known outcome: columns by key, labels, what became of each, and when each was captured."""

    columns: Mapping[str, Sequence[Value]]
    labels: Mapping[str, str]
    won: Floats
    captured_at: Sequence[datetime]


@dataclass(frozen=True, slots=True)
class Trained:
    """A model with what it was judged by. ``split`` is "time" or "shuffle"."""

    model: Model
    held_out: Quality
    rival: Quality
    columns: tuple[Judged, ...]
    split: str
    n_train: int
    n_calibrate: int


def train(
    *, cases: Cases, marked: Collection[str] = (), allowed: Collection[str] = (), min_won: int = MIN_WON
) -> Trained:
    """Learn from ``cases``. Raises :class:`TooFewOutcomes`.

    ``marked`` are keys that people said are written after contact, ``allowed`` keys that people said are
    known at capture.
    """
    cases, split = _ordered(cases)
    n, n_won = len(cases.won), int(cases.won.sum())
    if n_won < min_won or n - n_won < MIN_OTHER:
        raise TooFewOutcomes(
            f"{n_won} of {n} leads with a known outcome became customers. It takes {min_won} that did and"
            f" {MIN_OTHER} that did not."
        )
    first, second = int(n * _SHARES[0]), int(n * (_SHARES[0] + _SHARES[1]))
    parts = (slice(0, first), slice(first, second), slice(second, n))
    for part in parts:
        if not 0 < cases.won[part].sum() < len(cases.won[part]):
            raise TooFewOutcomes("The outcomes are bunched in time: a part of the period has only one kind.")
    columns = _judged(cases, marked, allowed, parts[0])
    binnings = tuple(bins_of(c.trait, cases.columns[c.trait.key][parts[0]]) for c in columns if c.is_used)
    if not binnings:
        raise TooFewOutcomes("No column is left to learn from: each was held out. See “columns”.")
    codes = np.column_stack([b.codes(cases.columns[b.trait.key]) for b in binnings])
    models = [
        _calibrated(made, codes[parts[1]], cases.won[parts[1]])
        for made in (
            _logistic(binnings, codes, cases.won, parts),
            _boosting(binnings, codes[parts[0]], cases.won[parts[0]]),
        )
    ]
    chosen = [quality(cases.won[parts[1]], m.likelihoods(codes[parts[1]])) for m in models]
    plain, trees = models
    best, other = (trees, plain) if chosen[1].log_loss < chosen[0].log_loss - _BETTER else (plain, trees)
    held = codes[parts[2]], cases.won[parts[2]]
    return Trained(
        model=best,
        held_out=quality(held[1], best.likelihoods(held[0])),
        rival=quality(held[1], other.likelihoods(held[0])),
        columns=columns,
        split=split,
        n_train=first,
        n_calibrate=second - first,
    )


def _ordered(cases: Cases) -> tuple[Cases, str]:
    """In the order of capture; where most were captured at one instant, by a fixed shuffle."""
    n = len(cases.won)
    stamps = np.array([at.timestamp() for at in cases.captured_at])
    by_time = n > 0 and len(np.unique(stamps)) > n // 10
    order = np.argsort(stamps, kind="stable") if by_time else np.random.default_rng(_SEED).permutation(n)
    order = order[-MOST_ROWS:]
    columns = {key: [values[i] for i in order] for key, values in cases.columns.items()}
    captured = [cases.captured_at[i] for i in order]
    return Cases(columns, cases.labels, cases.won[order], captured), "time" if by_time else "shuffle"


def _judged(
    cases: Cases, marked: Collection[str], allowed: Collection[str], part: slice
) -> tuple[Judged, ...]:
    found = []
    for key, values in cases.columns.items():
        here = values[part]
        judged = judge(
            trait_of(key, cases.labels[key], here),
            here,
            cases.won[part],
            is_marked=key in marked,
            is_allowed=key in allowed,
        )
        found.append(judged)
    return tuple(sorted(found, key=lambda c: (c.guard is Guard.CONSTANT, -c.auc, c.trait.key)))


def _one_hot(binnings: Sequence[Binning], codes: Codes) -> Floats:
    return np.hstack([np.eye(b.size)[codes[:, i]] for i, b in enumerate(binnings)])


def _logistic(
    binnings: tuple[Binning, ...], codes: Codes, won: Floats, parts: tuple[slice, slice, slice]
) -> Model:
    """One weight per bin; how strongly weights are pulled to nothing is chosen on the second part."""
    matrix, answers = _one_hot(binnings, codes), won
    best, least = None, np.inf
    for strength in _CHOICES:
        tried = LogisticRegression(C=strength, max_iter=2000).fit(matrix[parts[0]], answers[parts[0]])
        measured = quality(answers[parts[1]], tried.predict_proba(matrix[parts[1]])[:, 1])
        if measured.log_loss < least:
            best, least = tried, measured.log_loss
    if best is None:
        raise AssertionError("one of the choices is the best")
    ends = np.cumsum([b.size for b in binnings])[:-1]
    weights = tuple(tuple(map(float, part)) for part in np.split(best.coef_[0], ends))
    return _model(Form.LOGISTIC, binnings, weights, codes[parts[0]], float(best.intercept_[0]))


def _boosting(binnings: tuple[Binning, ...], codes: Codes, won: Floats) -> Model:
    """Trees over each bin's own log-odds (or, for numbers, over its place), so that order carries meaning."""
    weights = tuple(_readings(b, codes[:, i], won) for i, b in enumerate(binnings))
    read = np.column_stack([np.array(w)[codes[:, i]] for i, w in enumerate(weights)])
    made = GradientBoostingClassifier(random_state=_SEED % 2**31, **_TREES).fit(read, won)
    base = float(np.log(won.mean() / (1 - won.mean())))
    trees = tuple(_tree(stage[0].tree_, made.learning_rate) for stage in made.estimators_)
    return _model(Form.BOOSTING, binnings, weights, codes, base, trees)


def _readings(binning: Binning, codes: Codes, won: Floats) -> tuple[float, ...]:
    base = float(won.mean())
    counts = np.bincount(codes, minlength=binning.size)
    wins = np.bincount(codes, weights=won, minlength=binning.size)
    rates = (wins + 10 * base) / (counts + 10)
    odds = np.log(rates / (1 - rates)) - np.log(base / (1 - base))
    return tuple(float(o) for o in odds)


def _tree(tree: Any, rate: float) -> Tree:
    return Tree(
        feature=tuple(int(f) for f in tree.feature),
        threshold=tuple(float(t) for t in tree.threshold),
        left=tuple(int(n) for n in tree.children_left),
        right=tuple(int(n) for n in tree.children_right),
        value=tuple(float(rate * v) for v in tree.value[:, 0, 0]),
    )


def _model(
    form: Form,
    binnings: tuple[Binning, ...],
    weights: tuple[tuple[float, ...], ...],
    codes: Codes,
    intercept: float,
    trees: tuple[Tree, ...] = (),
) -> Model:
    average = tuple(float(np.array(w)[codes[:, i]].mean()) for i, w in enumerate(weights))
    return Model(form, binnings, weights, average, intercept, 1.0, 0.0, trees)


def _calibrated(model: Model, codes: Codes, won: Floats) -> Model:
    """Platt's logistic calibration on leads that did not train the weights."""
    margins = model.margins(codes).reshape(-1, 1)
    fitted = LogisticRegression(C=1e6, max_iter=1000).fit(margins, won)
    slope, shift = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
    return Model(
        model.form, model.binnings, model.weights, model.average, model.intercept, slope, shift, model.trees
    )
