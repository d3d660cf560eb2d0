"""Which value a merged record keeps: the survivor's unless it is blank or somebody chose otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SURVIVOR = "survivor"
MERGED = "merged"
ATTRIBUTE = "attributes."


def chosen(
    survivor: Mapping[str, Any], merged: Mapping[str, Any], choices: Mapping[str, str]
) -> dict[str, Any]:
    """The values that the survivor gets, only those that differ from its own.

    ``choices`` says "survivor" or "merged" per field; a field that nobody chose keeps the survivor's
    value, or the other's where that is blank.
    """
    result = {}
    for name, own in survivor.items():
        other = merged.get(name)
        side = choices.get(name) or (SURVIVOR if own not in (None, "") else MERGED)
        value = own if side == SURVIVOR else other
        if value != own and not (value in (None, "") and name not in choices):
            result[name] = value
    return result


def attributes(
    survivor: Mapping[str, Any], merged: Mapping[str, Any], choices: Mapping[str, str]
) -> dict[str, Any]:
    """The union of custom attributes; where both tell one, the survivor's unless chosen otherwise."""
    result = {**merged, **survivor}
    for key in merged.keys() & survivor.keys():
        if choices.get(ATTRIBUTE + key) == MERGED:
            result[key] = merged[key]
    return result


def unknown(choices: Mapping[str, str], fields: frozenset[str]) -> list[str]:
    """Choices of fields that do not exist, or that name neither side."""
    return sorted(
        name
        for name, side in choices.items()
        if side not in (SURVIVOR, MERGED) or not (name in fields or name.startswith(ATTRIBUTE))
    )
