"""Training from what the funnel knows, and measuring a model against what has happened since.

Imports the learning library; only ``manage.py model`` imports this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import sklearn
from django.utils.translation import gettext as _

from funnel.domain import lifts
from funnel.domain.likelihood import Model, Quality, model_from, quality
from funnel.domain.traits import Floats, Judged, Value
from funnel.models import LikelihoodModel, ModelState, TraitRuling
from funnel.selectors import captured
from funnel.services import likelihoods, training
from funnel.services.training import Cases, Trained
from smarketing.core.errors import Conflict
from smarketing.users.models import User

# A lead older than this that is no customer counts as one that did not become one.
MATURE = timedelta(days=180)
MOVED = 0.2  # population stability index above which a trait is said to have moved


class NotEnoughOutcomes(Conflict):
    """There is too little to learn from; the detail says what there is and what it takes."""

    code = "not_enough_outcomes"


class NoModel(Conflict):
    """No model is in use."""

    code = "no_model"


def train(
    *,
    source: str = "",
    mature: timedelta = MATURE,
    min_won: int = training.MIN_WON,
    actor: User | None,
    now: datetime,
) -> LikelihoodModel:
    """Train on the leads whose outcome is known (of one ``source``, or all) and keep the model.

    Raises :class:`NotEnoughOutcomes`; then nothing is kept.
    """
    cases = _cases(source, mature, now)
    rulings = dict(TraitRuling.objects.values_list("key", "is_known_at_capture"))
    try:
        trained = training.train(
            cases=cases,
            marked=captured.marked() | {key for key, known in rulings.items() if not known},
            allowed={key for key, known in rulings.items() if known},
            min_won=min_won,
        )
    except training.TooFewOutcomes as refused:
        raise NotEnoughOutcomes(str(refused)) from refused
    card = card_of(trained=trained, cases=cases) | {"source": source, "mature_days": mature.days}
    return likelihoods.keep(body=trained.model.as_json(), card=card, actor=actor, now=now)


def evaluate(*, source: str = "", mature: timedelta = MATURE, now: datetime) -> dict[str, Any]:
    """The model in use against leads captured after the last that taught it, and which traits have moved.

    Raises :class:`NoModel`.
    """
    champion = LikelihoodModel.objects.filter(state=ModelState.CHAMPION).first()
    if champion is None:
        raise NoModel(_("No model is in use. Train one first."))
    model = model_from(champion.body)
    cases = _cases(source or champion.card.get("source", ""), mature, now)
    since = datetime.fromisoformat(champion.card["captured_to"])
    later = [i for i, at in enumerate(cases.captured_at) if at > since]
    told: dict[str, Any] = {"model": champion.number, "since": since.isoformat(), "n": len(later)}
    if not later:
        return told | {"quality": None, "why": "No lead captured since has a known outcome yet."}
    columns = {key: [values[i] for i in later] for key, values in cases.columns.items()}
    won = cases.won[later]
    measured = _measured(model, columns, won)
    moved = _moved(model, champion.card["shares"], columns, len(later))
    return told | {"quality": measured.as_json(), "promised": champion.card["held_out"], "moved": moved}


def card_of(*, trained: Trained, cases: Cases) -> dict[str, Any]:
    """The model card: what it was judged by, on which leads, and what each column was worth."""
    model = trained.model
    return {
        "form": str(model.form),
        "split": trained.split,
        "n": len(cases.won),
        "won": int(cases.won.sum()),
        "n_train": trained.n_train,
        "n_calibrate": trained.n_calibrate,
        "captured_from": min(cases.captured_at).isoformat(),
        "captured_to": max(cases.captured_at).isoformat(),
        "held_out": trained.held_out.as_json(),
        "rival": trained.rival.as_json(),
        "columns": [_column(c) for c in trained.columns],
        "lifts": [lift.as_json() for lift in lifts.of(model.binnings, cases.columns, cases.won)],
        "shares": _shares(model, cases.columns, len(cases.won)),
        "library": f"scikit-learn {sklearn.__version__}",
    }


def _column(judged: Judged) -> dict[str, Any]:
    return {
        "key": judged.trait.key,
        "label": judged.trait.label,
        "auc": round(judged.auc, 3),
        "known": round(judged.known, 3),
        "guard": str(judged.guard),
    }


def _cases(source: str, mature: timedelta, now: datetime) -> Cases:
    told = dict(captured.outcomes(source=source, mature=mature, now=now))
    known = captured.known(list(told))
    won = np.array([float(told[pk]) for pk in known.lead_ids])
    return Cases(known.columns, captured.labels(list(known.columns)), won, known.captured_at)


def _measured(model: Model, columns: Mapping[str, list[Value]], won: Floats) -> Quality:
    blank: list[Value] = [None] * len(won)
    return quality(
        won,
        model.likelihoods(
            model.codes({b.trait.key: columns.get(b.trait.key, blank) for b in model.binnings})
        ),
    )


def _shares(model: Model, columns: Mapping[str, Any], n: int) -> dict[str, list[float]]:
    """Which share of leads falls into each bin of each trait."""
    shares = {}
    for binning in model.binnings:
        codes = binning.codes(columns.get(binning.trait.key, [None] * n))
        counts = np.bincount(codes, minlength=binning.size)
        shares[binning.trait.key] = [round(float(c) / n, 5) for c in counts]
    return shares


def _moved(
    model: Model, before: Mapping[str, list[float]], columns: Mapping[str, Any], n: int
) -> list[dict[str, Any]]:
    """Traits whose leads fall into other bins than those that taught, by the population stability index."""
    now = _shares(model, columns, n)
    found = []
    for binning in model.binnings:
        key = binning.trait.key
        old = np.maximum(np.array(before[key]), 1e-4)
        new = np.maximum(np.array(now[key]), 1e-4)
        index = float(((new - old) * np.log(new / old)).sum())
        if index > MOVED:
            found.append({"key": key, "label": binning.trait.label, "index": round(index, 3)})
    return sorted(found, key=lambda trait: -trait["index"])
