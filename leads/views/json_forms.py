"""Answers to a form as JSON, from scripts of the sites it may stand on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from leads.domain import untrusted
from leads.models import Form, FormRoad, FormVersion
from leads.selectors import forms as reads
from leads.services import form_answers, submissions
from leads.services.submissions import Context
from leads.views import public_answers as public
from smarketing.core.errors import DomainError


class Unreadable(DomainError):
    """The body is not JSON of the shape that is expected."""

    code = "malformed_json"
    title = "The request can't be read"


def body_of(request: HttpRequest) -> dict[str, Any]:
    """The object in the body, cleaned of what can't be stored. Raises :class:`Unreadable`."""
    try:
        value = untrusted.clean(untrusted.read(request.body)).value
    except (untrusted.Unreadable, untrusted.TooComplex) as error:
        raise Unreadable(_("The body is not JSON: %(why)s.") % {"why": error}) from error
    if not isinstance(value, dict):
        raise Unreadable(_("Send a JSON object."))
    return value


def texts_of(value: object) -> dict[str, list[str]]:
    """The members of an object as texts; true is "yes", lists keep their order."""
    if not isinstance(value, Mapping):
        return {}
    return {
        str(n): [_text(v) for v in (each if isinstance(each, list) else [each])] for n, each in value.items()
    }


def answer(request: HttpRequest, form: Form, version: FormVersion) -> HttpResponse:
    """``{"fields": {…}, "context": {"page", "referrer", "anonymous_id"}, "id"}`` → 201, or 422 by field.

    ``id`` is any text that names this answer: the same one again is not stored twice.
    """
    body = body_of(request)
    given = public.bounded(texts_of(body.get("fields")))
    around = {n: texts[0] for n, texts in texts_of(body.get("context")).items() if texts}
    layout = reads.layout_of(version)
    answers = form_answers.check(layout=layout, given=given)
    if answers.errors:
        return public.cors(request, JsonResponse(_problem(answers.errors), status=422), form)
    context = Context(
        road=FormRoad.JSON,
        ip=public.ip_of(request),
        user_agent=request.headers.get("User-Agent", ""),
        page_url=public.http_url(around.get("page", "") or request.headers.get("Referer", "")),
        referrer=public.http_url(around.get("referrer", "")),
        anonymous_id=around.get("anonymous_id", "")[:255],
        render_id=_id_of(body.get("id")),
    )
    submissions.take(
        form=form, version=version, given=given, answers=answers, context=context, now=public.now_of(request)
    )
    said = {
        "status": "received",
        "message": layout.thanks or _("Thank you. We have received your answer."),
        "redirect": public.may_lead_to(form, layout.redirect_url) or None,
    }
    return public.cors(request, JsonResponse(said, status=201), form)


def _id_of(value: object) -> str:
    return f"json-{value}"[:64] if isinstance(value, str | int) and value != "" else ""


def _text(value: object) -> str:
    if value is None or value is False:
        return ""
    return "yes" if value is True else str(value)


def _problem(errors: Mapping[str, str]) -> dict[str, Any]:
    return {
        "type": "urn:smarketing:problem:invalid",
        "title": "Some of the input can't be used",
        "status": 422,
        "errors": [{"pointer": f"/fields/{n}", "code": "invalid", "detail": d} for n, d in errors.items()],
    }
