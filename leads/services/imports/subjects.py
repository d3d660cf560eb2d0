"""Whom a touchpoint or activity of a file is about: person, lead and company."""

from __future__ import annotations

from leads.services.imports import references
from leads.services.imports.staging import Batch

_FIND = """
SELECT r.row_no, coalesce(l.person_id, t.person_id, f.person_id, p.person_id, e.person_id) AS person_id,
       coalesce(l.id, t.lead_id, p.id) AS named_lead_id, r.occurred_at
  FROM import_row r
  LEFT JOIN leads_lead l ON l.source_id = %(source)s AND l.external_id = r.lead_ref
  LEFT JOIN leads_touchpoint t ON t.source_id = %(source)s AND t.external_id = 'lead ' || r.lead_ref
  LEFT JOIN leads_personref f ON f.source_id = %(source)s AND f.external_id = r.person_ref
  -- Salesforce names a lead or a contact in one column.
  LEFT JOIN leads_lead p ON p.source_id = %(source)s AND p.external_id = r.person_ref AND f.id IS NULL
  LEFT JOIN leads_personemail e ON e.email = r.email
"""


def find(*, batch: Batch, or_company: bool) -> None:
    """Leave ``import_subject (row_no, person_id, lead_id)``; rows about nobody known are rejected.

    The lead is the one the row names, else the person's lap at that time. ``or_company``: a row
    about a known company needs no person.
    """
    if not or_company:
        batch.table(
            "import_row_company", "SELECT NULL::int AS row_no, NULL::bigint AS company_id WHERE false"
        )
    if batch.create_missing:
        _make_persons(batch)
    batch.table("import_found", _FIND, index="row_no")
    named = next((n for n in ("person_ref", "lead_ref", "email") if batch.has(n)), "person_ref")
    batch.reject(
        named,
        "No such person or lead is known. Import people or leads first, or use --create-missing.",
        "NOT (%(or_company)s AND r.row_no IN"
        " (SELECT row_no FROM import_row_company WHERE company_id IS NOT NULL))"
        " AND NOT EXISTS (SELECT 1 FROM import_found f"
        " WHERE f.row_no = r.row_no AND f.person_id IS NOT NULL)",
        or_company=or_company,
    )
    batch.table(
        "import_subject",
        """
        SELECT f.row_no, f.person_id, coalesce(f.named_lead_id, w.id) AS lead_id
          FROM import_found f JOIN import_row r USING (row_no)
          LEFT JOIN LATERAL (
                SELECT n.id FROM leads_lead n WHERE n.person_id = f.person_id
                 -- The lap of that time; what came before the first lap led to it.
                 ORDER BY n.captured_at > f.occurred_at,
                          CASE WHEN n.captured_at > f.occurred_at THEN n.lap ELSE -n.lap END LIMIT 1
               ) w ON f.named_lead_id IS NULL
        """,
        index="row_no",
    )


def companies(*, batch: Batch) -> None:
    """``import_row_company`` of the ids in the field ``company_ref``."""
    references.companies(batch=batch, may_create=False)


def _make_persons(batch: Batch) -> None:
    """Persons of whom only an e-mail address or an id in the source is known."""
    batch.table("import_found", _FIND)
    batch.table(
        "import_stranger",
        "SELECT coalesce(r.email, r.person_ref) AS known_by, min(r.email) AS email, min(r.person_ref) AS ref,"
        " NULL::bigint AS person_id FROM import_row r JOIN import_found f USING (row_no)"
        " WHERE f.person_id IS NULL AND coalesce(r.email, r.person_ref) IS NOT NULL GROUP BY 1",
    )
    batch.execute("UPDATE import_stranger SET person_id = nextval('leads_person_id_seq')")
    made = batch.execute(
        "INSERT INTO leads_person (id, first_name, last_name, title, language, country, city, website,"
        " attributes, search_text, version, created_at, updated_at)"
        " SELECT person_id, '', '', '', '', '', '', '', '{}', coalesce(email, ''), 1, %(now)s, %(now)s"
        " FROM import_stranger"
    )
    batch.execute(
        "INSERT INTO leads_personemail (person_id, email, is_primary)"
        " SELECT person_id, email, true FROM import_stranger WHERE email IS NOT NULL"
    )
    batch.execute(
        "INSERT INTO leads_personref (person_id, source_id, external_id)"
        " SELECT person_id, %(source)s, ref FROM import_stranger WHERE ref IS NOT NULL ON CONFLICT DO NOTHING"
    )
    if made:
        batch.note(f"{made} persons were unknown and have been made.")
