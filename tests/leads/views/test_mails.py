"""Writing a mail on the page of a person, and the settings of mail."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from leads.models import Activity, Lead, Mail, MailInbox, MailState, MailTemplate
from leads.services import mail_templates, mails
from sla.models import Clock, ClockState
from smarketing.users.models import User
from tests.leads.views.conftest import SignedIn
from tests.sla.conftest import HOUR, MONDAY, clause, deliver, rep

__all__ = ["clause", "rep"]
pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


def test_a_template_fills_the_mail_and_sending_offers_to_take_it_back(
    ada: Lead, rita: User, adam: User, signed_in: SignedIn, now: datetime
) -> None:
    template = mail_templates.write(
        name="First <b>mail</b>",
        subject="{{ company }} and us",
        body="Dear {{ first_name }}, {{ title }}\n{{ sender_name }}",
        actor=adam,
        now=now,
    )
    client, url = signed_in(rita), f"/people/{ada.person_id}/mail/"
    empty = client.get(url, headers=HTMX).content.decode()
    assert "First &lt;b&gt;mail&lt;/b&gt;" in empty
    page = client.get(f"{url}?template={template.pk}", headers=HTMX).content.decode()
    assert "Analytical Engines and us" in page
    assert "Dear Ada, \nRita Rep" in page
    assert "Nothing is known for: title" in page
    for strange in ("x", "0", "9" * 30, "²"):
        assert client.get(url, {"template": strange}, headers=HTMX).status_code == 200
    refused = client.post(url, {"address": "ada@example.com", "subject": "Hi", "body": " "}, headers=HTMX)
    assert refused.status_code == 422
    given = {"address": "ada@example.com", "subject": "Hi", "body": "Dear Ada"}
    answer = client.post(url, given, headers=HTMX).content.decode()
    mail = Mail.objects.get()
    assert f"/mails/{mail.pk}/take-back/" in answer
    taken = client.post(f"/mails/{mail.pk}/take-back/", headers=HTMX)
    assert "The mail was not sent." in taken.content.decode()
    mail.refresh_from_db()
    assert mail.state == MailState.CANCELLED
    assert client.post(f"/mails/{mail.pk}/take-back/", headers=HTMX).status_code == 409
    assert client.post(url, given).status_code == 303


def test_who_may_not_log_may_not_write(ada: Lead, olga: User, signed_in: SignedIn) -> None:
    client = signed_in(olga)
    assert client.post(f"/people/{ada.person_id}/mail/", {}, headers=HTMX).status_code == 403
    assert client.post("/settings/mail/templates/new/", {}, headers=HTMX).status_code == 403
    assert client.post("/settings/mail/inbox/open/", {}, headers=HTMX).status_code == 403
    assert (Mail.objects.count(), MailTemplate.objects.count(), MailInbox.objects.count()) == (0, 0, 0)


def test_settings_keep_templates_and_show_the_secret_once(adam: User, signed_in: SignedIn) -> None:
    client = signed_in(adam)
    given = {"name": "First", "subject": "Hello", "body": "{{ first_nam }}", "is_active": "on"}
    refused = client.post("/settings/mail/templates/new/", given, headers=HTMX)
    assert "No mail can say {{ first_nam }}" in refused.content.decode()
    client.post("/settings/mail/templates/new/", {**given, "body": "Dear"}, headers=HTMX)
    template = MailTemplate.objects.get()
    stale = {**given, "body": "Other", "version": template.version + 5}
    edit = f"/settings/mail/templates/{template.pk}/edit/"
    assert client.post(edit, stale, headers=HTMX).status_code in (409, 412)
    client.post(edit, {**stale, "version": template.version, "is_active": ""}, headers=HTMX)
    template.refresh_from_db()
    assert (template.body, template.is_active) == ("Other", False)
    shown = client.post("/settings/mail/inbox/open/", {"address": "in@example.com"}, headers=HTMX)
    assert "/mail/in/" in shown.content.decode()
    assert shown["Cache-Control"] == "no-store"
    page = client.get("/settings/mail/").content.decode()
    assert "in@example.com" in page
    assert "/mail/in/" not in page
    client.post("/settings/mail/inbox/open/", {"address": "other@example.com"}, headers=HTMX)
    assert MailInbox.objects.filter(revoked_at=None).count() == 1
    client.post("/settings/mail/inbox/close/")
    assert not MailInbox.objects.filter(revoked_at=None).exists()


def test_a_mail_that_has_left_keeps_the_promise_of_a_first_response_from_when_it_was_written(
    clause: Any, rep: User
) -> None:
    handoff = deliver(rep, MONDAY)
    person = handoff.lead.person
    address = person.emails.get().email
    at = MONDAY + HOUR
    mails.write(person=person, address=address, subject="Hello", body="Dear", actor=rep, now=at)
    clock_of = Clock.objects.get(handoff=handoff)
    assert clock_of.state == ClockState.RUNNING
    mails.run_once(now=at + timedelta(minutes=5), limit=10)
    clock_of.refresh_from_db()
    assert (clock_of.state, clock_of.ended_at) == (ClockState.MET, at)
    assert Activity.objects.get().lead_id == handoff.lead_id
