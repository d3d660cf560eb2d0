"""Rules, pools and absences in the settings, trying a lead, and why a rep got one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from funnel.models import Absence, Handoff, Pool, PoolMember, RoutingDecision, RoutingRule, Turn
from funnel.services import absences, pools, routing_rules
from smarketing.audit.models import AuditEntry
from tests.funnel.conftest import NOW, capture_lead
from tests.funnel.views.conftest import At, SignedIn

pytestmark = pytest.mark.django_db
RULES = "/settings/routing/"
SOON = NOW + timedelta(minutes=30)


def shown(client, path, **data):
    return client.get(path, data).content.decode()


def names():
    return list(RoutingRule.objects.order_by("position").values_list("name", flat=True))


def test_a_manager_writes_orders_and_retires_rules_and_the_trail_keeps_it(signed_in: SignedIn, sam, olga):
    client = signed_in(sam)
    assert "No rule yet" in shown(client, RULES)
    key = pools.create(name="Key accounts", actor=sam, now=NOW)
    given = {"name": "Germany", "pool": key.pk, "skills": "German, , Enterprise",
             "conditions-path": ["company.country", "company.employees", ""],
             "conditions-operator": ["in", "at_least", "equals"],
             "conditions-value": ["DE, AT", "many", ""]}  # fmt: skip
    refused = client.post(f"{RULES}new/", given)
    assert refused.status_code == 422
    assert "data-invalid" in refused.content.decode()
    assert RoutingRule.objects.count() == 0
    given["conditions-value"] = ["DE, AT", "50", ""]
    assert client.post(f"{RULES}new/", given).status_code == 303
    rule = RoutingRule.objects.get()
    assert (rule.skills, rule.conditions) == (
        ["german", "enterprise"],
        [
            {"path": "company.country", "operator": "in", "value": ["DE", "AT"]},
            {"path": "company.employees", "operator": "at_least", "value": 50},
        ],
    )
    text = shown(client, f"{RULES}{rule.pk}/")
    assert 'value="DE, AT"' in text
    assert 'value="50"' in text
    assert client.post(f"{RULES}{rule.pk}/", {**given, "name": "DACH", "version": 1}).status_code == 303
    assert client.post(f"{RULES}{rule.pk}/", {**given, "version": 1}).status_code == 412
    routing_rules.create(name="Rest", pool=key, actor=sam, now=NOW)
    assert client.post(f"{RULES}{rule.pk}/move/down/", {"place": "1"}).status_code == 303
    assert names() == ["Rest", "DACH"]
    assert client.post(f"{RULES}{rule.pk}/move/down/", {"place": "1"}).status_code == 412  # a double click
    assert names() == ["Rest", "DACH"]
    assert client.post(f"{RULES}{rule.pk}/retire/").status_code == 303
    assert "Use again" in shown(client, RULES)
    assert client.post(f"{RULES}{rule.pk}/use/").status_code == 303
    assert RoutingRule.objects.get(pk=rule.pk).is_active
    made = AuditEntry.objects.filter(actor=sam).order_by("pk").values_list("action", flat=True)
    assert list(made)[1:] == [
        "rule_created", "rule_changed", "rule_created", "rule_moved", "rule_changed", "rule_changed",
    ]  # fmt: skip
    reader = signed_in(olga)
    assert "DACH" in shown(reader, RULES)
    assert "Retire" not in shown(reader, RULES)
    assert reader.post(f"{RULES}{rule.pk}/retire/").status_code == 403
    assert RoutingRule.objects.get(pk=rule.pk).is_active


def test_pools_are_made_filled_and_deleted_unless_something_leads_there(signed_in: SignedIn, sam, rita, rob):
    client = signed_in(sam)
    given = {"name": "Key accounts", "return_policy": "cap", "owed_at_most": 2, "hold_minutes": 30,
             "overflow": "pool", "overflow_pool": ""}  # fmt: skip
    assert client.post("/settings/pools/new/", given).status_code == 422
    assert Pool.objects.count() == 1
    default = Pool.objects.get(is_default=True)
    assert client.post("/settings/pools/new/", {**given, "overflow_pool": default.pk}).status_code == 303
    pool = Pool.objects.get(name="Key accounts")
    assert (pool.overflow_pool, pool.owed_at_most, pool.company_owner_first) == (default, 2, False)
    place = {"user": rita.pk, "weight": 3, "capacity": 40, "skills": "German", "takes_leads": "on"}
    assert client.post(f"/settings/pools/{pool.pk}/add/", place).status_code == 303
    assert client.post(f"/settings/pools/{pool.pk}/add/", place).status_code == 422  # she has one already
    member = PoolMember.objects.get(pool=pool)
    assert (member.user, member.weight, member.capacity, member.skills) == (rita, 3, 40, ["german"])
    text = shown(client, "/settings/pools/")
    assert "No rule leads here yet" in text
    assert "Leads above the agreed ceiling go to" in text
    rule = routing_rules.create(name="Big", pool=pool, actor=sam, now=NOW)
    assert client.post(f"/settings/pools/{pool.pk}/remove/").status_code == 409
    routing_rules.remove(rule=rule, actor=sam, now=NOW)
    assert client.post(f"/settings/pools/{pool.pk}/{rita.pk}/remove/").status_code == 303
    assert not PoolMember.objects.exists()
    version = Pool.objects.get(pk=pool.pk).version
    changed = {**given, "overflow": "wait", "version": version + 1}
    assert client.post(f"/settings/pools/{pool.pk}/edit/", changed).status_code == 412
    assert client.post(f"/settings/pools/{pool.pk}/remove/").status_code == 303
    assert list(Pool.objects.all()) == [default]


def test_reps_say_that_they_are_away_and_read_only_of_themselves(signed_in: SignedIn, sam, rita, rob, at: At):
    hers = signed_in(rita)
    assert "While somebody is away" in shown(hers, "/settings/absences/")
    # Her clock is UTC.
    given = {"starts_at": "2026-03-02T10:00", "ends_at": "2026-03-02T09:00", "note": "dentist"}
    assert hers.post("/settings/absences/new/", given).status_code == 422
    assert hers.post("/settings/absences/new/", {**given, "ends_at": "", "user": rob.pk}).status_code == 303
    mine = Absence.objects.get()
    assert (mine.user, mine.starts_at, mine.ends_at) == (rita, NOW, None)
    boss = signed_in(sam)
    his = {"starts_at": "2026-03-09T00:00", "ends_at": "2026-03-16T00:00", "user": rob.pk, "note": "beach"}
    assert boss.post("/settings/absences/new/", his).status_code == 303
    assert "beach" in shown(boss, "/settings/absences/", state="coming")
    assert "dentist" not in shown(boss, "/settings/absences/", state="coming")
    assert "beach" not in shown(hers, "/settings/absences/")
    other = Absence.objects.get(user=rob)
    assert hers.post(f"/settings/absences/{other.pk}/remove/").status_code == 404
    assert hers.post(f"/settings/absences/{mine.pk}/end/").status_code == 303
    assert Absence.objects.get(user=rita).ends_at == SOON
    assert boss.post(f"/settings/absences/{other.pk}/remove/").status_code == 303
    assert boss.post(f"/settings/absences/{other.pk}/restore/").status_code == 303
    assert Absence.objects.get(user=rob).note == "beach"
    assert boss.post(f"/settings/absences/{other.pk}/restore/").status_code == 409
    again = Absence.objects.get(user=rob)
    boss.post(f"/settings/absences/{again.pk}/remove/")
    at(SOON + timedelta(seconds=11))
    assert boss.post(f"/settings/absences/{again.pk}/restore/").status_code == 409
    assert not Absence.objects.filter(user=rob).exists()


def test_trying_a_lead_tells_rule_pool_rep_and_why_and_changes_nothing(
    signed_in: SignedIn, web, sam, rita, rob
):
    key = pools.create(name="Key accounts", actor=sam, now=NOW)
    pools.set_place(pool=key, user=rita, skills=["german"], actor=sam, now=NOW)
    pools.set_place(pool=key, user=rob, actor=sam, now=NOW)
    routing_rules.create(
        name="Umbrella only",
        pool=key,
        conditions=[{"path": "company.name", "operator": "equals", "value": "Umbrella"}],
        actor=sam,
        now=NOW,
    )
    routing_rules.create(
        name="German speakers",
        pool=key,
        conditions=[{"path": "company.country", "operator": "equals", "value": "DE"}],
        skills=["german"],
        actor=sam,
        now=NOW,
    )
    client = signed_in(sam)
    text = shown(client, f"{RULES}try/", **{"facts-path": ["company.country"], "facts-value": ["de"]})
    for words in ("Rita Rep", "German speakers", "Key accounts", "Nobody else could take it",
                  "lacks a skill", "not known: the company"):  # fmt: skip
        assert words in text
    lead = capture_lead(web)
    text = shown(client, f"{RULES}try/", lead=str(lead.pk))
    assert "No rule takes it" in text
    assert "does not hold: the company" in text
    assert "Rob Rep" in text  # neither has a place in the default pool yet, and both are expected there
    assert "There is no such lead" in shown(client, f"{RULES}try/", lead="nobody@nowhere.example")
    hers = shown(signed_in(rita), f"{RULES}try/", lead=lead.person.emails.get().email)
    assert "One more candidate was considered" in hers
    assert (Turn.objects.count(), RoutingDecision.objects.count(), Handoff.objects.count()) == (0, 0, 0)
    assert PoolMember.objects.count() == 2


def test_the_page_of_a_lead_tells_managers_of_all_candidates_and_reps_of_themselves(
    signed_in: SignedIn, delivered, sam, rita, rob, mara
):
    address = f"/leads/{delivered.lead_id}/"
    RoutingDecision.objects.update(
        candidates=[
            {"key": rita.pk, "weight": 1, "pointer": 0, "blocked": [], "chosen": True},
            {"key": rob.pk, "weight": 1, "pointer": 0, "blocked": ["absent"], "chosen": False},
        ]
    )
    managers = shown(signed_in(sam), address)
    assert "Why it went to Rita Rep" in managers
    assert "away, or takes no leads" in managers
    for reader, sees in ((rita, False), (rob, True), (mara, False)):
        text = shown(signed_in(reader), address)
        assert "Why it went to Rita Rep" in text
        assert ("away, or takes no leads" in text) is sees
        assert ("One more candidate was considered" in text) is not sees


def test_pages_take_as_many_queries_with_many_rows_as_with_few(signed_in: SignedIn, sam, rita, rob):
    client = signed_in(sam)

    def grow(first, last):
        for n in range(first, last):
            pool = pools.create(name=f"Pool {n}", actor=sam, now=NOW)
            pools.set_place(pool=pool, user=rita, actor=sam, now=NOW)
            routing_rules.create(name=f"Rule {n}", pool=pool, actor=sam, now=NOW)
            absences.add(user=rob, starts_at=NOW + timedelta(days=n), actor=sam, now=NOW)

    def queries():
        counted = {}
        for page in ("pools", "routing", "absences"):
            with CaptureQueriesContext(connection) as found:
                assert client.get(f"/settings/{page}/").status_code == 200
            counted[page] = len(found)
        return counted

    grow(0, 2)
    queries()
    few = queries()
    grow(2, 9)
    assert queries() == few
