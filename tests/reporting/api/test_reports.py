"""Reports over the API: the numbers of the command, and its refusals as problems."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import pytest
from django.core.management import call_command
from time_machine import travel

from leads.models import Source
from leads.services import leads
from leads.services.people import PersonInput
from smarketing.users.domain.roles import Role
from smarketing.users.models import User
from tests.rest import assert_problem, client_for

pytestmark = pytest.mark.django_db
REPORTS = "/api/v1/reports"
NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


@pytest.fixture
def olga(db: None) -> User:
    return User.objects.create(email="olga@example.com", name="Olga Onlooker", role=Role.READ_ONLY)


def test_there_are_reports_to_choose_from(olga: User) -> None:
    found = client_for(olga).get(REPORTS).json()["results"]
    assert {"sources", "funnel", "wins"} <= {r["key"] for r in found}
    assert all(r["title"] and r["description"] for r in found)


@pytest.mark.parametrize("key", ["sources", "funnel", "wins"])
def test_a_report_is_what_the_command_prints(olga: User, key: str) -> None:
    for number, origin in enumerate(["fair", "fair", ""]):
        leads.capture(
            source=Source.objects.get(code="web"),
            person=PersonInput(last_name=f"L{number}"),
            captured_at=NOW,
            origin=origin,
            actor=None,
            now=NOW,
        )
    with travel(NOW, tick=False):
        response = client_for(olga).get(f"{REPORTS}/{key}?from=2026-03-01&to=2026-03-31")
        printed = io.StringIO()
        call_command("report", key, "--from=2026-03-01", "--to=2026-03-31", "--format=json", stdout=printed)
    assert response.status_code == 200
    assert response.json() == json.loads(printed.getvalue())


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("from=yesterday", "/from"),
        ("from=2026-03-02&to=2026-03-01", "/to"),
        ("source=nope", "/source"),
        ("by=password", "/by"),
        ("colour=red", "/colour"),
        ("from=2026-02-30", "/from"),
    ],
)
def test_parameters_that_can_not_be_used_are_400(olga: User, query: str, pointer: str) -> None:
    problem = assert_problem(client_for(olga).get(f"{REPORTS}/sources?{query}"), 400, "bad_parameter")
    assert [e["pointer"] for e in problem["errors"]] == [pointer]


def test_an_unknown_report_is_404_and_a_stranger_401(olga: User, client: object) -> None:
    assert_problem(client_for(olga).get(f"{REPORTS}/nothing"), 404, "not_found")
    assert_problem(client.get(f"{REPORTS}/sources"), 401, "not_authenticated")  # type: ignore[attr-defined]
    assert client_for(olga).post(f"{REPORTS}/sources", {}).status_code == 405
