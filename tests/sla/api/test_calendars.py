"""Calendars over the API: hours in versions, and reps who are counted by their own."""

from __future__ import annotations

import pytest
from time_machine import travel

from funnel.services import handoffs, owners
from sla.domain.calendars import WeeklyCalendar
from sla.models import Calendar, Clause, Clock, OwnHours
from sla.selectors import at_work
from sla.services import sweep
from smarketing.users.models import User
from tests.rest import assert_problem, client_for
from tests.sla.conftest import HOUR, MONDAY, deliver

pytestmark = pytest.mark.django_db
CALENDARS, OWN = "/api/v1/calendars", "/api/v1/own-hours"
EARLY = WeeklyCalendar.office("Europe/Berlin", opens=7 * 60, closes=12 * 60).to_json()


def test_a_calendar_is_made_read_and_published_in_versions(sales_manager: User, rep: User) -> None:
    boss = client_for(sales_manager)
    made = boss.post(CALENDARS, {"name": "Early birds", "body": EARLY}, format="json")
    assert (made.status_code, made.json()["number"], made.json()["body"]) == (201, 1, EARLY)
    path = f"{CALENDARS}/{made.json()['id']}"
    longer = {**EARLY, "holidays": [{"date": "2026-12-25", "name": "Christmas"}]}
    publish = {"body": longer, "number": 1}
    assert_problem(client_for(rep).post(f"{path}/publish", publish, format="json"), 403, "denied")
    bad = {"body": {**EARLY, "zone": "Mars/Base"}}
    assert_problem(boss.post(f"{path}/publish", bad, format="json"), 422, "calendar_invalid")
    assert boss.post(f"{path}/publish", publish, format="json").json()["number"] == 2
    assert boss.post(f"{path}/publish", publish, format="json").status_code == 412
    told = client_for(rep).get(CALENDARS).json()["results"]
    assert [(c["name"], c["number"]) for c in told if not c["is_default"]] == [("Early birds", 2)]


def test_promises_of_a_rep_with_hours_of_their_own_are_counted_by_those(
    clause: Clause, rep: User, other_rep: User, sales_manager: User
) -> None:
    running = deliver(rep, MONDAY)
    boss = client_for(sales_manager)
    early = boss.post(CALENDARS, {"name": "Early birds", "body": EARLY}, format="json").json()["id"]
    body = {"user": rep.pk, "calendar": early}
    assert_problem(client_for(rep).post(OWN, body, format="json"), 403, "denied")
    marketer = {**body, "user": User.objects.get_queryset().filter(role="marketing_manager").get().pk}
    assert_problem(boss.post(OWN, marketer, format="json"), 422, "calendar_invalid")
    assert not OwnHours.objects.exists()
    with travel(MONDAY, tick=False):
        assert boss.post(OWN, body, format="json").status_code == 201
    # Ten UTC is eleven in Berlin: an hour is left on Monday, three of the four fall on Tuesday from six UTC.
    assert Clock.objects.get(handoff=deliver(rep, MONDAY)).due_at == MONDAY + 23 * HOUR
    assert Clock.objects.get(handoff=running).due_at == MONDAY + 4 * HOUR
    assert Clock.objects.get(handoff=deliver(other_rep, MONDAY)).due_at == MONDAY + 4 * HOUR
    both, six = [rep.pk, other_rep.pk], MONDAY - 4 * HOUR
    assert (at_work.in_hours(both, six), at_work.in_hours(both, MONDAY + 2 * HOUR)) == (
        {rep.pk},
        {other_rep.pk},
    )
    # A broken promise that goes to them begins anew by their hours.
    handoffs.accept(handoff=running, actor=rep, now=MONDAY + HOUR)
    late = MONDAY + 5 * HOUR
    sweep.run_once(now=late)
    owners.assign(lead=running.lead, owner=other_rep, reason="manual", actor=sales_manager, now=late)
    owners.assign(lead=running.lead, owner=rep, reason="manual", actor=sales_manager, now=late)
    (entry,) = client_for(rep).get(OWN).json()["results"]
    assert (entry["id"], entry["calendar"]["name"]) == (rep.pk, "Early birds")
    assert boss.delete(f"{OWN}/{rep.pk}").status_code == 204
    assert Clock.objects.get(handoff=deliver(rep, MONDAY)).due_at == MONDAY + 4 * HOUR
    assert Calendar.objects.filter(pk=early).exists()
