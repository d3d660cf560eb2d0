"""What the rows of deals point at: products, leads and persons."""

from __future__ import annotations

from funnel.models import Product
from leads.services.imports.staging import Batch


def products(*, batch: Batch) -> None:
    """``import_product (product_key, product_id)``, by name or by the id of the source.

    A name that is spelled in another way than the product's is mapped, and told of.
    """
    written = batch.fetch(
        "SELECT product, product_key, count(*) FROM import_row WHERE product_key IS NOT NULL"
        " GROUP BY 1, 2 ORDER BY 1"
    )
    by_key = {key: (pk, name) for key, pk, name in Product.objects.values_list("name_key", "pk", "name")}
    by_ref = {
        ref: (pk, name)
        for ref, pk, name in Product.objects.filter(
            source=batch.source, external_id__isnull=False
        ).values_list("external_id", "pk", "name")
    }
    rows: dict[str, int] = {}
    unknown: set[str] = set()
    for text, key, count in written:
        found = by_key.get(key) or by_ref.get(text)
        if found is None and batch.create_missing:
            made = Product.objects.create(
                name=text, name_key=key, source=batch.source, created_at=batch.now, updated_at=batch.now
            )
            found = by_key[key] = (made.pk, text)
            batch.made_ids("funnel_product", [made.pk])
            batch.note(f"Product “{text}” was unknown and has been made.")
        if found is None:
            unknown.add(key)
            continue
        rows[key] = found[0]
        if found[1] != text and text not in by_ref:
            batch.note(f"Product “{text}” ({count} rows) is taken as “{found[1]}”.")
    batch.load("import_product", (("product_key", "text"), ("product_id", "bigint")), rows.items())
    if unknown:
        batch.reject(
            "product",
            "There is no such product. Import products first, or use --create-missing.",
            "r.product_key = ANY(%(unknown)s)",
            unknown=sorted(unknown),
        )


def leads_and_persons(*, batch: Batch) -> None:
    """``import_deal_lead (row_no, lead_id, person_id)``.

    The lead is the one the row names; where it names a person, that person's lap at the time.
    """
    if batch.has("lead_ref"):
        batch.reject(
            "lead_ref",
            "There is no lead with this id from this source. Import the leads first.",
            "r.lead_ref IS NOT NULL"
            " AND NOT EXISTS (SELECT 1 FROM leads_lead l"
            "  WHERE l.source_id = %(source)s AND l.external_id = r.lead_ref)"
            " AND NOT EXISTS (SELECT 1 FROM leads_touchpoint t WHERE t.source_id = %(source)s"
            "  AND t.external_id = 'lead ' || r.lead_ref AND t.lead_id IS NOT NULL)",
        )
    if batch.has("person_ref") and batch.create_missing:
        _make_persons(batch)
    elif batch.has("person_ref"):
        batch.reject(
            "person_ref",
            "There is no person with this id from this source. Import them first, or use --create-missing.",
            "r.person_ref IS NOT NULL AND NOT EXISTS (SELECT 1 FROM leads_personref f"
            " WHERE f.source_id = %(source)s AND f.external_id = r.person_ref)",
        )
    batch.table(
        "import_deal_lead",
        """
        SELECT r.row_no, coalesce(l.id, t.lead_id, p.lead_id) AS lead_id,
               coalesce(l.person_id, t.person_id, f.person_id, e.person_id) AS person_id
          FROM import_row r
          LEFT JOIN leads_lead l ON l.source_id = %(source)s AND l.external_id = r.lead_ref
          LEFT JOIN leads_touchpoint t ON t.source_id = %(source)s AND t.external_id = 'lead ' || r.lead_ref
          LEFT JOIN leads_personref f ON f.source_id = %(source)s AND f.external_id = r.person_ref
          LEFT JOIN leads_personemail e ON e.email = r.email
          LEFT JOIN LATERAL (
                SELECT n.id AS lead_id FROM leads_lead n
                 WHERE n.person_id = coalesce(f.person_id, e.person_id) AND l.id IS NULL AND t.id IS NULL
                   AND n.captured_at <= coalesce(r.opened_at, r.won_at, r.lost_at, %(now)s)
                 ORDER BY n.lap DESC LIMIT 1) p ON true
         WHERE coalesce(l.id, t.id, f.id, e.id) IS NOT NULL
        """,
        index="row_no",
    )


def _make_persons(batch: Batch) -> None:
    """Persons of whom only the id in the source is known."""
    made = batch.execute(
        """
        WITH missing AS (
            SELECT q.ref, nextval('leads_person_id_seq') AS id FROM (
                SELECT DISTINCT r.person_ref AS ref FROM import_row r WHERE r.person_ref IS NOT NULL
                   AND NOT EXISTS (SELECT 1 FROM leads_personref f
                                    WHERE f.source_id = %(source)s AND f.external_id = r.person_ref)) q
        ), made AS (
            INSERT INTO leads_person (id, first_name, last_name, title, language, country, city, website,
                                      attributes, search_text, version, created_at, updated_at)
            SELECT id, '', '', '', '', '', '', '', '{}', '', 1, %(now)s, %(now)s FROM missing
        ), noted AS (
            INSERT INTO import_made SELECT 'leads_person', id FROM missing
        )
        INSERT INTO leads_personref (person_id, source_id, external_id)
        SELECT id, %(source)s, ref FROM missing
        """
    )
    if made:
        batch.note(f"{made} persons are known only by their id and have been made.")
