"""The real files beside the project go in as they are, with no row lost and exact figures."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F, Sum

from funnel.models import LeadState, Opportunity, Product
from leads.models import Activity, Company, Lead, Person, Touchpoint
from smarketing.users.models import User
from tests.importing import counts, real, take

pytestmark = pytest.mark.django_db


def maven(*kinds: str) -> None:
    files = {
        "users": "sales_teams.csv",
        "companies": "accounts.csv",
        "products": "products.csv",
        "opportunities": "sales_pipeline.csv",
    }
    for kind in kinds:
        report = take(kind, real("maven_crm", files[kind]), source="maven")
        assert (report.rejected, report.created) == (0, report.rows), (kind, report.errors)


def test_maven_gives_its_win_rate_revenue_and_cycle() -> None:
    maven("users", "companies", "products", "opportunities")
    assert User.objects.exclude(manager=None).count() == 35
    assert Company.objects.count() == 85
    assert Company.objects.exclude(parent=None).count() == 15
    assert Product.objects.count() == 7
    deals = Opportunity.objects.filter(source__code="maven")
    assert deals.count() == 8800
    assert deals.filter(company=None).count() == 1425
    assert not deals.filter(owner=None).exists()
    assert not deals.filter(product=None).exists()
    kinds = dict(deals.values_list("stage__kind").annotate(Count("pk")).order_by())
    assert kinds == {"won": 4238, "lost": 2473, "open": 2089}
    assert round(100 * kinds["won"] / (kinds["won"] + kinds["lost"]), 2) == 63.15
    ended = deals.filter(closed_at__isnull=False)
    assert ended.count() == 6711
    assert ended.filter(stage__kind="won").aggregate(sum=Sum("amount"))["sum"] == Decimal("10005534.00")
    length = ExpressionWrapper(F("closed_at") - F("opened_at"), output_field=DurationField())
    mean = ended.annotate(length=length).aggregate(mean=Avg("length"))["mean"]
    assert round(mean.total_seconds() / 86_400, 3) == 47.985
    assert deals.filter(product__name="GTX Pro").count() == 1480
    again = take("opportunities", real("maven_crm", "sales_pipeline.csv"), source="maven")
    assert counts(again) == (0, 0, 8800, 0)
    assert any("GTXPro" in note and "GTX Pro" in note for note in again.notes)


def test_olist_leads_and_won_deals_without_a_mapping() -> None:
    leads = real("olist_sample", "marketing_qualified_leads.csv")
    deals = real("olist_sample", "closed_deals.csv")
    assert counts(take("leads", leads, source="olist")) == (500, 0, 0, 0)
    assert counts(take("opportunities", deals, source="olist")) == (41, 0, 0, 0)
    stages = dict(LeadState.objects.values_list("stage__code").annotate(Count("pk")).order_by())
    assert stages == {"customer": 41, "lead": 459}
    origins = dict(Lead.objects.values_list("origin").annotate(Count("pk")).order_by())
    assert (origins[""], origins["unknown"], origins["organic_search"]) == (7, 59, 132)
    first = Lead.objects.get(external_id="5420aad7fec3549a85876ba1c529bd84")
    deal = first.opportunities.get()
    assert deal.closed_at == first.closed_at == datetime(2018, 2, 26, 19, 58, 54, tzinfo=UTC)
    assert first.captured_at == datetime(2018, 2, 21, tzinfo=UTC)
    assert counts(take("leads", leads, source="olist")) == (0, 0, 500, 0)
    assert counts(take("opportunities", deals, source="olist")) == (0, 0, 41, 0)


def test_salesforce_with_its_own_headers() -> None:
    def load(kind: str, name: str, **options: bool) -> tuple[int, int, int, int]:
        return counts(take(kind, real("salesforce", name), source="salesforce", **options))

    assert load("companies", "Account.csv") == (22, 0, 0, 0)
    assert load("people", "Contact.csv") == (102, 0, 0, 0)
    assert load("leads", "Lead.csv", keep_unmapped=True) == (60, 0, 0, 0)
    assert load("opportunities", "Opportunity.csv", create_missing=True) == (50, 0, 0, 0)
    assert load("touchpoints", "CampaignMember.csv", create_missing=True) == (68, 0, 0, 0)
    assert load("activities", "Task.csv") == (75, 0, 0, 0)
    lead = Lead.objects.get(external_id="00QEc00000BBaeXMAT")
    assert (lead.person.name, lead.origin, lead.state.stage.code) == ("William Lee", "Online Form", "sql")
    assert lead.captured_at == datetime(2024, 1, 22, 20, 36, 47, tzinfo=UTC)
    assert lead.attributes["external_id_c"] == "crm_lead_0"
    assert Person.objects.filter(company__isnull=False).count() > 0
    assert Opportunity.objects.filter(stage__kind="won").count() == 12
    assert Opportunity.objects.filter(stage__kind="lost").count() == 3
    assert Touchpoint.objects.exclude(campaign=None).count() == 68
    assert Activity.objects.filter(kind="task", due_at__isnull=False, done_at=None).count() == 75
    for kind, name in (
        ("people", "Contact.csv"),
        ("activities", "Task.csv"),
        ("opportunities", "Opportunity.csv"),
    ):
        assert load(kind, name)[2] == {"people": 102, "activities": 75, "opportunities": 50}[kind]


def test_hubspot_with_its_own_headers() -> None:
    def load(kind: str, name: str) -> tuple[int, int, int, int]:
        return counts(take(kind, real("hubspot_tables", name), source="hubspot"))

    assert load("users", "owner_data.csv") == (100, 0, 0, 0)
    assert load("companies", "company_data.csv") == (24, 0, 0, 0)
    assert load("people", "contact_data.csv") == (22, 0, 0, 0)
    assert load("leads", "contact_data.csv") == (22, 0, 0, 0)
    assert Person.objects.count() == 22
    lead = Lead.objects.get(external_id="78971951")
    assert lead.captured_at == datetime(2021, 4, 1, 17, 32, 47, tzinfo=UTC)
    assert lead.company is not None
    assert lead.company.name == "SampleCompany"


def test_other_tables_of_the_collection() -> None:
    assert counts(take("people", real("people_with_email", "fake_1000.csv"), source="fake"))[3] == 0
    assert counts(take("people", real("febrl", "dataset1.csv"), source="febrl")) == (1000, 0, 0, 0)
    report = take("leads", real("x_education", "dev_train.csv"), source="xedu", keep_unmapped=True)
    assert counts(report) == (6468, 0, 0, 0)
    won = LeadState.objects.filter(lead__source__code="xedu", stage__code="customer").count()
    assert 2000 < won < 3000
