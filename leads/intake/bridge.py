"""The intake inside Django's stack: for the test client and ``runserver``, which do not come by the WSGI
entry.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from leads.intake.answers import CORS
from leads.intake.application import Intake, is_ours
from leads.intake.stores import Direct


class TrackingIntake:
    """Middleware that answers the addresses of the intake; each request has a commit of its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.intake = Intake(Direct())

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not is_ours(request.path_info):
            return self.get_response(request)
        method = request.method or "GET"
        answer = self.intake.answer(request.META, method)
        response = HttpResponse(b"" if method == "HEAD" else answer.body, status=answer.status)
        del response.headers["Content-Type"]
        for name, value in (*answer.headers, *CORS):
            response.headers[name] = value
        return response
