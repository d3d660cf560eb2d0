"""The opportunities board, its moves, the list and the page of a deal."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.http import StreamingHttpResponse
from django.test.utils import CaptureQueriesContext

from funnel.models import LeadState, Opportunity, OpportunityStage, OpportunityTransition
from funnel.services import opportunities
from leads.models import Source
from smarketing.users.models import User
from tests.funnel.conftest import NOW, capture_lead
from tests.funnel.views.conftest import HTMX, At, SignedIn

BOARD = {**HTMX, "HX-Target": "div#board"}


def another(rita: User, name: str, amount: int, currency: str = "EUR") -> Opportunity:
    return opportunities.open(
        name=name, amount=Decimal(amount), currency=currency, owner=rita, opened_at=NOW, actor=rita, now=NOW
    )


def test_columns_count_and_sum_each_currency_apart(
    signed_in: SignedIn, rita: User, deal: Opportunity
) -> None:
    another(rita, "Second", 8000)
    another(rita, "Third", 500, "USD")
    answer = signed_in(rita).get("/opportunities/")
    first = answer.context["columns"][0]
    assert (first.count, first.sums) == (3, [("EUR", Decimal(20000)), ("USD", Decimal(500))])
    assert "€20,000 + $500" in answer.content.decode()


def test_the_board_is_narrowed_to_one_owner(
    signed_in: SignedIn, rita: User, rob: User, deal: Opportunity
) -> None:
    for query, count in (
        (f"?owner={rita.pk}", 1),
        ("?owner=me", 0),
        ("?owner=x", 1),
        (f"?owner={rob.pk}", 0),
    ):
        answer = signed_in(rob).get(f"/opportunities/{query}", headers=BOARD)
        assert answer.context["columns"][0].count == count, query


def test_the_board_reads_a_fixed_number_of_times(signed_in: SignedIn, rita: User, deal: Opportunity) -> None:
    client = signed_in(rita)
    client.get("/opportunities/")
    with CaptureQueriesContext(connection) as before:
        client.get("/opportunities/")
    for number in range(12):
        another(rita, f"Deal {number}", 10)
    with CaptureQueriesContext(connection) as after:
        client.get("/opportunities/")
    assert len(after) == len(before)


def test_a_card_is_moved_and_taken_back(signed_in: SignedIn, rita: User, deal: Opportunity) -> None:
    client = signed_in(rita)
    answer = client.post(
        f"/opportunities/{deal.pk}/move/", {"to": "proposal", "version": deal.version}, headers=HTMX
    )
    assert "board-changed" in answer["HX-Trigger"]
    assert Opportunity.objects.get().stage.code == "proposal"
    undo = re.search(r'action="(/opportunities/\d+/undo/)"', answer.content.decode())
    assert undo is not None
    assert client.post(undo[1], headers=HTMX).status_code == 200
    assert Opportunity.objects.get().stage.code == "prospecting"
    assert OpportunityTransition.objects.count() == 3
    assert client.post(undo[1], headers=HTMX).status_code == 409


def test_a_card_that_somebody_else_moved_first_stays(
    signed_in: SignedIn, rita: User, deal: Opportunity
) -> None:
    opportunities.move(opportunity=deal, to="engaging", actor=rita, now=NOW)
    answer = signed_in(rita).post(
        f"/opportunities/{deal.pk}/move/", {"to": "proposal", "version": deal.version}, headers=HTMX
    )
    assert answer.status_code == 412
    assert Opportunity.objects.get().stage.code == "engaging"


def test_a_loss_asks_why_first(signed_in: SignedIn, rita: User, deal: Opportunity) -> None:
    client = signed_in(rita)
    url = f"/opportunities/{deal.pk}/move/"
    asked = client.post(url, {"to": "lost", "version": deal.version}, headers=HTMX)
    assert (asked.status_code, asked["HX-Retarget"]) == (422, "#dialog-slot")
    assert "data-open-now" in asked.content.decode()
    refused = client.post(
        url, {"to": "lost", "lost_reason": "competitor", "competitor": "", "lost_note": ""}, headers=HTMX
    )
    assert refused.status_code == 422
    assert "Name the competitor" in refused.content.decode()
    assert Opportunity.objects.get().stage.code == "prospecting"

    answer = {"to": "lost", "lost_reason": "competitor", "competitor": "Hooli", "lost_note": ""}
    assert client.post(url, answer, headers=HTMX).status_code == 200
    lost = Opportunity.objects.get()
    assert (lost.stage.code, lost.competitor) == ("lost", "Hooli")
    assert LeadState.objects.get(pk=lost.lead_id).stage.code == "lost"
    assert "Hooli" in client.get(f"/opportunities/{deal.pk}/").content.decode()


@pytest.mark.parametrize("data", [{}, {"to": "nowhere"}, {"to": "a b"}, {"to": "proposal", "version": "x"}])
def test_a_move_that_can_not_be_read_changes_nothing(
    signed_in: SignedIn, rita: User, deal: Opportunity, data: dict[str, str]
) -> None:
    answer = signed_in(rita).post(f"/opportunities/{deal.pk}/move/", data, headers=HTMX)
    assert answer.status_code == 422
    assert Opportunity.objects.get().stage.code == "prospecting"


def test_marketing_and_readers_see_the_board_but_change_nothing(
    signed_in: SignedIn, mara: User, olga: User, deal: Opportunity
) -> None:
    before = list(Opportunity.objects.values())
    for user in (mara, olga):
        client = signed_in(user)
        text = client.get("/opportunities/").content.decode()
        assert "Initech rollout" in text
        assert "data-card" not in text
        for path in (f"{deal.pk}/move/", f"{deal.pk}/undo/", f"{deal.pk}/edit/", "new/"):
            assert client.post(f"/opportunities/{path}", {"to": "won"}, headers=HTMX).status_code == 403
    assert list(Opportunity.objects.values()) == before


def test_a_deal_that_stands_too_long_is_marked(
    signed_in: SignedIn, rita: User, deal: Opportunity, at: At
) -> None:
    OpportunityStage.objects.filter(code="prospecting").update(rotting_days=14)
    at(NOW + timedelta(days=13))
    assert "board-card-stuck" not in signed_in(rita).get("/opportunities/").content.decode()
    at(NOW + timedelta(days=14))
    assert "board-card-stuck" in signed_in(rita).get("/opportunities/").content.decode()


def test_a_deal_is_edited_in_place_with_a_version_check(
    signed_in: SignedIn, rita: User, deal: Opportunity
) -> None:
    client = signed_in(rita)
    url = f"/opportunities/{deal.pk}/edit/"
    assert "12000" in client.get(url, headers=HTMX).content.decode()
    data = {
        "name": "New name",
        "amount": "99.5",
        "currency": "usd",
        "owner": rita.pk,
        "version": deal.version,
    }
    bad = client.post(url, {**data, "amount": "-1"}, headers=HTMX)
    assert bad.status_code == 422
    assert Opportunity.objects.get().name == "Initech rollout"
    assert "$99.50" in client.post(url, data, headers=HTMX).content.decode()
    stale = client.post(url, {**data, "name": "Late"}, headers=HTMX)
    assert stale.status_code == 412
    assert Opportunity.objects.get().name == "New name"


def test_a_deal_is_opened_for_a_lead(signed_in: SignedIn, rita: User, web: Source) -> None:
    lead = capture_lead(web)
    client = signed_in(rita)
    page = client.get(f"/opportunities/new/?lead={lead.pk}").content.decode()
    assert 'value="Initech"' in page
    data = {"name": "Big one", "currency": "EUR", "owner": rita.pk, "amount": ""}
    assert client.post(f"/opportunities/new/?lead={lead.pk}", {**data, "name": ""}).status_code == 422
    assert not Opportunity.objects.exists()
    answer = client.post(f"/opportunities/new/?lead={lead.pk}", data)
    deal = Opportunity.objects.get()
    assert answer["Location"] == f"/opportunities/{deal.pk}/"
    assert (deal.lead_id, deal.person_id, deal.company_id) == (lead.pk, lead.person_id, lead.company_id)
    assert LeadState.objects.get(pk=lead.pk).stage.code == "opportunity"
    assert client.get("/opportunities/new/?lead=999999").status_code == 404


def test_a_form_sent_twice_opens_one_deal(signed_in: SignedIn, rita: User) -> None:
    client = signed_in(rita)
    page = client.get("/opportunities/new/").content.decode()
    number = re.search(r'name="once" value="([^"]+)"', page)
    assert number is not None
    data = {"name": "Once", "currency": "EUR", "owner": rita.pk, "once": number[1]}
    assert client.post("/opportunities/new/", {**data, "amount": "-1"}).status_code == 422
    addresses = {client.post("/opportunities/new/", data)["Location"] for _ in range(3)}
    assert addresses == {f"/opportunities/{Opportunity.objects.get().pk}/"}


def test_the_list_is_filtered_and_exported(signed_in: SignedIn, rita: User, deal: Opportunity) -> None:
    another(rita, "Small", 10)
    client = signed_in(rita)
    for query, names in (
        ("?q=initech", ["Initech rollout"]),
        ("?kind=won", []),
        ("?stage=prospecting&sort=amount", ["Small", "Initech rollout"]),
        ("?amount_min=100", ["Initech rollout"]),
        (f"?owner={rita.pk}&sort=name", ["Initech rollout", "Small"]),
    ):
        shown = client.get(f"/opportunities/list/{query}", headers={**HTMX, "HX-Target": "div#list"})
        assert [row.name for row in shown.context["list"].table.rows] == names, query


@pytest.mark.django_db(transaction=True)
def test_the_export_of_deals_holds_what_is_filtered(
    signed_in: SignedIn, rita: User, olga: User, web: Source
) -> None:
    another(rita, "=1+1", 10)
    another(rita, "Other", 10)
    answer = signed_in(rita).get("/opportunities/export.csv?q=1%2B1")
    assert isinstance(answer, StreamingHttpResponse)
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[arg-type]
    assert [row["name"] for row in csv.DictReader(io.StringIO(text))] == ["'=1+1"]
    assert signed_in(olga).get("/opportunities/export.csv").status_code == 403
