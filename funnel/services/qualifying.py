"""The first time in a lap that a lead meets the definition: it becomes an MQL and is delivered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import F

from funnel.domain.qualification import FitUntil, could_hand_off, first_hand_off
from funnel.events import LeadQualified
from funnel.models import DefinitionVersion, FitBand, FitPeriod, LeadScore, MoveCause
from funnel.selectors import facts, signals
from funnel.services import handoffs, lifecycle, tombstones
from funnel.services.frames import Frame
from smarketing.core import events
from smarketing.core.keysets import among
from smarketing.core.prepared import IsAmong, Query, given

# From these stages a lead moves on by itself; beyond them people have taken over.
WAITING = frozenset({"visitor", "lead", "nurture"})

_OPEN = Query(
    "scores_of_open_leads",
    lambda: (
        LeadScore.objects.filter(
            IsAmong("lead_id", "leads"), definition_id=given("definition"), lead__closed_at=None
        )
        .annotate(masses=F("lead__person__interest__masses"))
        .select_related("lead")
        .order_by("lead_id")
    ),
    by="leads",
)


def look(
    *,
    frame: Frame,
    lead_ids: Sequence[int],
    now: datetime,
    since: Mapping[int, datetime] | None = None,
) -> int:
    """Find the instants of qualification of these leads and act on the new ones; return how many.

    ``since`` names, per lead, the earliest event that is new: a lead that qualified before it is left
    alone. One that qualified after it gets its earlier instant, and nothing is delivered again.
    """
    found = instants(frame=frame, lead_ids=lead_ids, now=now, since=since or {})
    if not found:
        return 0
    fresh: list[int] = []
    for score, instant in found:
        if score.qualified_at is None:
            fresh.append(score.lead_id)
        LeadScore.objects.filter(pk=score.pk).update(qualified_at=instant)
    states = lifecycle.lock(lead_ids=fresh)
    # Who was refused may meet the definition; that is kept, and they stay where they are.
    refused = tombstones.stopped(lead_ids=fresh, now=now) if fresh else set()
    for score, instant in found:
        state = states.get(score.lead_id)
        if score.qualified_at is not None or state is None or state.stage.counts_as not in WAITING:
            continue
        if score.lead_id in refused:
            continue
        lifecycle.move(lead=score.lead, to="mql", cause=MoveCause.QUALIFIED, actor=None, at=instant, now=now)
        events.publish(
            LeadQualified(
                lead_id=score.lead_id, definition_id=frame.version.pk, qualified_at=instant, now=now
            )
        )
        handoffs.deliver(lead=score.lead, actor=None, now=now)
    return len(fresh)


def instants(
    *,
    frame: Frame,
    lead_ids: Sequence[int],
    now: datetime,
    since: Mapping[int, datetime],
    again: bool = False,
) -> list[tuple[LeadScore, datetime]]:
    """Leads whose instant of qualification is new or another than the stored one, with it.

    ``again`` looks at those that have qualified too, as a rebuild does.
    """
    candidates = _candidates(frame, lead_ids, since, again=again)
    if not candidates:
        return []
    history = signals.history(frame.rules, [score.lead.person_id for score, _fits in candidates])
    found = []
    for score, fits in candidates:
        instant = first_hand_off(
            frame.rules,
            frame.decay,
            history[score.lead.person_id],
            fits,
            start=_start(frame.version, score),
            now=now,
        )
        if instant is not None and instant != score.qualified_at:
            found.append((score, instant))
    known = facts.of_leads([score.lead_id for score, _instant in found]) if frame.rules.exclusions else {}
    return [f for f in found if frame.rules.excluded_by(known.get(f[0].lead_id, {})) is None]


def _candidates(
    frame: Frame,
    lead_ids: Sequence[int],
    since: Mapping[int, datetime],
    *,
    again: bool,
) -> list[tuple[LeadScore, list[FitUntil]]]:
    """Leads that may have qualified, by bounds that spare most replays, with their fit over time."""
    scores = [
        score
        for score in _OPEN.all(leads=sorted(set(lead_ids)), definition=frame.version.pk)
        if (score.qualified_at is None or again or _may_be_earlier(frame.version, score, since))
        and _could(frame, score, set(FitBand.values))
    ]
    past = _fits_of([score.lead_id for score in scores]) if scores else {}
    chosen: list[tuple[LeadScore, list[FitUntil]]] = []
    for score in scores:
        fits = [*past.get(score.lead_id, ()), FitUntil(score.fit_band, None)]
        if _could(frame, score, {fit.band for fit in fits}):
            chosen.append((score, fits))
    return chosen


def _could(frame: Frame, score: Any, fit_bands: set[str]) -> bool:
    """Whether the lead could have met the definition with a fit in one of these bands."""
    masses = score.masses or [0.0] * len(frame.rules.signals)
    return could_hand_off(frame.rules, frame.decay, masses, fit_bands, since=_start(frame.version, score))


def _may_be_earlier(version: DefinitionVersion, score: LeadScore, since: Mapping[int, datetime]) -> bool:
    earliest = since.get(score.lead_id)
    if earliest is None or score.qualified_at is None:
        return False
    known_from = version.in_force_from
    return earliest <= score.qualified_at and (known_from is None or known_from <= score.qualified_at)


def _start(version: DefinitionVersion, score: LeadScore) -> datetime:
    """From when on the lead can qualify: capture, or import of its past, under this version."""
    lead = score.lead
    begins = lead.captured_at if lead.import_run_id is None else max(lead.captured_at, lead.created_at)
    return max(begins, version.in_force_from) if version.in_force_from else begins


def _fits_of(lead_ids: Sequence[int]) -> dict[int, list[FitUntil]]:
    past: dict[int, list[FitUntil]] = {}
    periods = FitPeriod.objects.filter(lead_id__in=among(lead_ids)).order_by("lead_id", "until", "pk")
    for period in periods:
        past.setdefault(period.lead_id, []).append(FitUntil(period.fit_band, period.until))
    return past
