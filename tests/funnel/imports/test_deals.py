"""Products and opportunities of files: stages, dates, references, and where their leads come to."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from funnel.events import OpportunitiesImported
from funnel.models import LeadState, Opportunity, OpportunityTransition, Product, StageTransition
from leads.models import Company, Lead
from smarketing.core import events
from smarketing.users.models import User
from tests.funnel.imports.conftest import Written
from tests.importing import NOW, counts, take

pytestmark = pytest.mark.django_db


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def catalogue(written: Written) -> None:
    """Two products, two companies, one rep."""
    take("products", written("product,series,sales_price\nGTX Pro,GTX,4821\nMG Special,MG,55\n"))
    take("companies", written("account\nAcme\nBeta\n"))
    User.objects.create(name="Rita Rep", role="rep")


def test_products_are_known_by_name_whatever_the_spelling(written: Written) -> None:
    path = written("sku,product,series,sales_price\nP1,GTX Pro,GTX,4821\nP2,MG Special,MG,55\n")
    assert counts(take("products", path)) == (2, 0, 0, 0)
    assert counts(take("products", path)) == (0, 0, 2, 0)
    report = take("products", written("product,sales_price\ngtxpro,5000\n"), source="erp")
    assert counts(report) == (0, 1, 0, 0)
    assert Product.objects.get(name="GTX Pro").list_price == Decimal("5000.00")


@pytest.mark.usefixtures("catalogue")
def test_deals_of_a_pipeline_file(written: Written) -> None:
    path = written(
        "opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value\n"
        "1,Rita Rep,GTX Pro,Acme,Won,2016-10-20,2017-03-01,1054\n"
        "2,Rita Rep,GTXPro,Beta,Lost,2016-10-25,2017-03-11,0\n"
        "3,Rita Rep,MG Special,,Engaging,2016-10-25,,\n"
        "4,Rita Rep,MG Special,,Prospecting,,,\n"
    )
    report = take("opportunities", path)
    assert counts(report) == (4, 0, 0, 0)
    assert "Product “GTXPro” (1 rows) is taken as “GTX Pro”." in report.notes
    won, lost, engaging, prospect = (Opportunity.objects.get(external_id=n) for n in "1234")
    assert (won.stage.code, won.opened_at, won.closed_at) == ("won", day("2016-10-20"), day("2017-03-01"))
    assert (won.amount, won.currency, won.name) == (Decimal("1054.00"), "USD", "Acme – GTX Pro")
    assert (won.owner.name, won.company.name, won.product.name) == ("Rita Rep", "Acme", "GTX Pro")
    assert (lost.stage.code, lost.amount, lost.lost_reason) == ("lost", Decimal("0.00"), "unknown")
    assert (engaging.stage.code, engaging.closed_at, engaging.company) == ("engaging", None, None)
    assert (prospect.stage.code, prospect.opened_at) == ("prospecting", None)
    ledger = OpportunityTransition.objects.filter(opportunity=won).order_by("seq")
    assert [(row.to_stage.code, row.effective_at) for row in ledger] == [
        ("prospecting", day("2016-10-20")),
        ("won", day("2017-03-01")),
    ]
    before = list(Opportunity.objects.order_by("pk").values())
    assert counts(take("opportunities", path, now=NOW.replace(hour=12))) == (0, 0, 4, 0)
    assert list(Opportunity.objects.order_by("pk").values()) == before


@pytest.mark.usefixtures("catalogue")
def test_unknown_references_reject_the_row_or_are_made(written: Written) -> None:
    path = written(
        "id,owner,product,account,stage\n"
        "1,Nobody Known,GTX Pro,Acme,Won\n"
        "2,Rita Rep,Unheard Of,Acme,Won\n"
        "3,Rita Rep,GTX Pro,Gamma,Won\n"
        "4,Rita Rep,GTX Pro,Acme,Flying\n"
    )
    report = take("opportunities", path)
    assert counts(report) == (0, 0, 0, 4)
    assert [error["column"] for error in report.errors] == ["owner", "product", "account", "stage"]
    assert not Opportunity.objects.exists()
    made = take("opportunities", path, create_missing=True)
    assert counts(made) == (3, 0, 0, 1)
    assert Company.objects.filter(name="Gamma").count() == 1
    assert Product.objects.get(name="Unheard Of").name_key == "unheardof"


def test_a_won_deal_takes_its_lead_to_customer_at_its_date(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[events.Fact] = []
    publish = events.publish
    monkeypatch.setattr(events, "publish", lambda fact: (seen.append(fact), publish(fact))[1])
    take("leads", written("mql_id,first_contact_date,origin\nm1,2018-02-01,social\nm2,2018-02-02,email\n"))
    path = written("mql_id,seller_id,sr_id,won_date\nm1,s1,4ef15afb4b2723d8f3,2018-02-26 19:58:54\n")
    report = take("opportunities", path)
    assert counts(report) == (1, 0, 0, 0)
    lead = Lead.objects.get(external_id="m1")
    deal = Opportunity.objects.get()
    assert (deal.external_id, deal.lead, deal.person) == ("m1", lead, lead.person)
    assert (deal.stage.code, deal.closed_at, deal.opened_at) == ("won", day("2018-02-26 19:58:54"), None)
    assert LeadState.objects.get(lead=lead).stage.code == "customer"
    last = StageTransition.objects.filter(lead=lead).order_by("-seq")[0]
    assert (last.to_stage.code, last.effective_at) == ("customer", deal.closed_at)
    assert lead.closed_at == deal.closed_at
    assert LeadState.objects.get(lead__external_id="m2").stage.code == "lead"
    (fact,) = [fact for fact in seen if isinstance(fact, OpportunitiesImported)]
    assert (fact.opportunity_ids, fact.lead_ids) == ((deal.pk,), (lead.pk,))
    assert counts(take("opportunities", path)) == (0, 0, 1, 0)


def test_an_unknown_lead_rejects_the_row(written: Written) -> None:
    report = take("opportunities", written("mql_id,won_date\nm1,2018-02-26\n"))
    assert counts(report) == (0, 0, 0, 1)
    assert "no lead with this id" in report.errors[0]["reason"]


def test_a_deal_of_a_person_belongs_to_their_lap_of_the_time(written: Written) -> None:
    take("leads", written("id,email,created\na,ann@example.com,2024-01-01\nb,ann@example.com,2025-01-01\n"))
    take(
        "opportunities",
        written(
            "deal_id,contact email,stage,created\n"
            "1,ann@example.com,Proposal,2024-05-01\n2,ann@example.com,Proposal,2025-05-01\n"
        ),
        mapping=("contact email=email",),
    )
    found = dict(Opportunity.objects.values_list("external_id", "lead__external_id"))
    assert found == {"1": "a", "2": "b"}


def test_deals_of_salesforce(written: Written) -> None:
    take("companies", written("Id,Name\n001Ec00000GGw3iIAD,Hill Group\n"))
    path = written(
        "Id,AccountId,Name,StageName,Amount,CloseDate,IsClosed,IsWon,CreatedDate\n"
        "006Ec00000AieKF,001Ec00000GGw3i,Open,Value Proposition,1124741,2030-11-10,,,2024-01-22T16:14:25Z\n"
        "006Ec00000AieKG,001Ec00000GGw3iIAD,Won,Closed Won,1651993.36,2023-06-17,1,1,2024-01-22T16:14:25Z\n"
        "006Ec00000AieKH,001Ec00000GGw3iIAD,Lost,Closed Lost,5,2024-01-22,1,,2024-01-22T16:14:25Z\n"
        "006Ec00000AieKI,001Ec00000GGw3iIAD,Odd,Waiting for Godot,5,2030-01-22,,,2024-01-22T16:14:25Z\n"
    )
    report = take("opportunities", path)
    assert counts(report) == (4, 0, 0, 0)
    deals = {deal.name: deal for deal in Opportunity.objects.all()}
    assert (deals["Open"].stage.code, deals["Open"].expected_close_on) == ("engaging", date(2030, 11, 10))
    assert (deals["Open"].closed_at, deals["Open"].external_id) == (None, "006Ec00000AieKFIAZ")
    # It was typed in after it was closed: when it was opened is not known.
    assert (deals["Won"].closed_at, deals["Won"].opened_at) == (day("2023-06-17"), None)
    assert deals["Lost"].closed_at == deals["Lost"].opened_at == day("2024-01-22 16:14:25")
    assert deals["Odd"].stage.code == "prospecting"
    assert counts(take("opportunities", path)) == (0, 0, 4, 0)


def test_a_deal_that_moved_in_the_source_moves_here(written: Written) -> None:
    take("opportunities", written("id,name,stage,created\n1,Big,Proposal,2025-01-01\n"))
    report = take("opportunities", written("id,name,stage,close date,amount\n1,Big,Won,2025-03-01,900\n"))
    assert counts(report) == (0, 1, 0, 0)
    deal = Opportunity.objects.get()
    assert (deal.stage.code, deal.closed_at, deal.amount, deal.version) == ("won", day("2025-03-01"), 900, 2)
    ledger = OpportunityTransition.objects.filter(opportunity=deal).order_by("seq")
    assert [row.to_stage.code for row in ledger] == ["prospecting", "proposal", "won"]


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("1,Won,abc,2025-01-01,2025-02-01", "amount"),
        ("1,Won,5,2025-01-01,2999-02-01", "closed_at"),
        ("1,Won,5,not a date,2025-02-01", "opened_at"),
        (",Won,5,2025-01-01,2025-02-01", "id"),
    ],
)
def test_wrong_cells_reject_the_row(written: Written, line: str, column: str) -> None:
    report = take("opportunities", written(f"id,stage,amount,opened_at,closed_at\n{line}\n"))
    assert counts(report) == (0, 0, 0, 1)
    assert report.errors[0]["column"] == column
    assert not Opportunity.objects.exists()
