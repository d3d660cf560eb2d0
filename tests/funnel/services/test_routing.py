"""Where a lead goes: rules, rings per band, limits, absences, and the record of why."""

from __future__ import annotations

from datetime import timedelta

import pytest

from funnel.models import Absence, Handoff, Pool, PoolMember, RoutingDecision, RoutingRule, Turn
from funnel.selectors import at_work
from funnel.services import absences, holding, pools, routing, routing_rules
from funnel.services.absences import AbsenceNotAllowed, BadAbsence
from funnel.services.pools import BadPlace, BadPool, PoolInUse, RoutingNotAllowed
from funnel.services.routing_rules import BadRule
from smarketing.notifications.models import Outbox
from tests.funnel.conftest import NOW, capture_lead

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def owners():
    return list(Handoff.objects.order_by("pk").values_list("owner__name", flat=True))


def test_the_first_rule_that_holds_names_the_pool_and_the_skills(web, rita, rob, sam, qualify):
    key = pools.create(name="Key accounts", actor=sam, now=NOW)
    pools.set_place(pool=key, user=rita, skills=["DE"], actor=sam, now=NOW)
    pools.set_place(pool=key, user=rob, actor=sam, now=NOW)
    rule = routing_rules.create(
        name="Initech speaks German",
        pool=key,
        conditions=[{"path": "company.name", "operator": "in", "value": ["Initech", "Umbrella"]}],
        skills=["de"],
        actor=sam,
        now=NOW,
    )
    routing_rules.create(name="All", pool=Pool.objects.get(is_default=True), actor=sam, now=NOW)
    qualify(capture_lead(web))
    told = RoutingDecision.objects.get()
    assert (told.owner, told.pool, told.rule, told.band, told.reason) == (
        rita,
        key,
        rule,
        "B1",
        "only_eligible",
    )
    assert [(c["key"], c["blocked"]) for c in told.candidates] == [(rita.pk, []), (rob.pk, ["skills"])]
    routing_rules.move(rule=rule, earlier=False, actor=sam, now=NOW)
    assert routing.preview(lead=capture_lead(web), now=NOW).way.rule.name == "All"


def test_each_band_has_its_own_ring_and_a_credit_gives_the_turn_back(web, rita, rob, qualify):
    for _ in range(2):
        qualify(capture_lead(web))
    assert set(Turn.objects.values_list("band", flat=True)) == {"B1"}
    first = Handoff.objects.earliest("pk")
    assert routing.credit(handoff_id=first.pk, now=NOW)
    assert not routing.credit(handoff_id=first.pk, now=NOW)
    assert routing.preview(lead=capture_lead(web), now=NOW).owner == first.owner
    assert routing.debit(handoff_id=first.pk, now=NOW)
    assert RoutingDecision.objects.get(handoff=first).credited_at is None
    assert len(set(Turn.objects.values_list("pointer", flat=True))) == 1


def test_away_or_empty_holds_the_lead_reminds_once_and_gives_it_out_in_order(web, rita, rob, sam, qualify):
    pool = Pool.objects.get(is_default=True)
    pools.set_place(pool=pool, user=rita, capacity=15, actor=sam, now=NOW)
    absences.add(user=rob, starts_at=NOW, ends_at=NOW + 9 * HOUR, actor=rob, now=NOW)
    for _ in range(3):
        qualify(capture_lead(web))
    assert owners() == ["Rita Rep", None, None]
    assert holding.run_once(now=NOW + 3 * HOUR, limit=10) == 0
    holding.run_once(now=NOW + 4 * HOUR, limit=10)
    assert Outbox.objects.filter(topic="handoff.held").count() == 2
    assert holding.run_once(now=NOW + 9 * HOUR, limit=10) == 2
    assert owners() == ["Rita Rep", "Rob Rep", "Rob Rep"]


def test_hours_and_the_ceiling_are_asked_of_the_agreement(web, rita, rob, sam, qualify, monkeypatch):
    pool = Pool.objects.get(is_default=True)
    monkeypatch.setattr(at_work, "_in_hours", [lambda ids, now: frozenset({rob.pk})])
    monkeypatch.setattr(at_work, "_at_ceiling", [lambda ids, now, band: frozenset(ids)])
    pools.update(pool=pool, changes={"keeps_hours": True}, actor=sam, now=NOW)
    qualify(capture_lead(web))
    assert owners() == ["Rob Rep"]
    pools.update(pool=pool, changes={"keeps_hours": False, "overflow": "nurture"}, actor=sam, now=NOW)
    lead = qualify(capture_lead(web))
    assert (Handoff.objects.get(lead=lead).missing, lead.state.stage.code) == (["ceiling"], "nurture")


def test_what_can_not_be_is_refused_and_changes_nothing(rita, rob, sam, mara):
    pool = Pool.objects.get(is_default=True)
    bad = [{"path": "nothing", "operator": "is"}]
    for refused, job in (
        (RoutingNotAllowed, lambda: pools.create(name="X", actor=mara, now=NOW)),
        (BadPool, lambda: pools.create(name=pool.name, actor=sam, now=NOW)),
        (BadPool, lambda: pools.create(name="X", overflow="pool", actor=sam, now=NOW)),
        (BadPlace, lambda: pools.set_place(pool=pool, user=rita, capacity=0, actor=sam, now=NOW)),
        (PoolInUse, lambda: pools.leave(pool=pool, user=rita, actor=sam, now=NOW)),
        (PoolInUse, lambda: pools.remove(pool=pool, actor=sam, now=NOW)),
        (BadRule, lambda: routing_rules.create(name="R", pool=pool, conditions=bad, actor=sam, now=NOW)),
        (AbsenceNotAllowed, lambda: absences.add(user=rob, starts_at=NOW, actor=rita, now=NOW)),
        (BadAbsence, lambda: absences.add(user=rob, starts_at=NOW, ends_at=NOW, actor=sam, now=NOW)),
    ):
        with pytest.raises(refused):
            job()
    counts = [model.objects.count() for model in (RoutingRule, Absence, PoolMember)]
    assert counts == [0, 0, 0]
    assert Pool.objects.count() == 1
