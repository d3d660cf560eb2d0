"""Where companies stand: kept by marks, told on the page, in the list and by REST."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from funnel.models import AccountState, CompanyMark
from funnel.selectors import accounts
from funnel.services import company_scores, lifecycle, opportunities
from leads.models import Company, DuplicateKind
from leads.services import companies, merges
from tests.funnel.conftest import DAY, NOW, capture_lead
from tests.rest import client_for

pytestmark = pytest.mark.django_db


def refresh(at=NOW):
    while company_scores.run_once(now=at, limit=100):
        if not CompanyMark.objects.exists():
            return


def stands(company):
    state = AccountState.objects.select_related("stage", "high_water").get(company=company)
    return state.stage.code, state.high_water.code, state.entered_at


def move(lead, to, sam, at):
    lifecycle.move(lead=lead, to=to, cause="manual", reason="told so", actor=sam, at=at, now=at)


def test_leads_and_deals_take_their_company_along(web, sam, rita):
    first, second = capture_lead(web), capture_lead(web, at=NOW + DAY)
    company = Company.objects.get(name="Initech")
    refresh()
    assert stands(company) == ("lead", "lead", NOW)
    move(second, "mql", sam, NOW + 2 * DAY)
    refresh()
    assert stands(company) == ("mql", "mql", NOW + 2 * DAY)
    move(second, "disqualified", sam, NOW + 3 * DAY)
    refresh()
    assert stands(company) == ("lead", "mql", NOW + 3 * DAY)
    deal = opportunities.open(
        name="Pumps",
        company=company,
        currency="EUR",
        owner=rita,
        opened_at=NOW + 4 * DAY,
        actor=sam,
        now=NOW + 4 * DAY,
    )
    refresh()
    assert stands(company) == ("opportunity", "opportunity", NOW + 4 * DAY)
    opportunities.move(opportunity=deal, to="won", actor=sam, now=NOW + 5 * DAY)
    refresh()
    assert stands(company) == ("customer", "customer", NOW + 5 * DAY)
    told = accounts.journey(company)
    assert [(s.to_stage.code, s.lead or s.deal) for s in told] == [
        ("customer", deal),
        ("opportunity", deal),
        ("lead", second),
        ("mql", second),
        ("lead", first),
    ]


def test_a_merge_joins_the_journeys_and_an_unmerge_parts_them(web, sam):
    capture_lead(web, company="Initech")
    ahead = capture_lead(web, company="Initrode", at=NOW + DAY)
    move(ahead, "mql", sam, NOW + 2 * DAY)
    kept, gone = Company.objects.get(name="Initech"), Company.objects.get(name="Initrode")
    merge = merges.merge_records(
        kind=DuplicateKind.COMPANY, survivor_id=kept.pk, merged_id=gone.pk, actor=sam, now=NOW + 3 * DAY
    )
    refresh()
    assert stands(kept) == ("mql", "mql", NOW + 2 * DAY)
    assert not AccountState.objects.filter(company=gone).exists()
    merges.undo(merge=merge, actor=sam, now=NOW + 4 * DAY)
    refresh()
    assert stands(kept)[0] == "lead"
    assert stands(gone)[0] == "mql"


def test_a_company_without_leads_stands_nowhere(web, sam):
    made = companies.create(name="Hooli", actor=sam, now=NOW)
    company_scores.mark_companies(company_ids=[made.pk])
    refresh()
    assert not AccountState.objects.filter(company=made).exists()
    assert accounts.journey(made) == []


def test_the_queries_do_not_grow_with_companies(web, sam):
    counts = []
    for size in (2, 8):
        for number in range(size):
            capture_lead(web, company=f"Firm {size} {number}")
        with CaptureQueriesContext(connection) as seen:
            company_scores.run_once(now=NOW, limit=100)
        counts.append(len(seen))
    assert counts[0] == counts[1]
    assert AccountState.objects.count() == 10


def test_everybody_reads_it_on_the_page_in_the_list_and_by_rest(web, sam, olga):
    lead = capture_lead(web)
    capture_lead(web, company="Initrode")
    move(lead, "mql", sam, NOW + timedelta(hours=5))
    refresh()
    company = Company.objects.get(name="Initech")
    browser = Client()
    browser.force_login(olga)
    page = browser.get(f"/companies/{company.pk}/").content.decode()
    assert 'id="company-journey"' in page
    assert "Lead → <b>MQL</b>" in page
    mql = AccountState.objects.get(company=company).stage_id
    listed = browser.get(f"/companies/stages/?stage={mql}").content.decode()
    assert "Initech" in listed
    assert "Initrode" not in listed
    everybody = browser.get("/companies/").content.decode()
    assert [word in everybody for word in ("Stage", "Interest", "MQL")] == [True] * 3
    api = client_for(olga)
    (row,) = api.get("/api/v1/accounts?stage=mql").json()["results"]
    assert (row["id"], row["stage"], row["furthest"]) == (company.pk, "mql", "mql")
    steps = api.get(f"/api/v1/accounts/{company.pk}/journey").json()["results"]
    assert [(s["from_stage"], s["to_stage"], s["lead"]) for s in steps] == [
        ("lead", "mql", lead.pk),
        (None, "lead", lead.pk),
    ]
