"""Storing a record of a source system at most once, whoever sends it how often."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from smarketing.core.errors import Conflict
from smarketing.core.prepared import Insert

M = TypeVar("M", bound=Any)


class IdOfAnother(Conflict):
    """The source's id was used for a record of another person."""

    code = "id_of_another"


def insert(*, record: M) -> tuple[M, bool]:
    """Insert ``record`` unless its ``(source, external_id)`` is stored; say whether it is new.

    Needs a transaction. Raises :class:`IdOfAnother` when the stored one is another person's.
    """
    if record.external_id is None:
        record.save(force_insert=True)
        return record, True
    if (known := _stored(record)) is not None:
        return known, False
    try:
        with transaction.atomic():
            record.save(force_insert=True)
    except IntegrityError:
        # Another caller stored the same id between our look and our insert.
        if (known := _stored(record)) is not None:
            return known, False
        raise
    return record, True


def put(*, insert: Insert[M], record: M) -> tuple[M, bool]:
    """As :func:`insert`, by one prepared statement; ``insert`` leaves what is there as it is.

    It waits for another caller who is storing the same id, and tells their row.
    """
    if insert.add(record):
        return record, True
    known = _stored(record)
    if known is None:
        raise IntegrityError("the row collides with one that has another id")
    return known, False


def _stored(record: M) -> M | None:
    manager = type(record)._default_manager
    found: M | None = manager.filter(source=record.source_id, external_id=record.external_id).first()
    if found is not None and found.person_id != record.person_id:
        raise IdOfAnother(_("This id was used for a record of another person."))
    return found
