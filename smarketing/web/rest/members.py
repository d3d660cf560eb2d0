"""Members of a body that nobody asked for: told, not ignored, however deep they stand (T12)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rest_framework import serializers

from smarketing.core.errors import FieldError


def unknown(serializer: Any, data: Any, path: str = "") -> Iterator[FieldError]:
    """One error for each member of ``data`` that ``serializer`` does not write."""
    if isinstance(serializer, serializers.ListSerializer):
        if isinstance(data, list):
            for number, item in enumerate(data):
                yield from unknown(serializer.child, item, f"{path}{number}.")
        return
    if not isinstance(serializer, serializers.Serializer) or not isinstance(data, dict):
        return
    writable = {name: field for name, field in serializer.fields.items() if not field.read_only}
    for name in sorted(data):
        if name in writable:
            yield from unknown(writable[name], data[name], f"{path}{name}.")
        else:
            choice = ", ".join(sorted(writable)) or "none"
            yield FieldError(f"{path}{name[:100]}", "unknown", f"Allowed: {choice}.")
