"""Persons of a file, set-based: recognise them, make the new ones, change the known ones.

Works on ``import_match (row_no, person_id)``, which the kind fills with whom its rows are known to
be by id or e-mail address, and leaves ``import_target (row_no, person_id, is_new, is_first)``.
Rows of one file recognise each other by the same rules as rows recognise stored persons: an e-mail
address is one person; a phone number alone is, where only one has it and names do not contradict.
"""

from __future__ import annotations

from psycopg2 import sql

from leads.services import searching
from leads.services.imports import cells, consents
from leads.services.imports.kinds import Field
from leads.services.imports.staging import Batch, kept

_PHONE = (("written", "text"), ("e164", "text"), ("mobile", "bool"))

FIELDS = (
    Field("first_name", cells.line(limit=120)),
    Field("last_name", cells.line(limit=120)),
    Field("name", cells.full_name, columns=(("name_first", "text"), ("name_last", "text"))),
    Field("phone", cells.phone, columns=tuple((f"phone_{name}", kind) for name, kind in _PHONE)),
    Field("mobile_phone", cells.phone, columns=tuple((f"mobile_{name}", kind) for name, kind in _PHONE)),
    Field("title", cells.line(limit=200)),
    Field("company", cells.company, columns=(("company_name", "text"), ("company_key", "text"))),
    Field("company_ref", cells.key),
    Field("website", cells.line(limit=500)),
    Field("country", cells.line(limit=80)),
    Field("city", cells.line(limit=120)),
    Field("language", cells.line(limit=12)),
    Field("is_deleted", cells.boolean, columns=(("is_deleted", "bool"),)),
    *consents.FIELDS,
)
_COLUMNS = ("first_name", "last_name", "title", "website", "country", "city", "language")


def settle_names(*, batch: Batch) -> None:
    """A whole name stands in where first and last name are not given apart."""
    if batch.has("name"):
        batch.execute(
            "UPDATE import_row SET first_name = name_first, last_name = name_last"
            " WHERE first_name IS NULL AND last_name IS NULL AND name_last IS NOT NULL"
        )


def match_phones(*, batch: Batch) -> None:
    """Rows nobody is known for yet, by a phone number that exactly one stored person has."""
    if not batch.has("phone", "mobile_phone"):
        return
    batch.execute(
        """
        UPDATE import_match m SET person_id = q.person_id FROM (
            SELECT r.row_no, min(p.id) AS person_id
              FROM import_match i JOIN import_row r USING (row_no)
              JOIN leads_personphone h ON h.e164 IN (r.phone_e164, r.mobile_e164) AND h.e164 <> ''
              JOIN leads_person p ON p.id = h.person_id AND p.merged_into_id IS NULL
             WHERE i.person_id IS NULL
             GROUP BY r.row_no
            HAVING count(DISTINCT p.id) = 1
               AND NOT (min(r.email) IS NOT NULL
                        AND EXISTS (SELECT 1 FROM leads_personemail e WHERE e.person_id = min(p.id)))
               AND coalesce(lower(min(r.last_name)) = nullif(lower(min(p.last_name)), ''), true)
               AND coalesce(lower(min(r.first_name)) = nullif(lower(min(p.first_name)), ''), true)
        ) q WHERE m.row_no = q.row_no
        """
    )


