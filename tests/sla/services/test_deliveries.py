"""What a delivery costs: everything that follows from it is written in few statements (bench/run route)."""

from __future__ import annotations

import os

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from funnel.models import Assignment, Handoff, RoutingDecision, StageTransition
from funnel.services import handoffs
from reporting.models import Journey
from sla.models import Clock, ClockAction
from smarketing.notifications.models import Outbox
from tests.sla.conftest import HOUR, MINUTE, MONDAY, make_lead

pytestmark = pytest.mark.django_db
# Statements that a delivery through the default pool may take, the lead's own look-up not counted. Each
# is a round trip, so this is most of what it costs; raise it only with a reason.
MOST = 36


def test_a_delivery_takes_few_statements_and_writes_everything(rep, other_rep, marketing_manager):
    """By the agreement a new installation starts with: three clocks, of which two run by themselves."""
    for _warm in range(2):
        lead = make_lead(at=MONDAY - HOUR)
        handoffs.deliver(lead=lead, actor=marketing_manager, now=MONDAY, override_reason="asked for")
    lead = make_lead(at=MONDAY - HOUR)
    with CaptureQueriesContext(connection) as told:
        made = handoffs.deliver(
            lead=lead, actor=marketing_manager, now=MONDAY + MINUTE, override_reason="asked for"
        )
    if os.environ.get("SMARKETING_SHOW_STATEMENTS"):
        for query in told:
            print(query["time"], query["sql"][:150].replace("\n", " "))  # noqa: T201 - on demand, with -s
    assert len(told) <= MOST, "\n".join(query["sql"][:150] for query in told)
    assert Handoff.objects.get(lead=lead).owner == made.owner
    assert RoutingDecision.objects.get(handoff=made).owner == made.owner
    assert Assignment.objects.get(lead=lead).to_owner == made.owner
    assert StageTransition.objects.filter(lead=lead).latest("seq").to_stage.code == "mql"
    started = Clock.objects.filter(handoff=made)
    assert set(started.values_list("kind", flat=True)) == {"respond", "depth"}
    for clock in started:
        action = ClockAction.objects.get(clock=clock)
        assert (action.verb, action.at, action.after["thresholds"]) == (
            "start",
            MONDAY + MINUTE,
            clock.thresholds,
        )
    assert Journey.objects.get(lead=lead).delivered_at == MONDAY + MINUTE
    assert Journey.objects.get(lead=lead).owner == made.owner
    assert (
        Outbox.objects.get(dedupe_key=f"handoff:{made.pk}:1:delivered").payload["owner_id"] == made.owner_id
    )
