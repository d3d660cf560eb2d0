"""Reads of scores: the explanation that sums to the number."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from funnel.domain import fit as fits
from funnel.domain import interest
from funnel.domain.fit import Facts, Fit
from funnel.domain.interest import Share
from funnel.domain.personas import Portrait
from funnel.models import DefinitionVersion, Interest, LeadScore
from funnel.selectors import definitions, facts
from leads.models import Lead
from smarketing.core.prepared import Query, given

_SCORE = Query(
    "score_of_lead",
    lambda: LeadScore.objects.filter(lead=given("lead")).order_by(),
)
_INTEREST = Query(
    "interest_of_person",
    lambda: Interest.objects.filter(person=given("person"), definition=given("definition")).order_by(),
)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a lead's numbers are what they are.

    ``fit`` lists every criterion: the points plus ``fit.clamped`` are ``fit.score``. ``interest`` is
    the sum of the ``shown`` of its ``signals``, exactly. ``persona`` is whom the lead is like, and
    ``is_ideal`` whether it is the ideal customer; ``None``: nobody has said who that is.
    """

    at: datetime
    definition: str
    cell: str
    action: str
    fit: Fit
    fit_band: str
    interest: float
    interest_band: int
    signals: tuple[Share, ...]
    excluded: str
    qualified_at: datetime | None
    persona: Portrait | None
    is_ideal: bool | None

    def to_json(self) -> dict[str, Any]:
        """The form frozen into a packet."""
        return {
            "at": self.at.isoformat(),
            "definition": self.definition,
            "cell": self.cell,
            "action": self.action,
            "fit": {**self.fit.to_json(), "band": self.fit_band},
            "interest": {
                "score": self.interest,
                "band": self.interest_band,
                "signals": [asdict(share) for share in self.signals],
            },
            "excluded": self.excluded,
            "qualified_at": self.qualified_at.isoformat() if self.qualified_at else None,
            "persona": {"name": self.persona.name, "description": self.persona.description}
            if self.persona
            else None,
            "is_ideal": self.is_ideal,
        }


def of_lead(lead_id: int, *, version: DefinitionVersion | None = None) -> LeadScore | None:
    """The score of a lead; None before it was scored.

    ``version`` is the one in force, where the caller has it: nearly always the one that gave the score.
    """
    score = _SCORE.first(lead=lead_id)
    if score is not None and version is not None and score.definition_id == version.pk:
        score.definition = version
    return score


def explain(
    *, lead: Lead, at: datetime, known: Facts | None = None, score: LeadScore | None = None
) -> Explanation:
    """The score of ``lead`` at ``at`` with all that made it, under the version that scored it.

    ``known`` are its facts and ``score`` its score, if the caller has read them. Raises
    ``LeadScore.DoesNotExist``.
    """
    score = score or of_lead(lead.pk)
    if score is None:
        raise LeadScore.DoesNotExist
    version = score.definition
    rules = definitions.rules_of(version)
    decay = definitions.decay_of(version)
    held = _INTEREST.first(person=lead.person_id, definition=version.pk)
    masses = held.masses if held else [0.0] * len(rules.signals)
    shown, shares = interest.explain(
        decay,
        {signal.key: signal.points for signal in rules.signals},
        {signal.key: mass for signal, mass in zip(rules.signals, masses, strict=True)},
        at,
    )
    known = facts.of_leads([lead.pk])[lead.pk] if known is None else known
    fit = fits.evaluate(rules.criteria, known)
    fit_band = rules.fit_band(fit.score)
    band = rules.interest_band(decay.score(rules.weights, masses, at), score.interest_band)
    excluded = rules.excluded_by(known)
    return Explanation(
        at=at,
        definition=str(version),
        cell=f"{fit_band}{band}",
        action=score.action,
        fit=fit,
        fit_band=fit_band,
        interest=shown,
        interest_band=band,
        signals=tuple(shares),
        excluded=excluded.reason if excluded else "",
        qualified_at=score.qualified_at,
        persona=rules.persona_of(known),
        is_ideal=rules.is_ideal(known),
    )


def interest_of(key: float | None, *, at: datetime) -> float:
    """The interest that a person's key stands for at ``at``, in points, as lists show it."""
    return definitions.decay_of(definitions.in_force()).score_of_key(key, at)
