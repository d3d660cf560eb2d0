"""So many requests a minute, told by headers; a lost cache stops nobody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import caches
from rest_framework.test import APIClient
from time_machine import travel

from smarketing.core.cache import FailOpenCache
from tests.rest import assert_problem

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.web.rest.conftest")]


def test_the_limit_is_told_and_kept(admin: APIClient, settings: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = 3
    FailOpenCache.resting_until = 0.0
    caches["counters"].clear()
    with travel(datetime.now(tz=UTC) + timedelta(days=1), tick=False):
        answers = [admin.get("/api/v1/people") for _ in range(4)]
    assert [a.status_code for a in answers] == [200, 200, 200, 429]
    assert [a["RateLimit"].split(";")[1] for a in answers] == ["r=2", "r=1", "r=0", "r=0"]
    assert answers[0]["RateLimit-Policy"] == '"default";q=3;w=60'
    assert_problem(answers[3], 429, "too_many_requests")
    assert 1 <= int(answers[3]["Retry-After"]) <= 60


def test_without_the_cache_nobody_is_stopped(admin: APIClient, settings: Any, monkeypatch: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = 1
    monkeypatch.setattr(FailOpenCache, "resting_until", float("inf"))
    answers = [admin.get("/api/v1/people") for _ in range(3)]
    assert [(a.status_code, "RateLimit" in a) for a in answers] == [(200, False)] * 3
