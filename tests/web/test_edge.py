"""What every request meets first, and what probes see."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from smarketing.core import clock
from smarketing.core.models import Heartbeat
from smarketing.notifications.models import Outbox
from smarketing.web.edge import ClientAddress

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("trusted", "neighbour", "header", "client"),
    [
        ([], "198.51.100.7", "1.2.3.4", "198.51.100.7"),
        (["10.0.0.0/8"], "198.51.100.7", "1.2.3.4", "198.51.100.7"),
        (["10.0.0.0/8"], "10.0.0.1", "1.2.3.4", "1.2.3.4"),
        (["10.0.0.0/8"], "10.0.0.1", "6.6.6.6, 1.2.3.4, 10.0.0.2", "1.2.3.4"),
        (["10.0.0.0/8"], "10.0.0.1", "", "10.0.0.1"),
        (["10.0.0.0/8"], "10.0.0.1", "<script>, 10.0.0.9", "10.0.0.9"),
        (["10.0.0.0/8"], "::ffff:10.0.0.1", "2001:db8::1", "2001:db8::1"),
    ],
)
def test_the_clients_address_is_believed_from_trusted_proxies_only(
    settings: Any, trusted: list[str], neighbour: str, header: str, client: str
) -> None:
    settings.TRUSTED_PROXIES = trusted
    request = RequestFactory().get("/", REMOTE_ADDR=neighbour, HTTP_X_FORWARDED_FOR=header)
    ClientAddress(lambda _request: HttpResponse())(request)
    assert request.META["REMOTE_ADDR"] == client


def test_forwarded_headers_of_strangers_are_dropped(settings: Any) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    seen: list[HttpRequest] = []
    request = RequestFactory().get(
        "/", REMOTE_ADDR="198.51.100.7", HTTP_X_FORWARDED_PROTO="https", HTTP_X_FORWARDED_HOST="evil.example"
    )
    ClientAddress(lambda r: seen.append(r) or HttpResponse())(request)  # type: ignore[func-returns-value]
    assert not [name for name in seen[0].META if name.startswith("HTTP_X_FORWARDED")]


def test_lying_lengths_and_huge_bodies_are_refused(client: Client, settings: Any) -> None:
    settings.MAX_BODY_BYTES = 1000
    assert client.post("/api/v1/users", b"x" * 1001, content_type="application/json").status_code == 413
    for length in ("-1", "1e3", "x", "9" * 30):
        assert client.post(
            "/api/v1/users", b"x", content_type="text/plain", CONTENT_LENGTH=length
        ).status_code in (
            400,
            413,
        )


def test_every_answer_has_the_security_headers_and_an_id(client: Client) -> None:
    for path in ("/api/v1/me", "/accounts/login/", "/nonsense"):
        response = client.get(path)
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["X-Request-ID"]
        assert "camera=()" in response["Permissions-Policy"]
    page = client.get("/accounts/login/")
    assert page["X-Frame-Options"] == "DENY"
    assert page["Referrer-Policy"] == "same-origin"
    assert "unsafe" not in page["Content-Security-Policy"]


def test_a_well_formed_request_id_is_kept_and_another_replaced(client: Client) -> None:
    assert client.get("/livez", headers={"X-Request-ID": "abc-12345678"})["X-Request-ID"] == "abc-12345678"
    for sent in ("x", "a b c d e f g h", "evil\x0aline-12345", "y" * 65):
        assert client.get("/livez", headers={"X-Request-ID": sent})["X-Request-ID"] != sent


def test_probes_answer_whatever_the_host_is_called(client: Client) -> None:
    for path in ("/livez", "/readyz", "/healthz", "/metrics"):
        assert client.get(path, headers={"Host": "10.1.2.3:8000"}).status_code == 200


def test_ready_means_that_the_database_answers(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.get("/readyz").json()["status"] == "ok"

    def broken() -> None:
        raise DatabaseError

    monkeypatch.setattr(connection, "cursor", broken)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["problems"]) == (503, ["the database does not answer"])
    assert client.get("/livez").status_code == 200


def test_the_deep_health_tells_what_is_late(client: Client) -> None:
    assert client.get("/healthz").json()["status"] == "ok"
    Outbox.objects.create(topic="t", dedupe_key="k", created_at=clock.now() - timedelta(minutes=3))
    Heartbeat.objects.create(name="canary", beat_at=clock.now() - timedelta(minutes=4))
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert set(answer.json()["late"]) == {"loop_lag_outbox_seconds", "canary"}


def test_metrics_count_requests_by_view_and_show_the_work(client: Client) -> None:
    client.get("/api/v1/me")
    Outbox.objects.create(topic="t", dedupe_key="k", created_at=clock.now() - timedelta(minutes=3))
    text = client.get("/metrics").content.decode()
    assert 'http_requests_total{method="GET",status="401",view="me"}' in text
    assert "smarketing_database_up 1.0" in text
    (lag,) = [line for line in text.splitlines() if line.startswith("smarketing_loop_lag_outbox_seconds")]
    assert 175 < float(lag.split()[1]) < 200


def test_strangers_see_neither_metrics_nor_the_deep_health(client: Client, settings: Any) -> None:
    outside = {"REMOTE_ADDR": "198.51.100.7"}
    assert client.get("/metrics", **outside).status_code == 403
    assert json.loads(client.get("/healthz", **outside).content) == {"status": "ok"}
    settings.METRICS_TOKEN = "t0ken"
    assert client.get("/metrics").status_code == 403
    assert client.get("/metrics", headers={"Authorization": "Bearer t0ken"}, **outside).status_code == 200


def test_the_deep_health_is_for_the_loopback_and_for_the_token(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = "t0ken"
    outside: dict[str, Any] = {"REMOTE_ADDR": "198.51.100.7"}
    deep = client.get("/healthz")
    assert (deep.status_code, deep["Content-Type"], "readings" in deep.json()) == (
        200,
        "application/json",
        True,
    )
    assert client.get("/healthz", **outside).json() == {"status": "ok"}
    wrong = client.get("/healthz", headers={"Authorization": "Bearer guess"}, **outside)
    assert wrong.json() == {"status": "ok"}
    right = client.get("/healthz", headers={"Authorization": "Bearer t0ken"}, **outside)
    assert "readings" in right.json()
