"""The arithmetic of retries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from smarketing.notifications.domain import webhooks

NOW = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)


def test_pauses_spread_by_a_fifth_and_end_after_ten_attempts() -> None:
    assert webhooks.next_pause(attempts=1, chance=0.0) == timedelta(seconds=4)
    assert webhooks.next_pause(attempts=1, chance=0.5) == timedelta(seconds=5)
    assert webhooks.next_pause(attempts=9, chance=0.5) == timedelta(hours=24)
    assert webhooks.next_pause(attempts=10, chance=0.5) is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("30", 30), ("0", 0), ("999999999999", 86_400), ("Wed, 04 Mar 2026 10:01:00 GMT", 60),
        ("Wed, 04 Mar 2020 10:01:00 GMT", 0), ("soon", None), ("-1", None),
        ("١", None), (None, None), ("", None),
    ],
)  # fmt: skip
def test_retry_after_reads_seconds_and_dates(header: str | None, seconds: int | None) -> None:
    wait = webhooks.retry_after(header, now=NOW)
    assert wait == (None if seconds is None else timedelta(seconds=seconds))
