"""Import of products, known by the id of their source or by name ("GTXPro" is "GTX Pro")."""

from __future__ import annotations

from funnel.services.imports import readers
from leads.services.imports import cells
from leads.services.imports.kinds import Field, Kind
from leads.services.imports.staging import Batch, kept
from smarketing.users.domain.roles import Capability

_TARGETS = """
WITH known AS (
    SELECT r.row_no, r.name_key, coalesce(k.id, f.id) AS product_id
      FROM import_row r
      LEFT JOIN funnel_product f ON f.source_id = %(source)s AND f.external_id = r.external_id
      LEFT JOIN funnel_product k ON k.name_key = r.name_key
), made AS (
    SELECT name_key, nextval('funnel_product_id_seq') AS product_id, min(row_no) AS first_row
      FROM (SELECT name_key, row_no FROM known WHERE product_id IS NULL ORDER BY row_no) q
     GROUP BY name_key
)
SELECT k.row_no, coalesce(k.product_id, m.product_id) AS product_id,
       m.first_row IS NOT DISTINCT FROM k.row_no AS is_first
  FROM known k LEFT JOIN made m ON k.product_id IS NULL AND m.name_key = k.name_key
"""

_INSERT = """
INSERT INTO funnel_product (id, name, name_key, series, list_price, currency, is_active, source_id,
                            external_id, version, created_at, updated_at)
SELECT t.product_id, r.name, r.name_key, coalesce(r.series, ''), r.price, coalesce(r.currency, ''),
       coalesce(r.is_active, true), %(source)s, r.external_id, 1, %(now)s, %(now)s
  FROM import_target t JOIN import_row r USING (row_no) WHERE t.is_first
"""

_CHANGE = """
WITH latest AS (
    SELECT product_id, max(row_no) AS row_no FROM import_target WHERE product_id IN
           (SELECT product_id FROM import_target WHERE NOT is_first) GROUP BY product_id
), changed AS (
    UPDATE funnel_product p SET series = coalesce(r.series, p.series),
           list_price = coalesce(r.price, p.list_price), currency = coalesce(r.currency, p.currency),
           is_active = coalesce(r.is_active, p.is_active), version = p.version + 1,
           updated_at = %(now)s
      FROM latest l JOIN import_row r USING (row_no)
     WHERE p.id = l.product_id
       AND (coalesce(r.series, p.series), coalesce(r.price, p.list_price),
            coalesce(r.currency, p.currency), coalesce(r.is_active, p.is_active))
           IS DISTINCT FROM (p.series, p.list_price, p.currency, p.is_active)
    RETURNING p.id
), KEPT
INSERT INTO import_changed SELECT id FROM changed
""".replace("KEPT", kept(table="funnel_product"))


def apply(*, batch: Batch) -> None:
    """Make and change the products of the file."""
    batch.reject("name", "The product has no name.", "r.name IS NULL")
    batch.table(
        "import_target",
        _TARGETS,
        index="row_no",
    )
    batch.execute(_INSERT)
    batch.made("funnel_product", "SELECT product_id FROM import_target WHERE is_first")
    batch.load("import_changed", (("product_id", "bigint"),), [])
    batch.execute(_CHANGE)
    batch.outcome("c", "SELECT row_no FROM import_target WHERE is_first")
    batch.outcome(
        "u", "SELECT row_no FROM import_target JOIN import_changed USING (product_id) WHERE NOT is_first"
    )


KIND = Kind(
    name="products",
    fields=(
        Field("external_id", cells.key),
        Field("name", readers.product, columns=(("name", "text"), ("name_key", "text"))),
        Field("series", cells.line(limit=120)),
        Field("price", cells.amount, columns=(("price", "numeric(18,2)"),)),
        Field("currency", cells.currency),
        Field("is_active", cells.boolean, columns=(("is_active", "bool"),)),
        Field("is_deleted", cells.boolean, columns=(("is_deleted", "bool"),)),
    ),
    apply=apply,
    capability=Capability.EDIT_OPPORTUNITIES,
)
