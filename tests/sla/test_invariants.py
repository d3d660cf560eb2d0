"""The audit finds nothing after a full life of clocks, and finds what is broken by hand."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sla.models import AgreementState, AgreementVersion, Clock
from sla.services import clocks, sweep
from smarketing.core import invariants
from tests.sla.conftest import HOUR, MONDAY, attempt
from tests.sla.services.test_clocks import answer, reopen

pytestmark = pytest.mark.django_db
NUMBERS = ("I-8", "I-10", "I-11", "I-13", "N1")


def broken():
    return {
        finding.invariant.title
        for number in NUMBERS
        for finding in invariants.check(only=number)
        if not finding.holds and "sla_" in finding.invariant.sql
    }


@pytest.fixture
def lived(clock_of, rep):
    """Clocks that were met, met late, voided, returned, undone, paused, resumed, revised and expired."""
    AgreementVersion.objects.filter(state=AgreementState.IN_FORCE).update(number=1_000_000)
    made = [clock_of() for _ in range(8)]
    attempt(made[0].handoff, rep, MONDAY + HOUR)
    attempt(made[1].handoff, rep, MONDAY + 5 * HOUR)
    sweep.run_once(now=MONDAY + 6 * HOUR)
    attempt(made[2].handoff, rep, MONDAY + HOUR, now=MONDAY + 6 * HOUR)
    answer(made[3].handoff, rep, "returned", MONDAY + 6 * HOUR)
    answer(made[4].handoff, rep, "returned", MONDAY + 6 * HOUR)
    reopen(made[4].handoff, rep, MONDAY + 6 * HOUR + timedelta(seconds=5))
    later = clock_of(MONDAY + 6 * HOUR)
    clocks.pause(clock=later, at=MONDAY + 7 * HOUR, actor=rep, reason="wait", now=MONDAY + 7 * HOUR)
    clocks.resume(clock=later, at=MONDAY + 24 * HOUR, actor=rep, now=MONDAY + 24 * HOUR)
    attempt(made[1].handoff, rep, MONDAY + 2 * HOUR, now=MONDAY + 25 * HOUR)
    sweep.run_once(now=MONDAY + 40 * HOUR)
    return made


def test_nothing_is_broken_after_a_full_life(lived):
    signed = "What is in force after the first version carries one signature per side over its digest"
    assert broken() == {signed}  # the tests put it in force without signing


def test_a_clock_changed_behind_the_services_is_found(lived):
    Clock.objects.filter(pk=lived[5].pk).update(due_at=MONDAY)
    Clock.objects.filter(pk=lived[0].pk).update(fired=3)
    found = broken()
    assert "A deadline is the one that the last recorded action gave" in found
    assert "A clock has fired as many levels as it has events" in found


def test_a_threshold_that_nobody_fired_is_found(clock_of):
    clock_of()
    titles = [f.invariant.title for f in invariants.check(only="I-9") if not f.holds]
    assert "No threshold has been due for more than ten minutes" in titles
