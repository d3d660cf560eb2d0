"""What a mail that came in is: a reply, an automatic answer, or the news that one of ours bounced.

Plain functions over bytes and values that anybody may send: sizes and counts are capped, and whatever
can't be read is left out rather than raised.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser, BytesParser
from email.utils import getaddresses
from enum import StrEnum
from html.parser import HTMLParser

MOST_BYTES = 2_000_000
MOST_PARTS = 60
MOST_REFERENCES = 50
LONGEST_BODY = 20_000
LONGEST_ID = 255
_ID = re.compile(r"<([^<>\s]{3,250})>")
_QUOTED = re.compile(
    r"^(>|On .{4,200}wrote:\s*$|Am .{4,200}schrieb.{0,200}:\s*$|-{2,}\s*Original Message|_{10,}\s*$)",
    re.IGNORECASE,
)


class Kind(StrEnum):
    """What has come."""

    REPLY = "reply"
    AUTOMATIC = "automatic"
    BOUNCE = "bounce"


@dataclass(frozen=True, slots=True)
class InboundMail:
    """A mail in parts. ``references`` are ids of mails it answers, the nearest first; ``text`` is what
    was written, without what it quotes."""

    kind: Kind
    message_id: str
    sender: str
    recipients: tuple[str, ...]
    references: tuple[str, ...]
    subject: str
    text: str


def from_mime(raw: bytes) -> InboundMail:
    """Read raw MIME; what exceeds a limit is cut."""
    raw = raw[:MOST_BYTES]
    # The parser takes the square of the depth: what nests deeper than any real mail is not opened.
    lowered = raw.lower()
    is_deep = lowered.count(b"boundary=") + lowered.count(b"message/rfc822") > MOST_PARTS
    parser = BytesHeaderParser() if is_deep else BytesParser()
    message = parser.parsebytes(raw)
    headers = [(name, _decoded(value)) for name, value in message.items()[: MOST_PARTS * 4]]
    text, html, returned = _parts(message)
    found = of(headers=headers, text=text, html=html, report=message.get_content_type() == "multipart/report")
    if returned:
        references = tuple(dict.fromkeys([*returned, *found.references]))[:MOST_REFERENCES]
        found = InboundMail(
            found.kind,
            found.message_id,
            found.sender,
            found.recipients,
            references,
            found.subject,
            found.text,
        )
    return found


def of(
    *,
    headers: Iterable[tuple[str, str]],
    text: str,
    html: str = "",
    report: bool = False,
    stripped: str = "",
    sender: str = "",
    recipients: Iterable[str] = (),
) -> InboundMail:
    """From headers and texts as mail services hand them on."""
    named: dict[str, str] = {}
    for name, value in headers:
        named.setdefault(name.lower()[:80], _clean(value[:8000]))
    written = stripped.strip() or without_quotes(text or text_of(html))
    answers = [*_ids(named.get("in-reply-to", "")), *reversed(_ids(named.get("references", "")))]
    addressed = (named.get("to", ""), named.get("cc", ""), named.get("delivered-to", ""), *recipients)
    own_id = next(iter(_ids(named.get("message-id", ""))), "")
    return InboundMail(
        kind=_kind(named, report=report),
        message_id=own_id,
        sender=next(iter(addresses([sender or named.get("from", "")])), ""),
        recipients=tuple(addresses(addressed)[:MOST_PARTS]),
        references=tuple(dict.fromkeys(answers))[:MOST_REFERENCES],
        subject=_clean(" ".join(named.get("subject", "").split()))[:300],
        text=_clean(written)[:LONGEST_BODY],
    )


def addresses(values: Iterable[str]) -> list[str]:
    """The addresses in header values, in lower case."""
    found = [
        pair[1].strip().lower() for pair in getaddresses([_clean(value[:8000]) for value in values if value])
    ]
    return [address for address in found if 3 <= len(address) <= 320 and "@" in address]


def plus_token(recipients: Iterable[str]) -> str:
    """The token of an address like ``replies+token@…``; "" without one."""
    for address in recipients:
        local, _, _ = address.rpartition("@")
        _, plus, token = local.partition("+")
        if plus and re.fullmatch(r"[a-z0-9]{8,64}", token):
            return token
    return ""


def without_quotes(text: str) -> str:
    """What was written above the mail that is quoted."""
    lines: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        if _QUOTED.match(line.strip()[:400]):
            break
        lines.append(line.rstrip())
    return "\n".join(lines).strip() or text.strip()


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "style", "head"):
            self._hidden += 1
        elif tag in ("br", "p", "div", "tr", "li"):
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style", "head"):
            self._hidden = max(0, self._hidden - 1)

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)


def text_of(html: str) -> str:
    """The words of an HTML body."""
    reader = _Text()
    reader.feed(html[: LONGEST_BODY * 5])
    return re.sub(r"\n{3,}", "\n\n", "".join(reader.parts)).strip()


def _clean(text: str) -> str:
    """What a database takes: no NUL, no halves of characters."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def _kind(named: Mapping[str, str], *, report: bool) -> Kind:
    """By the headers of RFC 3834 and of the usual programs; a report of delivery is a bounce."""
    sender = named.get("from", "").lower()
    kind = named.get("content-type", "").lower()
    if (
        report
        or "report-type=delivery-status" in kind
        or "mailer-daemon@" in sender
        or "postmaster@" in sender
    ):
        return Kind.BOUNCE
    said = named.get("auto-submitted", "no").lower().strip()
    marks = ("x-autoreply", "x-autorespond", "x-auto-response-suppress")
    bulk = named.get("precedence", "").lower().strip() in ("bulk", "auto_reply", "junk", "list")
    if (said and not said.startswith("no")) or bulk or any(mark in named for mark in marks[:2]):
        return Kind.AUTOMATIC
    return Kind.REPLY


def _ids(value: str) -> list[str]:
    return _ID.findall(value[:8000])[:MOST_REFERENCES]


def _decoded(value: object) -> str:
    """A header's words. The modern parser of addresses takes seconds for a long one, so it is not used."""
    text = str(value)[:8000]
    try:
        return str(make_header(decode_header(text)))
    except (ValueError, LookupError, UnicodeError):
        return text


def _parts(message: Message[str, str]) -> tuple[str, str, list[str]]:
    """Plain text, HTML, and the ids of returned mails inside a report."""
    text, html, returned = "", "", []
    for number, part in enumerate(message.walk()):
        if number >= MOST_PARTS:
            break
        kind = part.get_content_type()
        if part is not message and part.get("Message-ID") and kind != "message/rfc822":
            returned += _ids(str(part.get("Message-ID"))[:1000])
        if part.is_multipart() or part.get_filename():
            continue
        if kind == "text/rfc822-headers":
            returned += _ids(_content(part))
        elif kind == "text/plain" and not text:
            text = _content(part)
        elif kind == "text/html" and not html:
            html = _content(part)
    return text, html, returned


def _content(part: Message[str, str]) -> str:
    """A part as text; an unknown or lying charset is read as far as it goes."""
    raw = part.get_payload(decode=True)
    if not isinstance(raw, bytes):
        return ""
    try:
        return raw.decode(part.get_content_charset() or "utf-8", errors="replace")
    except LookupError:
        return raw.decode("latin-1")
