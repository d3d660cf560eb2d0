"""The finder: pairs of records that may be one, found by blocking and judged field by field.

Records are compared only within blocks of equal keys: names that sound alike, the part of an address
before the @, the last digits of a number, a day of birth, a postcode and the like. The work grows with
the records and not with their square: a key that many records share says little and is left out, and
the report says how many were.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from leads.domain import duplicates as rules
from leads.domain.duplicates import Band, Firm, Profile, Verdict
from leads.models import DuplicateKind
from leads.selectors import duplicates as reads
from leads.services import finder_statements as statements

# A block of n records has n²/2 pairs; beyond this the key is no evidence.
MOST_IN_A_BLOCK = 40
_CHUNK = 5_000


@dataclass(slots=True)
class Found:
    """What a run did: records, pairs compared, pairs offered by band, and blocks left out as too large."""

    kind: str
    records: int = 0
    compared: int = 0
    certain: int = 0
    probable: int = 0
    blocks_left_out: int = 0
    largest_block: int = 0
    pairs: list[tuple[int, int, Verdict]] = field(default_factory=list)

    def count(self, verdict: Verdict) -> None:
        """Take note of one offered pair."""
        self.certain += verdict.band is Band.CERTAIN
        self.probable += verdict.band is Band.PROBABLE


@transaction.atomic
def find(*, kind: str = DuplicateKind.PERSON, now: datetime, ids: Iterable[int] | None = None) -> Found:
    """Compare all records of ``kind``, or only those in ``ids`` with all others, and store the pairs.

    A pair that is known keeps what was decided about it; an open one gets its new evidence, and an open
    one of the compared records that reads unlikely now is forgotten.
    """
    wanted = None if ids is None else sorted(set(ids))
    found = Found(kind)
    with connection.cursor() as cursor:
        found.records = statements.load(cursor=cursor, kind=kind)
        _block(cursor, kind, wanted, found)
        statements.make_results(cursor=cursor)
        for chunk in _chunks(_judged(kind, found)):
            statements.keep_results(cursor=cursor, rows=chunk)
        statements.store(cursor=cursor, kind=kind, only=wanted, now=now)
    return found


@transaction.atomic
def judge(*, rows: Iterable[statements.Row]) -> Found:
    """Find among ``rows`` of a file by the same statements and rules, storing nothing; for evaluation."""
    found = Found(DuplicateKind.PERSON)
    with connection.cursor() as cursor:
        found.records = statements.load_rows(cursor=cursor, rows=rows)
        _block(cursor, DuplicateKind.PERSON, None, found)
        found.pairs = list(_judged(DuplicateKind.PERSON, found))
    return found


def _block(cursor: Any, kind: str, wanted: list[int] | None, found: Found) -> None:
    left_out, largest = statements.block(cursor=cursor, kind=kind, most=MOST_IN_A_BLOCK, only=wanted)
    found.blocks_left_out, found.largest_block = left_out, largest


def _judged(kind: str, found: Found) -> Iterator[tuple[int, int, Verdict]]:
    """Pairs that are not unlikely, streamed from the database."""
    for left, right, one, other in statements.pairs():
        found.compared += 1
        verdict = (
            rules.compare(profile_of(given=one), profile_of(given=other))
            if kind == DuplicateKind.PERSON
            else rules.compare_companies(firm_of(given=one), firm_of(given=other))
        )
        if verdict.band is not Band.UNLIKELY:
            found.count(verdict)
            yield left, right, verdict


def profile_of(*, given: tuple[Any, ...]) -> Profile:
    """A profile from a row of the work table."""
    first, last, emails, phones, company, country, city, postcode, address, region, birth = given
    return Profile(
        first_name=rules.plain(first),
        last_name=rules.plain(last),
        emails=tuple(emails),
        phones=tuple(phones),
        company=str(company or ""),
        country=rules.plain(country),
        city=rules.plain(city),
        postcode=rules.plain(postcode),
        address=rules.plain(address),
        region=rules.plain(region),
        birth_date=rules.digits(birth),
    )


def firm_of(*, given: tuple[Any, ...]) -> Firm:
    """What is compared of a company, from a row of the work table."""
    name_key, domain, country, city, phone = given
    return Firm(
        name_key=rules.plain(name_key),
        domain=domain,
        country=rules.plain(country),
        city=rules.plain(city),
        phone=rules.digits(phone),
    )


def _chunks(
    judged: Iterator[tuple[int, int, Verdict]],
) -> Iterator[list[tuple[int, int, float, str, str]]]:
    rows: list[tuple[int, int, float, str, str]] = []
    for left, right, verdict in judged:
        evidence = json.dumps(reads.evidence(verdict))
        rows.append((left, right, verdict.score, str(verdict.band), evidence))
        if len(rows) >= _CHUNK:
            yield rows
            rows = []
    if rows:
        yield rows
