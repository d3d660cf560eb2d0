"""The cache of counters fails open."""

from __future__ import annotations

from typing import Any

import pytest

from smarketing.core import cache


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
