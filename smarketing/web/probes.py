"""Health for machines: ``/livez``, ``/readyz``, ``/healthz``, ``/metrics``.

They are answered before sessions, host names and redirects come into play, since a probe calls by
address. Liveness asks nothing; readiness asks the database. The deep health is for the loopback and
whoever has the token (``METRICS_TOKEN``), others read one word; so are the metrics, but where there is
a token they ask it of everybody.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from datetime import timedelta
from ipaddress import ip_address

from django.conf import settings
from django.core.cache import caches
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from prometheus_client import CONTENT_TYPE_LATEST

from smarketing.core import clock, heartbeats, readings
from smarketing.web import metrics

_LATE_SECONDS = 120.0
_migrated: list[bool] = []


class Probes:
    """Answers the addresses of this module and hands all others on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        answer = _ANSWERS.get(request.path)
        if answer is None or request.method not in ("GET", "HEAD"):
            return self.get_response(request)
        response = answer(request)
        response["Cache-Control"] = "no-store"
        return response


def live(request: HttpRequest) -> HttpResponse:
    """The process answers; nothing else is asked."""
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> HttpResponse:
    """Whether requests may be sent here: the database answers and is migrated. The broker may be away."""
    problems: list[str] = []
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        if not _is_migrated():
            problems.append("migrations are missing")
    except DatabaseError:
        problems.append("the database does not answer")
    body = {
        "status": "unready" if problems else "ok",
        "problems": problems,
        "broker": "ok" if _broker_answers() else "away",
    }
    return JsonResponse(body, status=503 if problems else 200)


def healthy(request: HttpRequest) -> HttpResponse:
    """The state of the work: lags of the loops, the canary, the clock. 503 when something is late."""
    if not (_is_loopback(request) or _has_token(request)):
        return live(request)
    try:
        values = {
            reading.name: dict(rows) if reading.label else rows[0][1]
            for reading, rows in readings.read_all()
            if rows
        }
        canary = heartbeats.age(name=heartbeats.CANARY, now=clock.now())
        held_at = heartbeats.clock_held_since()
    except DatabaseError:
        return JsonResponse({"status": "unready", "problems": ["the database does not answer"]}, status=503)
    late = [
        name
        for name, value in values.items()
        if name.startswith("loop_lag_") and isinstance(value, float) and value > _LATE_SECONDS
    ]
    if canary is not None and canary > heartbeats.CANARY_LATE:
        late.append("canary")
    if held_at is not None:
        late.append("clock")  # suspected to have jumped; ``manage.py clocks`` says more
    body = {
        "status": "late" if late else "ok",
        "late": late,
        "canary_seconds": _seconds(canary),
        "clock_held_since": held_at.isoformat() if held_at else None,
        "broker": "ok" if _broker_answers() else "away",
        "readings": values,
    }
    return JsonResponse(body, status=503 if late else 200)


def tell_metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus' text, for the loopback and the token."""
    if not (_has_token(request) if settings.METRICS_TOKEN else _is_loopback(request)):
        return HttpResponse("Send the token of METRICS_TOKEN.\n", status=403, content_type="text/plain")
    return HttpResponse(metrics.exposition(), content_type=CONTENT_TYPE_LATEST)


_ANSWERS = {"/livez": live, "/readyz": ready, "/healthz": healthy, "/metrics": tell_metrics}


def _has_token(request: HttpRequest) -> bool:
    token: str = settings.METRICS_TOKEN
    sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return bool(token) and hmac.compare_digest(sent.encode(), token.encode())


def _is_loopback(request: HttpRequest) -> bool:
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def _is_migrated() -> bool:
    """Asked of the database until it is true once; a process never sees migrations go."""
    if not _migrated:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return False
        _migrated.append(True)
    return True


def _broker_answers() -> bool:
    cache = caches["counters"]
    cache.set("probe", 1, timeout=60)
    return bool(cache.get("probe") == 1)


def _seconds(age: timedelta | None) -> float | None:
    return None if age is None else round(age.total_seconds(), 1)
