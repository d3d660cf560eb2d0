"""``predict``: the likelihood of every open lead, with its reasons, beside the model's own arithmetic.

The model is trained by the product on the generated leads, whose stages follow from their numbers: it is no
good model, but one of the usual size. The limit is the same model over columns that are in memory already.
"""

from __future__ import annotations

from bench import generator, harness
from funnel.domain.likelihood import Model, model_from
from funnel.models import LikelihoodModel, ModelState
from funnel.selectors import captured
from funnel.services import likelihoods, model_training
from leads.models import Lead
from smarketing.core import clock

BATCH = 1_000  # as the loop
TRAINED_ON = 20_000


def run(plan: harness.Plan) -> harness.Report:
    """Measure at each size."""
    report = harness.Report("predict", plan)
    for size in plan.sizes:
        _measure(report, size)
    return report


def _measure(report: harness.Report, size: int) -> None:
    plan, body = report.plan, _trained(report.plan)
    harness.copy_of(generator.database(size=size, events=plan.events), "bench_predict")
    likelihoods.keep(body=body.as_json(), card={"columns": [], "lifts": []}, actor=None, now=clock.now())
    told = harness.measure(f"every open lead, {size:,}", "leads", _answered, reps=plan.reps, before=_anew)
    known = captured.known(list(Lead.objects.order_by("pk").values_list("pk", flat=True)))
    blank: list[None] = [None] * len(known.lead_ids)
    columns = {b.trait.key: known.columns.get(b.trait.key, blank) for b in body.binnings}
    codes = body.codes(columns)
    alone = harness.measure(
        f"the model's own predict, {size:,}", "leads", lambda: len(body.likelihoods(codes)), reps=plan.reps
    )
    coded = harness.measure(
        f"the same with its columns to code, {size:,}", "leads",
        lambda: len(body.likelihoods(body.codes(columns))), reps=plan.reps,
    )  # fmt: skip
    report.series += [told, alone, coded]
    report.ratios += [
        harness.Ratio(
            f"every open lead ÷ the model's own predict, {size:,}", told.rate / alone.rate, 0.4, 0.6
        ),
        harness.Ratio(f"every open lead ÷ the same with coding, {size:,}", told.rate / coded.rate),
    ]
    report.facts["model"] = f"{body.form}, {len(body.binnings)} traits, {len(body.trees)} trees"


def _trained(plan: harness.Plan) -> Model:
    harness.copy_of(generator.database(size=TRAINED_ON, events=plan.events), "bench_predict")
    made = model_training.train(actor=None, now=clock.now())
    return model_from(made.body)


def _anew() -> None:
    """As when the model has just gone into use."""
    LikelihoodModel.objects.filter(state=ModelState.CHAMPION).update(passed_lead_id=0)


def _answered() -> int:
    total, now = 0, clock.now()
    while done := likelihoods.run_once(now=now, limit=BATCH):
        total += done
        if done < BATCH:
            break
    return total
