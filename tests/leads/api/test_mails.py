"""Mails and their templates over the API, and a reply that keeps the promise of depth."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client
from time_machine import travel

from leads.models import Activity, Lead, Mail, MailState, MailTemplate
from leads.services import inbound_mails, mails
from sla.models import Clock, ClockState
from smarketing.users.models import User
from tests.leads.views.conftest import ada
from tests.rest import assert_problem, client_for
from tests.sla.conftest import HOUR, MONDAY, deliver, rep

__all__ = ["ada", "rep"]
pytestmark = pytest.mark.django_db
MAILS, TEMPLATES = "/api/v1/mails", "/api/v1/mail-templates"


def test_a_mail_is_written_read_and_taken_back_by_who_wrote_it(
    ada: Lead, rita: User, mara: User, olga: User, now: datetime
) -> None:
    given = {"person": ada.person_id, "address": "ada@example.com", "subject": "Hello", "body": "Dear Ada"}
    with travel(now, tick=False):
        assert_problem(client_for(olga).post(MAILS, given, format="json"), 403, "denied")
        for wrong in ({"address": "someone@else.example"}, {"person": 10**12}, {"body": " "}):
            assert client_for(rita).post(MAILS, {**given, **wrong}, format="json").status_code == 422, wrong
        assert not Mail.objects.exists()
        made = client_for(rita).post(MAILS, given, format="json")
        assert (made.status_code, made.json()["state"]) == (201, "waiting")
        path = f"{MAILS}/{made.json()['id']}/take-back"
        assert_problem(client_for(mara).post(path, {}, format="json"), 403, "not_your_mail")
        assert client_for(rita).post(path, {}, format="json").json()["state"] == "cancelled"
    listed = client_for(olga).get(f"{MAILS}?person={ada.person_id}").json()["results"]
    assert [(m["subject"], m["sender"]["name"]) for m in listed] == [("Hello", rita.name)]
    assert mails.run_once(now=now + timedelta(minutes=5), limit=10) == 0
    assert Mail.objects.get().state == MailState.CANCELLED


def test_managers_write_templates_and_a_stale_edit_is_refused(rita: User, adam: User) -> None:
    boss, given = client_for(adam), {"name": "First", "subject": "Hello", "body": "Dear {{ first_name }}"}
    assert_problem(client_for(rita).post(TEMPLATES, given, format="json"), 403, "denied")
    refused = boss.post(TEMPLATES, {**given, "body": "{{ first_nam }}"}, format="json")
    assert_problem(refused, 422, "bad_template")
    assert not MailTemplate.objects.exists()
    made = boss.post(TEMPLATES, given, format="json")
    path = f"{TEMPLATES}/{made.json()['id']}"
    edited = boss.patch(path, {"is_active": False}, format="json", headers={"If-Match": made["ETag"]})
    assert (edited.status_code, edited.json()["is_active"], edited.json()["body"]) == (
        200,
        False,
        given["body"],
    )
    late = boss.patch(path, {"subject": "Hi"}, format="json", headers={"If-Match": made["ETag"]})
    assert late.status_code == 412
    assert MailTemplate.objects.get().subject == "Hello"
    assert client_for(rita).get(TEMPLATES).json()["results"][0]["name"] == "First"


def test_a_reply_by_mail_keeps_the_promise_of_depth(rep: User, adam: User, client: Client) -> None:
    """By the agreement of a new installation: five attempts on three days, or an answer."""
    handoff = deliver(rep, MONDAY)
    depth = Clock.objects.get(handoff=handoff, kind="depth")
    person = handoff.lead.person
    address = person.emails.get().email
    at = MONDAY + HOUR
    given = {"person": person.pk, "address": address, "subject": "Thursday?", "body": "Would it suit?"}
    with travel(at, tick=False):
        written = client_for(rep).post(MAILS, given, format="json").json()
    mails.run_once(now=at + timedelta(minutes=1), limit=10)
    depth.refresh_from_db()
    assert depth.state == ClockState.RUNNING  # one attempt is not enough
    inbox = inbound_mails.open_inbox(address="in@example.com", actor=adam, now=MONDAY)
    reply = {
        "From": address,
        "Subject": "Re: Thursday?",
        "TextBody": "Yes.",
        "MessageID": "pm-1",
        "Headers": [{"Name": "In-Reply-To", "Value": f"<{written['message_id']}>"}],
    }
    answered = at + 2 * HOUR
    with travel(answered, tick=False):
        posted = client.post(f"/mail/in/{inbox.token}/", reply, content_type="application/json")
    assert posted.json() == {"status": "taken"}
    depth.refresh_from_db()
    assert (depth.state, depth.ended_at) == (ClockState.MET, answered)
    assert Activity.objects.filter(direction="inbound").get().lead_id == handoff.lead_id
