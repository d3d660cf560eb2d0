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
from funnel.services import handoffs, pools
from leads.models import Source
from smarketing.users.models import User
from tests.funnel.conftest import NOW, capture_lead
from tests.funnel.test_concurrency import at_once, broken

ROUTERS = 8
PER_ROUTER = int(os.environ.get("SMARKETING_LEADS_PER_ROUTER", "40"))
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


@pytest.mark.django_db
def test_two_one_one_is_a_b_c_a_a_b_c_a():
    web = Source.objects.get(code="web")
    boss = make("sales_manager", "Sam")
    pool = Pool.objects.get(is_default=True)
    start = reads.rotation(reads.way_of(capture_lead(web))) % 3  # where this band's ring begins
    names = ["A", "B", "C"]
    for name in names[-start:] + names[:-start] if start else names:
        weight = 2 if name == "A" else 1
        pools.set_place(pool=pool, user=make("rep", name), weight=weight, actor=boss, now=NOW)
    giver = make("marketing_manager", "Boss")
    for _ in range(8):
        handoffs.deliver(lead=capture_lead(web), actor=giver, now=LATER, override_reason="fair")
    assert "".join(Handoff.objects.order_by("pk").values_list("owner__name", flat=True)) == "ABCAABCA"
