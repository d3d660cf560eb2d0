"""Stages, columns of the board, pools and products in the settings."""

from __future__ import annotations

from decimal import Decimal

import pytest

from funnel.models import OpportunityStage, Pool, PoolMember, Product, Stage
from funnel.services import products
from smarketing.audit.models import AuditEntry
from smarketing.users.models import User
from tests.funnel.conftest import NOW
from tests.funnel.views.conftest import SignedIn


def test_everybody_reads_the_settings_and_only_some_get_buttons(
    signed_in: SignedIn, olga: User, rita: User
) -> None:
    client = signed_in(olga)
    for path, word in (("stages", "A known person who showed interest"), ("pools", "Rita Rep"),
                       ("products", "What you sell stands here")):  # fmt: skip
        text = client.get(f"/settings/{path}/").content.decode()
        assert word in text
        assert 'class="btn btn-small"' not in text


def test_a_manager_changes_a_stage_and_the_trail_keeps_it(signed_in: SignedIn, sam: User) -> None:
    stage = Stage.objects.get(code="mql")
    url = f"/settings/stages/{stage.pk}/"
    client = signed_in(sam)
    assert 'value="3' in client.get(url).content.decode()
    data = {"name": "Ready", "owner_side": "marketing", "meaning": "Ready", "entry": "", "exit": "",
            "monthly_target": "40", "limit_days": "2.5", "version": stage.version}  # fmt: skip
    assert client.post(url, {**data, "monthly_target": "-1"}).status_code == 422
    assert Stage.objects.get(code="mql").name == "MQL"
    assert client.post(url, data).status_code == 303
    saved = Stage.objects.get(code="mql")
    assert (saved.name, saved.monthly_target, saved.time_limit_seconds) == (
        "Ready",
        40,
        216_000,
    )
    assert AuditEntry.objects.filter(action="stage_changed", actor=sam).exists()
    assert client.post(url, data).status_code == 422  # an old version, told on the form
    assert client.get("/settings/stages/999999/").status_code == 404


def test_a_manager_says_how_long_a_deal_may_stand(signed_in: SignedIn, sam: User) -> None:
    column = OpportunityStage.objects.get(code="proposal")
    url = f"/settings/columns/{column.pk}/"
    client = signed_in(sam)
    assert client.post(url, {"name": "", "rotting_days": "9"}).status_code == 422
    assert client.post(url, {"name": "Offer", "rotting_days": "9"}).status_code == 303
    saved = OpportunityStage.objects.get(code="proposal")
    assert (saved.name, saved.rotting_days) == ("Offer", 9)
    assert AuditEntry.objects.filter(action="column_changed", actor=sam).exists()


def test_a_rep_is_sent_on_leave_from_a_ring(signed_in: SignedIn, sam: User, rita: User, rob: User) -> None:
    pool = Pool.objects.get(is_default=True)
    url = f"/settings/pools/{pool.pk}/{rita.pk}/"
    client = signed_in(sam)
    assert client.post(url, {"weight": "30"}).status_code == 422
    assert not PoolMember.objects.exists()
    assert (
        client.post(url, {"weight": "2", "open_cap": "5", "capacity": "44", "skills": "DE, flow"}).status_code
        == 303
    )
    place = PoolMember.objects.get(user=rita)
    assert (place.weight, place.open_cap, place.capacity, place.skills, place.is_active) == (
        2,
        5,
        44,
        ["de", "flow"],
        False,
    )
    rows = client.get("/settings/pools/").context["pools"][0].places
    assert [(p.user.name, p.share) for p in rows] == [("Rita Rep", 0.0), ("Rob Rep", 1.0)]
    assert client.get(f"/settings/pools/{pool.pk}/{sam.pk * 1000}/").status_code == 404


def test_sales_adds_and_changes_products(signed_in: SignedIn, rita: User) -> None:
    client = signed_in(rita)
    data = {"name": "Flow Pro", "series": "Flow", "list_price": "1200", "currency": "EUR"}
    assert client.post("/settings/products/new/", {**data, "currency": ""}).status_code == 422
    assert client.post("/settings/products/new/", data).status_code == 303
    assert client.post("/settings/products/new/", {**data, "name": "flow  PRO"}).status_code == 422
    product = Product.objects.get()
    url = f"/settings/products/{product.pk}/"
    changed = {**data, "name": "Flow", "list_price": "99.50", "version": product.version}
    assert client.post(url, changed).status_code == 303
    product.refresh_from_db()
    assert (product.name, product.list_price, product.is_active) == ("Flow", Decimal("99.50"), False)
    assert client.post(url, changed).status_code == 422  # an old version


@pytest.mark.parametrize("who", ["mara", "olga"])
def test_whoever_may_not_change_settings_changes_nothing(
    signed_in: SignedIn, request: pytest.FixtureRequest, who: str, rita: User
) -> None:
    client = signed_in(request.getfixturevalue(who))
    product = products.create(name="Flow", actor=None, now=NOW)
    stage, column = Stage.objects.get(code="mql"), OpportunityStage.objects.get(code="proposal")
    pool = Pool.objects.get()
    for path in (f"stages/{stage.pk}/", f"columns/{column.pk}/", f"pools/{pool.pk}/{rita.pk}/",
                 "products/new/", f"products/{product.pk}/"):  # fmt: skip
        assert client.post(f"/settings/{path}", {"name": "X", "weight": "1"}).status_code == 403, path
    assert (Product.objects.get().name, PoolMember.objects.count()) == ("Flow", 0)
    assert not Stage.objects.filter(name="X").exists()


def test_a_manager_adds_orders_and_retires_a_stage_with_criteria(signed_in: SignedIn, sam: User) -> None:
    client = signed_in(sam)
    data = {"name": "Engaged", "role": "main", "after": "lead", "owner_side": "marketing",
            "meaning": "They answered us.", "target_conversion": "40", "stage-path": ["score.interest"],
            "stage-operator": ["at_least"], "stage-value": ["lots"]}  # fmt: skip
    refused = client.post("/settings/stages/new/", data)
    assert refused.status_code == 422
    assert "Give a number." in refused.content.decode()
    assert not Stage.objects.filter(code="engaged").exists()
    assert client.post("/settings/stages/new/", {**data, "stage-value": ["10"]}).status_code == 303
    stage = Stage.objects.get(code="engaged")
    assert stage.rule == [{"path": "score.interest", "operator": "at_least", "value": 10}]
    url = f"/settings/stages/{stage.pk}/"
    text = client.get(url).content.decode()
    assert "Version 1" in text
    assert 'value="score.interest" selected' in text
    moved = {**data, "after": "mql", "stage-value": ["20"], "version": 1}
    assert client.post(url, moved).status_code == 303
    stage.refresh_from_db()
    assert (stage.counts_as, stage.version, stage.rule[0]["value"]) == ("mql", 2, 20)
    shown = client.get("/settings/stages/").content.decode()
    assert "In when the score&#x27;s interest is at least 20" in shown
    assert client.post(f"{url}retire/").status_code == 303
    assert "Out of use" in client.get("/settings/stages/").content.decode()
    assert client.post(f"{url}restore/").status_code == 303
    assert Stage.objects.get(code="engaged").is_active
    assert client.post(f"/settings/stages/{Stage.objects.get(code='mql').pk}/retire/").status_code == 303
    assert Stage.objects.get(code="mql").is_active
