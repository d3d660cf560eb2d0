"""Columns that are no field of the kind: kept as custom attributes when the person asks for it.

While the rows stream by, each column is watched: what all its values have in common becomes the type
of a new attribute. An attribute that exists already keeps its type, and a value that does not fit
rejects its row.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from psycopg2 import sql

from leads.domain import values
from leads.models import AttributeDefinition, AttributeType
from leads.services import attributes
from leads.services.imports.staging import Batch

MAX_TEXT = 4000
# No leading zero and no sign but minus: "007" and "+49 30" are names of things, not amounts.
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,10})?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}.*)?")
_BOOLEAN = frozenset({"true", "false", "yes", "no"})
_IS_OF_TYPE = {
    AttributeType.NUMBER: r"^-?[0-9]{1,15}(\.[0-9]{1,10})?$",
    AttributeType.BOOLEAN: r"(?i)^(true|false|yes|no|1|0|t|f|y|n|on|off)$",
    AttributeType.DATE: r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])",
}
_TOLD = {
    AttributeType.NUMBER: "is not a number, as this attribute is",
    AttributeType.BOOLEAN: "is neither yes nor no, as this attribute is",
    AttributeType.DATE: "is not a date such as 2024-03-31, as this attribute is",
}
_AS_JSON = {
    AttributeType.NUMBER: "r.{}::numeric",
    AttributeType.BOOLEAN: "lower(r.{}) IN ('true', 'yes', '1', 't', 'y', 'on')",
    AttributeType.DATE: "left(r.{}, 10)",
}
# A function of Postgres takes at most 100 arguments.
_PAIRS = 45


# Digits that are a name, whatever they look like.
_NAMES = re.compile(r"phone|fax|mobile|zip|postal|plz|(^|_)(id|ids|code|nr|no|number)(_|$)")


@dataclass(slots=True)
class Extra:
    """One unmapped column: where it stands, what it will be called, and what its values have been."""

    position: int
    label: str
    key: str
    column: str
    possible: set[str] = field(
        default_factory=lambda: {AttributeType.NUMBER, AttributeType.BOOLEAN, AttributeType.DATE}
    )
    is_blank: bool = True

    def read(self, text: str) -> str | None:
        """The text to stage; what the values have in common is noted."""
        found = values.prose(text)
        if len(found) > MAX_TEXT:
            raise values.BadValue(f"is longer than {MAX_TEXT} characters")
        if not found:
            return None
        self.is_blank = False
        if self.possible:
            if not _NUMBER.fullmatch(found):
                self.possible.discard(AttributeType.NUMBER)
            if found.lower() not in _BOOLEAN:
                self.possible.discard(AttributeType.BOOLEAN)
            if not _DATE.fullmatch(found):
                self.possible.discard(AttributeType.DATE)
        return found

    @property
    def guess(self) -> str:
        """The type of a new attribute of these values."""
        return min(self.possible) if self.possible and not self.is_blank else AttributeType.TEXT


def extras(*, header: Sequence[str], positions: Sequence[int]) -> list[Extra]:
    """The columns at ``positions`` as attributes to be, each with a key of its own."""
    found: list[Extra] = []
    taken: set[str] = set()
    for number, position in enumerate(positions):
        name = header[position].removeprefix("property_")
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
        base = re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")[:56] or f"column_{position + 1}"
        key = base
        suffix = 2
        while key in taken:
            key, suffix = f"{base}_{suffix}", suffix + 1
        taken.add(key)
        found.append(
            Extra(position=position, label=header[position][:120], key=key, column=f"extra_{number}")
        )
    return found


def settle(*, batch: Batch, subject: str, columns: Sequence[Extra]) -> None:
    """Define the attributes that are new and write each row's values, typed, into ``attributes``."""
    known = {d.key: d for d in AttributeDefinition.objects.filter(subject=subject)}
    pairs: list[sql.Composable] = []
    for extra in columns:
        if extra.is_blank:
            continue
        definition = known.get(extra.key)
        if definition is None:
            definition = attributes.define(
                subject=subject,
                key=extra.key,
                label=extra.label,
                type=extra.guess,
                actor=batch.actor,
                now=batch.now,
            )
            batch.made_ids("leads_attributedefinition", [definition.pk])
        pairs.append(_pair(batch, extra, definition))
        batch.note(f"Column “{extra.label}” is kept as the attribute “{extra.key}” ({definition.type}).")
    if not pairs:
        return
    objects = [
        sql.SQL("jsonb_build_object({})").format(sql.SQL(", ").join(pairs[start : start + _PAIRS]))
        for start in range(0, len(pairs), _PAIRS)
    ]
    batch.execute(
        sql.SQL("UPDATE import_row r SET attributes = nullif(jsonb_strip_nulls({}), '{{}}')").format(
            sql.SQL(" || ").join(objects)
        )
    )


def _pair(batch: Batch, extra: Extra, definition: AttributeDefinition) -> sql.Composable:
    kind = AttributeType(definition.type)
    if kind in _IS_OF_TYPE:
        batch.reject(extra.label, _TOLD[kind], f"r.{extra.column} !~ %(pattern)s", pattern=_IS_OF_TYPE[kind])
    elif kind == AttributeType.CHOICE:
        batch.reject(
            extra.label,
            "is none of the choices of this attribute",
            f"NOT (lower(r.{extra.column}) = ANY(%(choices)s))",
            choices=[str(c).lower() for c in definition.choices],
        )
    template = _AS_JSON.get(kind, "r.{}")
    return sql.SQL("{}, " + template).format(sql.Literal(extra.key), sql.Identifier(extra.column))
