"""One owner at a time, each change in the ledger, and turns that are fair after an absence."""

from __future__ import annotations

from datetime import timedelta

import pytest

from funnel.models import Assignment, Handoff, LeadState, Pool, PoolMember
from funnel.services import owners, pools
from funnel.services.owners import NotAnOwner, OwnerChangeNotAllowed, WaitingForAnswer
from funnel.services.pools import BadPlace, RoutingNotAllowed
from smarketing.audit.models import AuditEntry
from tests.funnel.conftest import NOW, capture_lead

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=2)


def owner(lead):
    return LeadState.objects.get(lead=lead).owner


def ledger(lead):
    rows = Assignment.objects.filter(lead=lead).order_by("seq")
    return [(r.seq, r.from_owner and r.from_owner.name, r.to_owner and r.to_owner.name) for r in rows]


def by_hand(lead, to, actor):
    return owners.assign(lead=lead, owner=to, reason="manual", actor=actor, now=LATER)


def test_every_change_is_in_the_ledger(lead, rita, rob, sam):
    by_hand(lead, rita, sam)
    by_hand(lead, rob, sam)
    by_hand(lead, None, sam)
    assert ledger(lead) == [(1, None, "Rita Rep"), (2, "Rita Rep", "Rob Rep"), (3, "Rob Rep", None)]
    assert owner(lead) is None


def test_the_same_owner_again_is_no_change(lead, rita, sam):
    by_hand(lead, rita, sam)
    assert by_hand(lead, rita, sam) is None
    assert len(ledger(lead)) == 1


def test_only_active_reps_and_sales_managers_own_leads(lead, mara, rita, sam):
    rita.is_active = False
    rita.save(update_fields=["is_active"])
    for user in (mara, rita):
        with pytest.raises(NotAnOwner):
            by_hand(lead, user, sam)
    assert ledger(lead) == []


@pytest.mark.parametrize("who", ["rita", "mara", "olga"])
def test_changing_owners_is_for_managers(lead, rob, who, request):
    actor = request.getfixturevalue(who)
    with pytest.raises(OwnerChangeNotAllowed):
        by_hand(lead, rob, actor)
    with pytest.raises(OwnerChangeNotAllowed):
        owners.assign_many(leads=[lead], owner=rob, actor=actor, now=LATER)
    assert ledger(lead) == []


def test_many_leads_change_hands_together(web, rita, rob, sam):
    leads = [capture_lead(web) for _ in range(3)]
    by_hand(leads[0], rob, sam)
    made = owners.assign_many(leads=leads, owner=rob, actor=sam, now=LATER)
    assert len(made) == 2
    assert [owner(lead) for lead in leads] == [rob, rob, rob]


def test_a_waiting_handoff_goes_along_and_is_never_left_alone(lead, rita, rob, sam, qualify):
    qualify(lead)
    with pytest.raises(WaitingForAnswer):
        by_hand(lead, None, sam)
    by_hand(lead, rob if owner(lead) == rita else rita, sam)
    handoff = Handoff.objects.get(lead=lead)
    assert (handoff.owner, handoff.version) == (owner(lead), 2)


def test_weights_are_kept(web, rita, rob, sam, qualify):
    pool = Pool.objects.get(is_default=True)
    pools.set_place(pool=pool, user=rita, weight=2, actor=sam, now=NOW)
    for _ in range(9):
        qualify(capture_lead(web))
    shares = [LeadState.objects.filter(owner=user).count() for user in (rita, rob)]
    assert shares == [6, 3]


def test_who_comes_back_gets_no_burst(web, rita, rob, sam, qualify):
    pool = Pool.objects.get(is_default=True)
    pools.set_place(pool=pool, user=rita, actor=sam, now=NOW)
    pools.set_place(pool=pool, user=rob, takes_leads=False, actor=sam, now=NOW)
    for _ in range(4):
        qualify(capture_lead(web))
    pools.set_place(pool=pool, user=rob, takes_leads=True, actor=sam, now=NOW)
    for _ in range(4):
        qualify(capture_lead(web))
    names = list(Handoff.objects.order_by("pk").values_list("owner__name", flat=True))
    assert names[:4] == ["Rita Rep"] * 4
    assert sorted(names[4:]) == ["Rita Rep"] * 2 + ["Rob Rep"] * 2


def test_the_record_says_why_this_rep(web, rita, rob, sam, qualify):
    pool = Pool.objects.get(is_default=True)
    pools.set_place(pool=pool, user=rita, takes_leads=False, actor=sam, now=NOW)
    lead = qualify(capture_lead(web))
    record = Assignment.objects.get(lead=lead).record
    assert record["reason"] == "only_eligible"
    assert [(c["key"], c["blocked"], c["chosen"]) for c in record["candidates"]] == [
        (rita.pk, ["absent"], False),
        (rob.pk, [], True),
    ]


def test_places_are_set_by_managers_within_bounds_and_audited(rita, rob, sam, mara):
    pool = Pool.objects.get(is_default=True)
    with pytest.raises(RoutingNotAllowed):
        pools.set_place(pool=pool, user=rita, actor=mara, now=NOW)
    for wrong in ({"weight": 0}, {"weight": 21}, {"open_cap": 0}):
        with pytest.raises(BadPlace):
            pools.set_place(pool=pool, user=rita, actor=sam, now=NOW, **wrong)
    with pytest.raises(NotAnOwner):
        pools.set_place(pool=pool, user=mara, actor=sam, now=NOW)
    assert not PoolMember.objects.exists()
    pools.set_place(pool=pool, user=rita, weight=3, open_cap=40, actor=sam, now=NOW)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.after["weight"], entry.after["open_cap"]) == ("place_changed", 3, 40)
