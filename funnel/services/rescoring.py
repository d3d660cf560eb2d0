"""The loop that brings projections to another version of the definition, and building them anew.

It fills the shadow of the version that waits (``shadow``), which a switch takes over at once
(``promoting``). Whoever a switch left out, such as a lap that was reopened, is brought up here in
batches, or by whoever touches them first; so nothing is ever computed by two versions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import F

from funnel.domain.definitions import Definition
from funnel.domain.interest import landmark_for
from funnel.models import CompanyInterest, DefinitionVersion, Interest, LeadScore, SignalDay
from funnel.selectors import definitions
from funnel.services import bands, company_scores, frames, masses, qualifying, scoring, shadow
from funnel.services.frames import Frame
from leads.models import Person

BATCH = 2000


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How many persons and leads were computed anew, and how far the stored numbers were off.

    ``worst`` is the largest relative difference of a mass; ``instants`` counts leads whose instant of
    qualification came out differently.
    """

    people: int
    leads: int
    worst: float
    instants: int


def landmark_after(*, old: DefinitionVersion, new: Definition, now: datetime) -> datetime:
    """Where the masses of a new version are measured from: as before while the half-life is the same."""
    same = definitions.rules_of(old).half_life == new.half_life
    return old.landmark if same else landmark_for(now)


@transaction.atomic
def switch(*, old: DefinitionVersion, new: DefinitionVersion) -> bool:
    """Carry masses from ``old`` to ``new`` by one statement if only weights differ; say whether it could."""
    before, after = frames.of(version=old), frames.of(version=new)
    if before.decay != after.decay or not before.has_masses_of(after):
        return False
    _weigh(after, from_version=old.pk)
    SignalDay.objects.filter(definition=old).update(definition=new)
    return True


@transaction.atomic
def run_once(*, now: datetime, limit: int) -> int:
    """Fill the shadow of the version that waits, else bring up who is of an earlier version; how many."""
    _move_landmark(now=now)
    if filled := shadow.fill(now=now, limit=limit):
        return filled
    frame = frames.held()
    rows = Interest.objects.exclude(definition=frame.version).order_by("person_id")
    people = [row.person_id for row in rows.select_for_update(skip_locked=True)[:limit]]
    masses.rebuild(frame=frame, people=people)
    if people:
        company_scores.mark_people(person_ids=people)
    if len(people) == limit:
        return len(people)
    stale = LeadScore.objects.filter(lead__closed_at=None).exclude(definition=frame.version)
    leads = list(stale.order_by("lead_id").values_list("lead_id", flat=True)[: limit - len(people)])
    if leads:
        masses.lock_of_leads(frame=frame, lead_ids=leads)
        scoring.update_fits(frame=frame, lead_ids=leads, now=now)
        scoring.evaluate(lead_ids=leads, now=now)
    return len(people) + len(leads) or shadow.sweep()


def rebuild(*, now: datetime) -> Rebuilt:
    """Compute every person's masses from the events, and every open lead's instant of qualification.

    In batches of persons, each a transaction; what happens meanwhile waits for its batch or comes
    after it. Bands follow; nothing is delivered or taken back. Without a defect ``worst`` stays below
    1e-9 and ``instants`` is 0 (I-14, I-15).
    """
    people = leads = off = last = 0
    worst = 0.0
    while True:
        ids = list(Person.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH])
        if not ids:
            company_scores.rebuild(now=now)
            return Rebuilt(people, leads, worst, off)
        last = ids[-1]
        with transaction.atomic():
            frame = frames.held()
            known = masses.with_behaviour(people=ids)
            masses.lock_people(frame=frame, people=known)
            worst = max(worst, masses.rebuild(frame=frame, people=known))
            shadow.rebuild(frame=frame, people=known)
            open_leads = sorted(bands.open_leads_of(people=ids).values())
            bands.reassess(frame=frame, lead_ids=open_leads, now=now)
            off += _check_instants(frame, open_leads, now=now)
        people += len(known)
        leads += len(open_leads)


def _check_instants(frame: Frame, leads: list[int], *, now: datetime) -> int:
    """How many qualified leads would have qualified at another instant; those are put right."""
    found = qualifying.instants(frame=frame, lead_ids=leads, now=now, since={}, again=True)
    wrong = [(score, at) for score, at in found if score.qualified_at is not None]
    for score, at in wrong:
        LeadScore.objects.filter(pk=score.pk).update(qualified_at=at)
    return len(wrong)


def _weigh(frame: Frame, *, from_version: int) -> None:
    """Keys from masses by this version's weights, unrolled into one statement."""
    weights = frame.rules.weights
    total = " + ".join(f"%s::float8 * masses[{slot}]" for slot in range(1, len(weights) + 1)) or "0"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE funnel_interest
               SET definition_id = %s,
                   key = ln(nullif(greatest({total}, 0::float8), 0::float8)) / ln(2::float8)
             WHERE definition_id = %s
            """,  # noqa: S608 - only slot numbers are put into the text
            [frame.version.pk, *weights, from_version],
        )


def _move_landmark(*, now: datetime) -> None:
    """Measure from a later instant before numbers grow too large: one multiplication per mass."""
    frame = frames.of(version=definitions.in_force())
    if not frame.decay.needs_shift(now):
        return
    # Waits for whoever holds the frame, and makes others look again.
    version = DefinitionVersion.objects.select_for_update().get(pk=frame.version.pk)
    if version.landmark != frame.version.landmark:
        return
    later, factor, summand = frame.decay.shifted(landmark_for(now))
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE funnel_interest
               SET key = key + %s,
                   masses = (SELECT array_agg(m * %s::float8 ORDER BY n)
                               FROM unnest(masses) WITH ORDINALITY AS t(m, n))
             WHERE definition_id = %s
            """,
            [summand, factor, version.pk],
        )
    CompanyInterest.objects.update(key=F("key") + summand)
    version.landmark, version.updated_at = later.landmark, now
    version.save(update_fields=["landmark", "updated_at"])
