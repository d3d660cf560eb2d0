"""One condition as a row of plain fields, and back: for definitions and for rules of routing.

Text becomes values here; whether they can be used is checked by ``funnel.domain.drafts``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from funnel.domain import fit

_LISTS = ("in", "not_in")
_NUMBER = re.compile(r"-?\d+([.,]\d+)?")


def condition_values(entry: Mapping[str, Any]) -> dict[str, str]:
    """A stored condition as the text of its three fields."""
    return {
        "path": entry.get("path", ""),
        "operator": entry.get("operator", ""),
        "value": text_of(entry.get("value")),
    }


def read_condition(values: Mapping[str, str]) -> dict[str, Any]:
    """The condition that ``path``, ``operator`` and ``value`` say; what can't be read stays text."""
    operator, text = values["operator"], values["value"].strip()
    condition: dict[str, Any] = {"path": values["path"], "operator": operator}
    if operator in fit.WITHOUT_VALUE:
        return condition
    return {**condition, "value": _read_value(operator, text)}


def text_of(value: Any) -> str:
    """A value as it is typed: "yes", "1000", "DE, AT"."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(text_of(item) for item in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def read_number(text: str) -> int | float | str:
    """The number that ``text`` says, or the text itself."""
    plain = text.strip().replace(" ", "")
    if not _NUMBER.fullmatch(plain) or len(plain) > 20:
        return text
    value = float(plain.replace(",", "."))
    return int(value) if value.is_integer() else value


def _read_value(operator: str, text: str) -> Any:
    if operator in _LISTS:
        return [part.strip() for part in text.split(",") if part.strip()]
    if operator == "range":
        ends = re.split(r"\s*(?:,|;|–|\bto\b|\band\b)\s*|(?<=\d)\s*-\s*", text)
        return [read_number(end) for end in ends if end]
    if operator in fit.NUMERIC:
        return read_number(text)
    if operator in ("equals", "not_equals") and text.casefold() in ("yes", "no"):
        return text.casefold() == "yes"
    return text
