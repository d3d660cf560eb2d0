"""Journeys kept by facts: the narrow note of a breach gives what reading the whole story would."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reporting.models import Journey
from reporting.services import journeys
from sla.models import Clock
from sla.services import sweep
from tests.sla.conftest import HOUR, MONDAY, agree, attempt, deliver, make_user


@pytest.mark.django_db
def test_breaches_of_a_sweep_stand_in_their_journeys_as_in_a_rebuild():
    agree()
    rep = make_user("rep", "Rita Rep")
    first, second, kept = deliver(rep, MONDAY), deliver(rep, MONDAY + HOUR), deliver(rep, MONDAY)
    attempt(kept, rep, MONDAY + HOUR)
    sweep.run_once(now=MONDAY + 8 * HOUR)
    for handoff, breached_at in (
        (first, MONDAY + 4 * HOUR),
        (second, MONDAY + 5 * HOUR),
        (kept, None),
    ):
        assert Journey.objects.get(lead_id=handoff.lead_id).breached_at == breached_at
    assert journeys.rebuild() == 0


@pytest.mark.django_db
def test_a_later_breach_of_a_lead_leaves_the_first_and_an_earlier_one_replaces_it():
    agree()
    handoff = deliver(make_user("rep", "Rita Rep"), MONDAY)
    for at, kept in ((5, 5), (6, 5), (4, 4)):
        journeys.note_breaches(broken={handoff.pk: MONDAY + at * HOUR})
        assert Journey.objects.get(lead_id=handoff.lead_id).breached_at == MONDAY + kept * HOUR


@pytest.mark.django_db
def test_a_breach_that_an_attempt_logged_late_voids_leaves_the_journey():
    agree()
    rep = make_user("rep", "Rita Rep")
    handoff = deliver(rep, MONDAY)
    sweep.run_once(now=MONDAY + 5 * HOUR)
    assert Journey.objects.get(lead_id=handoff.lead_id).breached_at == MONDAY + 4 * HOUR
    attempt(handoff, rep, MONDAY + HOUR, now=MONDAY + timedelta(hours=6))
    assert Journey.objects.get(lead_id=handoff.lead_id).breached_at is None
    assert Clock.objects.get(handoff=handoff, kind="respond").state == "met"
    assert journeys.rebuild() == 0
