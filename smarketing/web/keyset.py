"""Keyset paging: a page is asked for by the last row seen, never by an offset.

The cost of a page does not grow with its depth, and rows that arrive meanwhile neither repeat nor
hide others. A cursor is opaque text; a client passes it back unchanged. Lists, the API and exports
all page by this one function.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import F, Field, ForeignKey, Model, Q, QuerySet
from django.db.models.expressions import Col, OrderBy
from django.db.models.sql.constants import LOUTER

from smarketing.core.errors import DomainError

M = TypeVar("M", bound=Model)
MAX_LIMIT = 500
_MAX_CURSOR = 4096


class BadCursor(DomainError):
    """The cursor was not made by this list, or not with this order."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad_cursor"
    title: ClassVar[str] = "The page can't be found"


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """Rows in the order asked for, and the cursors of the neighbouring pages."""

    rows: list[M]
    next: str | None
    previous: str | None


@dataclass(frozen=True, slots=True)
class _Key:
    """One column of the order. ``attribute`` is where a fetched row carries its value."""

    path: str
    attribute: str
    descending: bool
    nullable: bool
    field: Field[Any, Any]

    def order(self, *, reverse: bool) -> OrderBy:
        """NULL stands last in the forward direction, whichever that is."""
        descending = self.descending is not reverse
        nulls_first = reverse if self.nullable else None
        nulls_last = not reverse if self.nullable else None
        return OrderBy(
            F(self.path),
            descending=descending,
            nulls_first=nulls_first or None,
            nulls_last=nulls_last or None,
        )

    def equal(self, value: Any) -> Q:
        return Q(**{f"{self.path}__isnull": True}) if value is None else Q(**{self.path: value})

    def beyond(self, value: Any, *, reverse: bool) -> Q | None:
        """Rows strictly after ``value`` in the direction; ``None`` when there can be none."""
        if value is None:
            return Q(**{f"{self.path}__isnull": False}) if reverse else None
        condition = Q(**{f"{self.path}__{'lt' if self.descending is not reverse else 'gt'}": value})
        if self.nullable and not reverse:
            condition |= Q(**{f"{self.path}__isnull": True})
        return condition


def paginate(
    queryset: QuerySet[M], *, ordering: Sequence[str], cursor: str | None = None, limit: int = 50
) -> Page[M]:
    """One page of ``queryset``.

    ``ordering`` holds field paths or annotations, ``-`` for descending, most significant first; the
    caller has checked them against its allow-list. The primary key is added as the last one, in the
    direction of the one before, so that the order is total and an index ``(column, id)`` serves it.
    Raises :class:`BadCursor`.
    """
    limit = max(1, min(limit, MAX_LIMIT))
    queryset, keys = _keys(queryset, ordering)
    signature = ",".join(("-" if k.descending else "") + k.path for k in keys)
    reverse, position = _decode(cursor, signature, keys) if cursor else (False, None)
    if position is not None:
        queryset = queryset.filter(_after(keys, position, reverse=reverse))
    rows = list(queryset.order_by(*(k.order(reverse=reverse) for k in keys))[: limit + 1])
    more = len(rows) > limit
    rows = rows[:limit]
    if reverse:
        rows.reverse()
    if not rows:
        return Page([], None, None)
    forward = more if not reverse else True
    backward = (position is not None) if not reverse else more
    return Page(
        rows,
        _encode(rows[-1], signature, keys, reverse=False) if forward else None,
        _encode(rows[0], signature, keys, reverse=True) if backward else None,
    )


def _keys(queryset: QuerySet[M], ordering: Sequence[str]) -> tuple[QuerySet[M], list[_Key]]:
    keys: list[_Key] = []
    for number, name in enumerate(ordering):
        path, descending = name.lstrip("-"), name.startswith("-")
        if path in ("pk", "id"):
            break
        attribute = path
        field, nullable = _annotation(queryset, path)
        if field is None:
            field, nullable = _field(queryset.model, path)
            if "__" in path:
                attribute = f"_keyset_{number}"
                queryset = queryset.annotate(**{attribute: F(path)})
        keys.append(_Key(path, attribute, descending, nullable, field))
    last = ordering[len(keys)] if len(keys) < len(ordering) else None
    descending = last.startswith("-") if last else (keys[-1].descending if keys else False)
    keys.append(_Key("pk", "pk", descending, nullable=False, field=queryset.model._meta.pk))
    return queryset, keys


