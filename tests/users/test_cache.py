"""The cache of sign-in keeps its word."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import caches
from time_machine import travel

from smarketing.users import cache
from smarketing.users.models import ShortMemory

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
    assert ShortMemory.objects.count() == 0
