"""The cache of counters, in Valkey: it may vanish at any moment and must never hold up a request.

Every failure is answered as a miss. After one failure the cache is left alone for five seconds, so
that a frozen server costs one request half a second and not each (reliability, finding 5).
"""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable
from typing import Any

import structlog
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)
REST_SECONDS = 5.0


class JSONSerializer:
    """Values as JSON: nothing read from the cache can run code."""

    def dumps(self, value: Any) -> int | bytes:
        """Integers stay plain, so that ``incr`` is atomic."""
        return value if type(value) is int else json.dumps(value).encode()

    def loads(self, data: bytes) -> Any:
        return json.loads(data)


class KeptClient(RedisCacheClient):
    """Django's client, which makes a new one of the library's for every command, with one that is kept."""

    _kept: Any = None

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        """The one client; it takes a connection of its pool for each command."""
        if self._kept is None:
            self._kept = super().get_client(key, write=True)
        return self._kept

    def count(self, key: str, seconds: int) -> int:
        """One more under ``key``, which is forgotten so long after the last: one round trip."""
        with self.get_client(key, write=True).pipeline(transaction=False) as commands:
            commands.incr(key)
            commands.expire(key, seconds)
            return int(commands.execute()[0])


class _Counting(RedisCache):
    """Django's cache with the one command of ours."""

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = KeptClient

    def count(self, key: str, seconds: int) -> int | None:
        """How often ``key`` was counted, this time included; ``None`` when the cache can't say."""
        client: Any = self._cache
        return int(client.count(self.make_and_validate_key(key), seconds))


def _forgiving(name: str, missing: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    original = getattr(_Counting, name)

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


class FailOpenCache(_Counting):
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
    count = _forgiving("count", _none)
    clear = _forgiving("clear", _no)
