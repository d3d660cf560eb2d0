"""Clocks and agreements over the API."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from time_machine import travel

from funnel.services import handoffs
from sla.models import AgreementState, AgreementVersion, Clause, Clock
from sla.services import agreements
from smarketing.users.models import User
from tests.rest import assert_problem, client_for
from tests.sla.conftest import FRIDAY, HOUR, MONDAY, attempt, deliver

pytestmark = pytest.mark.django_db
CLOCKS = "/api/v1/clocks"
AGREEMENTS = "/api/v1/agreements"


def seconds(segment: dict[str, Any]) -> float:
    start, end = (datetime.fromisoformat(segment[name]) for name in ("start", "end"))
    return (end - start).total_seconds()


def test_a_clock_explains_its_deadline(clock_of: Callable[..., Clock], marketer: User) -> None:
    clock = clock_of(FRIDAY)
    with travel(MONDAY, tick=False):
        body = client_for(marketer).get(f"{CLOCKS}/{clock.pk}").json()
    assert (body["state"], body["due_at"]) == ("running", "2026-01-12T13:00:00Z")
    assert body["person"]["name"] == "Lena Lead"
    strip = body["strip"]
    assert [s["kind"] for s in strip["segments"]] == ["counting", "off_hours", "counting"]
    counting = sum(seconds(s) for s in strip["segments"] if s["kind"] == "counting")
    assert counting == strip["target_seconds"] == body["target_seconds"] == 4 * 3600
    assert strip["counted_seconds"] == 3600
    assert strip["end"] == body["due_at"]
    assert [m["kind"] for m in strip["marks"]] == ["start", "due"]


def test_clocks_are_narrowed_and_ordered(clause: Clause, rep: User, other_rep: User, marketer: User) -> None:
    first, second = deliver(rep, MONDAY), deliver(other_rep, MONDAY + HOUR)
    attempt(second, other_rep, MONDAY + 2 * HOUR)
    of = {clock.handoff_id: clock.pk for clock in Clock.objects.all()}
    with travel(MONDAY + 3 * HOUR, tick=False):
        client = client_for(marketer)
        for query, expected in {
            "open=true": [of[first.pk]],
            "state=met": [of[second.pk]],
            f"owner={rep.pk}": [of[first.pk]],
            f"handoff={second.pk}": [of[second.pk]],
            f"lead={second.lead_id}&kind=respond": [of[second.pk]],
            "due_to=2026-01-12T14:00:01Z": [of[first.pk]],
            "ordering=due_at": [of[first.pk], of[second.pk]],
            "ordering=-started_at": [of[second.pk], of[first.pk]],
        }.items():
            rows = client.get(f"{CLOCKS}?{query}").json()["results"]
            assert [row["id"] for row in rows] == expected, query
            assert all("strip" not in row for row in rows)
        assert_problem(client.get(f"{CLOCKS}?state=late"), 400, "bad_parameter")
        assert_problem(client.get(f"{CLOCKS}?started_from=yesterday"), 400, "bad_parameter")
        assert_problem(client.get(f"{CLOCKS}/{10**12}"), 404, "not_found")
        assert client.post(CLOCKS, {}, format="json").status_code == 405


def test_a_list_asks_as_many_questions_for_one_clock_as_for_four(
    clause: Clause, rep: User, marketer: User
) -> None:
    client = client_for(marketer)
    client.get(CLOCKS)
    counts = []
    for many in (1, 3):
        for number in range(many):
            deliver(rep, MONDAY + timedelta(minutes=number + many))
        with CaptureQueriesContext(connection) as queries:
            assert client.get(CLOCKS).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_agreement_is_told_as_data_and_in_sentences(clause: Clause, marketer: User) -> None:
    client = client_for(marketer)
    current = client.get(f"{AGREEMENTS}/current").json()
    assert current["state"] == "in_force"
    assert client.get(f"{AGREEMENTS}/{current['number']}").json() == current
    (told,) = current["clauses"]
    assert (told["metric"], told["target"], told["side"]) == ("first_response", "240.0000", "sales")
    assert told["sentence"] == (
        "Sales makes the first attempt to reach every delivered lead within 4 business hours of its delivery."
    )
    assert len(client.get(f"{AGREEMENTS}?state=retired").json()["results"]) == 1


def test_a_draft_is_read_by_those_who_may_edit_it(clause: Clause, rep: User, sales_manager: User) -> None:
    draft = agreements.draft(actor=sales_manager, now=MONDAY)
    assert draft.state == AgreementState.DRAFT
    path = f"{AGREEMENTS}/{draft.number}"
    assert client_for(sales_manager).get(path).status_code == 200
    assert_problem(client_for(rep).get(path), 404, "not_found")
    assert draft.number not in [r["number"] for r in client_for(rep).get(AGREEMENTS).json()["results"]]
    AgreementVersion.objects.filter(state=AgreementState.IN_FORCE).update(state=AgreementState.RETIRED)
    assert_problem(client_for(rep).get(f"{AGREEMENTS}/current"), 404, "not_found")


def test_a_clock_is_paused_and_resumed_by_its_owner_only(
    clock_of: Callable[..., Clock], rep: User, other_rep: User
) -> None:
    clock = clock_of(MONDAY)
    url = f"/api/v1/clocks/{clock.pk}"
    with travel(MONDAY + HOUR, tick=False):
        refused = client_for(other_rep).post(f"{url}/pause", {"reason": "why not"}, format="json")
        assert_problem(refused, 403, "denied")
        assert_problem(client_for(rep).post(f"{url}/pause", {}, format="json"), 422, "invalid")
        paused = client_for(rep).post(f"{url}/pause", {"reason": "asked to wait"}, format="json")
        assert paused.status_code == 200, paused.json()
        assert (paused.json()["state"], paused.json()["remaining_seconds"]) == ("paused", 3 * 3600)
        assert paused.json()["resumes_at"] == "2026-01-14T11:00:00Z"
        resumed = client_for(rep).post(f"{url}/resume", {}, format="json")
        assert resumed.json()["due_at"] == "2026-01-12T14:00:00Z"
        assert_problem(client_for(rep).post(f"{url}/resume", {}, format="json"), 409, "not_paused")


def test_a_return_is_explained(clause: Clause, rep: User) -> None:
    handoff = deliver(rep, MONDAY)
    handoffs.return_(handoff=handoff, reason="not_ready", actor=rep, now=MONDAY + HOUR)
    url = f"/api/v1/handoffs/{handoff.pk}/explain"
    with travel(MONDAY + 2 * HOUR, tick=False):
        assert_problem(client_for(rep).post(url, {"note": ""}, format="json"), 422, "invalid")
        told = client_for(rep).post(url, {"note": "Starts next year."}, format="json")
        assert told.json()["return_note"] == "Starts next year."
        assert_problem(client_for(rep).post(url, {"note": "No."}, format="json"), 409, "already_answered")
