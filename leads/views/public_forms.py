"""A form as the world sees it: our page, in a frame on somebody's site, or a plain post.

Public by design and without a cookie for CSRF: an answer carries no authority of whoever sends it. What
binds a post is the form's key, the sites it names, limits per network and the spam rules. Nothing that
is known about anybody is ever shown here; a progressive form only remembers, in the browser that
answered, which questions it has asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.staticfiles import finders
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt

from leads.domain.form_layouts import Layout
from leads.models import Form, FormRoad, FormVersion
from leads.selectors import form_tokens
from leads.selectors import forms as reads
from leads.services import form_answers, forms, submissions
from leads.services.form_answers import Answers
from leads.services.submissions import Context
from leads.views import form_fields, json_forms
from leads.views import public_answers as public
from smarketing.web.pages import page

_COOKIE_SECONDS = 90 * 86_400


@csrf_exempt
@page(public=True, methods=["GET", "POST", "OPTIONS"])
def form_page(request: HttpRequest, key: str) -> HttpResponseBase:
    """Show the form, or take an answer: from this page, from any site's HTML, or as JSON."""
    form, version = _open(key)
    if request.method == "OPTIONS":
        return public.cors(request, HttpResponse(status=204), form)
    if request.method == "POST":
        public.admit(request, form)
        if request.content_type == "application/json":
            return json_forms.answer(request, form, version)
        return _take(request, form, version)
    if request.method == "GET" and not form_fields.is_program(request.headers.get("User-Agent", "")):
        forms.count_view(form=form, now=public.now_of(request))
    return _show(request, form, version, given=public.bounded(dict(request.GET.lists())))


@page(public=True)
def thanks(request: HttpRequest, key: str) -> HttpResponse:
    """What people read after they have answered."""
    form, version = _open(key)
    layout = reads.layout_of(version)
    embedded = request.GET.get("embed") == "1"
    go = public.may_lead_to(form, layout.redirect_url) if embedded else ""
    context = {"form": form, "layout": layout, "embedded": embedded, "go": go}
    return public.framed(render(request, "public/form_thanks.html", context), form)


@page(public=True)
def embed_script(request: HttpRequest) -> HttpResponse:
    """The script that puts a form into a page of another site."""
    path = finders.find("web/public/embed.js")
    if not isinstance(path, str):
        raise Http404
    with open(path, encoding="utf-8") as file:
        response = HttpResponse(file.read(), content_type="text/javascript; charset=utf-8")
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    response["Cache-Control"] = "public, max-age=3600"
    return response


def _open(key: str) -> tuple[Form, FormVersion]:
    form = reads.by_key(key[:32])
    version = reads.published(form) if form is not None and form.is_active else None
    if form is None or version is None:
        raise Http404
    return form, version


def _take(request: HttpRequest, form: Form, version: FormVersion) -> HttpResponse:
    """A post of a browser: back to the form with what is wrong, else thank you."""
    given = public.bounded(dict(request.POST.lists()))
    layout = reads.layout_of(version)
    shown = form_tokens.read(public.first(given, "_t"), form, now=public.now_of(request))
    known = form_tokens.answered(request.COOKIES.get(_cookie(form), ""), form) if shown else ()
    answers = form_answers.check(layout=layout, given=public.answers_of(given), known=known)
    if answers.errors:
        return _show(request, form, version, given=given, answers=answers, known=known, status=422)
    embedded = request.GET.get("embed") == "1"
    road = FormRoad.HTML if shown is None else FormRoad.EMBEDDED if embedded else FormRoad.HOSTED
    context = Context(
        road=road,
        ip=public.ip_of(request),
        user_agent=request.headers.get("User-Agent", ""),
        page_url=_page_of(request, given),
        referrer=public.http_url(public.first(given, "_ref") or request.GET.get("ref", "")),
        anonymous_id=(public.first(given, "_aid") or request.GET.get("aid", ""))[:255],
        render_id=shown.render_id if shown else "",
        seconds=shown.seconds if shown else None,
        trap_filled=bool(public.first(given, "_trap")),
        known=known,
    )
    submissions.take(
        form=form,
        version=version,
        given=public.answers_of(given),
        answers=answers,
        context=context,
        now=public.now_of(request),
    )
    return _thank(request, form, layout, given, answers, known, embedded=embedded)


def _thank(
    request: HttpRequest,
    form: Form,
    layout: Layout,
    given: Mapping[str, list[str]],
    answers: Answers,
    known: tuple[str, ...],
    *,
    embedded: bool,
) -> HttpResponse:
    wanted = public.first(given, "retURL") or layout.redirect_url
    target = public.may_lead_to(form, wanted) if not embedded else ""
    query = "?embed=1" if embedded else ""
    response: HttpResponse = redirect(target or reverse("leads:form_thanks", args=[form.key]) + query)
    response.status_code = 303
    progressive = {f.target for f in layout.fields if f.progressive and f.target in answers.values}
    if progressive:
        response.set_cookie(
            _cookie(form),
            form_tokens.remember(form, progressive | set(known)),
            max_age=_COOKIE_SECONDS,
            path=reverse("leads:form", args=[form.key]),
            secure=request.is_secure(),
            httponly=True,
            samesite="None" if request.is_secure() else "Lax",
        )
    return public.framed(response, form)


def _show(
    request: HttpRequest,
    form: Form,
    version: FormVersion,
    *,
    given: Mapping[str, list[str]],
    answers: Answers | None = None,
    known: tuple[str, ...] | None = None,
    status: int = 200,
) -> HttpResponse:
    layout = reads.layout_of(version)
    if known is None:
        known = form_tokens.answered(request.COOKIES.get(_cookie(form), ""), form)
    errors = answers.errors if answers else {}
    context: dict[str, Any] = {
        "form": form,
        "layout": layout,
        "questions": form_fields.questions(layout, given, errors, known, reads.attributes()),
        "consents": form_fields.consents(layout, given, errors),
        "hidden": [(f.name, public.first(given, f.name) or f.default) for f in layout.fields if f.hidden],
        "errors": errors,
        "token": form_tokens.make(form, now=public.now_of(request)),
        "embedded": request.GET.get("embed") == "1",
        "action": request.get_full_path(),
    }
    return public.framed(render(request, "public/form.html", context, status=status), form)


def _page_of(request: HttpRequest, given: Mapping[str, list[str]]) -> str:
    """The page on which the form stands: as told, else where the post came from, else ours."""
    told = public.first(given, "_page") or request.GET.get("page", "")
    return (
        public.http_url(told)
        or public.http_url(request.headers.get("Referer", ""))
        or public.own_address(request.path)
    )


def _cookie(form: Form) -> str:
    return f"form-{form.key}"
