"""``replay``: what a definition would have done to a year of leads, beside one sorted scan of their events.

The limit is one statement that reads the same columns of the same events in the order of person and time and
hands them over, and the same rule lead by lead, which is what decides where the arrays are in doubt.
"""

from __future__ import annotations

import io
from datetime import timedelta
from functools import partial
from itertools import islice

from django.db import connection

from bench import generator, harness
from funnel.domain import drafts
from funnel.domain.definitions import default_document
from funnel.domain.interest import Decay, landmark_for
from funnel.domain.replay import qualified_at
from funnel.selectors import past_facts, past_leads, signals
from funnel.services import replays

YEAR = timedelta(days=365)
ALONE = 2_000  # leads that the slow rule looks at
_SCAN = """
COPY (SELECT person_id, occurred_at, kind, name, url FROM leads_event WHERE screened = ''
       ORDER BY person_id, occurred_at, id) TO STDOUT (FORMAT binary)
"""


def run(plan: harness.Plan) -> harness.Report:
    """Measure at each size; ``--events`` says how many events a lead has."""
    report = harness.Report("replay", plan)
    for size in plan.sizes:
        generator.database(size=size, events=plan.events)
        events = generator.counts()["leads_event"]
        reps = plan.reps
        replay = harness.measure(f"replay of {size:,} leads", "events", partial(_replay, events), reps=reps)
        scan = harness.measure(f"sorted scan, {events:,} events", "events", partial(_scan, events), reps=reps)
        alone = harness.measure(f"the slow rule, {ALONE:,} leads", "leads", _alone, reps=1)
        report.series += [replay, scan, alone]
        report.ratios.append(
            harness.Ratio(
                f"replay ÷ sorted scan, {size:,}", scan.rate / replay.rate, floor=5, target=2, at_most=True
            )
        )
        report.facts[f"at {size:,} leads"] = (
            f"{events:,} events, {size / (events / replay.rate):,.0f} leads/s"
        )
    return report


def _replay(events: int) -> int:
    replays.compute(documents=[default_document()], start=generator.END - YEAR, end=generator.END)
    return events


def _scan(events: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SET work_mem = '256MB'")
        cursor.copy_expert(_SCAN, _Sink())
        cursor.execute("RESET work_mem")
    return events


class _Sink(io.RawIOBase):
    """Takes everything and keeps nothing."""

    def write(self, data: object) -> int:
        return len(data)  # type: ignore[arg-type]


def _alone() -> int:
    """The first leads, each by the rule for one lead at one scale."""
    rules, end = drafts.parse(default_document()), generator.END
    decay = Decay(landmark_for(end), rules.half_life)
    batch = list(islice(next(past_leads.batches(start=end - YEAR, end=end)), ALONE))
    known = past_facts.of_leads([past.lead_id for past, _person in batch])
    happened = signals.history(rules, list({person for _past, person in batch}))
    for past, person in batch:
        qualified_at(rules, decay, past, known[past.lead_id], happened[person], before=end)
    return len(batch)