def make_new(*, batch: Batch, own_attributes: bool) -> int:
    """Group the rows of unknown persons, insert the persons, and leave ``import_target``.

    ``own_attributes``: custom attributes of the file are the persons' (and not their leads').
    """
    batch.table(
        "import_same_email",
        "SELECT r.email, min(r.row_no) AS first_row FROM import_match m JOIN import_row r USING (row_no)"
        " WHERE m.person_id IS NULL AND r.email IS NOT NULL GROUP BY r.email HAVING count(*) > 1",
        index="email",
    )
    batch.table(
        "import_new",
        "SELECT m.row_no, coalesce(s.first_row, m.row_no) AS first_row FROM import_match m"
        " JOIN import_row r USING (row_no) LEFT JOIN import_same_email s ON s.email = r.email"
        " WHERE m.person_id IS NULL",
    )
    if batch.has("phone", "mobile_phone"):
        _join_phones(batch)
    batch.table(
        "import_person",
        "SELECT first_row, nextval('leads_person_id_seq') AS person_id"
        " FROM (SELECT row_no AS first_row FROM import_new WHERE row_no = first_row ORDER BY 1) q",
    )
    batch.made("leads_person", "SELECT person_id FROM import_person")
    batch.table(
        "import_target",
        "SELECT m.row_no, coalesce(m.person_id, p.person_id) AS person_id, p.person_id IS NOT NULL AS is_new,"
        " p.person_id IS NOT NULL AND n.row_no = n.first_row AS is_first, c.company_id"
        " FROM import_match m LEFT JOIN import_new n USING (row_no)"
        " LEFT JOIN import_person p USING (first_row)"
        " LEFT JOIN import_row_company c USING (row_no)",
        index="row_no",
    )
    return _insert(batch, own_attributes=own_attributes)


def _join_phones(batch: Batch) -> None:
    """Rows without e-mail address join the one group of rows with their phone number."""
    batch.table(
        "import_same_phone",
        """
        WITH numbered AS (
            SELECT n.first_row, r.row_no, r.email, lower(coalesce(r.first_name, '')) AS first_name,
                   lower(coalesce(r.last_name, '')) AS last_name, p.e164
              FROM import_new n JOIN import_row r USING (row_no)
             CROSS JOIN LATERAL (VALUES (r.phone_e164), (r.mobile_e164)) p(e164) WHERE p.e164 IS NOT NULL
        ), shared AS (
            SELECT e164 FROM numbered GROUP BY e164 HAVING count(*) > 1 AND count(*) > count(email)
        ), lone AS (
            SELECT e164, min(first_row) AS first_row, min(first_name) AS first_name,
                   min(last_name) AS last_name
              FROM numbered JOIN shared USING (e164) WHERE email IS NOT NULL
             GROUP BY e164 HAVING count(DISTINCT email) = 1
        ), named AS (
            SELECT e164, first_name, last_name, min(row_no) AS first_row
              FROM numbered JOIN shared USING (e164) WHERE email IS NULL GROUP BY 1, 2, 3
        )
        SELECT DISTINCT ON (n.row_no) n.row_no,
               CASE WHEN l.e164 IS NOT NULL AND (n.last_name IN ('', l.last_name) OR l.last_name = '')
                     AND (n.first_name IN ('', l.first_name) OR l.first_name = '')
                    THEN l.first_row ELSE d.first_row END AS first_row
          FROM numbered n JOIN shared USING (e164)
          JOIN named d USING (e164, first_name, last_name) LEFT JOIN lone l USING (e164)
         WHERE n.email IS NULL ORDER BY n.row_no, 2
        """,
    )
    batch.execute(
        "UPDATE import_new n SET first_row = s.first_row FROM import_same_phone s"
        " WHERE n.row_no = s.row_no AND n.first_row <> s.first_row"
    )
    # A row may have joined one that itself has joined another: the first of the first.
    batch.execute(
        "UPDATE import_new n SET first_row = f.first_row FROM import_new f"
        " WHERE f.row_no = n.first_row AND f.first_row <> n.first_row"
    )


