"""The audit of the funnel finds what is broken and nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from funnel import invariants
from funnel.models import Handoff
from funnel.services import handoffs, opportunities
from smarketing.core.invariants import check
from tests.funnel.conftest import DAY, NOW, capture_lead, record

LATER = NOW + timedelta(hours=2)


@pytest.fixture
def story(web, rita, rob, sam, mara, qualify):
    """Some of everything that can happen."""
    for number in range(6):
        lead = qualify(capture_lead(web))
        record(lead, "page", at=LATER, url="/pricing")
        handoff = Handoff.objects.get(lead=lead)
        if number == 0:
            handoffs.return_(handoff=handoff, reason="no_need", actor=sam, now=LATER)
        elif number == 2:
            handoffs.return_(handoff=handoff, reason="not_ready", actor=sam, now=LATER)
        elif number == 1:
            handoffs.expire(handoff=handoff, at=LATER, now=LATER)
        elif number == 3:
            handoffs.reassign(handoff=handoff, owner=rita, actor=sam, now=LATER)
        elif number > 3:
            handoffs.accept(handoff=handoff, actor=sam, now=LATER)
            deal = opportunities.open(
                lead=lead, name="D", currency="EUR", owner=rita, opened_at=LATER, actor=rita, now=LATER
            )
            opportunities.move(opportunity=deal, to="won", actor=rita, now=LATER + number * DAY)


@pytest.mark.django_db
def test_all_hold_after_a_story_of_everything(story):
    ours = {(i.id, i.title) for i in invariants.ALL}
    found = [f for f in check() if (f.invariant.id, f.invariant.title) in ours]
    assert len(found) == len(invariants.ALL)
    assert [(f.invariant.title, f.rows) for f in found if not f.holds] == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("damage", "number"),
    [
        ("UPDATE funnel_interest SET key = key + 1", "I-14"),
        ("UPDATE funnel_interest SET masses = masses || 1::float8", "I-14"),
        ("DELETE FROM leads_event", "I-14"),
        ("UPDATE funnel_leadscore SET qualified_at = 'epoch'", "I-15"),
        ("UPDATE funnel_leadstate SET owner_id = NULL", "I-16"),
        ("UPDATE funnel_leadstate SET assignment_seq = 9", "I-16"),
        ("UPDATE funnel_leadstate SET seq = 99", "I-18"),
        ("UPDATE leads_lead SET closed_at = NULL", "I-18"),
        ("UPDATE funnel_nurture SET state = 'ended', ended_at = now()", "I-18"),
        ("UPDATE funnel_opportunity SET closed_at = NULL", "I-18"),
        ("UPDATE funnel_handoff SET answered_at = NULL", "I-19"),
    ],
)
def test_damage_is_found(story, damage, number):
    with connection.cursor() as cursor:
        cursor.execute(damage)
    assert not all(f.holds for f in check(only=number))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("table", "damage", "number"),
    [
        ("funnel_assignment", "UPDATE funnel_assignment SET seq = seq + 5", "I-16"),
        (
            "funnel_assignment",
            "UPDATE funnel_assignment SET record = jsonb_set(record, '{candidates,0,pointer}', '99')",
            "I-17",
        ),
        ("funnel_stagetransition", "UPDATE funnel_stagetransition SET seq = seq + 5", "I-18"),
        ("funnel_opportunitytransition", "UPDATE funnel_opportunitytransition SET seq = seq + 5", "I-18"),
    ],
)
def test_damage_of_a_ledger_is_found(story, table, damage, number):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(damage)
    assert not all(f.holds for f in check(only=number))
