"""Fields that bodies of several apps are made of: instants, references, pairs of id and name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from django.db.models import DateTimeField, Model, QuerySet
from rest_framework import serializers

from smarketing.core.errors import Missing
from smarketing.users.models import User

M = TypeVar("M", bound=Model)
MOST_ID = 10**15


class Instant(serializers.DateTimeField):
    """A time with its offset, such as ``2026-03-31T09:30:00Z``; told in UTC.

    A time without one is refused: nobody could say which instant was meant.
    """

    default_error_messages = {"naive": "Give the time with its offset, such as 2026-03-31T09:30:00Z."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(default_timezone=UTC, **kwargs)

    def enforce_timezone(self, value: datetime) -> datetime:
        """Refuse what has no offset."""
        if value.tzinfo is None or value.utcoffset() is None:
            self.fail("naive")
        return super().enforce_timezone(value)


def told_instant(value: datetime | None) -> str | None:
    """``value`` as :class:`Instant` tells it."""
    if value is None:
        return None
    text = (value if value.tzinfo is UTC else value.astimezone(UTC)).isoformat()
    return text[:-6] + "Z" if text.endswith("+00:00") else text


class VisibleKey(serializers.PrimaryKeyRelatedField[Any]):
    """The id of a record that the actor may see; one out of sight reads like an absent one (T10)."""

    def __init__(
        self, model: type[Model], visible: Callable[[User], QuerySet[Any]] | None = None, **kwargs: Any
    ) -> None:
        self.model, self.visible = model, visible
        kwargs.setdefault("queryset", model._default_manager.all())
        super().__init__(**kwargs)

    def get_queryset(self) -> Any:
        """The rows that the actor of the request may see."""
        view = self.context.get("view")
        if view is None:
            raise Missing("Nobody asks.")
        if self.visible is not None:
            return self.visible(view.actor)
        return self.model._default_manager.visible_to(view.actor)  # type: ignore[attr-defined]


class Code(serializers.SlugRelatedField[Any]):
    """A record named by its code, such as a channel or a stage."""

    def __init__(self, model: type[Model], **kwargs: Any) -> None:
        self.model = model
        kwargs.setdefault("queryset", model._default_manager.all())
        kwargs.setdefault("slug_field", "code")
        super().__init__(**kwargs)


class NamedOut(serializers.Serializer[Any]):
    """The id and name of a record that is told elsewhere."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class ModelOut(serializers.ModelSerializer[M], Generic[M]):
    """Base of outputs that list columns of a model; times are told in UTC."""

    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        DateTimeField: Instant,
    }
