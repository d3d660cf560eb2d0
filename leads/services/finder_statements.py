"""The set-based statements of the finder, over work tables that live as long as the transaction."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from leads.domain.duplicates import ROLES
from leads.models import DuplicateKind

# id, first and last name, e-mails, phones (digits), company, country, city, postcode, address, region, birth
Row = tuple[int, str, str, list[str], list[str], str, str, str, str, str, str, str]
Pair = tuple[int, int, tuple[Any, ...], tuple[Any, ...]]


def _attribute(role: str) -> str:
    """What the custom attributes say about a role, under whichever of its names."""
    return f"coalesce({', '.join(f'p.attributes ->> {chr(39)}{name}{chr(39)}' for name in ROLES[role])}, '')"


def _plain(column: str) -> str:
    """Lower case without marks, as ``duplicates.plain`` reads it, near enough for a key."""
    return f"regexp_replace(normalize(lower({column}), NFKD), '[\u0300-\u036f]', '', 'g')"


_COLUMNS = "first, last, emails, phones, company, country, city, postcode, address, region, birth"
_TABLE = """
DROP TABLE IF EXISTS finder_record, finder_key, finder_block, finder_pair, finder_result;
CREATE TEMP TABLE finder_record (
    id bigint, first text, last text, emails text[], phones text[], company text, country text, city text,
    postcode text, address text, region text, birth text) ON COMMIT DROP
"""
_LOAD = f"""
INSERT INTO finder_record
SELECT p.id, p.first_name, p.last_name, coalesce(e.emails, '{{}}'), coalesce(h.phones, '{{}}'),
       coalesce(p.company_id::text, ''), p.country, p.city, {_attribute("postcode")},
       trim(coalesce(p.attributes ->> 'street_number', '') || ' ' || {_attribute("address")}),
       {_attribute("region")}, regexp_replace({_attribute("birth_date")}, '\\D', '', 'g')
  FROM leads_person p
  LEFT JOIN (SELECT person_id, array_agg(email ORDER BY is_primary DESC, id) AS emails
               FROM leads_personemail GROUP BY person_id) e ON e.person_id = p.id
  LEFT JOIN (SELECT person_id, array_agg(d ORDER BY id) AS phones
               FROM (SELECT person_id, id,
                            regexp_replace(coalesce(nullif(e164, ''), written), '\\D', '', 'g') AS d
                       FROM leads_personphone) f WHERE length(d) >= 5 GROUP BY person_id) h
    ON h.person_id = p.id
 WHERE p.merged_into_id IS NULL
"""  # noqa: S608 - names of attributes, written in the domain
_FIRM_TABLE = """
DROP TABLE IF EXISTS finder_record, finder_key, finder_block, finder_pair, finder_result;
CREATE TEMP TABLE finder_record (id bigint, name_key text, domain text, country text, city text, phone text)
    ON COMMIT DROP
