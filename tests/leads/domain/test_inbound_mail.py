"""Reading mails that come in: replies, automatic answers, bounces, and whatever hostile senders write."""

from __future__ import annotations

import pytest

from leads.domain import inbound_mail as rules
from leads.domain.inbound_mail import Kind

REPLY = b"""\
From: "Lena Lead" <Lena@Initech.example>
To: Replies <replies+0123456789abcdef@in.example.com>
Subject: =?utf-8?q?Re=3A_Caf=C3=A9?=
Message-ID: <reply-1@initech.example>
In-Reply-To: <ours-2@crm.example.com>
References: <ours-1@crm.example.com>
 <ours-2@crm.example.com>
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary="b"

--b
Content-Type: text/plain; charset="iso-8859-1"
Content-Transfer-Encoding: quoted-printable

Yes, Thursday at caf=E9 opening.

On Mon, 12 Jan 2026 at 10:00, Rita Rep <rita@example.com> wrote:
> Would Thursday suit you?
--b
Content-Type: text/html

<p>Yes</p>
--b--
"""
BOUNCE = b"""\
From: MAILER-DAEMON@mx.example.net
To: replies@in.example.com
Subject: Undelivered Mail Returned to Sender
Message-ID: <dsn-1@mx.example.net>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="r"

--r
Content-Type: text/plain

The address does not exist.
--r
Content-Type: message/delivery-status

Final-Recipient: rfc822; lena@initech.example
Action: failed
Status: 5.1.1
--r
Content-Type: text/rfc822-headers

From: Rita Rep <crm@example.com>
Message-ID: <ours-1@crm.example.com>
Subject: Hello
--r--
"""


def test_a_reply_is_read_whole_and_without_what_it_quotes() -> None:
    mail = rules.from_mime(REPLY)
    assert mail.kind == Kind.REPLY
    assert mail.sender == "lena@initech.example"
    assert mail.message_id == "reply-1@initech.example"
    assert mail.references == ("ours-2@crm.example.com", "ours-1@crm.example.com")
    assert mail.subject == "Re: Café"
    assert mail.text == "Yes, Thursday at café opening."
    assert rules.plus_token(mail.recipients) == "0123456789abcdef"


def test_a_bounce_names_the_mail_that_came_back() -> None:
    mail = rules.from_mime(BOUNCE)
    assert mail.kind == Kind.BOUNCE
    assert "ours-1@crm.example.com" in mail.references
    assert mail.text == "The address does not exist."


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        (("Auto-Submitted", "auto-replied"), Kind.AUTOMATIC),
        (("Auto-Submitted", "no"), Kind.REPLY),
        (("Precedence", "bulk"), Kind.AUTOMATIC),
        (("X-Autoreply", "yes"), Kind.AUTOMATIC),
        (("X-Auto-Response-Suppress", "All"), Kind.REPLY),
        (("From", "Postmaster@example.com"), Kind.BOUNCE),
    ],
)
def test_automatic_answers_and_bounces_are_told_apart(header: tuple[str, str], kind: Kind) -> None:
    assert rules.of(headers=[header, ("From", "lena@initech.example")], text="x").kind == kind


def test_html_alone_is_read_as_words_and_its_scripts_are_not() -> None:
    html = "<head><title>t</title></head><p>Good &amp; <b>short</b></p><script>alert(1)</script><p>Bye</p>"
    assert rules.of(headers=[], text="", html=html).text == "Good & short\nBye"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff\xfe",
        b"Content-Type: text/plain; charset=no-such-charset\r\n\r\nhi",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + b"--x\r\n\r\na\r\n" * 5000,
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n" * 40_000,
        b"Subject: =?utf-8?b?" + b"A" * 90_000 + b"?=\r\n\r\nhi",
        b"From: <<<>>>@@\r\nTo: " + b"a@b.example, " * 20_000 + b"\r\n\r\nhi",
        b"In-Reply-To: " + b"<a@b>" * 40_000 + b"\r\n\r\nhi",
        b"Content-Transfer-Encoding: base64\r\n\r\n!!!!",
        b"Content-Type: message/rfc822\r\n\r\n" * 60_000,
        b"Subject: a\r\n\tb\r\nFrom: x\r\ny: z\r\n\r\n" + "\ud800".encode("utf-8", "surrogatepass"),
    ],
)
def test_hostile_mail_is_cut_and_never_raises(raw: bytes) -> None:
    mail = rules.from_mime(raw)
    assert len(mail.subject) <= 300
    assert len(mail.text) <= rules.LONGEST_BODY
    assert len(mail.references) <= rules.MOST_REFERENCES
    assert len(mail.recipients) <= rules.MOST_PARTS
    assert "\x00" not in mail.text + mail.subject
    mail.text.encode()
    mail.subject.encode()


def test_halves_of_characters_and_nul_reach_no_column() -> None:
    bad = "x\ud800\x00@b.example"
    headers = [("From", bad), ("Message-ID", f"<{bad}>"), ("In-Reply-To", f"<{bad}>"), ("Subject", bad)]
    mail = rules.of(headers=headers, text=bad, recipients=[bad])
    for text in (mail.sender, mail.message_id, mail.subject, mail.text, *mail.references, *mail.recipients):
        assert "\x00" not in text
        text.encode()
