"""Reading what stands in an address."""

from __future__ import annotations

import pytest

from smarketing.web import query


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("7", 7),
        ("9" * 18, int("9" * 18)),
        ("9" * 19, None),
        ("", None),
        ("-1", None),
        ("٣", None),
        ("1.0", None),
    ],
)
def test_a_key_is_ascii_digits_that_a_column_can_hold(text: str, key: int | None) -> None:
    assert query.key(text) == key