def _annotation(queryset: QuerySet[M], path: str) -> tuple[Field[Any, Any] | None, bool]:
    """The field of an annotation and whether it may be NULL.

    A plain column reached by inner joins only is as nullable as it is in its table. That matters: an
    index on a column that is never NULL serves no order that says where NULLs stand.
    """
    expression = queryset.query.annotations.get(path)
    if expression is None:
        return None, True
    if not isinstance(expression, Col):
        return expression.output_field, True
    join = queryset.query.alias_map[expression.alias]
    return expression.output_field, expression.target.null or join.join_type == LOUTER


def _field(model: type[Model], path: str) -> tuple[Field[Any, Any], bool]:
    """The field at the end of ``path`` and whether anything on the way may be NULL."""
    nullable, at, column = False, model, None
    for part in path.split("__"):
        field = at._meta.get_field(part)
        if not isinstance(field, Field):
            raise FieldDoesNotExist(f"{path} is not a column of {model.__name__}")
        column, nullable = field, nullable or field.null
        if isinstance(field, ForeignKey):
            at = field.related_model
    if column is None:
        raise FieldDoesNotExist(path)
    return column, nullable


def _after(keys: Sequence[_Key], position: Sequence[Any], *, reverse: bool) -> Q:
    """``(a, b, id)`` beyond ``position``, written as ``a ≥ x and (a > x or (a = x and …))``.

    The redundant first bound is what lets PostgreSQL start in the middle of the index.
    """
    condition: Q | None = None
    for key, value in zip(reversed(keys), reversed(position), strict=True):
        beyond = key.beyond(value, reverse=reverse)
        tie = key.equal(value) & condition if condition is not None else None
        options = [q for q in (beyond, tie) if q is not None]
        condition = options[0] if len(options) == 1 else options[0] | options[1] if options else Q(pk__in=[])
    first, value = keys[0], position[0]
    if condition is None:
        return Q()
    if len(keys) > 1 and not first.nullable and value is not None:
        bound = "lte" if first.descending is not reverse else "gte"
        condition = Q(**{f"{first.path}__{bound}": value}) & condition
    return condition


def _encode(row: Model, signature: str, keys: Sequence[_Key], *, reverse: bool) -> str:
    values = [_plain(getattr(row, key.attribute)) for key in keys]
    text = json.dumps({"o": signature, "r": int(reverse), "v": values}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(cursor: str, signature: str, keys: Sequence[_Key]) -> tuple[bool, list[Any]]:
    refusal = BadCursor("This cursor does not belong to this list and order. Start from the first page.")
    if len(cursor) > _MAX_CURSOR:
        raise refusal
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        content = json.loads(base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise refusal from error
    if not isinstance(content, dict) or content.get("o") != signature or content.get("r") not in (0, 1):
        raise refusal
    values = content.get("v")
    if not isinstance(values, list) or len(values) != len(keys):
        raise refusal
    try:
        return bool(content["r"]), [_typed(k, v) for k, v in zip(keys, values, strict=True)]
    except (ValidationError, ValueError, TypeError, OverflowError) as error:
        raise refusal from error


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal | UUID):
        return str(value)
    return value


def _typed(key: _Key, value: Any) -> Any:
    if value is None:
        if not key.nullable:
            raise ValueError("null")
        return None
    if isinstance(value, list | dict) or (isinstance(value, str) and "\x00" in value):
        raise ValueError("not a scalar")
    field = key.field.target_field if isinstance(key.field, ForeignKey) else key.field
    typed = field.to_python(value)
    if isinstance(typed, int) and not isinstance(typed, bool) and abs(typed) > 2**63 - 1:
        raise OverflowError("beyond bigint")
    return typed
