"""My queue: what a rep sees first, and its one-key actions."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from funnel.models import Handoff, HandoffState
from leads.models import Activity
from sla.models import Clock, ClockState
from sla.services import clocks
from tests.sla.conftest import HOUR, MINUTE, MONDAY, attempt, deliver, make_lead
from tests.sla.views.conftest import HTMX

pytestmark = pytest.mark.django_db


def names(response):
    return re.findall(r'class="who-name">([^<]+)<', response.content.decode())


@pytest.fixture
def queue(clause, rep, client_of, at):
    """Three leads: delivered at ten, at nine on Friday evening before, and at eleven."""
    for name, moment in (("Ada One", MONDAY), ("Bob Two", MONDAY - HOUR), ("Cleo Three", MONDAY + HOUR)):
        deliver(rep, moment, lead=make_lead(name, moment - 2 * HOUR))
    at(MONDAY + 2 * HOUR)
    return client_of(rep)


def test_an_empty_queue_says_what_it_is_for(rep, client_of):
    page = client_of(rep).get("/queue/").content.decode()
    assert "Nothing waits for you" in page
    assert "0 leads wait" in page


def test_leads_stand_in_the_order_of_their_deadlines(queue):
    response = queue.get("/queue/")
    assert names(response) == ["Ada One", "Bob Two", "Cleo Three"]
    page = response.content.decode()
    assert "3 leads wait" in page
    assert "2 h left · " in page
    assert "tel:+4930123456" in page
    assert "mailto:lead" in page


def test_a_paused_or_attempted_lead_stands_below_those_with_a_deadline(queue, rep):
    ada = Clock.objects.get(handoff__lead__person__first_name="Ada")
    clocks.pause(clock=ada, at=MONDAY + HOUR, actor=rep, reason="asked to wait", now=MONDAY + HOUR)
    bob = Handoff.objects.get(lead__person__first_name="Bob")
    attempt(bob, rep, MONDAY + HOUR)
    response = queue.get("/queue/")
    assert names(response)[0] == "Cleo Three"
    assert set(names(response)) == {"Ada One", "Bob Two", "Cleo Three"}
    assert "Paused" in response.content.decode()
    assert "Met" in response.content.decode()


def test_a_lead_leaves_the_queue_once_it_is_accepted_and_attempted(queue, rep):
    ada = Handoff.objects.get(lead__person__first_name="Ada")
    queue.post(f"/queue/{ada.pk}/accept/", headers=HTMX)
    assert "Ada One" in names(queue.get("/queue/"))
    queue.post(f"/queue/{ada.pk}/log/", {"attempt": "no-answer"}, headers=HTMX)
    assert "Ada One" not in names(queue.get("/queue/"))


def test_accepting_answers_with_the_queue_the_counts_and_undo(queue):
    ada = Handoff.objects.get(lead__person__first_name="Ada")
    response = queue.post(f"/queue/{ada.pk}/accept/", {"version": ada.version}, headers=HTMX)
    page = response.content.decode()
    assert response.status_code == 200
    assert 'id="queue-cards"' in page
    assert 'id="queue-counts"' in page
    assert "Accepted: Ada One" in page
    assert f"/queue/{ada.pk}/undo/" in page
    ada.refresh_from_db()
    assert ada.state == HandoffState.ACCEPTED
    queue.post(f"/queue/{ada.pk}/undo/", headers=HTMX)
    ada.refresh_from_db()
    assert ada.state == HandoffState.DELIVERED


def test_a_stale_acceptance_changes_nothing(queue):
    ada = Handoff.objects.get(lead__person__first_name="Ada")
    response = queue.post(f"/queue/{ada.pk}/accept/", {"version": ada.version + 7}, headers=HTMX)
    assert response.status_code == 412
    ada.refresh_from_db()
    assert ada.state == HandoffState.DELIVERED


def test_returning_asks_why(queue):
    ada = Handoff.objects.get(lead__person__first_name="Ada")
    dialog = queue.get(f"/queue/{ada.pk}/return/", headers=HTMX).content.decode()
    assert "Return Ada One" in dialog
    assert "Not ready to buy yet" in dialog
    refused = queue.post(f"/queue/{ada.pk}/return/", {"note": "no"}, headers=HTMX)
    assert refused.status_code == 422
    assert "Choose why it goes back" in refused.content.decode()
    refused = queue.post(f"/queue/{ada.pk}/return/", {"reason": "no_fit"}, headers=HTMX)
    assert refused.status_code == 422
    ada.refresh_from_db()
    assert ada.state == HandoffState.DELIVERED
    answer = {"reason": "not_ready", "version": ada.version}
    response = queue.post(f"/queue/{ada.pk}/return/", answer, headers=HTMX)
    assert "Returned to marketing: Ada One" in response.content.decode()
    ada.refresh_from_db()
    assert (ada.state, ada.return_reason) == (HandoffState.RETURNED, "not_ready")


@pytest.mark.parametrize(
    ("name", "kind", "outcome"),
    [
        ("reached", "call", "reached"),
        ("no-answer", "call", "no_answer"),
        ("left-message", "call", "left_message"),
        ("mail", "mail", "sent"),
        ("meeting", "meeting", "held"),
    ],
)
def test_an_attempt_is_logged_and_stops_the_clock(queue, rep, name, kind, outcome):
    ada = Handoff.objects.get(lead__person__first_name="Ada")
    response = queue.post(f"/queue/{ada.pk}/log/", {"attempt": name}, headers=HTMX)
    assert response.status_code == 200
    logged = Activity.objects.get(lead=ada.lead)
    assert (logged.kind, logged.outcome, logged.actor) == (kind, outcome, rep)
    assert Clock.objects.get(handoff=ada).state == ClockState.MET


def test_an_unknown_attempt_is_refused(queue):
    ada = Handoff.objects.get(lead__person__first_name="Ada")
    assert queue.post(f"/queue/{ada.pk}/log/", {"attempt": "prayer"}, headers=HTMX).status_code == 422
    assert not Activity.objects.exists()


@pytest.mark.parametrize("action", ["accept", "return", "log"])
def test_another_reps_lead_is_not_mine_to_answer(queue, other_rep, client_of, action):
    ada = Handoff.objects.get(lead__person__first_name="Ada")
    values = {"reason": "not_ready", "attempt": "mail"}
    response = client_of(other_rep).post(f"/queue/{ada.pk}/{action}/", values, headers=HTMX)
    assert response.status_code == 403
    ada.refresh_from_db()
    assert ada.state == HandoffState.DELIVERED
    assert not Activity.objects.exists()


def test_what_does_not_exist_is_not_found(queue):
    for pk in (0, 987654, 10**19):
        assert queue.post(f"/queue/{pk}/accept/", headers=HTMX).status_code == 404


def test_without_scripts_the_actions_come_back_to_the_page(queue):
    ada = Handoff.objects.get(lead__person__first_name="Ada")
    response = queue.post(f"/queue/{ada.pk}/accept/")
    assert (response.status_code, response["Location"]) == (303, "/queue/")
    assert "Return to marketing" in queue.get(f"/queue/{ada.pk}/return/").content.decode()


def test_nothing_is_sent_again_while_nothing_has_changed(queue, rep):
    first = queue.get("/queue/cards/", headers=HTMX)
    etag = first["ETag"]
    assert f"data-etag='{etag}'" in first.content.decode()
    again = {**HTMX, "If-None-Match": etag}
    assert queue.get("/queue/cards/", headers=again).status_code == 304
    deliver(rep, MONDAY + 2 * HOUR)
    changed = queue.get("/queue/cards/", headers=again)
    assert changed.status_code == 200
    assert changed["ETag"] != etag


def test_a_deadline_that_passes_is_a_change(queue, at):
    etag = queue.get("/queue/cards/", headers=HTMX)["ETag"]
    at(MONDAY + 4 * HOUR + MINUTE)
    response = queue.get("/queue/cards/", headers={**HTMX, "If-None-Match": etag})
    assert response.status_code == 200
    assert "2 overdue" in response.content.decode()


@pytest.mark.parametrize("path", ["/queue/", "/queue/cards/"])
def test_the_number_of_queries_does_not_grow_with_the_queue(queue, rep, path):
    def cost():
        with CaptureQueriesContext(connection) as queries:
            queue.get(path)
        return len(queries)

    cost()
    few = cost()
    for _ in range(12):
        deliver(rep, MONDAY)
    assert cost() == few


def test_an_overdue_lead_says_so(queue, at):
    at(MONDAY + timedelta(hours=6))
    assert "Breached 2 h ago" in queue.get("/queue/").content.decode()
