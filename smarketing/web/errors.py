"""How a refusal looks in a browser."""

from __future__ import annotations

import sys

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from smarketing.web import problems, rendering
from smarketing.web.problems import Problem

API_PREFIX = "/api/"


def show(request: HttpRequest, problem: Problem) -> HttpResponse:
    """A toast beside the unchanged page for htmx, else a page that says what to do."""
    response: HttpResponse
    if getattr(request, "htmx", False):
        text = " ".join([problem.detail or problem.title, *(e.detail for e in problem.errors)])
        response = rendering.toast_only(request, rendering.Toast(text, tone="bad"), status=problem.status)
    elif hasattr(request, "user"):
        response = render(request, "errors/problem.html", {"problem": problem}, status=problem.status)
    else:
        response = plain(problem)
    if problem.retry_after is not None:
        response["Retry-After"] = str(problem.retry_after)
    return response


def plain(problem: Problem) -> HttpResponse:
    """A page that needs neither session nor database."""
    html = render_to_string("errors/plain.html", {"problem": problem})
    return HttpResponse(html, status=problem.status)


def of_status(status: int) -> Problem:
    """The problem shown for a bare HTTP status of Django's own."""
    known = {
        400: ("bad_request", _("The request can't be read"), _("Check the address and what was sent.")),
        403: ("denied", _("Your role does not allow this"), _("Ask an admin if you need it.")),
        404: ("not_found", _("Not found"), _("There is no such page or record, or you may not see it.")),
    }
    fault = ("fault", _("Something broke on our side"), _("It was written to the log. Try again."))
    code, title, detail = known.get(status, fault)
    return Problem(status, code, title, detail)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's 400."""
    return plain(of_status(400))


def denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's 403."""
    return show(request, of_status(403))


def missing(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's 404."""
    return show(request, of_status(404))


def fault(request: HttpRequest) -> HttpResponse:
    """Django's 500: nothing may fail here, so nothing is looked up.

    What failed outside a view (the session's query, the begin of a transaction) comes here, too: a
    database that is away is no fault of ours but a 503 that says when to try again.
    """
    error = sys.exc_info()[1]
    problem = (problems.of(error) if error is not None else None) or of_status(500)
    if not request.path.startswith(API_PREFIX):
        response = plain(problem)
    else:
        body = problem.body(instance=request.path)
        response = JsonResponse(body, status=problem.status, content_type="application/problem+json")
    if problem.retry_after is not None:
        response["Retry-After"] = str(problem.retry_after)
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that was open too long, or was sent from elsewhere."""
    title = _("This form has expired")
    detail = _("Go back, reload the page and send it again. Nothing was changed.")
    return show(request, Problem(403, "csrf", title, detail))
