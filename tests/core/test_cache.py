"""The cache of counters fails open."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import caches

from smarketing.core import cache


def test_counters_fail_open_and_rest_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    away = cache.FailOpenCache("unix:///nowhere.sock?db=1", {"OPTIONS": {"socket_connect_timeout": 0.1}})
    monkeypatch.setattr(cache.FailOpenCache, "resting_until", 0.0)
    assert (away.get("a"), away.get("a", 5), away.add("a", 1)) == (None, 5, False)
    assert away.count("a", 60) is None
    with pytest.raises(ValueError, match="away"):
        away.incr("a")

    def dial(*_arguments: Any, **_options: Any) -> None:
        pytest.fail("the cache was asked while it rests")

    monkeypatch.setattr(type(away._cache), "get_client", dial)
    assert away.get("a") is None


def test_a_count_is_kept_for_its_time_and_told_by_one_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache.FailOpenCache, "resting_until", 0.0)
    counters: Any = caches["counters"]
    counters.delete("test-count")
    assert [counters.count("test-count", 60) for _ in range(3)] == [1, 2, 3]
    assert counters.get("test-count") == 3
    client = counters._cache.get_client()
    assert client is counters._cache.get_client("another", write=True)
    assert 0 < client.ttl(counters.make_key("test-count")) <= 60
