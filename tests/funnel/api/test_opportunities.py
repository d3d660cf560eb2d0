"""Deals over the API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from time_machine import travel

from funnel.models import LeadState, Opportunity, OpportunityTransition, Product
from funnel.services import products
from leads.models import Lead, Source
from smarketing.users.models import User
from tests.funnel.api.conftest import TODAY
from tests.funnel.conftest import NOW, capture_lead
from tests.rest import assert_problem, client_for

pytestmark = pytest.mark.django_db
DEALS = "/api/v1/opportunities"


@pytest.fixture
def product(rita: User) -> Product:
    return products.create(name="Suite", list_price=None, actor=rita, now=NOW)


def opened(user: User, **values: Any) -> Any:
    response = client_for(user).post(DEALS, {"name": "A deal", "amount": "100.00", **values}, format="json")
    assert response.status_code == 201, response.content
    return response


def test_a_deal_is_opened_with_what_its_lead_says(rita: User, lead: Lead, product: Product) -> None:
    response = opened(rita, lead=lead.pk, product=product.pk, expected_close_on="2026-06-30")
    body = response.json()
    assert response["Location"] == f"{DEALS}/{body['id']}"
    assert (body["stage"], body["outcome"], body["amount"]) == ("prospecting", "open", "100.00")
    assert len(body["currency"]) == 3
    assert (body["owner"]["id"], body["person"]["id"]) == (rita.pk, lead.person_id)
    assert (body["company"]["name"], body["product"]["name"]) == ("Initech", "Suite")
    assert (body["opened_at"], body["closed_at"]) == ("2026-03-02T12:00:00Z", None)
    assert LeadState.objects.get(lead=lead).stage.code == "opportunity"


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"name": ""}, "invalid", "/name"),
        ({"amount": "-1"}, "invalid", "/amount"),
        ({"amount": "1.234"}, "invalid", "/amount"),
        ({"amount": "NaN"}, "invalid", "/amount"),
        ({"currency": "€€€"}, "bad_deal", "/currency"),
        ({"currency": "EURO"}, "invalid", "/currency"),
        ({"product": 10**12}, "invalid", "/product"),
        ({"lead": 10**12}, "invalid", "/lead"),
        ({"stage": "won"}, "invalid", "/stage"),
        ({"opened_at": "2027-01-01T00:00:00Z"}, "in_the_future", "/opened_at"),
        ({"expected_close_on": "2026-02-30"}, "invalid", "/expected_close_on"),
    ],
)
def test_a_deal_that_can_not_be_opened_is_told_why(
    rita: User, change: dict[str, Any], code: str, pointer: str
) -> None:
    response = client_for(rita).post(DEALS, {"name": "A deal", **change}, format="json")
    problem = assert_problem(response, 422, code)
    assert [e["pointer"] for e in problem["errors"]] == [pointer]
    assert Opportunity.objects.count() == 0


def test_the_person_of_a_deal_is_the_leads(rita: User, web: Source, lead: Lead) -> None:
    other = capture_lead(web)
    body = {"name": "A deal", "lead": lead.pk, "person": other.person_id}
    problem = assert_problem(client_for(rita).post(DEALS, body, format="json"), 422, "bad_deal")
    assert [e["pointer"] for e in problem["errors"]] == ["/person"]
    assert Opportunity.objects.count() == 0


def test_marketing_opens_and_moves_no_deals(rita: User, mara: User) -> None:
    path = opened(rita)["Location"]
    client = client_for(mara)
    assert client.get(path).status_code == 200
    assert_problem(client.post(DEALS, {"name": "x"}, format="json"), 403, "denied")
    assert_problem(client.post(f"{path}/move", {"to": "won"}, format="json"), 403, "denied")
    assert_problem(client.patch(path, {"name": "x"}, format="json", HTTP_IF_MATCH="*"), 403, "denied")
    assert list(Opportunity.objects.values_list("name", "stage__code")) == [("A deal", "prospecting")]


def test_a_loss_says_why(rita: User) -> None:
    path, client = opened(rita)["Location"], client_for(rita)
    cases: list[tuple[dict[str, str], str]] = [
        ({"to": "lost"}, "/lost_reason"),
        ({"to": "lost", "lost_reason": "competitor"}, "/competitor"),
        ({"to": "nowhere"}, "/to"),
        ({}, "/to"),
    ]
    for body, pointer in cases:
        response = client.post(f"{path}/move", body, format="json")
        assert response.status_code == 422, body
        assert [e["pointer"] for e in response.json()["errors"]] == [pointer]
    assert OpportunityTransition.objects.count() == 1
    done = client.post(
        f"{path}/move", {"to": "lost", "lost_reason": "competitor", "competitor": "Acme"}, format="json"
    )
    assert (done.json()["outcome"], done.json()["competitor"]) == ("lost", "Acme")
    assert done.json()["closed_at"] == "2026-03-02T12:00:00Z"


def test_a_move_is_taken_back_within_ten_seconds(rita: User, lead: Lead) -> None:
    path, client = opened(rita, lead=lead.pk)["Location"], client_for(rita)
    client.post(f"{path}/move", {"to": "won"}, format="json")
    assert LeadState.objects.get(lead=lead).stage.code == "customer"
    back = client.post(f"{path}/undo")
    assert (back.status_code, back.json()["outcome"], back.json()["closed_at"]) == (200, "open", None)
    assert LeadState.objects.get(lead=lead).stage.code == "opportunity"
    client.post(f"{path}/move", {"to": "won"}, format="json")
    with travel(TODAY + timedelta(seconds=11), tick=False):
        assert_problem(client.post(f"{path}/undo"), 409, "move_stands")


def test_an_edit_needs_the_version_it_read(rita: User, product: Product) -> None:
    response, client = opened(rita), client_for(rita)
    path = response["Location"]
    assert_problem(client.patch(path, {"amount": "5"}, format="json"), 428, "precondition_required")
    body = {"amount": "5", "product": product.pk, "name": "Smaller"}
    done = client.patch(path, body, format="json", HTTP_IF_MATCH=response["ETag"])
    assert (done.status_code, done.json()["amount"], done.json()["product"]["id"]) == (
        200,
        "5.00",
        product.pk,
    )
    stale = client.patch(path, {"amount": "7"}, format="json", HTTP_IF_MATCH=response["ETag"])
    assert_problem(stale, 412, "stale")
    unknown = client.patch(path, {"attributes": {"nope": 1}}, format="json", HTTP_IF_MATCH="*")
    assert [e["pointer"] for e in assert_problem(unknown, 422, "bad_attribute")["errors"]] == [
        "/attributes/nope"
    ]
    assert str(Opportunity.objects.get().amount) == "5.00"


def test_the_list_is_narrowed_ordered_and_searched(rita: User, rob: User) -> None:
    small = opened(rita, name="Small fish", amount="10").json()["id"]
    big = opened(rob, name="Big fish", amount="900").json()["id"]
    client = client_for(rita)
    client.post(f"{DEALS}/{big}/move", {"to": "won"}, format="json")
    for query, expected in {
        "outcome=won": [big],
        "stage=prospecting": [small],
        f"owner={rita.pk}": [small],
        "amount_min=11": [big],
        "search=fish+big": [big],
        "ordering=amount": [small, big],
        "ordering=-closed_at": [big, small],
        "closed_from=2026-03-02T12:00:00Z": [big],
        "opened_to=2026-03-02T12:00:00Z": [],
    }.items():
        response = client.get(f"{DEALS}?{query}")
        assert response.status_code == 200, query
        assert [row["id"] for row in response.json()["results"]] == expected, query


def test_products_and_the_columns_of_the_board_are_read(mara: User, product: Product) -> None:
    client = client_for(mara)
    assert [p["name"] for p in client.get("/api/v1/products?is_active=true").json()["results"]] == ["Suite"]
    columns = client.get("/api/v1/opportunity-stages").json()["results"]
    assert [c["code"] for c in columns][-2:] == ["won", "lost"]
    stages = client.get("/api/v1/stages").json()["results"]
    assert [s["code"] for s in stages][:3] == ["visitor", "lead", "mql"]
    assert client.get(f"/api/v1/stages/{stages[1]['id']}").json() == stages[1]
