"""Import of companies: known by the id of their source, else by domain or name."""

from __future__ import annotations

from psycopg2 import sql

from leads.events import LeadsChanged
from leads.models import AttributeSubject
from leads.services import searching
from leads.services.imports import cells
from leads.services.imports.kinds import Field, Kind
from leads.services.imports.staging import Batch, kept
from smarketing.core import events

_TEXT = ("industry", "country", "city", "phone", "currency", "domain")
_OTHER = ("employees", "annual_revenue")


def apply(*, batch: Batch) -> None:
    """Make and change the companies of the file; parents may stand in the same file."""
    batch.reject("name", "The company has no name.", "r.name IS NULL")
    _match(batch)
    _insert(batch)
    batch.made("leads_company", "SELECT company_id FROM import_target WHERE is_first")
    batch.load("import_changed", (("company_id", "bigint"), ("renamed", "bool")), [])
    _change(batch)
    _remember_ids(batch)
    _parents(batch)
    batch.outcome("c", "SELECT row_no FROM import_target WHERE is_first")
    batch.outcome(
        "u",
        "SELECT row_no FROM import_target JOIN (SELECT DISTINCT company_id FROM import_changed) c"
        " USING (company_id) WHERE NOT is_first",
    )
    _tell(batch)


def _match(batch: Batch) -> None:
    """``import_target (row_no, company_id, is_first)``: known ones first, then rows among themselves."""
    batch.table(
        "import_match",
        """
        SELECT r.row_no, coalesce(o.merged_into_id, o.id, d.id, k.id) AS company_id
          FROM import_row r
          LEFT JOIN leads_companyref f ON f.source_id = %(source)s AND f.external_id = r.external_id
          LEFT JOIN leads_company o ON o.id = f.company_id
          LEFT JOIN LATERAL (SELECT min(c.id) AS id FROM leads_company c
                              WHERE c.domain = r.domain AND c.merged_into_id IS NULL
                             HAVING count(*) = 1) d ON r.domain IS NOT NULL AND f.id IS NULL
          LEFT JOIN LATERAL (SELECT min(c.id) AS id FROM leads_company c
                              WHERE c.name_key = r.name_key AND c.merged_into_id IS NULL
                                -- Of one source, another id is another company, whatever the name.
                                AND NOT (r.external_id IS NOT NULL AND EXISTS (
                                    SELECT 1 FROM leads_companyref x
                                     WHERE x.company_id = c.id AND x.source_id = %(source)s))
                            ) k ON f.id IS NULL
        """,
        index="row_no",
    )
    batch.table(
        "import_target",
        """
        WITH grouped AS (
            SELECT m.row_no, min(m.row_no) OVER (
                       PARTITION BY CASE WHEN r.external_id IS NULL THEN r.name_key ELSE r.row_no::text END,
                                    r.external_id IS NULL) AS first_row
              FROM import_match m JOIN import_row r USING (row_no) WHERE m.company_id IS NULL
        ), made AS (
            SELECT first_row, nextval('leads_company_id_seq') AS company_id
              FROM (SELECT DISTINCT first_row FROM grouped ORDER BY 1) q
        )
        SELECT m.row_no, coalesce(m.company_id, n.company_id) AS company_id,
               n.company_id IS NOT NULL AND g.row_no = g.first_row AS is_first
          FROM import_match m LEFT JOIN grouped g USING (row_no) LEFT JOIN made n USING (first_row)
        """,
        index="row_no",
    )


def _insert(batch: Batch) -> None:
    batch.execute(
        """
        INSERT INTO leads_company (id, name, name_key, domain, industry, employees, annual_revenue, currency,
                                   country, city, phone, attributes, version, created_at, updated_at)
        SELECT t.company_id, r.name, r.name_key, coalesce(r.domain, ''), coalesce(r.industry, ''),
               r.employees, r.annual_revenue, coalesce(r.currency, ''), coalesce(r.country, ''),
               coalesce(r.city, ''), coalesce(r.phone, ''), coalesce(r.attributes, '{}'), 1, %(now)s, %(now)s
          FROM import_target t JOIN import_row r USING (row_no) WHERE t.is_first
        """
    )


def _change(batch: Batch) -> None:
    """What the last row of a known company says, where it differs from what is stored."""
    columns = [
        name for name in (*_TEXT, *_OTHER) if batch.has(name) or (name == "domain" and batch.has("website"))
    ]
    final: dict[str, sql.Composable] = {
        name: sql.SQL("coalesce(r.{0}, o.{0})").format(sql.Identifier(name)) for name in columns
    }
    final |= {
        "name": sql.SQL("r.name"),
        "name_key": sql.SQL("r.name_key"),
        "attributes": sql.SQL("o.attributes || coalesce(r.attributes, '{}')"),
    }
    batch.execute(
        sql.SQL(
            """
            WITH latest AS (
                SELECT company_id, max(row_no) AS row_no FROM import_target WHERE company_id IN
                       (SELECT company_id FROM import_target WHERE NOT is_first) GROUP BY company_id
            ), before AS (
                SELECT o.id, o.name FROM leads_company o JOIN latest l ON l.company_id = o.id
            ), changed AS (
                UPDATE leads_company o SET {assigned}, version = o.version + 1, updated_at = %(now)s
                  FROM latest l JOIN import_row r USING (row_no)
                 WHERE o.id = l.company_id AND ({final}) IS DISTINCT FROM ({present}) RETURNING o.id, o.name
            ), {kept}
            INSERT INTO import_changed SELECT c.id, c.name <> b.name FROM changed c JOIN before b USING (id)
            """
        ).format(
            kept=sql.SQL(kept(table="leads_company")),
            assigned=sql.SQL(", ").join(
                sql.SQL("{} = {}").format(sql.Identifier(name), value) for name, value in final.items()
            ),
            final=sql.SQL(", ").join(final.values()),
            present=sql.SQL(", ").join(sql.SQL("o.{}").format(sql.Identifier(name)) for name in final),
        )
    )


