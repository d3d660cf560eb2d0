"""Timeline, origin and footprint of a person over the API."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.funnel.conftest import NOW, asks_for_demo, capture_lead, record
from tests.rest import assert_problem, client_for, pages

pytestmark = pytest.mark.django_db


def test_the_timeline_is_paged_whole_and_narrowed(olga, rita, web):
    lead = capture_lead(web)
    for hours in range(1, 31):
        record(lead, "form", f"Form {hours}", at=NOW + timedelta(minutes=hours))
    client = client_for(olga)
    address = f"/api/v1/people/{lead.person_id}/timeline"
    rows = [row for page in pages(client, f"{address}?limit=7") for row in page]
    keys = [(row["provider"], row["id"]) for row in rows]
    assert len(keys) == len(set(keys))
    assert [r["title"] for r in rows if r["provider"] == "event"] == [f"Form {n}" for n in range(30, 0, -1)]
    assert [row["at"] for row in rows] == sorted((row["at"] for row in rows), reverse=True)
    only = client.get(f"{address}?only=pipeline&of=sales").json()["results"]
    assert {row["provider"] for row in only} <= {
        "lap",
        "stage",
        "delivery",
        "answer",
        "owner",
        "deal",
        "score",
    }
    company = client.get(f"/api/v1/companies/{lead.company_id}/timeline?only=pipeline").json()["results"]
    assert {row["about"] for row in company} == {lead.person.name}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=0", "bad_parameter"),
        ("limit=999", "bad_parameter"),
        ("only=x", "bad_parameter"),
        ("of=x", "bad_parameter"),
        ("before=x", "bad_cursor"),
        ("page=2", "bad_parameter"),
    ],
)
def test_a_wrong_parameter_is_refused(olga, lead, query, code):
    answer = client_for(olga).get(f"/api/v1/people/{lead.person_id}/timeline?{query}")
    assert_problem(answer, 400, code)


def test_origin_and_footprint_tell_what_the_page_tells(olga, web):
    lead = capture_lead(web)
    asks_for_demo(lead, at=NOW + timedelta(hours=1))
    client = client_for(olga)
    told = client.get(f"/api/v1/people/{lead.person_id}/origin").json()
    assert (told["lead"], told["touches"], told["said"]) == (lead.pk, 1, None)
    assert told["first"]["id"] == told["converting"]["id"]
    warm = client.get(f"/api/v1/people/{lead.person_id}/footprint").json()
    assert (warm["heat"], warm["trend"], warm["visits"]) == ("hot", "warmer", 0)
    assert [t["label"] for t in warm["topics"]] == ["Demo request"]


def test_what_does_not_exist_is_404(olga, lead):
    for part in ("timeline", "origin", "footprint"):
        assert_problem(client_for(olga).get(f"/api/v1/people/{10**15}/{part}"), 404, "not_found")
