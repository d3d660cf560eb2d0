"""Many at once: fair turns, nothing given twice, one answer wins (F-31, F-32; I-16, I-17, I-19)."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection, transaction

from funnel import invariants
from funnel.models import Handoff, HandoffState, Interest, LeadScore, LeadState
from funnel.services import (
    hand_moves,
    handoffs,
    opportunities,
    owners,
    pools,
    rescoring,
    routing_rules,
    stages,
)
from funnel.services.delivery import NotDeliverable
from funnel.services.handoffs import AlreadyAnswered, HandoffChanged
from leads.models import Source
from smarketing.core.errors import DomainError
from smarketing.core.invariants import check
from smarketing.users.models import User
from tests.funnel.conftest import NOW, asks_for_demo, capture_lead, record

pytestmark = pytest.mark.django_db(transaction=True)
LATER = NOW + timedelta(hours=2)
THREADS = 8


def at_once(jobs: Sequence[Callable[[], object]], *, seconds: float = 60) -> list[object]:
    """Run the jobs in threads that start together; results or refusals, in the order of the jobs."""
    barrier = threading.Barrier(len(jobs))
    results: list[object] = [None] * len(jobs)

    def run(number: int, job: Callable[[], object]) -> None:
        try:
            barrier.wait(timeout=30)
            results[number] = job()
        except DomainError as refusal:
            results[number] = refusal
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(n, job)) for n, job in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=seconds)
    assert not any(thread.is_alive() for thread in threads)
    return results


def broken():
    ours = {(i.id, i.title) for i in invariants.ALL}
    return [f.invariant.title for f in check() if (f.invariant.id, f.invariant.title) in ours and not f.holds]


@pytest.fixture
def web():
    return Source.objects.get(code="web")


@pytest.fixture
def reps():
    return [User.objects.create(email=f"rep{n}@example.com", name=f"Rep {n}", role="rep") for n in range(3)]


@pytest.fixture
def boss():
    return User.objects.create(email="boss@example.com", name="Boss", role="marketing_manager")


def test_eight_deliverers_share_fairly_and_give_nothing_twice(web, reps, boss):
    leads = [capture_lead(web) for _ in range(THREADS * 4)]

    def deliver(chunk):
        def job():
            return [
                handoffs.deliver(lead=lead, actor=boss, now=LATER, override_reason="fair") for lead in chunk
            ]

        return job

    at_once([deliver(leads[n::THREADS]) for n in range(THREADS)])
    shares = Counter(Handoff.objects.values_list("owner__name", flat=True))
    assert sum(shares.values()) == len(leads)
    assert max(shares.values()) - min(shares.values()) <= 1
    assert Handoff.objects.values("lead").distinct().count() == len(leads)
    assert broken() == []


def test_batches_that_deliver_to_two_pools_in_any_order_do_not_wait_in_a_circle(web, reps, boss):
    chief = User.objects.create(email="chief@example.com", name="Chief", role="sales_manager")
    key = pools.create(name="Key accounts", actor=chief, now=NOW)
    pools.set_place(pool=key, user=reps[0], actor=chief, now=NOW)
    routing_rules.create(
        name="Umbrella",
        pool=key,
        conditions=[{"path": "company.name", "operator": "in", "value": ["Umbrella"]}],
        actor=chief,
        now=NOW,
    )
    batches = []
    for number in range(THREADS):
        leads = [capture_lead(web, company=name) for name in ("Umbrella", "Initech")]
        batches.append(leads if number % 2 else leads[::-1])

    def deliver(leads):
        def job():
            with transaction.atomic():
                return [
                    handoffs.deliver(lead=lead, actor=boss, now=LATER, override_reason="fair")
                    for lead in leads
                ]

        return job

    results = at_once([deliver(leads) for leads in batches])
    assert all(isinstance(result, list) for result in results)
    assert Handoff.objects.filter(routing__pool=key).count() == THREADS
    assert broken() == []


def test_one_lead_delivered_by_eight_is_delivered_once(web, reps, boss):
    lead = capture_lead(web)

    def job():
        return handoffs.deliver(lead=lead, actor=boss, now=LATER, override_reason="mine")

    results = at_once([job] * THREADS)
    assert sum(isinstance(r, Handoff) for r in results) == 1
    assert sum(isinstance(r, NotDeliverable) for r in results) == THREADS - 1
    assert broken() == []


@pytest.mark.parametrize("_round", range(3))
def test_of_accept_and_return_at_once_exactly_one_wins(web, reps, _round):
    lead = capture_lead(web)
    asks_for_demo(lead, at=NOW)
    handoff = Handoff.objects.select_related("owner").get(lead=lead)
    owner = handoff.owner

    def accept():
        return handoffs.accept(
            handoff=Handoff.objects.get(pk=handoff.pk), actor=owner, now=LATER, expected_version=1
        )

    def give_back():
        return handoffs.return_(
            handoff=Handoff.objects.get(pk=handoff.pk), reason="no_need", actor=owner, now=LATER
        )

    def expire():
        return handoffs.expire(handoff=Handoff.objects.get(pk=handoff.pk), at=LATER, now=LATER)

    results = at_once([accept, give_back] * 3 + [expire])
    won = [r for r in results if isinstance(r, Handoff) or r is True]
    assert len(won) == 1
    lost = [r for r in results if isinstance(r, DomainError)]
    assert all(isinstance(r, AlreadyAnswered | HandoffChanged) for r in lost)
    handoff.refresh_from_db()
    stage = LeadState.objects.get(lead=lead).stage.code
    assert (handoff.version, stage) == (
        2,
        "recycled" if handoff.state == HandoffState.RETURNED else "mql",
    )
    assert broken() == []


def test_events_of_one_person_at_once_all_count(web, reps):
    lead = capture_lead(web)

    def job(number):
        def run():
            for hour in range(5):
                record(lead, "page", at=NOW + timedelta(days=number, hours=hour), url="/")

        return run

    at_once([job(n) for n in range(THREADS)])
    held = Interest.objects.get()
    slot = 0  # page: at most five a day count
    assert held.masses[slot] > 0
    before = (list(held.masses), held.key)
    from_events = rebuilt()
    assert from_events[0] == pytest.approx(before[0], rel=1e-12)
    assert from_events[1] == pytest.approx(before[1], rel=1e-12)
    assert broken() == []


def test_two_signals_at_once_qualify_and_deliver_once(web, reps):
    lead = capture_lead(web)

    def job():
        asks_for_demo(lead, at=NOW + timedelta(hours=1))

    at_once([job] * 4)
    assert Handoff.objects.filter(lead=lead).count() == 1
    assert LeadScore.objects.get(lead=lead).qualified_at == NOW + timedelta(hours=1)
    assert broken() == []


def test_of_two_moves_of_one_version_one_wins(web, reps):
    lead, rep = capture_lead(web), reps[0]
    deal = opportunities.open(
        lead=lead, name="D", currency="EUR", owner=rep, opened_at=NOW, actor=rep, now=NOW
    )

    def job(to):
        def run():
            return opportunities.move(
                opportunity=deal, to=to, actor=rep, now=LATER, lost_reason="price", expected_version=1
            )

        return run

    results = at_once([job("won"), job("lost"), job("proposal"), job("won")])
    assert sum(not isinstance(r, DomainError) for r in results) == 1
    assert broken() == []


def rebuilt():
    rescoring.rebuild(now=NOW + timedelta(days=9))
    held = Interest.objects.get()
    return list(held.masses), held.key


def test_owners_change_while_handoffs_are_answered_and_expire(web, reps, boss):
    """Every path locks the handoff before the lead's state, so none waits for another in a circle."""
    leads = [capture_lead(web) for _ in range(12)]
    for lead in leads:
        asks_for_demo(lead, at=NOW)
    manager = User.objects.create(email="sam@example.com", name="Sam", role="sales_manager")
    handed = list(Handoff.objects.order_by("pk"))

    def accept():
        for handoff in handed[::-1]:
            try_(lambda h=handoff: handoffs.accept(handoff=h, actor=manager, now=LATER))

    def expire():
        for handoff in handed:
            handoffs.expire(handoff=Handoff.objects.get(pk=handoff.pk), at=LATER, now=LATER)

    def reassign():
        owners.assign_many(leads=leads, owner=reps[0], actor=manager, now=LATER)

    def try_(job):
        with contextlib.suppress(DomainError):
            job()

    at_once([accept, expire, reassign, accept, expire, reassign])
    states = Counter(Handoff.objects.values_list("state", flat=True))
    assert set(states) <= {"accepted", "expired"}
    assert sum(states.values()) == 12
    assert broken() == []


def test_of_two_moves_at_once_one_follows_the_other_and_the_ledger_has_no_gap(web, rita, sam):
    lead = capture_lead(web)
    stages.create(
        role="main", fields={"name": "Engaged", "owner_side": "sales"}, after="lead", actor=sam, now=NOW
    )
    jobs = [
        partial(hand_moves.move, lead=lead, to=to, reason="At once", actor=rita, now=LATER)
        for to in ("engaged", "mql", "nurture", "opportunity") * 2
    ]
    at_once(jobs)
    assert broken() == []


def test_a_stage_that_goes_out_of_use_keeps_nobody_who_came_in_meanwhile(web, rita, sam):
    engaged = stages.create(
        role="main", fields={"name": "Engaged", "owner_side": "sales"}, after="lead", actor=sam, now=NOW
    )
    leads = [capture_lead(web) for _ in range(THREADS - 1)]
    jobs = [partial(stages.retire, stage=engaged, actor=sam, now=LATER)] + [
        partial(hand_moves.move, lead=each, to="engaged", reason="", actor=rita, now=LATER) for each in leads
    ]
    at_once(jobs)
    engaged.refresh_from_db()
    assert engaged.is_active or not LeadState.objects.filter(stage=engaged).exists()
    assert broken() == []
