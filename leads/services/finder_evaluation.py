"""How good the finder is: precision and recall on a file whose true pairs are known."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import combinations
from pathlib import Path

from leads.domain import duplicates as rules
from leads.domain.duplicates import ROLES, Band, Level, Profile
from leads.services import finder
from leads.services.finder_statements import Row
from smarketing.core.errors import Invalid

# What a column may be called; the first that a file has is taken.
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "first_name": ("first_name", "given_name", "firstname"),
    "last_name": ("last_name", "surname", "lastname"),
    "email": ("email", "e_mail"),
    "phone": ("phone", "telephone", "mobile"),
    "company": ("company", "company_name"),
    "country": ("country",),
    "city": ("city", "suburb", "town"),
    **ROLES,
}
_TRUTH = ("cluster", "cluster_id", "entity_id")
Pairs = frozenset[tuple[int, int]]


class NoTruth(Invalid):
    """The file does not say which of its rows are one person."""

    code = "no_truth"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What the finder made of a file. ``resolvable`` are the true pairs with two facts that agree."""

    rows: int
    used: tuple[str, ...]
    compared: int
    offered: int
    right: int
    certain: int
    certain_right: int
    true_pairs: int
    resolvable: int
    resolvable_found: int
    missed_by_blocking: int

    @property
    def precision(self) -> float:
        """Right pairs ÷ offered pairs."""
        return self.right / self.offered if self.offered else 1.0

    @property
    def recall(self) -> float:
        """Right pairs ÷ true pairs, resolvable or not."""
        return self.right / self.true_pairs if self.true_pairs else 1.0

    @property
    def resolvable_recall(self) -> float:
        """The same over true pairs that have at least two facts in common."""
        return self.resolvable_found / self.resolvable if self.resolvable else 1.0


def evaluate(*, path: Path) -> Evaluation:
    """Run the finder's statements and rules over the rows of ``path`` and count. Stores nothing.

    The file names its true groups in a column "cluster", or by ids like "rec-7-dup-0". Raises
    :class:`NoTruth`.
    """
    rows, groups, used = _read(path)
    found = finder.judge(rows=rows)
    offered = {(one, other): verdict for one, other, verdict in found.pairs}
    truth = {pair for group in groups.values() for pair in combinations(sorted(group), 2)}
    profiles = {row[0]: finder.profile_of(given=row[1:]) for row in rows}
    resolvable = {(a, b) for a, b in truth if facts_in_common(one=profiles[a], other=profiles[b]) >= 2}
    likely = {(a, b) for a, b in truth if rules.compare(profiles[a], profiles[b]).band is not Band.UNLIKELY}
    certain = {pair for pair, verdict in offered.items() if verdict.band is Band.CERTAIN}
    return Evaluation(
        rows=len(rows),
        used=used,
        compared=found.compared,
        offered=len(offered),
        right=len(truth & offered.keys()),
        certain=len(certain),
        certain_right=len(certain & truth),
        true_pairs=len(truth),
        resolvable=len(resolvable),
        resolvable_found=len(resolvable & offered.keys()),
        missed_by_blocking=len(likely - offered.keys()),
    )


def facts_in_common(*, one: Profile, other: Profile) -> int:
    """In how many fields both profiles tell something that agrees within one typing error."""
    first = {f.name: getattr(one, f.name) for f in fields(one)}
    second = {f.name: getattr(other, f.name) for f in fields(other)}
    agreeing = 0
    for name in ("first_name", "last_name", "birth_date", "city", "postcode", "address"):
        if first[name] and second[name]:
            agreeing += first[name] == second[name] or rules.is_close(first[name], second[name])
    agreeing += any(
        rules.email_level(a, b) in (Level.SAME, Level.CLOSE) for a in one.emails for b in other.emails
    )
    return agreeing


def _read(path: Path) -> tuple[list[Row], dict[str, list[int]], tuple[str, ...]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        header = [re.sub(r"\W+", "_", name.strip().lower()) for name in next(reader)]
        table = [dict(zip(header, [cell.strip() for cell in cells], strict=False)) for cells in reader]
    chosen = {
        field: next((name for name in names if name in header), "") for field, names in _COLUMNS.items()
    }
    groups: dict[str, list[int]] = defaultdict(list)
    rows: list[Row] = []
    for number, line in enumerate(table, start=1):
        groups[_group(line)].append(number)
        rows.append(_row(number, line, chosen))
    return rows, groups, tuple(name for name in chosen.values() if name)


def _group(line: Mapping[str, str]) -> str:
    for name in _TRUTH:
        if line.get(name):
            return line[name]
    if match := re.fullmatch(r"rec-(\d+)-(?:org|dup-\d+)", line.get("rec_id", "")):
        return match[1]
    raise NoTruth("The file needs a column “cluster” that says which rows are one person.")


def _row(number: int, line: Mapping[str, str], chosen: Mapping[str, str]) -> Row:
    told = {field: line.get(name, "") if name else "" for field, name in chosen.items()}
    phone = rules.digits(told["phone"])
    address = f"{line.get('street_number', '')} {told['address']}".strip()
    return (
        number,
        told["first_name"],
        told["last_name"],
        [told["email"].lower()] if "@" in told["email"] else [],
        [phone] if len(phone) >= 5 else [],
        told["company"].casefold(),
        told["country"],
        told["city"],
        told["postcode"],
        address,
        told["region"],
        rules.digits(told["birth_date"]),
    )