def _insert(batch: Batch, *, own_attributes: bool) -> int:
    """New persons with what their first row says; then everybody's new addresses and numbers."""
    made = batch.execute(
        """
        INSERT INTO leads_person (id, first_name, last_name, title, company_id, language, country, city,
                                  website, attributes, search_text, version, created_at, updated_at)
        SELECT t.person_id, coalesce(r.first_name, ''), coalesce(r.last_name, ''), coalesce(r.title, ''),
               t.company_id, coalesce(r.language, ''), coalesce(r.country, ''), coalesce(r.city, ''),
               coalesce(r.website, ''),
               CASE WHEN %(own)s THEN coalesce(r.attributes, '{}') ELSE '{}' END,
               lower(trim(concat_ws(' ', r.first_name, r.last_name, r.email, c.name))), 1, %(now)s, %(now)s
          FROM import_target t JOIN import_row r USING (row_no)
          LEFT JOIN leads_company c ON c.id = t.company_id
         WHERE t.is_first
        """,
        own=own_attributes,
    )
    batch.execute(
        "INSERT INTO leads_personemail (person_id, email, is_primary)"
        " SELECT t.person_id, r.email, true FROM import_target t JOIN import_row r USING (row_no)"
        " WHERE t.is_first AND r.email IS NOT NULL ON CONFLICT DO NOTHING"
    )
    if batch.has("phone", "mobile_phone"):
        batch.execute(
            """
            INSERT INTO leads_personphone (person_id, written, e164, is_mobile)
            SELECT t.person_id, p.written, coalesce(p.e164, ''), p.mobile
              FROM import_target t JOIN import_row r USING (row_no)
             CROSS JOIN LATERAL (VALUES (r.phone_written, r.phone_e164, r.phone_mobile),
                                        (r.mobile_written, r.mobile_e164, r.mobile_mobile)
                                ) p(written, e164, mobile)
             WHERE t.is_first AND p.written IS NOT NULL ON CONFLICT DO NOTHING
            """
        )
    batch.refresh_statistics("leads_person", "leads_personemail", "leads_personphone", written=made)
    return made


def change(*, batch: Batch, own_attributes: bool) -> None:
    """Bring persons up to what rows other than their first say; leave ``import_changed (person_id)``.

    What a row says goes before what is stored, a later row before an earlier one, and a blank cell
    says nothing. Rows of ``import_fill (row_no)`` only fill blanks: they tell of a person who has an
    open lead from elsewhere.
    """
    batch.load("import_changed", (("person_id", "bigint"),), [])
    batch.table(
        "import_known",
        "SELECT t.row_no, t.person_id, t.company_id, f.row_no IS NOT NULL AS fills FROM import_target t"
        " LEFT JOIN import_fill f USING (row_no) WHERE t.person_id IN"
        " (SELECT person_id FROM import_target WHERE NOT is_first)",
    )
    for fills in (False, True):
        batch.execute(_change_statement(batch, fills=fills, own_attributes=own_attributes))
    _add_addresses(batch)
    consents.record(batch=batch)
    if changed := [pk for (pk,) in batch.fetch("SELECT DISTINCT person_id FROM import_changed")]:
        searching.refresh(person_ids=changed)


def _change_statement(batch: Batch, *, fills: bool, own_attributes: bool) -> sql.Composed:
    columns = [name for name in _COLUMNS if batch.has(name) or (batch.has("name") and name.endswith("_name"))]
    latest = [
        sql.SQL(
            "(array_agg(r.{0} ORDER BY r.row_no DESC) FILTER (WHERE r.{0} IS NOT NULL))[1] AS {0}"
        ).format(sql.Identifier(name))
        for name in columns
    ]
    text = "coalesce(nullif(p.{0}, ''), n.{0}, '')" if fills else "coalesce(n.{0}, p.{0})"
    link = "coalesce(p.company_id, n.company_id)" if fills else "coalesce(n.company_id, p.company_id)"
    joined = "n.attributes || p.attributes" if fills else "p.attributes || n.attributes"
    final: dict[str, sql.Composable] = {name: sql.SQL(text).format(sql.Identifier(name)) for name in columns}
    final["company_id"] = sql.SQL(link)
    if own_attributes:
        final["attributes"] = sql.SQL(joined)
    assigned = [sql.SQL("{} = {}").format(sql.Identifier(name), value) for name, value in final.items()]
    present = [sql.SQL("p.{}").format(sql.Identifier(name)) for name in final]
    return sql.SQL(
        """
        WITH n AS (
            SELECT k.person_id, {latest},
                   (array_agg(k.company_id ORDER BY k.row_no DESC) FILTER (WHERE k.company_id IS NOT NULL))[1]
                       AS company_id,
                   coalesce(jsonb_object_agg(a.key, a.value ORDER BY k.row_no)
                            FILTER (WHERE a.key IS NOT NULL), '{{}}') AS attributes
              FROM import_known k JOIN import_row r USING (row_no)
              LEFT JOIN LATERAL jsonb_each(CASE WHEN {own} THEN r.attributes END) a ON true
             WHERE k.fills = {fills} GROUP BY k.person_id
        ), changed AS (
            UPDATE leads_person p SET {assigned}, version = p.version + 1, updated_at = %(now)s
              FROM n WHERE p.id = n.person_id AND ({final}) IS DISTINCT FROM ({present}) RETURNING p.id
        ), {kept}
        INSERT INTO import_changed SELECT id FROM changed
        """
    ).format(
        kept=sql.SQL(kept(table="leads_person")),
        latest=sql.SQL(", ").join([*latest, sql.SQL("1 AS one")]),
        own=sql.Literal(own_attributes),
        fills=sql.Literal(fills),
        assigned=sql.SQL(", ").join(assigned),
        final=sql.SQL(", ").join([*final.values(), sql.SQL("1")]),
        present=sql.SQL(", ").join([*present, sql.SQL("1")]),
    )


