"""Times and addresses as browsers and servers send them."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime
from functools import lru_cache

_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_SECONDS, _MILLISECONDS = 10**11, 10**14  # larger numbers are the next finer unit


def read_time(value: object) -> datetime | None:
    """The instant, or ``None`` when it can't be read: ISO 8601 (without a zone: UTC) or a count since 1970.

    A count is in seconds, milliseconds or microseconds, by its size. Times before 1990 are wrong clocks.
    """
    found: datetime | None = None
    try:
        if isinstance(value, str):
            text = value.strip()
            found = datetime.fromisoformat(text) if text and text.isascii() else None
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found = _of_count(float(value))
        if found is not None:
            found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return found if found is not None and found >= _EARLIEST else None


def _of_count(count: float) -> datetime:
    seconds = count if count < _SECONDS else count / 1e3 if count < _MILLISECONDS else count / 1e6
    return datetime.fromtimestamp(seconds, tz=UTC)


@lru_cache(maxsize=16_384)
def network_of(address: str) -> str:
    """The network of an address: /24 of IPv4, /48 of IPv6; "" when it is none. The rest is not kept."""
    text = address.strip().strip("[]").partition("%")[0]
    try:
        parsed = ipaddress.ip_address(text)
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    bits = 24 if parsed.version == 4 else 48
    return str(ipaddress.ip_network(f"{parsed}/{bits}", strict=False))
