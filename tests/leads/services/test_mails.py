"""Mails that colleagues write, from the button to the server of the receiver, and the replies to them."""

from __future__ import annotations

import email
import email.policy
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from django.core.cache import caches
from django.test import Client

from leads.domain import inbound_mail
from leads.models import Activity, Mail, MailInbox, MailState, MailTemplate, Person
from leads.services import activities, consents, inbound_mails, leads, mail_templates, mails, reminders
from leads.services.inbound_mails import IssuedInbox
from leads.services.people import PersonInput
from leads.views import mail_in
from smarketing.core.errors import Denied
from smarketing.notifications.models import Notification
from smarketing.notifications.services import deliveries, outbox
from smarketing.users.models import User
from tests.leads.conftest import NOW
from tests.notifications.conftest import Sink, sink

__all__ = ["sink"]
pytestmark = pytest.mark.django_db
LATER = NOW + mails.UNDO_WINDOW
MINUTE = timedelta(minutes=1)


@pytest.fixture
def lena(web: Any) -> Person:
    person = PersonInput(first_name="Lena", last_name="Lead", emails=["lena@initech.example"])
    lead = leads.capture(source=web, person=person, captured_at=NOW, actor=None, now=NOW).lead
    return lead.person


@pytest.fixture
def inbox(adam: User) -> IssuedInbox:
    return inbound_mails.open_inbox(address="replies@in.example.com", actor=adam, now=NOW)


def write(person: Person, actor: User, now: datetime = NOW, **values: str) -> Mail:
    given = {
        "address": "lena@initech.example",
        "subject": "Thursday?",
        "body": "Would <b>it</b> suit?",
        **values,
    }
    return mails.write(person=person, **given, actor=actor, now=now)


def sent(person: Person, actor: User, now: datetime = NOW, **values: str) -> Mail:
    mail = write(person, actor, now, **values)
    assert mails.run_once(now=now + mails.UNDO_WINDOW, limit=10) == 1
    mail.refresh_from_db()
    return mail


def arrive(inbox: IssuedInbox, now: datetime = LATER + MINUTE, **headers: str) -> Activity | None:
    given = {"From": "lena@initech.example", "Message_ID": "<r1@initech.example>", **headers}
    listed = [(name.replace("_", "-"), value) for name, value in given.items()]
    mail = inbound_mail.of(headers=listed, text="Yes.")
    return inbound_mails.receive(inbox=inbox.inbox, mail=mail, now=now)


