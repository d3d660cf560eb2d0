"""Salesforce's Web-to-Lead: a site changes the host in the action of its form and nothing else.

``oid`` is the key of one of our forms. Nobody is ever told that something was wrong (the form on the
site can't show it), so an answer with faults waits in quarantine.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt

from leads.models import Form, FormRoad
from leads.selectors import forms as reads
from leads.services import form_answers, form_leads, submissions
from leads.services.submissions import Context
from leads.views import public_answers as public
from smarketing.web.pages import page


@csrf_exempt
@page(public=True, methods=["POST"])
def capture(request: HttpRequest) -> HttpResponse:
    """Take the lead, then go to ``retURL`` if the form may lead there."""
    given = public.bounded(dict(_read(request).lists()))
    oid = public.first(given, "oid") or request.GET.get("oid", "")
    form = reads.by_key(oid[:32])
    if form is None or not form.is_active:
        return HttpResponse(
            "Unknown oid: use the key of a form that takes answers.\n", status=400, content_type="text/plain"
        )
    public.admit(request, form)
    version = reads.published(form)
    layout = form_leads.with_defaults(layout=reads.layout_of(version), road=FormRoad.WEB_TO_LEAD)
    answers = form_answers.check(layout=layout, given=given)
    context = Context(
        road=FormRoad.WEB_TO_LEAD,
        ip=public.ip_of(request),
        user_agent=request.headers.get("User-Agent", ""),
        page_url=public.http_url(request.headers.get("Referer", "")),
    )
    received = submissions.take(
        form=form,
        version=version,
        given=public.answers_of(given),
        answers=answers,
        context=context,
        now=public.now_of(request),
    )
    if public.first(given, "debug") == "1":
        return _tell(received.submission.state, answers.errors)
    return _go(request, form, public.first(given, "retURL"))


def _read(request: HttpRequest) -> QueryDict:
    """The body read as ``encoding`` in the address says; unknown or missing: UTF-8."""
    encoding = request.GET.get("encoding", "")[:40]
    if encoding.lower() in ("", "utf-8", "utf8") or not _is_text_encoding(encoding):
        return request.POST
    return QueryDict(request.body, encoding=encoding)


def _is_text_encoding(name: str) -> bool:
    try:
        b"".decode(name)
    except (LookupError, ValueError):
        return False
    return True


def _tell(state: str, errors: dict[str, str]) -> HttpResponse:
    """What ``debug=1`` asks for; the answer itself is not repeated."""
    lines = [f"state: {state}", *(f"{name}: {detail}" for name, detail in errors.items())]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


def _go(request: HttpRequest, form: Form, wanted: str) -> HttpResponse:
    target = public.may_lead_to(form, wanted)
    if target:
        return redirect(target)
    context = {"form": form, "layout": reads.layout_of(reads.published(form)), "embedded": False, "go": ""}
    return render(request, "public/form_thanks.html", context)
