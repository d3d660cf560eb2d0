"""The page of a company: its people with where they stand, who owns what, the combined timeline."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from funnel.selectors import company_people
from funnel.services import opportunities, owners
from leads.models import Company, Person
from tests.funnel.conftest import NOW, capture_lead, record

pytestmark = pytest.mark.django_db


def test_each_person_shows_stage_score_owner_and_last_sign(signed_in, rita, rob, web):
    lead, other = capture_lead(web), capture_lead(web)
    owners.assign(lead=lead, owner=rita, reason="test", actor=None, now=NOW)
    record(other, "form", "Demo request", at=NOW + timedelta(minutes=20))
    html = signed_in(rita).get(f"/companies/{lead.company_id}/").content.decode()
    assert html.count('data-label="Where they stand"') == 2
    assert "Rita Rep" in html
    assert "10 min ago" in html
    assert "Timeline of all" in html


def test_who_owns_what_counts_open_leads_and_deals(rita, rob, web):
    first, second, third = (capture_lead(web) for _ in range(3))
    company = Company.objects.get()
    for lead, owner in [(first, rita), (second, rita), (third, rob)]:
        owners.assign(lead=lead, owner=owner, reason="test", actor=None, now=NOW)
    opportunities.open(name="Deal", lead=first, currency="EUR", owner=rob, opened_at=NOW, actor=rob, now=NOW)
    found = [(o.name, o.leads, o.deals) for o in company_people.owners_of(company, viewer=rita)]
    assert found == [("Rita Rep", 2, 0), ("Rob Rep", 1, 1)]


def test_the_page_reads_a_fixed_number_of_times(signed_in, rita, web):
    client, lead = signed_in(rita), capture_lead(web)

    def counted():
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/companies/{lead.company_id}/")
        return len(queries)

    counted()
    few = counted()
    for _number in range(12):
        capture_lead(web)
    assert Person.objects.filter(company=lead.company_id).count() == 13
    assert counted() == few
