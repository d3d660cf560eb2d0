"""What an undo may remove, and which rows go along with it. Every app registers its own tables.

Any other row that refers to a record keeps it here: somebody relies on it. A table nobody has
registered therefore holds what it refers to, and nothing is ever torn out from under it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Record:
    """A table whose rows an undo removes; ``order``: referring tables come before those they refer to.

    ``is_dated``: its rows say by ``updated_at`` whether somebody has changed them since. ``carries``:
    the subject whose custom attributes they hold.
    """

    table: str
    order: int
    is_dated: bool = True
    carries: str = ""


@dataclass(frozen=True, slots=True)
class Companion:
    """Rows of ``table`` go along with the record of ``of`` to which their ``column`` refers.

    ``ours`` is a condition over ``c`` that tells rows the import brought about; it may use the
    parameter ``at``, the instant of the run. A row that is not ours keeps the record.
    """

    of: str
    table: str
    column: str
    ours: str = "true"


_records: dict[str, Record] = {}
_companions: dict[tuple[str, str, str], Companion] = {}


def register(*, records: tuple[Record, ...] = (), companions: tuple[Companion, ...] = ()) -> None:
    """Make tables known. Called from ``AppConfig.ready`` only."""
    _records.update((record.table, record) for record in records)
    _companions.update(((one.of, one.table, one.column), one) for one in companions)


def records() -> list[Record]:
    """All tables whose rows may be removed, in the order of removal."""
    return sorted(_records.values(), key=lambda record: (record.order, record.table))


def companion(of: str, table: str, column: str) -> Companion | None:
    """The companion of that reference, if there is one."""
    return _companions.get((of, table, column))


def companions_of(table: str) -> list[Companion]:
    """Whose rows go along with a record of ``table``."""
    return [one for one in _companions.values() if one.of == table]


OWN_RECORDS = (
    Record("leads_touchpoint", 10),
    Record("leads_activity", 20),
    Record("leads_lead", 40, carries="lead"),
    Record("leads_consententry", 45, is_dated=False),
    Record("leads_personref", 50, is_dated=False),
    Record("leads_personemail", 50, is_dated=False),
    Record("leads_personphone", 50, is_dated=False),
    Record("leads_person", 60, carries="person"),
    Record("leads_companyref", 70, is_dated=False),
    Record("leads_company", 80, carries="company"),
    Record("leads_campaign", 90),
    Record("leads_attributedefinition", 95),
)
# What may be double with something that goes is no question any more.
_UNMERGED = "c.state <> 'merged'"
OWN_COMPANIONS = (
    Companion("leads_person", "leads_personemail", "person_id"),
    Companion("leads_person", "leads_personphone", "person_id"),
    Companion("leads_person", "leads_personref", "person_id"),
    Companion("leads_person", "leads_personhistory", "pgh_obj_id"),
    Companion("leads_person", "leads_duplicate", "left_id", _UNMERGED),
    Companion("leads_person", "leads_duplicate", "right_id", _UNMERGED),
    Companion("leads_company", "leads_duplicate", "left_company_id", _UNMERGED),
    Companion("leads_company", "leads_duplicate", "right_company_id", _UNMERGED),
    Companion("leads_company", "leads_companyref", "company_id"),
    Companion("leads_company", "leads_companyhistory", "pgh_obj_id"),
)
