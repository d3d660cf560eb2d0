"""Locks in one order: rows by primary key, advisory locks by (namespace, id)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from functools import cache
from typing import TypeVar

from django.db import connection, models, transaction

from smarketing.core import keysets
from smarketing.core.prepared import Statement

M = TypeVar("M", bound=models.Model)


_ADVISORY = Statement("lock_advisory", "SELECT pg_advisory_xact_lock(%(namespace)s::int, %(key)s::int)")


class Namespace(IntEnum):
    """First half of an advisory lock's key: what kind of thing is locked."""

    RING = 1
    LEAD = 2
    BEAT = 3
    DEFINITION = 4
    IMPORT = 5
    AGREEMENT = 6
    HEARTBEAT = 7
    IDEMPOTENCY = 8
    OUTBOX = 9
    COMPANY = 10
    ATTRIBUTE = 11
    TOMBSTONE = 12
    IDENTITY = 13
    REPLAY = 14
    ROLLUPS = 15
    APPEAL = 16
    STAGES = 17


def rows(queryset: models.QuerySet[M], ids: Iterable[int]) -> list[M]:
    """Lock the rows with these primary keys, in key order, and return those that ``queryset`` holds.

    Two statements, for a row whose foreign key changed while we waited would fall out of a joined one.
    The lock leaves others free to insert rows that refer to these.
    """
    keys = hold(queryset.model, ids)
    return list(queryset.filter(pk__in=keysets.among(keys)).order_by("pk"))


def hold(model: type[models.Model], ids: Iterable[int]) -> list[int]:
    """Lock the rows with these primary keys as :func:`rows` does, for whoever reads them by other means.

    Returns the keys that were asked for, in their order.
    """
    _need_transaction()
    keys = sorted(set(ids))
    _locking(model).rows(ids=keys)
    return keys


@cache
def _locking(model: type[models.Model]) -> Statement:
    """``FOR NO KEY UPDATE`` of one table's rows in key order; every service comes by here."""
    table, key = model._meta.db_table, model._meta.pk.column
    return Statement(
        f"lock_{table}"[:50],
        f'SELECT "{key}" FROM "{table}" WHERE "{key}" = ANY(%(ids)s::bigint[])'  # noqa: S608 - names of ours
        f' ORDER BY "{key}" FOR NO KEY UPDATE',
        by="ids",
    )


def advisory(namespace: Namespace, key: int) -> None:
    """Wait for the transaction's advisory lock on ``(namespace, key)``."""
    _need_transaction()
    _ADVISORY.rows(namespace=int(namespace), key=_int4(key))


def try_advisory(namespace: Namespace, key: int) -> bool:
    """Take the transaction's advisory lock if nobody holds it; say whether it was taken."""
    _need_transaction()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [int(namespace), _int4(key)])
        row = cursor.fetchone()
    return bool(row and row[0])


def _int4(key: int) -> int:
    return (key + 2**31) % 2**32 - 2**31


def _need_transaction() -> None:
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("a lock needs a transaction")


@contextmanager
def session(namespace: Namespace, key: int) -> Iterator[bool]:
    """Try for a lock that lasts longer than a transaction: whether we have it.

    It is this connection's, so it ends at the latest with the connection, however the process ends.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [int(namespace), _int4(key)])
        row = cursor.fetchone()
    ours = bool(row and row[0])
    try:
        yield ours
    finally:
        if ours and connection.connection is not None and not connection.connection.closed:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [int(namespace), _int4(key)])


def is_held(namespace: Namespace, key: int) -> bool:
    """Whether any connection holds the advisory lock on ``(namespace, key)`` at this moment."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            " AND classid = %s AND objid = %s AND objsubid = 2)",
            [int(namespace), key],
        )
        row = cursor.fetchone()
    return bool(row and row[0])