def _add_addresses(batch: Batch) -> None:
    """E-mail addresses, and phone numbers, that a known person did not have yet."""
    batch.execute(
        """
        WITH given AS (
            SELECT k.person_id, r.email, min(r.row_no) AS row_no
              FROM import_known k JOIN import_row r USING (row_no)
             WHERE r.email IS NOT NULL GROUP BY 1, 2
        ), fresh AS (
            SELECT g.*, row_number() OVER (PARTITION BY g.person_id ORDER BY g.row_no) AS n FROM given g
             WHERE NOT EXISTS (SELECT 1 FROM leads_personemail e WHERE e.email = g.email)
        ), added AS (
            INSERT INTO leads_personemail (person_id, email, is_primary)
            SELECT f.person_id, f.email, f.n = 1 AND NOT EXISTS (
                       SELECT 1 FROM leads_personemail e WHERE e.person_id = f.person_id AND e.is_primary)
              FROM fresh f ON CONFLICT DO NOTHING RETURNING id, person_id
        ), made AS (
            INSERT INTO import_made SELECT 'leads_personemail', id FROM added
        )
        INSERT INTO import_changed SELECT person_id FROM added
        """
    )
    taken = batch.fetch(
        "SELECT count(DISTINCT r.row_no) FROM import_known k JOIN import_row r USING (row_no)"
        " JOIN leads_personemail e ON e.email = r.email WHERE e.person_id <> k.person_id"
    )[0][0]
    if taken:
        batch.note(f"{taken} rows have an e-mail address that is another person's; it stays there.")
    if batch.has("phone", "mobile_phone"):
        _add_numbers(batch)


def _add_numbers(batch: Batch) -> None:
    """Phone numbers that a known person did not have yet."""
    batch.execute(
        """
        WITH given AS (
            SELECT DISTINCT ON (k.person_id, coalesce(p.e164, p.written))
                   k.person_id, p.written, coalesce(p.e164, '') AS e164, p.mobile
              FROM import_known k JOIN import_row r USING (row_no)
             CROSS JOIN LATERAL (VALUES (r.phone_written, r.phone_e164, r.phone_mobile),
                                        (r.mobile_written, r.mobile_e164, r.mobile_mobile)
                                ) p(written, e164, mobile)
             WHERE p.written IS NOT NULL ORDER BY k.person_id, coalesce(p.e164, p.written), r.row_no
        ), added AS (
            INSERT INTO leads_personphone (person_id, written, e164, is_mobile)
            SELECT g.person_id, g.written, g.e164, g.mobile FROM given g
             WHERE NOT EXISTS (SELECT 1 FROM leads_personphone h WHERE h.person_id = g.person_id
                                  AND (h.written = g.written OR (g.e164 <> '' AND h.e164 = g.e164)))
            ON CONFLICT DO NOTHING RETURNING id, person_id
        ), made AS (
            INSERT INTO import_made SELECT 'leads_personphone', id FROM added
        )
        INSERT INTO import_changed SELECT person_id FROM added
        """
    )
