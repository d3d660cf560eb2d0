"""The cache that allauth uses, in the database.

It holds what must not be forgotten for some minutes: which one-time codes were used, how often an
address has tried. A lost Valkey therefore neither lets a code work twice nor keeps anybody out.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.db import connection, transaction

from smarketing.core import clock

_TAKE = """
INSERT INTO users_shortmemory AS e (key, value, expires_at) VALUES (%(key)s, %(value)s, %(expires)s)
ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at
{condition} RETURNING 1
"""
_SET = _TAKE.format(condition="")
_ADD = _TAKE.format(condition="WHERE e.expires_at <= %(now)s")


class TableCache(BaseCache):
    """A cache in the table ``users_shortmemory``: JSON values, atomic ``add``."""

    def __init__(self, _location: str, params: dict[str, Any]) -> None:
        super().__init__(params)

    def add(
        self, key: str, value: Any, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None
    ) -> bool:
        """Store unless it is there; one of two at once wins."""
        return self._store(_ADD, key, value, timeout, version)

    def set(
        self, key: str, value: Any, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None
    ) -> None:
        """Store, whatever is there."""
        self._store(_SET, key, value, timeout, version)

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        """The value, or ``default`` when there is none or it has expired."""
        rows = self._run(
            "SELECT value FROM users_shortmemory"
            " WHERE key = %(key)s AND (expires_at IS NULL OR expires_at > %(now)s)",
            key,
            version,
        )
        return json.loads(rows[0][0]) if rows else default

    def touch(self, key: str, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        """Give it a new term."""
        sql = "UPDATE users_shortmemory SET expires_at = %(expires)s WHERE key = %(key)s RETURNING 1"
        return bool(self._run(sql, key, version, expires=self._expires(timeout)))

    def delete(self, key: str, version: int | None = None) -> bool:
        """Forget it; whether it was there."""
        return bool(self._run("DELETE FROM users_shortmemory WHERE key = %(key)s RETURNING 1", key, version))

    def clear(self) -> None:
        """Forget everything."""
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM users_shortmemory")

    def _store(self, sql: str, key: str, value: Any, timeout: float | None, version: int | None) -> bool:
        with transaction.atomic():
            rows = self._run(sql, key, version, value=json.dumps(value), expires=self._expires(timeout))
        return bool(rows)

    def _run(self, sql: str, key: str, version: int | None, **values: Any) -> list[tuple[Any, ...]]:
        made = self.make_key(key, version)
        if len(made) > 250:
            made = hashlib.sha256(made.encode()).hexdigest()
        with connection.cursor() as cursor:
            cursor.execute(sql, {"key": made, "now": clock.now(), **values})
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows

    def _expires(self, timeout: float | None) -> datetime | None:
        seconds = self.default_timeout if timeout is DEFAULT_TIMEOUT else timeout
        return None if seconds is None else clock.now() + timedelta(seconds=float(seconds))


def forget_expired(*, now: datetime, limit: int) -> int:
    """Delete entries whose term is over; a loop."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM users_shortmemory WHERE key IN"
            " (SELECT key FROM users_shortmemory WHERE expires_at <= %s ORDER BY expires_at LIMIT %s)",
            [now, limit],
        )
        return int(cursor.rowcount)
