"""Filters whose values the database can always compare."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from django_filters import filters


class InstantField(forms.Field):
    """A time with its offset, in UTC.

    PostgreSQL knows no offset beyond 15:59 and no instant before the year 1, so it is turned into
    UTC here. An unescaped ``+`` arrives as a space and is understood.
    """

    default_error_messages = {
        "invalid": _("Give a time with its offset, such as 2026-03-31T09:30:00Z."),
    }

    def to_python(self, value: Any) -> datetime | None:
        """The instant, or a validation error."""
        if value in self.empty_values:
            return None
        try:
            found = parse_datetime(str(value).strip().replace(" ", "+"))
            if found is not None and found.utcoffset() is not None:
                return found.astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error
        raise ValidationError(self.error_messages["invalid"], code="invalid")


class InstantFilter(filters.IsoDateTimeFilter):
    """Compares an instant: ``InstantFilter(field_name="at", lookup_expr="gte")``."""

    field_class = InstantField  # type: ignore[assignment]
