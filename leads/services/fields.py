"""Checks of values before they are written: only named columns, of the right type and length."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from smarketing.core.errors import FieldError, Invalid, Stale

# A client whose clock runs ahead by less than this is believed to mean "now".
SKEW = timedelta(minutes=5)


class UnknownField(Invalid):
    """A change names a column that is not for writing."""

    code = "unknown_field"


class BadValue(Invalid):
    """A value does not fit its column."""

    code = "bad_value"


class InTheFuture(Invalid):
    """Something that has happened can't lie ahead."""

    code = "in_the_future"


class EditedMeanwhile(Stale):
    """Somebody else saved the record after it was read."""

    code = "stale"


def checked(
    *, model: type[models.Model], values: Mapping[str, Any], allowed: Collection[str]
) -> dict[str, Any]:
    """``values`` as the columns of ``model`` take them; text is trimmed.

    A foreign key is given as an instance or ``None``. Raises :class:`UnknownField` or
    :class:`BadValue` with one entry per wrong field, before anything is written.
    """
    unknown = [name for name in values if name not in allowed]
    if unknown:
        errors = [FieldError(n, UnknownField.code, _("This field can't be changed here.")) for n in unknown]
        raise UnknownField(_("Some of these fields can't be changed here."), errors=errors)
    good: dict[str, Any] = {}
    wrong: list[FieldError] = []
    for name, value in values.items():
        field = model._meta.get_field(name)
        try:
            good[name] = _value(field, value)
        except ValidationError as error:
            wrong += [FieldError(name, BadValue.code, text) for text in error.messages]
    if wrong:
        raise BadValue(_("Some of the values can't be used."), errors=wrong)
    return good


def _value(field: Any, value: Any) -> Any:
    if isinstance(field, models.ForeignKey):
        if value is not None and not isinstance(value, field.related_model):
            raise ValidationError(_("This is not a record of the right kind."))
        return value
    if isinstance(value, str):
        if "\x00" in value:
            raise ValidationError(_("Null characters are not allowed."))
        value = value.strip()
        if value == "" and field.null and not isinstance(field, models.CharField):
            value = None
    if isinstance(field, models.CharField | models.TextField):
        if value is None and not field.null:
            value = ""
        elif value is not None and not isinstance(value, str):
            raise ValidationError(_("This must be text."))
    return field.clean(value, None)


def happened(*, instant: datetime, field: str, now: datetime) -> datetime:
    """``instant``, at most ``now``. Raises :class:`InTheFuture` when it lies further ahead."""
    if instant.tzinfo is None:
        detail = _("Give the time with its zone.")
        raise BadValue(detail, errors=[FieldError(field, BadValue.code, detail)])
    if instant > now + SKEW:
        detail = _("This lies in the future.")
        raise InTheFuture(detail, errors=[FieldError(field, InTheFuture.code, detail)])
    return min(instant, now)


def stamps(*, now: datetime) -> dict[str, datetime]:
    """The columns of a new record that say when it was made and last changed."""
    return {"created_at": now, "updated_at": now}


def same_version(*, record: Any, expected: int | None) -> None:
    """Raise :class:`EditedMeanwhile` unless the locked ``record`` is the one that was read."""
    if expected is not None and record.version != expected:
        raise EditedMeanwhile(
            _("Somebody else changed this meanwhile. Look at the new values and try again.")
        )
