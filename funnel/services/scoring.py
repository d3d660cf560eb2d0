"""Fit and interest: two narrow projections that follow captured leads, changed facts and events.

Interest is the person's: masses of forward decay, one slot per signal of the definition in force.
Fit and bands are the lead's. Rows of ``Interest`` are locked in the order of their persons before
scores and states are, on every path, so that paths never wait for each other in a circle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from funnel.domain.definitions import Action, Definition
from funnel.domain.fit import Facts
from funnel.models import FitPeriod, LeadScore
from funnel.selectors import facts, signals
from funnel.services import bands, frames, masses, nurture_gains, qualifying, shadow
from funnel.services.frames import Frame
from smarketing.core.keysets import among
from smarketing.core.prepared import Statement

_INSERT_SCORES = Statement(
    "scores_insert",
    """
INSERT INTO funnel_leadscore (lead_id, definition_id, fit, fit_band, interest_band, action, qualified_at,
                              evaluated_at)
SELECT lead_id, %(definition)s::bigint, fit, fit_band, interest_band, action, NULL, %(now)s::timestamptz
  FROM unnest(%(leads)s::bigint[], %(fits)s::float8[], %(fit_bands)s::text[], %(interest_bands)s::int[],
              %(actions)s::text[])
    AS n(lead_id, fit, fit_band, interest_band, action)
 ORDER BY lead_id
ON CONFLICT (lead_id) DO NOTHING
""",
    by="leads",
)
_UPDATE_FITS = """
UPDATE funnel_leadscore s SET fit = n.fit, fit_band = n.fit_band, definition_id = %(definition)s
  FROM unnest(%(leads)s::bigint[], %(fits)s::float8[], %(fit_bands)s::text[]) AS n(lead_id, fit, fit_band)
 WHERE s.lead_id = n.lead_id