def _remember_ids(batch: Batch) -> None:
    batch.execute(
        """
        WITH added AS (
            INSERT INTO leads_companyref (company_id, source_id, external_id)
            SELECT t.company_id, %(source)s, r.external_id
              FROM import_target t JOIN import_row r USING (row_no)
             WHERE r.external_id IS NOT NULL ON CONFLICT DO NOTHING RETURNING id, company_id
        ), made AS (
            INSERT INTO import_made SELECT 'leads_companyref', id FROM added
        )
        INSERT INTO import_changed SELECT company_id, false FROM added
        """
    )


def _parents(batch: Batch) -> None:
    """Link subsidiaries to parents, which may stand in the same file, also after them."""
    if not batch.has("parent", "parent_ref"):
        return
    batch.table(
        "import_parent",
        """
        SELECT r.row_no, t.company_id, coalesce(o.merged_into_id, o.id, k.id) AS parent_id
          FROM import_row r JOIN import_target t USING (row_no)
          LEFT JOIN leads_companyref f ON f.source_id = %(source)s AND f.external_id = r.parent_ref
          LEFT JOIN leads_company o ON o.id = f.company_id
          LEFT JOIN LATERAL (SELECT min(c.id) AS id FROM leads_company c
                              WHERE c.name_key = r.parent_key AND c.merged_into_id IS NULL) k ON true
         WHERE r.parent_ref IS NOT NULL OR r.parent_key IS NOT NULL
        """,
    )
    lost = batch.fetch("SELECT count(*) FROM import_parent WHERE parent_id IS NULL OR parent_id = company_id")
    if lost[0][0]:
        batch.note(f"{lost[0][0]} rows name a parent company that is not known; they come in without one.")
    batch.execute(
        """
        WITH linked AS (
            UPDATE leads_company o SET parent_id = p.parent_id, updated_at = %(now)s,
                   version = o.version + (o.created_at <> %(now)s)::int
              FROM import_parent p
             WHERE o.id = p.company_id AND p.parent_id <> o.id AND o.parent_id IS DISTINCT FROM p.parent_id
               -- Two companies can't be each other's parents.
               AND NOT EXISTS (SELECT 1 FROM leads_company u WHERE u.id = p.parent_id AND u.parent_id = o.id)
            RETURNING o.id
        ), KEPT
        INSERT INTO import_changed SELECT id, false FROM linked
        """.replace("KEPT", kept(table="leads_company", changed="linked"))
    )


def _tell(batch: Batch) -> None:
    """Search finds people by their company's name, and fit may depend on the company."""
    renamed = batch.fetch(
        "SELECT p.id FROM leads_person p JOIN import_changed c ON c.company_id = p.company_id WHERE c.renamed"
    )
    if renamed:
        searching.refresh(person_ids=[pk for (pk,) in renamed])
    changed = batch.fetch(
        "SELECT l.id FROM leads_lead l"
        " JOIN (SELECT DISTINCT company_id FROM import_changed) c USING (company_id)"
        " WHERE l.closed_at IS NULL ORDER BY 1"
    )
    if changed:
        actor = batch.actor.pk if batch.actor else None
        events.publish(LeadsChanged(tuple(pk for (pk,) in changed), actor, batch.now))


KIND = Kind(
    name="companies",
    fields=(
        Field("external_id", cells.key),
        Field("name", cells.company, columns=(("name", "text"), ("name_key", "text"))),
        Field("website", cells.domain, columns=(("domain", "text"),)),
        Field("industry", cells.line(limit=120)),
        Field("employees", cells.whole, columns=(("employees", "int"),)),
        Field("annual_revenue", cells.amount, columns=(("annual_revenue", "numeric(18,2)"),)),
        Field("currency", cells.currency),
        Field("country", cells.line(limit=80)),
        Field("city", cells.line(limit=120)),
        Field("phone", cells.line(limit=40)),
        Field("parent", cells.company, columns=(("parent_name", "text"), ("parent_key", "text"))),
        Field("parent_ref", cells.key),
        Field("is_deleted", cells.boolean, columns=(("is_deleted", "bool"),)),
    ),
    apply=apply,
    subject=AttributeSubject.COMPANY,
)