def test_a_mail_leaves_after_ten_seconds_as_the_colleagues_own(
    lena: Person, rita: User, inbox: IssuedInbox, sink: Sink
) -> None:
    mail = write(lena, rita, subject="Thursday?\r\nBcc: all@example.com")
    assert mails.run_once(now=LATER - timedelta(seconds=1), limit=10) == 0
    assert not Activity.objects.exists()
    assert mails.run_once(now=LATER, limit=10) == 1
    assert mails.run_once(now=LATER, limit=10) == 0
    outbox.fan_out(now=LATER, limit=10)
    assert deliveries.run_once(now=LATER, limit=10) == 1
    message = email.message_from_bytes(sink.mails[0], policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert message["From"].startswith("Rita Rep <")
    assert message["To"] == "lena@initech.example"
    assert message["Subject"] == "Thursday? Bcc: all@example.com"
    assert message["Bcc"] is None
    assert message["Auto-Submitted"] is None
    assert message["Message-ID"] == f"<{mail.message_id}>"
    assert message["Reply-To"] == f"replies+{mail.token}@in.example.com"
    assert message.get_content_type() == "text/plain"
    assert message.get_content().strip() == "Would <b>it</b> suit?"
    logged = Activity.objects.get()
    assert (logged.kind, logged.direction, logged.outcome) == ("mail", "outbound", "sent")
    assert (logged.actor, logged.occurred_at, logged.is_automated) == (rita, NOW, False)
    mail.refresh_from_db()
    assert (mail.state, mail.sent_at, mail.activity) == (MailState.SENT, LATER, logged)


def test_a_double_click_writes_one_mail(lena: Person, rita: User) -> None:
    first = write(lena, rita)
    assert write(lena, rita, NOW + timedelta(seconds=1)) == first
    assert write(lena, rita, NOW + timedelta(seconds=1), subject="Another") != first
    assert mails.run_once(now=LATER, limit=10) == 1
    assert write(lena, rita, NOW + MINUTE) != first


def test_a_second_mail_goes_on_in_the_thread(lena: Person, rita: User) -> None:
    first = sent(lena, rita)
    second = sent(lena, rita, NOW + MINUTE)
    third = write(lena, rita, NOW + 2 * MINUTE, answers="r1@initech.example")
    assert (first.in_reply_to, second.in_reply_to) == ("", first.message_id)
    assert third.in_reply_to == "r1@initech.example"
    assert third.references.split() == [first.message_id, second.message_id, "r1@initech.example"]


def test_a_mail_is_taken_back_by_its_writer_within_ten_seconds(
    lena: Person, rita: User, mara: User, sink: Sink
) -> None:
    mail = write(lena, rita)
    with pytest.raises(mails.NotYourMail):
        mails.take_back(mail=mail, actor=mara, now=NOW)
    with pytest.raises(mails.TooLate):
        mails.take_back(mail=mail, actor=rita, now=LATER)
    mails.take_back(mail=mail, actor=rita, now=LATER - timedelta(seconds=1))
    assert mails.run_once(now=LATER, limit=10) == 0
    outbox.fan_out(now=LATER, limit=10)
    deliveries.run_once(now=LATER, limit=10)
    assert (sink.mails, Activity.objects.count()) == ([], 0)


@pytest.mark.parametrize(
    "values",
    [
        {"address": "other@initech.example"},
        {"subject": " \r\n "},
        {"body": " "},
        {"body": "x" * 20_001},
        {"body": "a\x00b"},
    ],
)
def test_a_mail_that_can_not_be_sent_is_refused(lena: Person, rita: User, values: dict[str, str]) -> None:
    with pytest.raises(mails.BadMail) as refused:
        write(lena, rita, **values)
    assert [error.field for error in refused.value.errors] == list(values)
    assert not Mail.objects.exists()


def test_who_asked_not_to_be_contacted_is_not_written_to(lena: Person, rita: User, olga: User) -> None:
    with pytest.raises(Denied):
        write(lena, olga)
    mail = write(lena, rita)
    consents.record(person=lena, channel="email", state="withdrawn", source="page", occurred_at=NOW, now=NOW)
    # Between Send and leaving: the mail stays, and says why.
    assert mails.run_once(now=LATER, limit=10) == 1
    mail.refresh_from_db()
    assert (mail.state, mail.refusal) == (MailState.REFUSED, "They asked not to be contacted this way.")
    assert not Activity.objects.exists()
    with pytest.raises(mails.MayNotMail):
        write(lena, rita)


def test_a_reply_stands_on_the_timeline_once_and_is_told(
    lena: Person, rita: User, inbox: IssuedInbox
) -> None:
    mail = sent(lena, rita)
    reply = arrive(inbox, From="Lena <private@elsewhere.example>", In_Reply_To=f"<{mail.message_id}>")
    assert reply is not None
    assert (reply.person_id, reply.lead_id) == (lena.pk, mail.lead_id)
    assert (reply.kind, reply.direction, reply.outcome, reply.body) == ("mail", "inbound", "replied", "Yes.")
    assert (reply.is_automated, reply.actor) == (False, None)
    again = arrive(inbox, LATER + 2 * MINUTE, In_Reply_To=f"<{mail.message_id}>")
    assert again == reply
    outbox.fan_out(now=LATER + 2 * MINUTE, limit=10)
    assert [(n.user, n.text) for n in Notification.objects.all()] == [
        (rita, "Lena Lead replied to your mail.")
    ]
    assert MailInbox.objects.get().last_received_at == LATER + 2 * MINUTE


def test_a_mail_is_matched_by_thread_then_address_then_sender(
    lena: Person, rita: User, inbox: IssuedInbox
) -> None:
    mail = sent(lena, rita)
    by_token = arrive(
        inbox,
        From="x@elsewhere.example",
        To=f"replies+{mail.token}@in.example.com",
        Message_ID="<a@x.example>",
    )
    by_sender = arrive(inbox, From="LENA@initech.example", Message_ID="<b@x.example>")
    assert [a.person_id if a else None for a in (by_token, by_sender)] == [lena.pk, lena.pk]
    stranger = arrive(
        inbox, From="x@elsewhere.example", To="replies+0000000000@in.example.com", Message_ID="<c@x.example>"
    )
    assert stranger is None
    assert Activity.objects.filter(direction="inbound").count() == 2


def test_automatic_answers_count_for_nothing_and_bounces_are_told(
    lena: Person, rita: User, inbox: IssuedInbox
) -> None:
    mail = sent(lena, rita)
    away = arrive(inbox, Auto_Submitted="auto-replied", In_Reply_To=f"<{mail.message_id}>")
    bounce = arrive(
        inbox,
        From="mailer-daemon@mx.example",
        In_Reply_To=f"<{mail.message_id}>",
        Message_ID="<dsn@mx.example>",
    )
    assert away is not None
    assert bounce is not None
    assert (away.is_automated, away.outcome) == (True, "")
    assert (bounce.is_automated, bounce.outcome) == (True, "bounced")
    assert arrive(inbox, From="mailer-daemon@mx.example", Message_ID="<dsn2@mx.example>") is None
    outbox.fan_out(now=LATER + MINUTE, limit=10)
    assert [n.text for n in Notification.objects.all()] == ["Your mail to Lena Lead could not be delivered."]


def test_templates_are_written_by_managers_and_say_only_what_is_known(rita: User, adam: User) -> None:
    given = {"name": "First", "subject": "Hello {{ first_name }}", "body": "Dear {{ first_name }}"}
    with pytest.raises(Denied):
        mail_templates.write(**given, actor=rita, now=NOW)
    with pytest.raises(mail_templates.BadTemplate) as refused:
        mail_templates.write(**{**given, "body": "{{ person.password }}"}, actor=adam, now=NOW)
    assert refused.value.errors[0].field == "body"
    assert not MailTemplate.objects.exists()
    mail_templates.write(**given, actor=adam, now=NOW)
    with pytest.raises(mail_templates.BadTemplate) as refused:
        mail_templates.write(**given, actor=adam, now=NOW)
    assert (refused.value.errors[0].field, MailTemplate.objects.count()) == ("name", 1)


@pytest.fixture
def box(client: Client, inbox: IssuedInbox) -> Any:
    def post(body: Any, kind: str = "application/json", token: str = inbox.token) -> Any:
        return client.post(f"/mail/in/{token}/", body, content_type=kind)

    return post


def test_mail_services_post_json_a_form_or_mime(
    lena: Person, rita: User, box: Any, client: Client, inbox: IssuedInbox
) -> None:
    mail = sent(lena, rita)
    postmark = {
        "From": "lena@initech.example",
        "Subject": "Re: Thursday?",
        "TextBody": "Yes.\n\n> Would it suit?",
        "MessageID": "pm-1",
        "Headers": [{"Name": "In-Reply-To", "Value": f"<{mail.message_id}>"}],
    }
    assert box(postmark).json() == {"status": "taken"}
    mailgun = {
        "from": "Lena <lena@initech.example>",
        "recipient": f"replies+{mail.token}@in.example.com",
        "subject": "Re: Thursday?",
        "body-plain": "Also Friday.\n> quoted",
        "stripped-text": "Also Friday.",
        "Message-Id": "<mg-1@initech.example>",
    }
    assert client.post(f"/mail/in/{inbox.token}/", mailgun).status_code == 200
    head = f"From: lena@initech.example\r\nIn-Reply-To: <{mail.message_id}>\r\nMessage-ID: <raw@x>"
    mime = f"{head}\r\n\r\nOr Monday."
    assert box(mime.encode(), "message/rfc822").status_code == 200
    found = Activity.objects.filter(direction="inbound").order_by("pk").values_list("body", "outcome")
    assert list(found) == [("Yes.", "replied"), ("Also Friday.", "replied"), ("Or Monday.", "replied")]


def test_what_is_not_a_mail_or_not_for_us_is_refused(box: Any, inbox: IssuedInbox, adam: User) -> None:
    assert box({}, token="wrong" * 8).status_code == 404
    for body in (b"{", b"[]", b"null", b'{"Headers": 5}', b"[" * 60_000):
        assert box(body).status_code in (200, 422), body[:20]
    assert box(b"x" * (inbound_mail.MOST_BYTES + 1), "message/rfc822").status_code == 413
    inbound_mails.close_inbox(actor=adam, now=LATER)
    assert box({}).status_code == 404
    assert not Activity.objects.exists()


def test_the_address_is_limited(box: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    caches["counters"].clear()
    monkeypatch.setattr(mail_in, "STRANGE", 2)
    answers = [box({}, token="guess").status_code for _ in range(3)]
    assert answers == [404, 404, 429]


def test_a_mail_that_the_server_refuses_is_told_to_who_wrote_it(lena: Person, rita: User, sink: Sink) -> None:
    sink.answers = ["554 no such user"]
    sent(lena, rita)
    outbox.fan_out(now=LATER, limit=10)
    deliveries.run_once(now=LATER, limit=10)
    outbox.fan_out(now=LATER, limit=10)
    told = Notification.objects.get()
    assert (told.user, told.text) == (rita, "Your mail “Thursday?” could not be delivered.")
    assert (told.topic, told.link) == ("mail.bounced", f"/people/{lena.pk}/")


def test_a_task_is_told_once_when_it_is_due(lena: Person, rita: User) -> None:
    def plan(subject: str, due_at: datetime | None) -> Activity:
        return activities.add_task(
            person=lena, subject=subject, due_at=due_at, owner=rita, actor=rita, now=NOW
        )

    plan("Call again", NOW + MINUTE)
    plan("Some day", None)
    plan("Long ago", NOW - timedelta(days=3))
    done = plan("Done already", NOW + MINUTE)
    activities.complete_task(task=done, actor=rita, now=NOW)
    assert reminders.run_once(now=NOW, limit=10) == 0
    assert reminders.run_once(now=NOW + MINUTE, limit=10) == 1
    assert reminders.run_once(now=NOW + MINUTE, limit=10) == 0
    outbox.fan_out(now=NOW + MINUTE, limit=10)
    told = Notification.objects.get()
    assert (told.user, told.text, told.link) == (
        rita,
        "Now due: Call again (Lena Lead)",
        f"/people/{lena.pk}/",
    )
