"""HubSpot's form API: ``POST /submissions/v3/integration/submit/{portalId}/{formGuid}``.

``formGuid`` is the guid of one of our forms; any portal id will do. Fields go by the form's own names,
else by HubSpot's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from leads.domain.form_layouts import Layout
from leads.models import Form, FormRoad
from leads.selectors import forms as reads
from leads.services import form_answers, form_leads, submissions
from leads.services.form_answers import CONSENT, Answers
from leads.services.submissions import Context
from leads.views import json_forms
from leads.views import public_answers as public
from leads.views.json_forms import Unreadable
from smarketing.core.errors import DomainError
from smarketing.web.pages import page

_MOST_FIELDS = 1000


@csrf_exempt
@page(public=True, methods=["POST", "OPTIONS"])
def submit(request: HttpRequest, portal: str, guid: str) -> HttpResponse:
    """``{"inlineMessage"}`` or ``{"redirectUri"}``; 400 with HubSpot's error types."""
    if request.method == "OPTIONS":
        return public.cors(request, HttpResponse(status=204), None)
    form = _form(guid)
    if form is None or not form.is_active:
        return public.cors(request, _refused("There is no such form.", [], status=404), None)
    try:
        public.admit(request, form)
        return public.cors(request, _take(request, form), form)
    except Unreadable as error:
        return public.cors(request, _refused(error.detail, []), form)
    except DomainError as error:
        answer = _refused(error.detail, [], status=error.status)
        if (wait := getattr(error, "retry_after", None)) is not None:
            answer["Retry-After"] = str(wait)
        return public.cors(request, answer, form)


def _take(request: HttpRequest, form: Form) -> HttpResponse:
    body = json_forms.body_of(request)
    rows = body.get("fields")
    if not isinstance(rows, list) or len(rows) > _MOST_FIELDS:
        raise Unreadable(_("“fields” must be a list of at most %(n)d.") % {"n": _MOST_FIELDS})
    given: dict[str, list[str]] = {}
    for row in rows:
        if not isinstance(row, Mapping) or not isinstance(row.get("name"), str):
            raise Unreadable(_("Each field needs a name and a value."))
        given.setdefault(row["name"], []).extend(json_forms.texts_of({"v": row.get("value")})["v"])
    version = reads.published(form)
    layout = form_leads.with_defaults(layout=reads.layout_of(version), road=FormRoad.HUBSPOT)
    given |= _consents(body.get("legalConsentOptions"), layout)
    given = public.bounded(given)
    answers = form_answers.check(layout=layout, given=given)
    if answers.errors:
        return _refused("The request is not valid", _errors(answers, layout))
    submissions.take(
        form=form,
        version=version,
        given=given,
        answers=answers,
        context=_context(request, body),
        now=public.now_of(request),
    )
    if target := public.may_lead_to(form, layout.redirect_url):
        return JsonResponse({"redirectUri": target})
    return JsonResponse({"inlineMessage": layout.thanks or _("Thank you. We have received your answer.")})


def _context(request: HttpRequest, body: Mapping[str, Any]) -> Context:
    around = {n: texts[0] for n, texts in json_forms.texts_of(body.get("context")).items() if texts}
    legal = body.get("legalConsentOptions")
    return Context(
        road=FormRoad.HUBSPOT,
        # The page's server may post for its visitor; what it says of the address is no proof, and not kept.
        ip=public.ip_of(request),
        user_agent=request.headers.get("User-Agent", ""),
        page_url=public.http_url(around.get("pageUri", "")),
        anonymous_id=around.get("hutk", "")[:255],
        extra={"legal": legal} if isinstance(legal, Mapping) else {},
    )


def _consents(legal: object, layout: Layout) -> dict[str, list[str]]:
    """Consents of the form that ``legalConsentOptions`` gives.

    ``consentToProcess`` is the purpose "processing"; a communication is the purpose its
    ``subscriptionTypeId`` names, or the one whose wording it repeats.
    """
    consent = legal.get("consent") if isinstance(legal, Mapping) else None
    if not isinstance(consent, Mapping):
        return {}
    asked = {ask.purpose: " ".join(ask.text.split()) for ask in layout.consents}
    said: dict[str, list[str]] = {}
    if consent.get("consentToProcess") is True and "processing" in asked:
        said[f"{CONSENT}processing"] = ["yes"]
    rows = consent.get("communications")
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, Mapping) and row.get("value") is True:
            words = " ".join(str(row.get("text", "")).split())
            named = str(row.get("subscriptionTypeId", ""))
            for purpose, text in asked.items():
                if purpose == named or (words and text == words):
                    said[CONSENT + purpose] = ["yes"]
    return said


def _errors(answers: Answers, layout: Layout) -> list[dict[str, str]]:
    email = {f.name for f in layout.fields if f.target == "person.email"}
    required = _("This field is required.")
    return [
        {
            "message": f"Error in 'fields.{name}'. {detail}",
            "errorType": "REQUIRED_FIELD"
            if detail == required
            else "INVALID_EMAIL"
            if name in email
            else "FIELD_INVALID",
        }
        for name, detail in answers.errors.items()
    ]


def _refused(message: str, errors: list[dict[str, str]], status: int = 400) -> JsonResponse:
    return JsonResponse({"status": "error", "message": message, "errors": errors}, status=status)


def _form(guid: str) -> Form | None:
    try:
        return reads.by_guid(UUID(guid))
    except ValueError:
        return None
