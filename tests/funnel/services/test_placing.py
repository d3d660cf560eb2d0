"""Captured leads stand somewhere from their first moment; imported ones where their source says."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError

from funnel.models import Assignment, LeadScore, LeadState, StageTransition
from leads.events import LeadsCaptured
from leads.models import Lead, Person
from smarketing.core import events
from tests.funnel.conftest import NOW, capture_lead

pytestmark = pytest.mark.django_db


def ledger(lead):
    rows = StageTransition.objects.filter(lead=lead).order_by("seq")
    return [(r.from_stage and r.from_stage.code, r.to_stage.code, r.is_implied) for r in rows]


def imported(source, code, *, owner=None, count=1):
    """Leads of a file, stored as an import stores them."""
    people = Person.objects.bulk_create(Person(first_name="P") for _ in range(count))
    leads = Lead.objects.bulk_create(
        Lead(person=p, source=source, captured_at=NOW, created_at=NOW, updated_at=NOW) for p in people
    )
    ids = tuple(lead.pk for lead in leads)
    with transaction.atomic():
        events.publish(
            LeadsCaptured(
                lead_ids=ids,
                stages=tuple((i, code) for i in ids) if code else (),
                owners=tuple((i, owner.pk) for i in ids) if owner else (),
                actor_id=None,
                is_import=True,
                now=NOW,
            )
        )
    return leads


def test_a_captured_lead_is_a_lead(lead):
    state = LeadState.objects.get(lead=lead)
    assert (state.stage.code, state.high_water.code, state.seq, state.owner) == ("lead", "lead", 1, None)
    assert (state.entered_at, state.captured_at) == (NOW, NOW)
    assert ledger(lead) == [(None, "lead", False)]


def test_a_captured_lead_has_a_score_of_its_fit(lead):
    score = LeadScore.objects.get(lead=lead)
    # +20 director, +15 company known, +15 work address
    assert (score.fit, score.fit_band, score.interest_band, score.action) == (50, "B", 3, "nurture")
    assert score.qualified_at is None


@pytest.mark.parametrize(
    ("code", "road", "high", "closed"),
    [
        ("mql", ["lead", "mql"], "mql", False),
        ("customer", ["lead", "mql", "sql", "opportunity", "customer"], "customer", True),
        ("lost", ["lead", "mql", "sql", "opportunity", "lost"], "opportunity", True),
        ("nurture", ["lead", "nurture"], "lead", False),
    ],
)
def test_an_imported_lead_stands_where_its_source_says(web, code, road, high, closed):
    (lead,) = imported(web, code)
    assert [row[1] for row in ledger(lead)] == road
    assert [row[2] for row in ledger(lead)] == [False, *[True] * (len(road) - 2), False][: len(road)]
    state = LeadState.objects.get(lead=lead)
    assert (state.stage.code, state.high_water.code, state.seq) == (code, high, len(road))
    lead.refresh_from_db()
    assert (lead.closed_at is not None) is closed


def test_an_imported_owner_is_in_the_ledger(web, rita):
    (lead,) = imported(web, None, owner=rita)
    assert LeadState.objects.get(lead=lead).owner == rita
    row = Assignment.objects.get(lead=lead)
    assert (row.seq, row.from_owner, row.to_owner, row.reason) == (1, None, rita, "imported")


def test_placing_twice_changes_nothing(lead):
    with transaction.atomic():
        events.publish(LeadsCaptured((lead.pk,), ((lead.pk, "customer"),), (), None, is_import=True, now=NOW))
    assert ledger(lead) == [(None, "lead", False)]


def test_the_number_of_statements_does_not_grow_with_the_leads(web, django_assert_max_num_queries):
    imported(web, "mql")
    with django_assert_max_num_queries(40):
        imported(web, "mql", count=300)


@pytest.mark.parametrize("table", ["funnel_stagetransition", "funnel_assignment"])
@pytest.mark.parametrize("change", ["UPDATE {} SET seq = seq + 1", "DELETE FROM {}", "TRUNCATE {}"])
def test_ledgers_reject_changes(web, rita, table, change):
    imported(web, "mql", owner=rita)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            cursor.execute(change.format(table))
    assert StageTransition.objects.count() == 2


def test_several_leads_of_one_file_share_the_statements(web):
    leads = imported(web, "sql", count=3)
    assert LeadState.objects.filter(lead__in=leads, stage__code="sql").count() == 3


def test_captured_leads_are_told_apart_by_their_cause(web):
    lead = capture_lead(web)
    assert StageTransition.objects.get(lead=lead).cause == "captured"
    (other,) = imported(web, None)
    assert StageTransition.objects.get(lead=other).cause == "imported"
