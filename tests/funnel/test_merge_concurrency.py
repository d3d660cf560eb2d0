"""Merges beside merges, captures and events: one wins, nobody waits in a circle, nothing stays behind."""

from __future__ import annotations

from datetime import timedelta

import pytest

from funnel import invariants as ours
from leads import invariants as theirs
from leads.models import Event, Lead, Merge, Person, Source, Touchpoint
from leads.services import leads as capturing
from leads.services import merging
from leads.services.companies import CompanyInput
from leads.services.people import PersonInput
from smarketing.core.invariants import check
from tests.funnel.conftest import NOW, asks_for_demo
from tests.funnel.test_concurrency import at_once

pytestmark = pytest.mark.django_db(transaction=True)
LATER = NOW + timedelta(hours=2)


def broken():
    known = {(i.id, i.title) for i in (*ours.ALL, *theirs.ALL)}
    return [
        f.invariant.title for f in check() if (f.invariant.id, f.invariant.title) in known and not f.holds
    ]


@pytest.fixture
def web():
    return Source.objects.get(code="web")


def capture(web, email, at=NOW):
    return capturing.capture(
        source=web,
        person=PersonInput(first_name="Ada", last_name="Lovelace", emails=[email], title="Director of Sales"),
        company=CompanyInput("Initech"),
        captured_at=at,
        actor=None,
        now=at,
    ).lead


def merge(survivor, merged):
    return lambda: merging.merge(survivor=survivor.person, merged=merged.person, actor=None, now=LATER)


def test_of_two_merges_in_opposite_directions_exactly_one_wins(web):
    one, other = capture(web, "a@x.example"), capture(web, "b@x.example")
    results = at_once([merge(one, other), merge(other, one)] * 2)
    assert sum(isinstance(r, Merge) for r in results) == 1
    assert sum(isinstance(r, merging.CantMerge) for r in results) == 3
    assert Person.objects.filter(merged_into=None).count() == 1
    assert broken() == []


def test_merges_of_a_ring_do_not_wait_in_a_circle(web):
    leads = [capture(web, f"{n}@x.example") for n in range(3)]
    results = at_once([merge(leads[n], leads[(n + 1) % 3]) for n in range(3)])
    won = [r for r in results if isinstance(r, Merge)]
    assert 1 <= len(won) <= 2
    assert Person.objects.filter(merged_into=None).count() == 3 - len(won)
    assert broken() == []


@pytest.mark.parametrize("_round", range(2))
def test_who_is_captured_while_they_are_merged_ends_with_the_survivor(web, _round):
    one, other = capture(web, "a@x.example"), capture(web, "b@x.example")

    def again():
        return capture(web, "b@x.example", at=LATER)

    def demo():
        return asks_for_demo(other, at=LATER)

    at_once([merge(one, other), again, demo, again])
    merging.run_once(now=LATER + timedelta(minutes=1), limit=10)
    assert Merge.objects.count() == 1
    assert set(Event.objects.values_list("person", flat=True)) == {one.person_id}
    assert set(Touchpoint.objects.values_list("person", flat=True)) == {one.person_id}
    assert set(Lead.objects.values_list("person", flat=True)) == {one.person_id}
    assert Lead.objects.open().count() == 1
    assert broken() == []
