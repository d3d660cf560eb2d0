"""The whole loop by the REST interface alone: token, lead, delivery, answer, deal, report."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from leads.models import Lead, Source
from leads.services import events
from leads.services.events import EventInput
from smarketing.core import clock
from smarketing.users.domain.roles import Role
from smarketing.users.models import User
from tests.rest import client_for

LEAD = {
    "person": {
        "first_name": "Ada",
        "last_name": "Lovelace",
        "email": "ada@initech.example",
        "title": "Director of Sales",
        "phone": "+44 20 7946 0018",
    },
    "company": {"name": "Initech", "domain": "initech.example"},
    "origin": "webinar",
    "source": "webinar-tool",
    "external_id": "w-1",
}


def sent(client: APIClient, path: str, body: Any = None, status: int = 200, **headers: str) -> Any:
    response = client.post(f"/api/v1/{path}", body or {}, format="json", headers=headers)
    assert response.status_code == status, response.content
    return response.json()


def read(client: APIClient, path: str) -> Any:
    response = client.get(f"/api/v1/{path}")
    assert response.status_code == 200, response.content
    return response.json()


def person_asks_for_a_demo(person_id: int) -> None:
    now = clock.now()
    web = Source.objects.get(code="web")
    event = EventInput(
        source=web, message_id="m1", kind="form", name="Demo request", occurred_at=now, person_id=person_id
    )
    events.record(rows=[event], now=now)


@pytest.mark.django_db
def test_a_lead_becomes_a_customer_and_the_report_shows_it() -> None:
    rita = User.objects.create(email="rita@example.com", name="Rita Rep", role=Role.REP)
    mara = User.objects.create(email="mara@example.com", name="Mara Marketer", role=Role.MARKETER)
    sales, marketing = client_for(rita), client_for(mara)

    lead = sent(marketing, "leads", LEAD, 201)
    assert (lead["stage"], lead["score"]["cell"], lead["owner"]) == ("lead", "B3", None)

    person_asks_for_a_demo(lead["person"]["id"])
    lead = read(marketing, f"leads/{lead['id']}")
    assert (lead["stage"], lead["score"]["cell"]) == ("mql", "B1")
    assert lead["owner"] == {"id": rita.pk, "name": "Rita Rep"}
    assert lead["handoff"]["state"] == "delivered"

    (clock_row,) = read(sales, f"clocks?owner={rita.pk}&open=true&kind=respond")["results"]
    assert (clock_row["lead"], clock_row["state"]) == (lead["id"], "running")

    (waiting,) = read(sales, f"handoffs?state=delivered&owner={rita.pk}")["results"]
    assert read(sales, f"handoffs/{waiting['id']}")["packet"]["scores"]["cell"] == "B1"
    assert sent(sales, f"handoffs/{waiting['id']}/accept")["state"] == "accepted"

    call = {"person": lead["person"]["id"], "kind": "call", "outcome": "reached"}
    sent(sales, "activities", call, 201)
    assert read(sales, f"clocks/{clock_row['id']}")["state"] == "met"

    found = {"need": "Fewer tools", "budget": "9000", "currency": "EUR"}
    assert sent(sales, f"leads/{lead['id']}/qualification", found)["is_complete"] is True
    assert read(sales, f"leads/{lead['id']}")["stage"] == "sql"

    deal = sent(
        sales,
        "opportunities",
        {"lead": lead["id"], "name": "Initech, 10 seats", "amount": "9000.00", "currency": "EUR"},
        201,
    )
    assert (deal["stage"], deal["outcome"], deal["owner"]["id"]) == ("prospecting", "open", rita.pk)
    assert sent(sales, f"opportunities/{deal['id']}/move", {"to": "won"})["outcome"] == "won"
    assert read(sales, f"leads/{lead['id']}")["stage"] == "customer"
    assert Lead.objects.get(pk=lead["id"]).closed_at is not None

    report = read(marketing, "reports/sources?source=webinar-tool")
    (row,) = report["tables"]["by_origin"]["rows"]
    assert (row["label"], row["leads"], row["accepted"], row["customers"]) == ("webinar", 1, 1, 1)
    assert (report["figures"]["revenue"], report["figures"]["revenue_currency"]) == (9000, "EUR")
    assert read(marketing, "reports/wins")["figures"]["won"] == 1