"""
_LOAD_FIRMS = """
INSERT INTO finder_record
SELECT id, name_key, domain, country, city, phone FROM leads_company WHERE merged_into_id IS NULL
"""
# Each line is one way to be found; a key is hashed with its kind, so that kinds never meet.
_KEYS = f"""
CREATE TEMP TABLE finder_key ON COMMIT DROP AS
WITH plain AS (
    SELECT id, {_plain("first")} AS first, {_plain("last")} AS last, {_plain("city")} AS city,
           {_plain("postcode")} AS postcode, {_plain("address")} AS address, company, birth, emails, phones
      FROM finder_record
), sounding AS (
    SELECT *, coalesce(nullif(dmetaphone(first), ''), nullif(first, '')) AS f,
           coalesce(nullif(dmetaphone(last), ''), nullif(last, '')) AS l
      FROM plain
)
SELECT DISTINCT hashtextextended(k.key, 0) AS key, s.id
  FROM sounding s
 CROSS JOIN LATERAL (
    SELECT key FROM (VALUES
      ('n ' || least(s.f, s.l) || ' ' || greatest(s.f, s.l) || CASE WHEN s.f IS NULL OR s.l IS NULL
          THEN NULL ELSE '' END),
      ('w ' || s.f), ('w ' || s.l),
      ('lc ' || s.l || ' ' || dmetaphone(nullif(s.city, ''))),
      ('fc ' || s.f || ' ' || dmetaphone(nullif(s.city, ''))),
      ('b ' || nullif(s.birth, '')),
      ('lb ' || s.l || ' ' || nullif(left(s.birth, 6), '')),
      ('ld ' || s.l || ' ' || nullif(substr(s.birth, 5), '')),
      ('fb ' || s.f || ' ' || nullif(left(s.birth, 6), '')),
      ('fd ' || s.f || ' ' || nullif(substr(s.birth, 5), '')),
      ('fy ' || s.f || ' ' || nullif(left(s.birth, 4), '')),
      ('cy ' || nullif(s.city, '') || ' ' || nullif(left(s.birth, 4), '')),
      ('cd ' || nullif(s.city, '') || ' ' || nullif(substr(s.birth, 5), '')),
      ('x ' || least(left(s.first, 3), left(s.last, 3)) || ' ' || greatest(left(s.first, 3), left(s.last, 3))
            || CASE WHEN s.first = '' OR s.last = '' THEN NULL ELSE '' END),
      ('co ' || nullif(s.company, '') || ' ' || s.l),
      ('cf ' || nullif(s.company, '') || ' ' || s.f),
      ('zl ' || nullif(s.postcode, '') || ' ' || s.l),
      ('zf ' || nullif(s.postcode, '') || ' ' || s.f),
      ('a ' || nullif(left(s.address, 12), '') || ' ' || nullif(left(s.postcode, 3), ''))
    ) v(key)
    UNION ALL SELECT 'e ' || split_part(e, '@', 1)
                FROM unnest(s.emails) e WHERE length(split_part(e, '@', 1)) > 3
    UNION ALL SELECT 'm ' || dmetaphone(regexp_replace(split_part(e, '@', 1), '[^a-z]', '', 'g'))
                     || ' ' || left(split_part(e, '@', 2), 3)
                FROM unnest(s.emails) e
    UNION ALL SELECT 'eh ' || left(split_part(e, '@', 1), 1) || ' ' || split_part(e, '@', 2)
                FROM unnest(s.emails) e
    UNION ALL SELECT 'fe ' || s.f || ' ' || split_part(e, '@', 2) FROM unnest(s.emails) e
    UNION ALL SELECT 'le ' || s.l || ' ' || split_part(e, '@', 2) FROM unnest(s.emails) e
    UNION ALL SELECT 'nf ' || dmetaphone(regexp_replace(split_part(e, '@', 1), '[^a-z]', '', 'g'))
                FROM unnest(s.emails) e
    UNION ALL SELECT 'nf ' || dmetaphone(s.first || s.last) WHERE s.first <> '' AND s.last <> ''
    UNION ALL SELECT 'p ' || right(h, 7) FROM unnest(s.phones) h WHERE length(h) >= 7
 ) k
 WHERE k.key IS NOT NULL AND length(k.key) > 3
"""  # noqa: S608 - composed of constants
_FIRM_KEYS = """
CREATE TEMP TABLE finder_key ON COMMIT DROP AS
SELECT DISTINCT hashtextextended(k.key, 0) AS key, s.id
  FROM finder_record s
 CROSS JOIN LATERAL (VALUES
    ('n ' || nullif(s.name_key, '')),
    ('s ' || nullif(dmetaphone(split_part(s.name_key, ' ', 1)), '')
          || ' ' || dmetaphone(split_part(s.name_key, ' ', 2))),
    ('w ' || nullif(left(replace(s.name_key, ' ', ''), 7), '')),
    ('d ' || nullif(s.domain, '')),
    ('dn ' || nullif(split_part(s.domain, '.', 1), '')),
    ('p ' || nullif(right(regexp_replace(s.phone, '\\D', '', 'g'), 7), ''))
 ) k(key)
 WHERE k.key IS NOT NULL
"""
_BLOCKS = """
CREATE TEMP TABLE finder_block ON COMMIT DROP AS
SELECT key, count(*)::int AS n FROM finder_key GROUP BY key HAVING count(*) > 1;
CREATE INDEX ON finder_block (key);
ANALYZE finder_block; ANALYZE finder_key
"""
_SIZES = "SELECT count(*) FILTER (WHERE n > %(most)s), coalesce(max(n), 0) FROM finder_block"
_PAIRS = """
CREATE TEMP TABLE finder_pair ON COMMIT DROP AS
WITH small AS (
    SELECT k.key, k.id FROM finder_key k JOIN finder_block b USING (key) WHERE b.n <= %(most)s
)
SELECT DISTINCT least(a.id, b.id) AS one, greatest(a.id, b.id) AS other
  FROM small a JOIN small b ON b.key = a.key AND b.id <> a.id
 WHERE CASE WHEN %(only)s::bigint[] IS NULL THEN a.id < b.id ELSE a.id = ANY(%(only)s::bigint[]) END
"""
_READ = """
SELECT p.one, p.other, a.*, b.*
  FROM finder_pair p JOIN finder_record a ON a.id = p.one JOIN finder_record b ON b.id = p.other
"""
_RESULTS = """
DROP TABLE IF EXISTS finder_result;
CREATE TEMP TABLE finder_result (one bigint, other bigint, score float8, band text, evidence text)
    ON COMMIT DROP
