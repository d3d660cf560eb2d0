"""Who is hot, who came back after cooling, and which companies: by index, and the same as computed anew."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from funnel.models import CompanyInterest, CompanyMark, Interest
from funnel.selectors import hot, scores
from funnel.services import company_scores, rescoring
from leads.services import companies, people
from tests.funnel.conftest import DAY, NOW, asks_for_demo, capture_lead, record

pytestmark = pytest.mark.django_db


def points_of(lead, at):
    return scores.interest_of(Interest.objects.get(person=lead.person_id).key, at=at)


def came_back(lead):
    return Interest.objects.get(person=lead.person_id).reheated_at


def test_the_hot_list_is_in_the_order_of_points_at_any_instant(web, rita, olga):
    leads = [capture_lead(web) for _ in range(4)]
    for number, lead in enumerate(leads):
        for step in range(number + 1):
            record(lead, "track", "Content Downloaded", at=NOW + step * DAY)
    for at in (NOW + 4 * DAY, NOW + 20 * DAY):
        rows = list(hot.hottest(olga, at=at).order_by("-key"))
        expected = [lead.person_id for lead in reversed(leads) if points_of(lead, at) >= 15]
        assert [row.pk for row in rows] == expected
        for row in rows:
            lead = next(lead for lead in leads if lead.person_id == row.pk)
            assert row.points == pytest.approx(points_of(lead, at), rel=1e-9)
    assert len(list(hot.hottest(olga, at=NOW + 400 * DAY))) == 0


def test_who_cooled_and_came_back_is_listed_at_the_instant_of_return(web, rita, olga):
    lead, steady = capture_lead(web), capture_lead(web)
    asks_for_demo(lead, at=NOW)
    asks_for_demo(steady, at=NOW + 100 * DAY)
    assert came_back(lead) is None
    record(lead, "track", "Webinar attended", at=NOW + 100 * DAY)
    assert came_back(lead) == NOW + 100 * DAY
    rows = list(hot.reheated(olga, at=NOW + 101 * DAY))
    assert [row.pk for row in rows] == [lead.person_id]
    assert rows[0].person.laps[0].state.stage.code == "mql"
    assert list(hot.reheated(olga, at=NOW + 140 * DAY)) == []


def test_the_return_is_the_same_in_any_order_and_when_built_anew(web, rita):
    steps = [(0, "form", "Demo request"), (100, "track", "Webinar attended"), (102, "page", "")]
    found = set()
    for order in ((0, 1, 2), (2, 1, 0), (1, 2, 0)):
        lead = capture_lead(web)
        for number in order:
            day, kind, name = steps[number]
            record(lead, kind, name, at=NOW + day * DAY, now=NOW + 103 * DAY)
        rescoring.rebuild(now=NOW + 103 * DAY)
        found.add(came_back(lead))
    assert found == {NOW + 100 * DAY}


def test_a_company_is_as_interested_as_its_people_together(web, rita, olga):
    ada, bob = capture_lead(web, company="Globex"), capture_lead(web, company="Globex")
    alone = capture_lead(web, company="Initech")
    for lead in (ada, bob):
        record(lead, "track", "Webinar attended", at=NOW)
    asks_for_demo(alone, at=NOW + DAY)
    assert company_scores.run_once(now=NOW + DAY, limit=10) == 2
    at = NOW + 2 * DAY
    rows = list(hot.companies(olga, at=at).order_by("-key"))
    assert [row.company.name for row in rows] == ["Initech", "Globex"]
    assert rows[1].points == pytest.approx(points_of(ada, at) + points_of(bob, at), rel=1e-9)
    assert (rows[1].people, rows[1].best_fit) == (2, 50)
    told = hot.of_company(olga, ada.company, at=at)
    assert told.points == pytest.approx(rows[1].points, rel=1e-9)
    assert told.points == pytest.approx(sum(part.points for part in told.parts) + told.rest)
    assert not CompanyMark.objects.exists()


def test_somebody_who_changes_company_takes_their_interest_along(web, rita):
    lead = capture_lead(web, company="Globex")
    record(lead, "track", "Webinar attended", at=NOW)
    company_scores.run_once(now=NOW, limit=10)
    other = companies.find_or_create(name="Initech", actor=None, now=NOW)
    people.update(person=lead.person, changes={"company": other}, actor=None, now=NOW + DAY)
    company_scores.run_once(now=NOW + DAY, limit=10)
    company_scores.run_once(now=NOW + 2 * DAY, limit=10)  # whatever was not computed for a day
    assert [row.company.name for row in CompanyInterest.objects.select_related("company")] == ["Initech"]


def test_companies_built_anew_are_the_same(web, rita):
    for name in ("Globex", "Initech"):
        record(capture_lead(web, company=name), "track", "Webinar attended", at=NOW)
    company_scores.run_once(now=NOW, limit=10)
    before = list(CompanyInterest.objects.order_by("pk").values_list("pk", "key", "people"))
    assert company_scores.rebuild(now=NOW + DAY) == 2
    assert list(CompanyInterest.objects.order_by("pk").values_list("pk", "key", "people")) == before


def test_a_page_of_either_list_reads_a_fixed_number_of_times(web, rita, olga):
    counts = []
    for _ in range(2):
        for _number in range(4):
            asks_for_demo(capture_lead(web), at=NOW)
        company_scores.run_once(now=NOW, limit=50)
        with CaptureQueriesContext(connection) as seen:
            for row in hot.hottest(olga, at=NOW + DAY):
                assert row.person.laps[0].state.stage.code == "mql"
            list(hot.companies(olga, at=NOW + DAY))
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_pages_and_api_show_them_and_strangers_nothing(web, rita, olga, client, monkeypatch):
    lead = capture_lead(web)
    asks_for_demo(lead, at=NOW)
    company_scores.run_once(now=NOW, limit=50)
    monkeypatch.setattr("smarketing.core.clock.now", lambda: NOW + timedelta(hours=1))
    assert client.get("/hot/").status_code == 302
    client.force_login(olga)
    for path, text in (
        ("/hot/", "Ada Lovelace"),
        ("/hot/companies/", "Initech"),
        ("/hot/back/", "had cooled"),
    ):
        assert text in client.get(path).content.decode()
    assert "Interest of the company now" in client.get(f"/companies/{lead.company_id}/").content.decode()
