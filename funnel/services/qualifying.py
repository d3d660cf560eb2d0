"""The first time in a lap that a lead meets the definition: it becomes an MQL and is delivered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from funnel.domain.qualification import FitUntil, could_hand_off, first_hand_off
from funnel.events import LeadQualified
from funnel.models import DefinitionVersion, FitBand, FitPeriod, LeadScore, MoveCause
from funnel.selectors import facts, signals
from funnel.services import handoffs, lifecycle, tombstones
from funnel.services.frames import Frame
from smarketing.core import events
from smarketing.core.keysets import among
from smarketing.core.prepared import IsAmong, Query, Statement

# From these stages a lead moves on by itself; beyond them people have taken over.
WAITING = frozenset({"visitor", "lead", "nurture"})

_OPEN = Statement(
    "scores_of_open_leads",
    """
SELECT s.lead_id, l.person_id, s.fit_band, s.qualified_at, i.masses,
       CASE WHEN l.import_run_id IS NULL THEN l.captured_at ELSE greatest(l.captured_at, l.created_at) END
  FROM funnel_leadscore s
  JOIN leads_lead l ON l.id = s.lead_id AND l.closed_at IS NULL
  LEFT JOIN funnel_interest i ON i.person_id = l.person_id
 WHERE s.lead_id = ANY(%(leads)s::bigint[]) AND s.definition_id = %(definition)s::bigint
 ORDER BY s.lead_id
""",
    by="leads",
)
_SCORES = Query(
    "scores_with_leads",
    lambda: LeadScore.objects.filter(IsAmong("lead_id", "leads")).select_related("lead").order_by("lead_id"),
    by="leads",
)


@dataclass(frozen=True, slots=True)
class _Open:
    """An open lead as it is asked at every event. It can qualify from ``begins`` on: its capture, or the
    import of its past.
    """

    lead_id: int
    person_id: int
    fit_band: str
    qualified_at: datetime | None
    masses: list[float] | None
    begins: datetime


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

    ``again`` looks at those that have qualified under this version too, as a rebuild does.
    """
    candidates = _candidates(frame, lead_ids, since, again=again)
    if not candidates:
        return []
    history = signals.history(frame.rules, [asked.person_id for asked, _fits in candidates])
    found: dict[int, datetime] = {}
    for asked, fits in candidates:
        instant = first_hand_off(
            frame.rules,
            frame.decay,
            history[asked.person_id],
            fits,
            start=_start(frame.version, asked),
            now=now,
        )
        if instant is not None and instant != asked.qualified_at:
            found[asked.lead_id] = instant
    if found and frame.rules.exclusions:
        known = facts.of_leads(list(found))
        found = {k: at for k, at in found.items() if frame.rules.excluded_by(known.get(k, {})) is None}
    return [(score, found[score.lead_id]) for score in _SCORES.all(leads=list(found))] if found else []


def _candidates(
    frame: Frame,
    lead_ids: Sequence[int],
    since: Mapping[int, datetime],
    *,
    again: bool,
) -> list[tuple[_Open, list[FitUntil]]]:
    """Leads that may have qualified, by bounds that spare most replays, with their fit over time."""
    rows = _OPEN.rows(leads=sorted(set(lead_ids)), definition=frame.version.pk)
    leads = [
        asked
        for asked in (_Open(*row) for row in rows)
        if (
            asked.qualified_at is None
            or (again and _qualified_under(frame.version, asked))
            or _may_be_earlier(frame.version, asked, since)
        )
        and _could(frame, asked, set(FitBand.values), since)
    ]
    past = _fits_of([asked.lead_id for asked in leads]) if leads else {}
    chosen: list[tuple[_Open, list[FitUntil]]] = []
    for asked in leads:
        fits = [*past.get(asked.lead_id, ()), FitUntil(asked.fit_band, None)]
        if _could(frame, asked, {fit.band for fit in fits}, since):
            chosen.append((asked, fits))
    return chosen


def _could(frame: Frame, asked: _Open, fit_bands: set[str], since: Mapping[int, datetime]) -> bool:
    """Whether the lead could have met the definition with a fit in one of these bands.

    New events change nothing before the first of them, and what was before has been looked at.
    """
    masses = asked.masses or [0.0] * len(frame.rules.signals)
    start = _start(frame.version, asked)
    begin = max(start, since.get(asked.lead_id, start))
    return could_hand_off(frame.rules, frame.decay, masses, fit_bands, since=begin)


def _may_be_earlier(version: DefinitionVersion, asked: _Open, since: Mapping[int, datetime]) -> bool:
    earliest = since.get(asked.lead_id)
    if earliest is None or asked.qualified_at is None:
        return False
    return earliest <= asked.qualified_at and _qualified_under(version, asked)


def _qualified_under(version: DefinitionVersion, asked: _Open) -> bool:
    """Whether its instant is one of this version; what a former version said stands."""
    known_from = version.in_force_from
    return asked.qualified_at is not None and (known_from is None or known_from <= asked.qualified_at)


def _start(version: DefinitionVersion, asked: _Open) -> datetime:
    """From when on the lead can qualify under this version."""
    return max(asked.begins, version.in_force_from) if version.in_force_from else asked.begins


def _fits_of(lead_ids: Sequence[int]) -> dict[int, list[FitUntil]]:
    past: dict[int, list[FitUntil]] = {}
    periods = FitPeriod.objects.filter(lead_id__in=among(lead_ids)).order_by("lead_id", "until", "pk")
    for period in periods:
        past.setdefault(period.lead_id, []).append(FitUntil(period.fit_band, period.until))
    return past
