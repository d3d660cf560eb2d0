"""The picture that tracks where no script runs: ``/v1/pixel/track?data=<base64 JSON>`` or
``?event=…&userId=…``.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from leads.domain import untrusted

_MOST_PARTS = 6  # of a dotted name


def call_of(parameters: dict[str, str]) -> dict[str, Any] | None:
    """The call in the query: base64 JSON in ``data``, or parameters whose dots are levels.

    ``None`` if it is unreadable.
    """
    data = parameters.get("data")
    if data is None:
        return _nested({name: value for name, value in parameters.items() if name != "type"})
    text = data.strip().replace(" ", "+").replace("-", "+").replace("_", "/").rstrip("=")
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
        found = untrusted.read(raw)
    except (binascii.Error, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _nested(parameters: dict[str, str]) -> dict[str, Any]:
    call: dict[str, Any] = {}
    for name, value in parameters.items():
        parts = name.split(".")[:_MOST_PARTS]
        holder = call
        for part in parts[:-1]:
            below = holder.setdefault(part, {})
            if not isinstance(below, dict):
                below = holder[part] = {}
            holder = below
        holder[parts[-1]] = value
    return call
