"""A model is plain numbers: it answers, explains and travels as JSON."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier

from funnel.domain.likelihood import Form, Model, Tree, model_from, quality
from funnel.domain.traits import Binning, Trait
from funnel.services.training import _tree

VISITS = Binning(Trait("lead.visits", "Visits", is_number=True), edges=(3.0,))
ORIGIN = Binning(Trait("lead.origin", "Origin", is_number=False), levels=("fair", "mail"))
MODEL = Model(
    form=Form.LOGISTIC,
    binnings=(VISITS, ORIGIN),
    weights=((0.0, -1.0, 1.0), (0.0, 2.0, -0.5, 0.0)),
    average=(0.25, 0.5),
    intercept=-1.0,
    slope=1.0,
    shift=0.0,
)
LEADS = {"lead.visits": [5.0, 1.0, None], "lead.origin": ["fair", "mail", "radio"]}


def test_an_answer_is_the_logistic_of_the_sum_of_its_bins() -> None:
    answers = MODEL.likelihoods(MODEL.codes(LEADS))
    expected = [1 / (1 + math.exp(-x)) for x in (1 + 2 - 1, -1 - 0.5 - 1, 0 + 0 - 1)]
    assert answers == pytest.approx(expected)


def test_reasons_stand_beside_the_average_lead_the_weightiest_first() -> None:
    first, second, _third = MODEL.reasons(MODEL.codes(LEADS))
    assert first == [("Origin", "fair", 1.5), ("Visits", "≥ 3", 0.75)]
    assert second == [("Visits", "< 3", -1.25), ("Origin", "mail", -1.0)]


def test_calibration_bends_the_answer() -> None:
    bent = replace(MODEL, slope=0.5, shift=0.1)
    margin = MODEL.margins(MODEL.codes(LEADS))[0]
    assert bent.likelihoods(MODEL.codes(LEADS))[0] == pytest.approx(1 / (1 + math.exp(-(0.5 * margin + 0.1))))


def test_a_model_travels_as_json_without_change() -> None:
    trees = (Tree((0, -2, -2), (0.5, 0.0, 0.0), (1, -1, -1), (2, -1, -1), (0.0, -0.3, 0.4)),)
    model = Model(
        **{**{f: getattr(MODEL, f) for f in MODEL.__slots__}, "form": Form.BOOSTING, "trees": trees}
    )
    back = model_from(json.loads(json.dumps(model.as_json())))
    assert back == model
    codes = model.codes(LEADS)
    assert back.likelihoods(codes) == pytest.approx(model.likelihoods(codes))
    assert model.margins(codes) == pytest.approx([-1 + 0.4, -1 - 0.3, -1 - 0.3])


def test_our_reading_of_a_tree_is_the_librarys() -> None:
    random = np.random.default_rng(7)
    matrix = random.normal(size=(500, 4))
    won = (matrix[:, 0] + matrix[:, 1] ** 2 + random.normal(size=500) > 0.8).astype(float)
    made = GradientBoostingClassifier(n_estimators=20, random_state=1).fit(matrix, won)
    base = math.log(won.mean() / (1 - won.mean()))
    total = base + sum(
        _tree(stage[0].tree_, made.learning_rate).answers(matrix) for stage in made.estimators_
    )
    assert 1 / (1 + np.exp(-total)) == pytest.approx(made.predict_proba(matrix)[:, 1], abs=1e-6)


def test_quality_is_measured_as_the_formulas_say() -> None:
    won = np.array([1.0, 1.0, 0.0, 0.0])
    told = quality(won, np.array([0.9, 0.6, 0.4, 0.1]))
    assert told.auc == 1.0
    assert told.brier == pytest.approx((0.01 + 0.16 + 0.16 + 0.01) / 4)
    assert told.log_loss == pytest.approx(-(2 * math.log(0.9) + 2 * math.log(0.6)) / 4)
    assert told.calibration_error == pytest.approx((0.1 + 0.4 + 0.4 + 0.1) / 4)
    assert told.top_decile_lift == pytest.approx(2.0)
    assert told.curve == ((0.1, 0.0, 1), (0.4, 0.0, 1), (0.6, 1.0, 1), (0.9, 1.0, 1))
