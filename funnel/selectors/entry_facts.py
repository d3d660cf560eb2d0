"""What entry criteria of stages are asked about: the facts of a lead, its score, what has happened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from funnel.domain import entry
from funnel.domain.fit import Condition, Facts
from funnel.models import Stage
from funnel.selectors import definition_choices, definitions, facts
from smarketing.core.prepared import Statement

CHOICES: tuple[tuple[str, str | Promise], ...] = (
    ("score.fit", _("Score: fit, 0 to 100")),
    ("score.fit_band", _("Score: band of fit")),
    ("score.interest", _("Score: interest in points")),
    ("score.interest_band", _("Score: band of interest")),
    ("facts.is_delivered", _("Happened: delivered to sales")),
    ("facts.is_accepted", _("Happened: accepted by sales")),
    ("facts.has_need", _("Happened: need recorded")),
    ("facts.budget", _("Happened: budget recorded")),
    ("facts.attempts", _("Happened: number of attempts to reach them")),
    ("facts.meetings", _("Happened: number of meetings held")),
    ("facts.open_deals", _("Happened: number of open opportunities")),
)
_READ = Statement(
    "entry_facts",
    """
SELECT l.id, sc.fit, sc.fit_band, sc.interest_band, i.key,
       EXISTS (SELECT FROM funnel_handoff h WHERE h.lead_id = l.id AND h.delivered_at IS NOT NULL),
       (SELECT h.state FROM funnel_handoff h WHERE h.lead_id = l.id ORDER BY h.id DESC LIMIT 1) = 'accepted',
       q.need IS NOT NULL AND q.need <> '', q.budget,
       (SELECT count(*) FROM leads_activity a WHERE a.lead_id = l.id AND a.direction = 'outbound'
           AND NOT a.is_automated AND a.kind IN ('call', 'mail', 'meeting')),
       (SELECT count(*) FROM leads_activity a WHERE a.lead_id = l.id AND a.kind = 'meeting'
           AND a.outcome <> 'no_show' AND a.occurred_at <= %(now)s::timestamptz),
       (SELECT count(*) FROM funnel_opportunity o JOIN funnel_opportunitystage g ON g.id = o.stage_id
         WHERE o.lead_id = l.id AND g.kind = 'open')
  FROM leads_lead l
  LEFT JOIN funnel_leadscore sc ON sc.lead_id = l.id
  LEFT JOIN funnel_interest i ON i.person_id = l.person_id
  LEFT JOIN funnel_qualification q ON q.lead_id = l.id
 WHERE l.id = ANY(%(leads)s::bigint[])
""",
    by="leads",
)


def of_leads(lead_ids: Sequence[int], *, now: datetime) -> dict[int, Facts]:
    """The facts of each lead at ``now``: two queries however many there are."""
    known = facts.of_leads(lead_ids)
    decay = definitions.decay_of(definitions.in_force())
    found: dict[int, Facts] = {}
    for lead, fit, fit_band, interest_band, key, delivered, accepted, need, budget, *counts in _READ.rows(
        leads=list(lead_ids), now=now
    ):
        score = {
            "fit": fit,
            "fit_band": fit_band,
            "interest": round(decay.score_of_key(key, now), 6),
            "interest_band": interest_band and str(interest_band),
        }
        happened: dict[str, Any] = {
            "is_delivered": delivered,
            "is_accepted": bool(accepted),
            "has_need": bool(need),
            "budget": Decimal(budget) if budget is not None else None,
            **dict(zip(("attempts", "meetings", "open_deals"), counts, strict=True)),
        }
        found[lead] = {**known.get(lead, {}), "score": score, "facts": happened}
    return found


def rules_of(stages: Iterable[Stage]) -> Mapping[str, tuple[Condition, ...]]:
    """The criteria of the stages that have any, by code."""
    return {stage.code: entry.parse(stage.rule)[0] for stage in stages if stage.rule}


def paths() -> list[tuple[str, str | Promise]]:
    """Everything a criterion can ask: attributes as the definition does, then score and facts."""
    return [*definition_choices.paths(), *CHOICES]