"""


@dataclass(frozen=True, slots=True)
class Placed:
    """What a placing has found out, for whoever goes on in the same transaction: its locks still hold.

    ``is_warm`` says that some of the persons had shown interest before.
    """

    frame: Frame
    is_warm: bool


# The steps below run within the caller's transaction and refuse nothing, so they need no savepoints.
_step = transaction.atomic(savepoint=False)


@_step
def place(*, lead_ids: Sequence[int], now: datetime) -> Placed:
    """Give freshly captured leads their score, in one statement; nothing qualifies by this alone."""
    frame = frames.held()
    is_warm = masses.lock_of_leads(frame=frame, lead_ids=lead_ids)
    known = facts.of_leads(lead_ids)
    cold = frame.rules.interest_band(frame.decay.score_of_key(None, now))
    held = (
        bands.of_leads(frame=frame, lead_ids=list(known), now=now) if is_warm else dict.fromkeys(known, cold)
    )
    columns: dict[str, list[object]] = {
        "leads": [], "fits": [], "fit_bands": [], "interest_bands": [], "actions": [],
    }  # fmt: skip
    for lead_id, lead_facts in known.items():
        score = frame.rules.fit_score(lead_facts)
        band = frame.rules.fit_band(score)
        columns["leads"].append(lead_id)
        columns["fits"].append(score)
        columns["fit_bands"].append(band)
        columns["interest_bands"].append(held[lead_id])
        columns["actions"].append(
            str(
                action_of(
                    rules=frame.rules, lead_facts=lead_facts, fit_band=band, interest_band=held[lead_id]
                )
            )
        )
    _INSERT_SCORES.count(**columns, definition=frame.version.pk, now=now)
    shadow.write_fits(frame=frame, known=known)
    return Placed(frame, is_warm)


@_step
def qualify_placed(*, placed: Placed, lead_ids: Sequence[int], now: datetime) -> None:
    """Let leads qualify that :func:`place` has just scored at ``now``, in the same transaction.

    Bands are as they were placed; where nobody has shown interest, nothing can cool either.
    """
    if placed.is_warm:
        bands.reassess(frame=placed.frame, lead_ids=lead_ids, now=now)
    qualifying.look(frame=placed.frame, lead_ids=lead_ids, now=now)


def action_of(*, rules: Definition, lead_facts: Facts, fit_band: str, interest_band: int) -> Action:
    """What the definition says to do; an exclusion outweighs every cell."""
    if rules.excluded_by(lead_facts) is not None:
        return Action.DISCARD
    return rules.decide(fit_band, interest_band)


@transaction.atomic
def refresh(*, lead_ids: Sequence[int], now: datetime) -> None:
    """Attributes changed: compute fit anew, keep what it was, and see who qualifies by it."""
    frame = frames.held()
    masses.lock_of_leads(frame=frame, lead_ids=lead_ids)
    update_fits(frame=frame, lead_ids=lead_ids, now=now)
    evaluate(lead_ids=lead_ids, now=now)


def update_fits(*, frame: Frame, lead_ids: Sequence[int], now: datetime) -> int:
    """Write the fit of these leads under this version; what it was goes to ``FitPeriod``."""
    version, rules = frame.version, frame.rules
    before = LeadScore.objects.filter(lead_id__in=among(lead_ids)).order_by("lead_id").select_for_update()
    changed: list[tuple[LeadScore, int, str]] = []
    rows = list(before)
    known = facts.of_leads(lead_ids)
    scored = [row.lead_id for row in rows if row.lead_id in known]
    shadow.write_fits(frame=frame, known={lead: known[lead] for lead in scored})
    for score in rows:
        if score.lead_id not in known:
            continue
        value = rules.fit_score(known[score.lead_id])
        if value != score.fit or score.definition_id != version.pk:
            changed.append((score, value, rules.fit_band(value)))
    FitPeriod.objects.bulk_create(
        FitPeriod(
            lead_id=score.lead_id,
            definition_id=score.definition_id,
            until=now if score.definition_id == version.pk else version.in_force_from or now,
            fit=score.fit,
            fit_band=score.fit_band,
        )
        for score, value, band in changed
        if (value, band) != (score.fit, score.fit_band)
    )
    with connection.cursor() as cursor:
        cursor.execute(
            _UPDATE_FITS,
            {
                "definition": version.pk,
                "leads": [c[0].lead_id for c in changed],
                "fits": [c[1] for c in changed],
                "fit_bands": [c[2] for c in changed],
            },
        )
    return len(changed)


@_step
def evaluate(*, lead_ids: Sequence[int], now: datetime) -> None:
    """Bring bands and actions of these leads up to ``now`` and let those qualify that meet the definition."""
    frame = frames.held()
    masses.lock_of_leads(frame=frame, lead_ids=lead_ids)
    bands.reassess(frame=frame, lead_ids=lead_ids, now=now)
    qualifying.look(frame=frame, lead_ids=lead_ids, now=now)


@_step
def apply_events(*, event_ids: Sequence[UUID], now: datetime) -> int:
    """Add stored events to their persons' interest, and let leads qualify; return how many counted.

    Call it once per event, in the transaction that stored it (or that named its person): an event
    contributes exactly once because its row is inserted exactly once (I-14).
    """
    frame = frames.held()
    rows = signals.of_events(event_ids)
    if frame.following is not None:
        # Who counts for one version only is locked as well, all in one order.
        masses.lock_people(frame=frame, people={row[0] for row in rows})
        shadow.add(frame=frame, rows=rows, now=now)
    counted = masses.add(frame=frame, rows=rows, now=now)
    if not counted:
        return 0
    earliest: dict[int, datetime] = {}
    for person, _kind, _name, _url, at, _properties in rows:
        if person in counted:
            earliest[person] = min(at, earliest.get(person, at))
    leads = bands.open_leads_of(people=earliest)
    bands.reassess(frame=frame, lead_ids=list(leads.values()), now=now)
    since: Mapping[int, datetime] = {lead: earliest[person] for person, lead in leads.items()}
    qualifying.look(frame=frame, lead_ids=list(leads.values()), now=now, since=since)
    nurture_gains.note(frame=frame, lead_ids=list(leads.values()), now=now)
    return sum(counted.values())


@_step
def recount(*, person_ids: Sequence[int], now: datetime) -> None:
    """Compute the interest of these persons from all their events, and let leads qualify by it.

    For events that came or went after they had been counted. Nobody who qualified is taken back.
    """
    frame = frames.held()
    masses.lock_people(frame=frame, people=person_ids)
    masses.rebuild(frame=frame, people=sorted(person_ids))
    shadow.rebuild(frame=frame, people=person_ids)
    leads = sorted(bands.open_leads_of(people=person_ids).values())
    bands.reassess(frame=frame, lead_ids=leads, now=now)
    qualifying.look(frame=frame, lead_ids=leads, now=now)
    nurture_gains.note(frame=frame, lead_ids=leads, now=now)


@transaction.atomic
def run_once(*, now: datetime, limit: int) -> int:
    """Lower the bands of persons whose interest has cooled below the one they held."""
    frame = frames.held()
    people = masses.lock_cooled(frame=frame, now=now, limit=limit)
    if people:
        leads = bands.open_leads_of(people=people)
        bands.reassess(frame=frame, lead_ids=list(leads.values()), now=now)
        masses.forget_cooling(people=set(people) - set(leads))
    return len(people)
