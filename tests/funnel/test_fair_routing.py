"""Fair in number under any concurrency: nothing is given twice, and everybody gets their share.

``SMARKETING_LEADS_PER_ROUTER=700`` runs the figure of the promise; without it fewer leads make the point.
"""

from __future__ import annotations

import os
from collections import Counter
from datetime import timedelta

import pytest

from funnel.models import Handoff, Pool, RoutingDecision
from funnel.selectors import routing as reads
from funnel.services import absences, handoffs, pools
from leads.models import Source
from smarketing.users.models import User
from tests.funnel.conftest import NOW, capture_lead
from tests.funnel.test_concurrency import at_once, broken

ROUTERS = 8
PER_ROUTER = int(os.environ.get("SMARKETING_LEADS_PER_ROUTER", "10"))
LATER = NOW + timedelta(hours=2)


def make(role, name):
    return User.objects.create(email=f"{name.casefold()}@example.com", name=name, role=role)


@pytest.mark.django_db(transaction=True)
def test_eight_routers_give_nothing_twice_and_differ_by_at_most_one():
    web = Source.objects.get(code="web")
    reps = [make("rep", f"Rep{n}") for n in range(7)]
    boss = make("marketing_manager", "Boss")
    leads = [capture_lead(web) for _ in range(ROUTERS * PER_ROUTER)]

    def router(mine):
        def job():
            for lead in mine:
                handoffs.deliver(lead=lead, actor=boss, now=LATER, override_reason="fair")

        return job

    results = at_once([router(leads[n::ROUTERS]) for n in range(ROUTERS)], seconds=1800)
    assert results == [None] * ROUTERS
    shares = Counter(Handoff.objects.values_list("owner", flat=True))
    assert set(shares) == {rep.pk for rep in reps}
    assert sum(shares.values()) == len(leads)
    assert max(shares.values()) - min(shares.values()) <= 1
    assert Handoff.objects.values("lead").distinct().count() == len(leads)
    assert RoutingDecision.objects.count() == len(leads)
    assert broken() == []


def ring_of(names, weights):
    """The reps in the default pool, the first of ``names`` where the ring of these leads begins."""
    boss, pool = make("sales_manager", "Sam"), Pool.objects.get(is_default=True)
    lead = capture_lead(Source.objects.get(code="web"))
    start = reads.rotation(reads.way_of(lead)) % len(names)
    reps = {}
    for place in range(len(names)):
        n = (place - start) % len(names)
        reps[names[n]] = make("rep", names[n])
        pools.set_place(pool=pool, user=reps[names[n]], weight=weights[n], actor=boss, now=NOW)
    return pool, boss, reps


def deliver(count, at):
    giver = User.objects.filter(role="marketing_manager").first() or make("marketing_manager", "Boss")
    for _ in range(count):
        lead = capture_lead(Source.objects.get(code="web"))
        handoffs.deliver(lead=lead, actor=giver, now=at, override_reason="fair")


def order():
    return "".join(Handoff.objects.order_by("pk").values_list("owner__name", flat=True))


@pytest.mark.django_db
def test_two_one_one_is_a_b_c_a_a_b_c_a():
    ring_of("ABC", (2, 1, 1))
    deliver(8, LATER)
    assert order() == "ABCAABCA"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("policy", "expected"), [("reset", "AAAAABABAB"), ("accrue", "AAAABBBBAB"), ("cap", "AAAABBABAB")]
)
def test_who_was_away_for_four_leads_is_owed_what_the_pool_says(policy, expected):
    pool, boss, reps = ring_of("AB", (1, 1))
    changes = {"return_policy": policy, "owed_at_most": 2}
    pools.update(pool=pool, changes=changes, actor=boss, now=NOW)
    absences.add(user=reps["B"], starts_at=NOW, ends_at=LATER + timedelta(hours=1), actor=boss, now=NOW)
    deliver(4, LATER)
    deliver(6, LATER + timedelta(hours=1))
    assert order() == expected
