"""Why a lead's score was what it was at an instant that has passed ("why was it 73 on 3 May?").

Nothing stored is asked for the numbers: they follow from the events until then, from what was known then
(ADR 3) and from the version of the definition that was in force then, by the rules of the live score.
"""

from __future__ import annotations

import math
from datetime import datetime

from django.db.models import F

from funnel.domain import fit as fits
from funnel.domain import interest
from funnel.domain.definitions import Action, Definition
from funnel.domain.interest import Contribution, Decay
from funnel.models import DefinitionState, DefinitionVersion, LeadScore
from funnel.selectors import definitions, past_facts, signals
from funnel.selectors.scores import Explanation
from leads.models import Lead


def explain(*, lead: Lead, at: datetime) -> Explanation:
    """The score of ``lead`` as it was at ``at``; an event of that very instant counts.

    ``at`` lies between the capture and now. The parts sum to the numbers as in ``scores.explain``.
    """
    version = _in_force_at(at)
    rules, decay = definitions.rules_of(version), definitions.decay_of(version)
    events = signals.history(rules, [lead.person_id])[lead.person_id]
    parts = [part for part in interest.contributions(events, rules.caps) if part.at <= at]
    masses = [
        math.fsum(decay.mass(part.dated_at) for part in parts if part.slot == slot)
        for slot in range(len(rules.signals))
    ]
    keys = [signal.key for signal in rules.signals]
    weights, by_signal = dict(zip(keys, rules.weights, strict=True)), dict(zip(keys, masses, strict=True))
    shown, shares = interest.explain(decay, weights, by_signal, at)
    over_time = past_facts.of_leads([lead.pk])[lead.pk]
    known = next(part.facts for part in over_time if part.until is None or at < part.until)
    fit = fits.evaluate(rules.criteria, known)
    fit_band, band = rules.fit_band(fit.score), _band_at(rules, decay, parts, at)
    excluded = rules.excluded_by(known)
    qualified_at = LeadScore.objects.filter(lead=lead).values_list("qualified_at", flat=True).first()
    return Explanation(
        at=at,
        definition=str(version),
        cell=f"{fit_band}{band}",
        action=str(Action.DISCARD if excluded else rules.decide(fit_band, band)),
        fit=fit,
        fit_band=fit_band,
        interest=shown,
        interest_band=band,
        signals=tuple(shares),
        excluded=excluded.reason if excluded else "",
        qualified_at=qualified_at if qualified_at is not None and qualified_at <= at else None,
        persona=rules.persona_of(known),
        is_ideal=rules.is_ideal(known),
    )


def _in_force_at(at: datetime) -> DefinitionVersion:
    """The version that was in force then; before the first, the first."""
    ever = DefinitionVersion.objects.filter(state__in=[DefinitionState.IN_FORCE, DefinitionState.RETIRED])
    begun = ever.exclude(in_force_from__gt=at).order_by(F("in_force_from").desc(nulls_last=True), "-number")
    return begun.first() or ever.order_by("number")[0]


def _band_at(rules: Definition, decay: Decay, parts: list[Contribution], at: datetime) -> int:
    """The band held at ``at``: entered at its threshold, left below it by the hysteresis."""
    total, band = 0.0, 3
    for part in parts:
        band = rules.interest_band(_score(decay, total, part.at), band)
        total += rules.weights[part.slot] * decay.mass(part.dated_at)
        band = rules.interest_band(_score(decay, total, part.at), band)
    return rules.interest_band(_score(decay, total, at), band)


def _score(decay: Decay, total: float, at: datetime) -> float:
    return decay.score_of_key(math.log2(total), at) if total > 0 else 0.0
