"""Where a mail service posts what came in: JSON as Postmark sends it, a form as Mailgun does, or raw MIME.

Public without a cookie: the long secret in the address is what binds a post. Mail of people nobody
knows is answered like any other, so that the address tells nothing about who is known.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from leads.domain import inbound_mail as rules
from leads.domain.inbound_mail import InboundMail
from leads.selectors import suppression
from leads.services import inbound_mails, public_limits
from leads.views import public_answers as public
from smarketing.web.pages import page

PER_NETWORK, STRANGE = 600, 30  # posts a minute: to the right address, and to any other


@csrf_exempt
@page(public=True, methods=["POST"])
def mail_in(request: HttpRequest, token: str) -> HttpResponse:
    """Take one mail."""
    now = public.now_of(request)
    who = suppression.ip_hash(public.ip_of(request))[:16]
    inbox = inbound_mails.inbox_of(token=token)
    limit = PER_NETWORK if inbox else STRANGE
    public_limits.count(key=f"mail:{bool(inbox)}:{who}", limit=limit, now=now)
    if inbox is None:
        raise Http404
    if int(request.META.get("CONTENT_LENGTH") or 0) > rules.MOST_BYTES:
        return _refused(413, "A mail has at most 2 MB; post it without its attachments.")
    try:
        mail = _read(request)
    except RequestDataTooBig:
        return _refused(413, "A mail has at most 2 MB; post it without its attachments.")
    except (ValueError, TypeError, RecursionError):
        return _refused(422, "This is neither JSON nor a form nor MIME that can be read.")
    inbound_mails.receive(inbox=inbox, mail=mail, now=now)
    return JsonResponse({"status": "taken"})


def _refused(status: int, detail: str) -> JsonResponse:
    return JsonResponse({"status": "refused", "detail": detail}, status=status)


def _read(request: HttpRequest) -> InboundMail:
    kind = request.content_type
    if kind == "application/json":
        given = json.loads(request.body)
        if not isinstance(given, dict):
            raise TypeError("not an object")
        return _of_json(given)
    if kind in ("multipart/form-data", "application/x-www-form-urlencoded"):
        fields = {name: request.POST.get(name, "") for name in list(request.POST)[: rules.MOST_PARTS]}
        if fields.get("body-mime"):
            return rules.from_mime(str(fields["body-mime"]).encode("utf-8", "surrogateescape"))
        return _of_form(fields)
    return rules.from_mime(request.body)


def _of_json(given: Mapping[str, Any]) -> InboundMail:
    listed = given.get("Headers")
    headers = [
        (_text(one.get("Name")), _text(one.get("Value")))
        for one in (listed if isinstance(listed, list) else [])[: rules.MOST_PARTS * 4]
        if isinstance(one, dict)
    ]
    named = {"From": "From", "To": "To", "Cc": "Cc", "Subject": "Subject"}
    headers += [(header, _text(given.get(name))) for name, header in named.items() if given.get(name)]
    if given.get("MessageID"):
        headers.append(("Message-ID", f"<{_text(given['MessageID'])}>"))
    return rules.of(
        headers=headers,
        text=_text(given.get("TextBody")),
        html=_text(given.get("HtmlBody")),
        stripped=_text(given.get("StrippedTextReply")),
        recipients=[_text(given.get("OriginalRecipient"))],
    )


def _of_form(given: Mapping[str, Any]) -> InboundMail:
    headers: list[tuple[str, str]] = []
    listed = json.loads(_text(given.get("message-headers")) or "[]")
    for one in (listed if isinstance(listed, list) else [])[: rules.MOST_PARTS * 4]:
        if isinstance(one, list) and len(one) == 2:
            headers.append((_text(one[0]), _text(one[1])))
    headers += [(name, _text(value)) for name, value in given.items() if name.lower() in _OF_A_FORM]
    return rules.of(
        headers=headers,
        text=_text(given.get("body-plain")),
        html=_text(given.get("body-html")),
        stripped=_text(given.get("stripped-text")),
        recipients=[_text(given.get("recipient"))],
    )


_OF_A_FORM = frozenset(
    {"from", "to", "cc", "subject", "message-id", "in-reply-to", "references", "auto-submitted", "precedence"}
)


def _text(value: object) -> str:
    return value[: rules.MOST_BYTES] if isinstance(value, str) else ""
