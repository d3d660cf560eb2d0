"""Two caches: counters that may vanish, and what sign-in must not forget.

``FailOpenCache`` (alias ``counters``) lives in Valkey and must never hold up a request: every failure
is answered as a miss, and after one failure it is left alone for five seconds, so that a frozen
server costs one request half a second and not each. ``TableCache`` (alias ``default``, used by
allauth) lives in the database: a lost Valkey neither lets a one-time code work twice nor keeps
anybody out.
"""

from __future__ import annotations

import functools
import hashlib
import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.redis import RedisCache
from django.db import connection, transaction
from redis.exceptions import RedisError

from smarketing.core import clock

log = structlog.get_logger(__name__)
REST_SECONDS = 5.0


class JSONSerializer:
    """Values as JSON: nothing read from the cache can run code."""

    def dumps(self, value: Any) -> int | bytes:
        """Integers stay plain, so that ``incr`` is atomic."""
        return value if type(value) is int else json.dumps(value).encode()

    def loads(self, data: bytes) -> Any:
        return json.loads(data)


def _forgiving(name: str, missing: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    original = getattr(RedisCache, name)

    @functools.wraps(original)
    def method(self: FailOpenCache, *args: Any, **kwargs: Any) -> Any:
        if time.monotonic() < self.resting_until:
            return missing(args, kwargs)
        try:
            return original(self, *args, **kwargs)
        except (RedisError, OSError) as error:
            type(self).resting_until = time.monotonic() + REST_SECONDS
            log.warning("cache_away", error=type(error).__name__, operation=name)
            return missing(args, kwargs)

    return method


def _default(args: Any, kwargs: Any) -> Any:
    return kwargs.get("default", args[1] if len(args) > 1 else None)


def _no(args: Any, kwargs: Any) -> Any:
    return False


def _none(args: Any, kwargs: Any) -> Any:
    return None


def _uncounted(args: Any, kwargs: Any) -> Any:
    raise ValueError("the cache is away")


class FailOpenCache(RedisCache):
    """Django's Redis cache whose failures read as misses."""

    resting_until: float = 0.0

    get = _forgiving("get", _default)
    get_many = _forgiving("get_many", lambda args, kwargs: {})
    add = _forgiving("add", _no)
    set = _forgiving("set", _none)
    set_many = _forgiving("set_many", lambda args, kwargs: [])
    touch = _forgiving("touch", _no)
    delete = _forgiving("delete", _no)
    delete_many = _forgiving("delete_many", _none)
    has_key = _forgiving("has_key", _no)
    incr = _forgiving("incr", _uncounted)
    clear = _forgiving("clear", _no)


_TAKE = """
INSERT INTO core_cacheentry AS e (key, value, expires_at) VALUES (%(key)s, %(value)s, %(expires)s)
ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at
{condition} RETURNING 1
"""
_SET = _TAKE.format(condition="")
_ADD = _TAKE.format(condition="WHERE e.expires_at <= %(now)s")


class TableCache(BaseCache):
    """A cache in the table ``core_cacheentry``: JSON values, atomic ``add``."""

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
            "SELECT value FROM core_cacheentry"
            " WHERE key = %(key)s AND (expires_at IS NULL OR expires_at > %(now)s)",
            key,
            version,
        )
        return json.loads(rows[0][0]) if rows else default

    def touch(self, key: str, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        """Give it a new term."""
        sql = "UPDATE core_cacheentry SET expires_at = %(expires)s WHERE key = %(key)s RETURNING 1"
        return bool(self._run(sql, key, version, expires=self._expires(timeout)))

    def delete(self, key: str, version: int | None = None) -> bool:
        """Forget it; whether it was there."""
        return bool(self._run("DELETE FROM core_cacheentry WHERE key = %(key)s RETURNING 1", key, version))

    def clear(self) -> None:
        """Forget everything."""
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM core_cacheentry")

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
            "DELETE FROM core_cacheentry WHERE key IN"
            " (SELECT key FROM core_cacheentry WHERE expires_at <= %s ORDER BY expires_at LIMIT %s)",
            [now, limit],
        )
        return int(cursor.rowcount)