"""
_KEEP = """
INSERT INTO finder_result
SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::float8[], %s::text[], %s::text[])
"""
# A call said that two identified persons are one; nothing was merged, so somebody decides.
_CONFLICTS = """
INSERT INTO finder_result
SELECT DISTINCT least(c.person_id, c.other_id), greatest(c.person_id, c.other_id), 8, 'probable',
       '[{"field": "identifiers", "level": "same", "weight": 8}]'
  FROM leads_identityconflict c
  JOIN leads_person p ON p.id = c.person_id AND p.merged_into_id IS NULL
  JOIN leads_person o ON o.id = c.other_id AND o.merged_into_id IS NULL
 WHERE c.person_id <> c.other_id
   AND (%(only)s::bigint[] IS NULL OR c.person_id = ANY(%(only)s::bigint[])
        OR c.other_id = ANY(%(only)s::bigint[]))
   AND NOT EXISTS (SELECT 1 FROM finder_result r WHERE r.one = least(c.person_id, c.other_id)
                      AND r.other = greatest(c.person_id, c.other_id))
"""
_STORE = """
INSERT INTO leads_duplicate (kind, {left}_id, {right}_id, score, band, evidence, state, found_at)
SELECT %(kind)s, one, other, score, band, evidence::jsonb, 'open', %(now)s FROM finder_result
 ORDER BY one, other
ON CONFLICT ({left}_id, {right}_id) DO UPDATE
   SET score = excluded.score, band = excluded.band, evidence = excluded.evidence
 WHERE leads_duplicate.state = 'open' AND leads_duplicate.score IS DISTINCT FROM excluded.score
"""
_FORGET = """
DELETE FROM leads_duplicate d
 WHERE d.kind = %(kind)s AND d.state = 'open'
   AND (%(only)s::bigint[] IS NULL OR d.{left}_id = ANY(%(only)s::bigint[])
        OR d.{right}_id = ANY(%(only)s::bigint[]))
   AND NOT EXISTS (SELECT 1 FROM finder_result r WHERE r.one = d.{left}_id AND r.other = d.{right}_id)
"""
_SIDES = {
    DuplicateKind.PERSON: {"left": "left", "right": "right"},
    DuplicateKind.COMPANY: {"left": "left_company", "right": "right_company"},
}


def load(*, cursor: Any, kind: str) -> int:
    """Copy what is compared of every record into the work table; return how many there are."""
    is_person = kind == DuplicateKind.PERSON
    cursor.execute(_TABLE if is_person else _FIRM_TABLE)
    cursor.execute(_LOAD if is_person else _LOAD_FIRMS)
    return _indexed(cursor)


def load_rows(*, cursor: Any, rows: Iterable[Row]) -> int:
    """The same from rows of a file."""
    cursor.execute(_TABLE)
    marks = ", ".join(["%s"] * 12)
    cursor.executemany(f"INSERT INTO finder_record VALUES ({marks})", list(rows))  # noqa: S608 - marks only
    return _indexed(cursor)


def _indexed(cursor: Any) -> int:
    cursor.execute("CREATE UNIQUE INDEX ON finder_record (id); ANALYZE finder_record")
    cursor.execute("SELECT count(*) FROM finder_record")
    return int(cursor.fetchone()[0])


def block(*, cursor: Any, kind: str, most: int, only: Sequence[int] | None) -> tuple[int, int]:
    """Leave the pairs to compare; return how many blocks were left out and how large the largest is."""
    cursor.execute(_KEYS if kind == DuplicateKind.PERSON else _FIRM_KEYS)
    cursor.execute(_BLOCKS)
    cursor.execute(_SIZES, {"most": most})
    left_out, largest = cursor.fetchone()
    cursor.execute(_PAIRS, {"most": most, "only": None if only is None else list(only)})
    return int(left_out), int(largest)


def pairs(*, batch: int = 10_000) -> Iterator[Pair]:
    """The pairs with what is known of both, streamed: a million records have millions of pairs."""
    name = f"finder_{uuid.uuid4().hex[:12]}"
    with connection.connection.cursor(name=name) as cursor:
        cursor.itersize = batch
        cursor.execute(_READ)
        for row in cursor:
            half = (len(row) - 2) // 2
            yield row[0], row[1], row[3 : 2 + half], row[3 + half :]


def make_results(*, cursor: Any) -> None:
    """A table for the judged pairs."""
    cursor.execute(_RESULTS)


def keep_results(*, cursor: Any, rows: Sequence[tuple[int, int, float, str, str]]) -> None:
    """Add judged pairs."""
    cursor.execute(_KEEP, [list(column) for column in zip(*rows, strict=True)])


def store(*, cursor: Any, kind: str, only: Sequence[int] | None, now: datetime) -> None:
    """Write the judged pairs down, and forget open ones that read unlikely now."""
    sides = _SIDES[DuplicateKind(kind)]
    cursor.execute("CREATE INDEX ON finder_result (one, other); ANALYZE finder_result")
    given = {"kind": kind, "now": now, "only": None if only is None else list(only)}
    if kind == DuplicateKind.PERSON:
        cursor.execute(_CONFLICTS, given)
    cursor.execute(_STORE.format(**sides), given)
    cursor.execute(_FORGET.format(**sides), given)
