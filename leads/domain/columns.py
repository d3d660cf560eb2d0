"""Recognising the columns of a file by their names.

A header is folded (case, spaces, underscores, ``property_`` and ``__c`` do not matter) and looked up among
the synonyms of the fields of the record kind. A field may have several synonyms; the one named first
wins, and a custom field ("External_id__c") goes after a field of the system's own ("Id"). What is not
recognised stays unmapped.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from leads.domain.synonyms import KINDS, SHARED_COLUMNS, SYNONYMS

_PREFIX = re.compile(r"^\s*(?:property|properties|custom)[_. ]+", re.IGNORECASE)
_SUFFIX = re.compile(r"__c\s*$", re.IGNORECASE)
_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")
SKIP = frozenset({"", "-", "skip", "ignore"})
KEEP = "+"


class MappingProblem(ValueError):
    """An override names an unknown column, field or kind; ``item`` is the override."""

    def __init__(self, item: str, code: str, detail: str) -> None:
        super().__init__(detail)
        self.item = item
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Ambiguity:
    """Several columns that could be ``field``; ``chosen`` is used, ``others`` are left unmapped."""

    field: str
    chosen: str
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """Which column (by its index in the header) feeds which field. A column may feed two.

    ``kept`` are columns that are to become custom attributes because somebody said so.
    """

    kind: str
    header: tuple[str, ...]
    fields: Mapping[str, int]
    unmapped: tuple[str, ...]
    ambiguous: tuple[Ambiguity, ...]
    kept: tuple[str, ...] = ()

    def missing(self) -> str:
        """What the file lacks to be imported as this kind, as a sentence; "" when nothing."""
        for choices in KINDS[self.kind].needs:
            if not any(field in self.fields for field in choices):
                wanted = " or ".join(field.replace("_", " ") for field in choices)
                return f"No column for {wanted} was recognised. Name it with --map “Column={choices[0]}”."
        return ""


def fold(header: str) -> str:
    """A header as it is compared: letters and digits only, without prefix and suffix of other systems."""
    plain = _SUFFIX.sub("", _PREFIX.sub("", header))
    return _NOT_ALPHANUMERIC.sub("", plain).casefold()


def fields_of(kind: str) -> tuple[str, ...]:
    """The fields of a kind, in the order in which a form lists them. Raises MappingProblem."""
    return tuple(_synonyms(kind))


def recognise(
    kind: str, header: Sequence[str], overrides: Iterable[str] = (), *, blank: Collection[int] = ()
) -> ColumnMapping:
    """Map the columns of ``header``. ``overrides`` are "Column=field" and win over what is recognised.

    "Column=-" leaves a column out, "Column=+" keeps it as a custom attribute. ``blank`` are the
    positions of columns that seem to hold nothing: they go after any other that could be the same
    field. Raises MappingProblem for an unknown kind, column or field.
    """
    synonyms = _synonyms(kind)
    folded = [fold(name) for name in header]
    fields, taken, kept = _explicit(kind, header, folded, overrides)
    ambiguous: list[Ambiguity] = []
    for field, names in synonyms.items():
        if field in fields:
            continue
        candidates = sorted(
            (i in blank, names.index(f) + (len(names) if _SUFFIX.search(header[i]) else 0), i)
            for i, f in enumerate(folded)
            if f in names and i not in taken
        )
        if not candidates:
            continue
        fields[field] = candidates[0][-1]
        if len(candidates) > 1:
            others = tuple(header[i] for *_, i in candidates[1:])
            ambiguous.append(Ambiguity(field, header[candidates[0][-1]], others))
    for field, source in SHARED_COLUMNS.get(kind, ()):
        # A column may stand for a second field that has none of its own (a won lead's id names its deal).
        if field not in fields and source in fields:
            fields[field] = fields[source]
    used = set(fields.values())
    unmapped = tuple(name for i, name in enumerate(header) if i not in used and i not in taken)
    return ColumnMapping(
        kind=kind,
        header=tuple(header),
        fields=fields,
        unmapped=unmapped,
        ambiguous=tuple(a for a in ambiguous if any(other in unmapped for other in a.others)),
        kept=tuple(header[i] for i in sorted(kept)),
    )


def _synonyms(kind: str) -> Mapping[str, tuple[str, ...]]:
    try:
        return SYNONYMS[kind]
    except KeyError:
        raise MappingProblem(kind, "kind", f"There is no record kind “{kind}”.") from None


def _explicit(
    kind: str, header: Sequence[str], folded: Sequence[str], overrides: Iterable[str]
) -> tuple[dict[str, int], set[int], set[int]]:
    """Fields from "Column=field", the columns that may not be recognised any more, and those kept."""
    fields: dict[str, int] = {}
    taken: set[int] = set()
    kept: set[int] = set()
    for item in overrides:
        column, sign, field = (part.strip() for part in item.rpartition("="))
        if not sign or not column:
            raise MappingProblem(item, "syntax", f"Write “Column=field”, not “{item}”.")
        index = _column(header, folded, column)
        if index is None:
            raise MappingProblem(
                item, "column", f"The file has no column “{column}”. It has: {', '.join(header)[:600]}."
            )
        taken.add(index)
        if field.casefold() in SKIP:
            continue
        if field == KEEP:
            kept.add(index)
            continue
        if field not in SYNONYMS[kind]:
            known = ", ".join(SYNONYMS[kind])
            raise MappingProblem(item, "field", f"There is no field “{field}”. Choose one of {known}.")
        if field in fields and fields[field] != index:
            raise MappingProblem(item, "field", f"Two columns are mapped to “{field}”.")
        fields[field] = index
    return fields, taken, kept


def _column(header: Sequence[str], folded: Sequence[str], name: str) -> int | None:
    """The column called ``name``: exactly, else by its folded name."""
    if name in header:
        return header.index(name)
    wanted = fold(name)
    return next((i for i, other in enumerate(folded) if other == wanted), None)
