"""Setting leads aside over the API."""

from __future__ import annotations

import pytest
from time_machine import travel

from sla.models import Clause, Snooze
from smarketing.users.models import User
from tests.rest import assert_problem, client_for
from tests.sla.conftest import HOUR, MONDAY, deliver

pytestmark = pytest.mark.django_db
SNOOZES = "/api/v1/snoozes"


def test_a_lead_is_set_aside_and_taken_up_again(
    clause: Clause, rep: User, other_rep: User, marketer: User
) -> None:
    handoff = deliver(rep, MONDAY)
    body = {"handoff": handoff.pk, "until": "2026-01-12T15:00:00Z", "reason": "asked to be called at three"}
    with travel(MONDAY + HOUR, tick=False):
        for user, code in ((other_rep, "snooze_of_another"), (marketer, "denied")):
            assert_problem(client_for(user).post(SNOOZES, body, format="json"), 403, code)
        past = {**body, "until": "2026-01-12T10:00:00Z"}
        assert_problem(client_for(rep).post(SNOOZES, past, format="json"), 422, "snooze_not_possible")
        assert_problem(
            client_for(rep).post(SNOOZES, {**body, "handoff": 10**12}, format="json"), 422, "invalid"
        )
        assert not Snooze.objects.exists()
        made = client_for(rep).post(SNOOZES, body, format="json")
        assert made.status_code == 201
        assert made.json() == {
            "id": Snooze.objects.get().pk,
            "handoff": handoff.pk,
            "lead": handoff.lead_id,
            "owner": {"id": rep.pk, "name": "Rita Rep"},
            "until": "2026-01-12T15:00:00Z",
            "reason": "asked to be called at three",
            "created_at": "2026-01-12T11:00:00Z",
            "ended_at": None,
        }
        rows = client_for(marketer).get(f"{SNOOZES}?ended=false&owner={rep.pk}").json()["results"]
        assert [row["handoff"] for row in rows] == [handoff.pk]
        woken = client_for(rep).post(f"{SNOOZES}/{made.json()['id']}/wake", {}, format="json")
        assert woken.json()["ended_at"] == "2026-01-12T11:00:00Z"
        again = client_for(rep).post(f"{SNOOZES}/{made.json()['id']}/wake", {}, format="json")
        assert_problem(again, 409, "not_snoozed")
