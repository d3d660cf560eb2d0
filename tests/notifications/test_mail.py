"""Notices by mail, against a real SMTP server."""

from __future__ import annotations

import email
import email.policy
from datetime import timedelta
from typing import Any

import pytest

from smarketing.notifications.models import Delivery
from smarketing.notifications.services import deliveries, outbox
from smarketing.users.models import User
from tests.notifications.conftest import NOW, Sink

pytestmark = pytest.mark.django_db


def tell(rep: User, text: str = "A lead for you", subject: str = "") -> None:
    notice = outbox.Notice(text=text, subject=subject, user_ids=(rep.pk,), link="/leads/7", mail=True)
    outbox.put(topic="handoff.delivered", payload={}, dedupe_key=text, now=NOW, notify=notice)
    outbox.fan_out(now=NOW, limit=10)


def test_a_mail_has_text_and_html_and_the_link(rep: User, sink: Sink) -> None:
    tell(rep, "A lead <b>for</b> you")
    assert deliveries.run_once(now=NOW, limit=10) == 1
    message = email.message_from_bytes(sink.mails[0], policy=email.policy.default)
    assert (message["To"], message["Subject"]) == ("rita@example.com", "A lead <b>for</b> you")
    delivery = Delivery.objects.get()
    assert message["Message-ID"] == f"<{delivery.msg_id}@127.0.0.1>"
    text = message.get_body(("plain",)).get_content()
    html = message.get_body(("html",)).get_content()
    assert "A lead <b>for</b> you" in text
    assert "http://127.0.0.1:8000/leads/7" in text
    assert "A lead &lt;b&gt;for&lt;/b&gt; you" in html
    assert delivery.state == "done"


def test_a_temporary_refusal_is_repeated_with_the_same_message_id(rep: User, sink: Sink) -> None:
    sink.answers = ["451 later", "250 OK"]
    tell(rep)
    deliveries.run_once(now=NOW, limit=10)
    assert Delivery.objects.get().last_status == 451
    deliveries.run_once(now=NOW + timedelta(minutes=1), limit=10)
    ids = {email.message_from_bytes(mail)["Message-ID"] for mail in sink.mails}
    assert (len(sink.mails), len(ids), Delivery.objects.get().state) == (2, 1, "done")


def test_a_final_refusal_is_not_repeated(rep: User, sink: Sink) -> None:
    sink.answers = ["554 no"]
    tell(rep)
    deliveries.run_once(now=NOW, limit=10)
    failed = Delivery.objects.get()
    assert (failed.state, failed.last_status) == ("failed", 554)


def test_a_line_break_in_a_subject_adds_no_header(rep: User, sink: Sink) -> None:
    tell(rep, subject="Hi\r\nBcc: evil@example.com")
    deliveries.run_once(now=NOW, limit=10)
    message = email.message_from_bytes(sink.mails[0])
    assert message["Bcc"] is None
    assert message["Subject"] == "Hi Bcc: evil@example.com"


def test_no_server_at_all_is_tried_again(rep: User, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    tell(rep)
    deliveries.run_once(now=NOW, limit=10)
    waiting = Delivery.objects.get()
    assert (waiting.state, waiting.last_error) == ("pending", "ConnectionRefusedError")
