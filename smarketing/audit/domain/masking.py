"""What of a value may be kept in the audit trail: never a secret, and only what changed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

MASK = "•••"
_MAX_TEXT = 2000
_SECRET = re.compile(
    r"secret|password|token|digest|(^|_)key(s)?$|signature|credential|private", re.IGNORECASE
)


def masked(value: Any, name: str = "") -> Any:
    """``value`` as plain JSON with every member of a secret name masked, however deep."""
    if _SECRET.search(name):
        return None if value in (None, "") else MASK
    if isinstance(value, Mapping):
        return {str(key): masked(entry, str(key)) for key, entry in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [masked(entry) for entry in value]
    if isinstance(value, Enum):
        return masked(value.value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    return str(value).replace("\x00", "�")[:_MAX_TEXT]


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The members that differ, masked; compared before masking, so that a new secret shows as changed."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return (
        {name: masked(before[name], name) for name in names if name in before},
        {name: masked(after[name], name) for name in names if name in after},
    )
