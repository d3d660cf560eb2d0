"""The table cache keeps its word; the counters' cache fails open."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import caches
from time_machine import travel

from smarketing.core import cache
from smarketing.core.models import CacheEntry

NOW = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)


@pytest.mark.django_db
def test_an_entry_lives_its_term_and_add_takes_it_once() -> None:
    kept = caches["default"]
    with travel(NOW, tick=False) as time:
        assert kept.add("code", "y", timeout=30)
        assert not kept.add("code", "z", timeout=30)
        assert kept.get("code") == "y"
        time.shift(31)
        assert kept.get("code") is None
        assert kept.add("code", "z", timeout=None)
        assert (kept.get("code"), kept.delete("code"), kept.get("code", 7)) == ("z", True, 7)
        kept.set("x" * 400, [1, 2], timeout=1)
        assert kept.get("x" * 400) == [1, 2]
    assert cache.forget_expired(now=NOW + timedelta(days=1), limit=10) == 1
    assert CacheEntry.objects.count() == 0


def test_counters_fail_open_and_rest_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    away = cache.FailOpenCache("unix:///nowhere.sock?db=1", {"OPTIONS": {"socket_connect_timeout": 0.1}})
    monkeypatch.setattr(cache.FailOpenCache, "resting_until", 0.0)
    assert (away.get("a"), away.get("a", 5), away.add("a", 1)) == (None, 5, False)
    with pytest.raises(ValueError, match="away"):
        away.incr("a")

    def dial(*_arguments: Any, **_options: Any) -> None:
        pytest.fail("the cache was asked while it rests")

    monkeypatch.setattr(type(away._cache), "get_client", dial)
    assert away.get("a") is None
