"""Looking for what is known of an erased person in every text of the database and every file.

Notices, packets, notes, import reports, dead letters and what later versions add: nobody has to
remember a table, because the catalogue of the database names them all.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.db import connection, transaction

from smarketing.core import triggers

MARK = "[erased]"
# Not swept: sign-in and sessions hold no words about people outside, names of other people and firms are
# theirs, and hashes and ids can't hold a needle.
ASIDE = frozenset(
    {
        "django_migrations", "django_session", "django_content_type", "auth_permission",
        "leads_suppressedaddress", "leads_formday", "core_heartbeat",
    }
)  # fmt: skip
# Here the erased person's name may be the right name of somebody else.
NAMES_OF_OTHERS = frozenset(
    {"leads_person", "leads_personhistory", "leads_company", "leads_companyhistory", "users_user"}
)
_COLUMNS = """
SELECT c.table_name, c.column_name, c.udt_name,
       EXISTS (SELECT 1 FROM pg_index i
               JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
               WHERE i.indisunique AND i.indrelid = format('%I.%I', c.table_schema, c.table_name)::regclass
                 AND a.attname = c.column_name) AS is_unique
FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE'
  AND c.udt_name IN ('text', 'varchar', 'jsonb', 'json', '_text', '_varchar') AND c.is_generated = 'NEVER'
ORDER BY c.table_name, c.ordinal_position
"""


@dataclass(frozen=True, slots=True)
class Needles:
    """What must not be found any more: ``exact`` anywhere, ``names`` where they can't be another's."""

    exact: tuple[str, ...]
    names: tuple[str, ...]

    def of_table(self, table: str) -> tuple[str, ...]:
        """What is looked for in ``table``."""
        return self.exact if table in NAMES_OF_OTHERS else (*self.exact, *self.names)

    def as_text(self) -> str:
        """For keeping (encrypted) until the sweep is done."""
        return json.dumps([self.exact, self.names])


@dataclass(frozen=True, slots=True)
class Place:
    """A table with its columns of text: (name, type, whether unique)."""

    table: str
    columns: tuple[tuple[str, str, bool], ...]


def read(*, text: str) -> Needles:
    """The needles that were kept."""
    exact, names = json.loads(text)
    return Needles(tuple(exact), tuple(names))


def places() -> list[Place]:
    """Every table with text, JSON or lists of text, but those set aside."""
    with connection.cursor() as cursor:
        cursor.execute(_COLUMNS)
        rows = cursor.fetchall()
    found: dict[str, list[tuple[str, str, bool]]] = {}
    for table, column, kind, is_unique in rows:
        if table not in ASIDE:
            found.setdefault(table, []).append((column, kind, is_unique))
    return [Place(table, tuple(columns)) for table, columns in found.items()]


def occurrences(*, needles: Needles) -> dict[str, int]:
    """How many rows of which table still hold a needle; empty when the erasure is complete."""
    found = {}
    for place in places():
        if wanted := needles.of_table(place.table):
            with connection.cursor() as cursor:
                where, values = _condition(place, wanted)
                cursor.execute(f'SELECT count(*) FROM "{place.table}" WHERE {where}', values)  # noqa: S608
                if count := cursor.fetchone()[0]:
                    found[place.table] = int(count)
    return found


def tables(*, needles: Needles) -> dict[str, int]:
    """Put :data:`MARK` in the place of each needle; table by table, each its own transaction."""
    changed = {}
    for place in places():
        wanted = needles.of_table(place.table)
        if wanted and (count := _sweep(place, wanted)):
            changed[place.table] = count
    return changed


@transaction.atomic
def _sweep(place: Place, needles: Sequence[str]) -> int:
    pattern = "|".join(_escaped(needle) for needle in sorted(needles, key=len, reverse=True))
    assignments, values = [], []
    for column, kind, is_unique in place.columns:
        mark = f"'{MARK[:-1]} ' || substr(md5(ctid::text), 1, 6) || ']'" if is_unique else f"'{MARK}'"
        replaced = f"regexp_replace(\"{column}\"::text, %s, {mark}, 'gi')"
        assignments.append(f'"{column}" = {replaced}::{_sql_type(kind)}')
        values.append(pattern)
    where, more = _condition(place, needles)
    statement = f'UPDATE "{place.table}" SET {", ".join(assignments)} WHERE {where}'  # noqa: S608
    with connection.cursor() as cursor, triggers.opened():
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute(statement, [*values, *more])
        return int(cursor.rowcount)


def _condition(place: Place, needles: Sequence[str]) -> tuple[str, list[list[str]]]:
    likes = [f"%{_like(needle)}%" for needle in needles]
    parts = [f'"{column}"::text ILIKE ANY(%s)' for column, _kind, _unique in place.columns]
    return " OR ".join(parts), [likes] * len(parts)


def _sql_type(kind: str) -> str:
    return {"_text": "text[]", "_varchar": "varchar[]"}.get(kind, kind)


def _escaped(needle: str) -> str:
    return re.sub(r"([^\w\s@])", r"\\\1", needle)


def _like(needle: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", needle)


def files(*, folder: Path, needles: Needles) -> int:
    """Put :data:`MARK` into text files that hold a needle; workbooks that do are removed. How many."""
    wanted = [n.encode() for n in (*needles.exact, *needles.names)]
    if not wanted or not folder.is_dir():
        return 0
    pattern = re.compile(b"|".join(re.escape(n) for n in wanted), re.IGNORECASE)
    return sum(_file(path, pattern) for path in sorted(folder.rglob("*")) if path.is_file())


def _file(path: Path, pattern: re.Pattern[bytes]) -> int:
    if zipfile.is_zipfile(path):
        if any(pattern.search(part) for part in _parts(path)):
            path.unlink()
            return 1
        return 0
    data = path.read_bytes()
    if not pattern.search(data):
        return 0
    draft = path.with_suffix(path.suffix + ".draft")
    draft.touch(mode=0o600)
    draft.write_bytes(pattern.sub(MARK.encode(), data))
    draft.replace(path)
    return 1


def _parts(path: Path) -> Iterator[bytes]:
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            with archive.open(name) as part:
                yield part.read(200_000_000)
