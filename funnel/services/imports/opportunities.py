"""Import of opportunities, open and closed, with the dates of the past and the leads they came from.

A deal is known by its id in the source. How it stands is told by its stage, by flags (won, closed)
or by the very name of a date (``won_date``). Its ledger and the journey of its lead are written by
``deal_history`` in the same transaction.
"""

from __future__ import annotations

from psycopg2 import sql

from funnel.domain.opportunities import recognise_stage
from funnel.models import OpportunityStage
from funnel.services import deal_history
from funnel.services.imports import deal_references, readers
from leads.models import AttributeSubject
from leads.services.imports import cells, references
from leads.services.imports.kinds import Field, Kind
from leads.services.imports.staging import Batch, kept
from smarketing.users.domain.roles import Capability
from smarketing.users.selectors import organisation


def apply(*, batch: Batch) -> None:
    """Make and change the deals of the file."""
    batch.reject("external_id", "The opportunity has no id.", "r.external_id IS NULL")
    references.owners(batch=batch)
    references.companies(batch=batch, may_create=False)
    deal_references.products(batch=batch)
    deal_references.leads_and_persons(batch=batch)
    _stages(batch)
    _deals(batch)
    _insert(batch)
    _change(batch)
    touched = batch.fetch(
        "SELECT deal_id FROM import_deal WHERE is_new UNION SELECT deal_id FROM import_changed ORDER BY 1"
    )
    deal_history.record(opportunity_ids=[pk for (pk,) in touched], now=batch.now)


def _stages(batch: Batch) -> None:
    """``import_stage (written, stage_id)``: by the board's own names, else by those of other systems."""
    board = list(OpportunityStage.objects.order_by("position", "code"))
    by_code = {stage.code: stage for stage in board}
    own = {word.casefold(): stage for stage in reversed(board) for word in (stage.code, stage.name)}
    rows: list[tuple[str, int]] = []
    unknown: list[str] = []
    for (written,) in batch.fetch("SELECT DISTINCT stage FROM import_row WHERE stage IS NOT NULL"):
        meant = recognise_stage(written)
        found = own.get(written.casefold()) or (by_code.get(meant.code) if meant else None)
        if found is None:
            unknown.append(written)
        else:
            rows.append((written, found.pk))
    batch.load("import_stage", (("written", "text"), ("stage_id", "bigint")), rows)
    if not unknown:
        return
    if batch.has("is_won", "is_closed"):
        shown = ", ".join(f"“{word[:40]}”" for word in unknown[:10])
        batch.note(f"{shown}: no such stage on the board; whether the deal is closed decides its column.")
        return
    batch.reject(
        "stage",
        f"There is no such stage on the board; it has {', '.join(stage.name for stage in board)}.",
        "r.stage = ANY(%(unknown)s)",
        unknown=unknown,
    )


def _deals(batch: Batch) -> None:
    """``import_deal``: each row as the deal it will be, with what it refers to resolved."""
    batch.table(
        "import_deal",
        """
        WITH board AS (
            SELECT min(id) FILTER (WHERE kind = 'won') AS won, min(id) FILTER (WHERE kind = 'lost') AS lost,
                   (SELECT id FROM funnel_opportunitystage WHERE kind = 'open'
                     ORDER BY position, code LIMIT 1) AS open FROM funnel_opportunitystage
        ), staged AS (
            SELECT r.*, CASE WHEN r.is_won OR (r.stage IS NULL AND r.won_at IS NOT NULL) THEN b.won
                             WHEN r.is_closed AND coalesce(k.kind, 'open') <> 'won' THEN b.lost
                             WHEN r.stage IS NULL AND r.lost_at IS NOT NULL THEN b.lost
                             ELSE coalesce(s.stage_id, CASE WHEN r.stage IS NOT NULL THEN b.open END) END
                        AS told_stage_id, b.open AS first_stage_id
              FROM import_row r CROSS JOIN board b LEFT JOIN import_stage s ON s.written = r.stage
              LEFT JOIN funnel_opportunitystage k ON k.id = s.stage_id
        )
        SELECT s.row_no, o.id IS NULL AS is_new,
               coalesce(o.id, nextval('funnel_opportunity_id_seq')) AS deal_id,
               k.id AS stage_id, k.kind,
               CASE WHEN k.kind <> 'open' THEN coalesce(s.won_at, s.lost_at, s.closed_at) END AS closed_at,
               CASE WHEN k.kind = 'open' THEN coalesce(
                    s.expected_close_on, (s.closed_at AT TIME ZONE %(zone)s)::date) END AS expected_close_on,
               s.opened_at, l.lead_id, coalesce(l.person_id, n.person_id) AS person_id,
               coalesce(c.company_id, n.company_id) AS company_id, p.product_id, w.user_id AS owner_id
          FROM staged s
          LEFT JOIN funnel_opportunity o ON o.source_id = %(source)s AND o.external_id = s.external_id
          JOIN funnel_opportunitystage k ON k.id = coalesce(s.told_stage_id, o.stage_id, s.first_stage_id)
          LEFT JOIN import_deal_lead l USING (row_no)
          LEFT JOIN leads_lead n ON n.id = l.lead_id
          LEFT JOIN import_row_company c USING (row_no)
          LEFT JOIN import_product p ON p.product_key = s.product_key
          LEFT JOIN import_owner w ON w.written = s.owner
        """,
        index="row_no",
    )
    _order_dates(batch)


def _order_dates(batch: Batch) -> None:
    """A closed deal has an end, not ahead of us, and not before its beginning."""
    batch.reject(
        "closed_at",
        "The deal is closed, but the date of that lies in the future.",
        "EXISTS (SELECT 1 FROM import_deal d WHERE d.row_no = r.row_no"
        " AND d.closed_at > %(now)s + interval '26 hours')",
    )
    batch.execute(
        "DELETE FROM import_deal d WHERE NOT EXISTS (SELECT 1 FROM import_row r WHERE r.row_no = d.row_no)"
    )
    # A day without a time ends no earlier than what happened on it.
    batch.execute(
        "UPDATE import_deal SET closed_at = opened_at WHERE closed_at < opened_at"
        " AND (closed_at AT TIME ZONE %(zone)s)::date = (opened_at AT TIME ZONE %(zone)s)::date"
    )
    turned = batch.execute("UPDATE import_deal SET opened_at = NULL WHERE closed_at < opened_at")
    if turned:
        batch.note(
            f"{turned} deals were closed before they were opened, by the dates of the file; when they were"
            " opened is left blank."
        )
    undated = batch.execute(
        "UPDATE import_deal d SET closed_at = coalesce(o.closed_at, %(now)s) FROM import_deal i"
        " LEFT JOIN funnel_opportunity o ON o.id = i.deal_id"
        " WHERE i.row_no = d.row_no AND d.kind <> 'open' AND d.closed_at IS NULL"
    )
    if undated:
        batch.note(f"{undated} closed deals have no date of that; they count as closed when first imported.")


def _insert(batch: Batch) -> None:
    batch.execute(
        """
        INSERT INTO funnel_opportunity (id, name, lead_id, person_id, company_id, product_id, owner_id,
                                        stage_id, stage_entered_at, amount, currency, opened_at,
                                        expected_close_on, closed_at, lost_reason, lost_note, competitor,
                                        attributes, import_run_id, source_id, external_id, version,
                                        created_at, updated_at)
        SELECT d.deal_id,
               left(coalesce(r.name, concat_ws(' – ', c.name, p.name), ''), 300), d.lead_id, d.person_id,
               d.company_id, d.product_id, d.owner_id, d.stage_id,
               least(coalesce(d.closed_at, d.opened_at, %(now)s), %(now)s), r.amount,
               coalesce(r.currency, %(currency)s), d.opened_at, d.expected_close_on, d.closed_at,
               CASE WHEN d.kind = 'lost' THEN coalesce(r.lost_reason, 'unknown') ELSE '' END,
               CASE WHEN d.kind = 'lost' THEN coalesce(r.lost_note, '') ELSE '' END,
               coalesce(r.competitor, ''), coalesce(r.attributes, '{}'), %(run)s, %(source)s, r.external_id,
               1, %(now)s, %(now)s
          FROM import_deal d JOIN import_row r USING (row_no)
          LEFT JOIN leads_company c ON c.id = d.company_id LEFT JOIN funnel_product p ON p.id = d.product_id
         WHERE d.is_new
        """,
        currency=organisation.current().currency,
    )
    # A deal of which only the id is known is called by it.
    batch.execute(
        "UPDATE funnel_opportunity o SET name = left(%(deal)s || o.external_id, 300) FROM import_deal d"
        " WHERE d.is_new AND o.id = d.deal_id AND o.name = ''",
        deal="Deal ",
    )
    batch.made("funnel_opportunity", "SELECT deal_id FROM import_deal WHERE is_new")
    batch.outcome("c", "SELECT row_no FROM import_deal WHERE is_new")


def _change(batch: Batch) -> None:
    """What the file says of known deals, where it differs; a blank cell says nothing."""
    batch.load("import_changed", (("deal_id", "bigint"),), [])
    final = {
        "name": "coalesce(r.name, o.name)",
        "lead_id": "coalesce(d.lead_id, o.lead_id)",
        "person_id": "coalesce(d.person_id, o.person_id)",
        "company_id": "coalesce(d.company_id, o.company_id)",
        "product_id": "coalesce(d.product_id, o.product_id)",
        "owner_id": "coalesce(d.owner_id, o.owner_id)",
        "stage_id": "d.stage_id",
        "amount": "coalesce(r.amount, o.amount)",
        "currency": "coalesce(r.currency, o.currency)",
        "opened_at": "CASE WHEN d.closed_at < coalesce(d.opened_at, o.opened_at) THEN NULL"
        " ELSE coalesce(d.opened_at, o.opened_at) END",
        "expected_close_on": "coalesce(d.expected_close_on, o.expected_close_on)",
        "closed_at": "d.closed_at",
        "lost_reason": "CASE WHEN d.kind = 'lost' THEN"
        " coalesce(r.lost_reason, nullif(o.lost_reason, ''), 'unknown') ELSE '' END",
        "lost_note": "CASE WHEN d.kind = 'lost' THEN coalesce(r.lost_note, o.lost_note) ELSE '' END",
        "competitor": "coalesce(r.competitor, o.competitor)",
        "attributes": "o.attributes || coalesce(r.attributes, '{}')",
    }
    batch.execute(
        sql.SQL(
            """
            WITH changed AS (
                UPDATE funnel_opportunity o SET {assigned}, version = o.version + 1, updated_at = %(now)s,
                       stage_entered_at = CASE WHEN o.stage_id = d.stage_id THEN o.stage_entered_at
                            ELSE least(coalesce(d.closed_at, %(now)s), %(now)s) END
                  FROM import_deal d JOIN import_row r USING (row_no)
                 WHERE o.id = d.deal_id AND NOT d.is_new AND ({final}) IS DISTINCT FROM ({present})
                RETURNING o.id
            ), {kept}
            INSERT INTO import_changed SELECT id FROM changed
            """
        ).format(
            kept=sql.SQL(kept(table="funnel_opportunity")),
            assigned=sql.SQL(", ").join(
                sql.SQL("{} = {}").format(sql.Identifier(n), sql.SQL(v)) for n, v in final.items()
            ),
            final=sql.SQL(", ").join(sql.SQL(value) for value in final.values()),
            present=sql.SQL(", ").join(sql.SQL("o.{}").format(sql.Identifier(name)) for name in final),
        )
    )
    batch.outcome("u", "SELECT d.row_no FROM import_deal d JOIN import_changed USING (deal_id)")


KIND = Kind(
    name="opportunities",
    fields=(
        Field("external_id", cells.key),
        Field("name", cells.line(limit=300)),
        Field("owner", cells.key),
        Field("product", readers.product, columns=(("product", "text"), ("product_key", "text"))),
        Field("company", cells.company, columns=(("company_name", "text"), ("company_key", "text"))),
        Field("company_ref", cells.key),
        Field("lead_ref", cells.key),
        Field("person_ref", cells.key),
        Field("email", cells.loose_email),
        Field("stage", cells.line(limit=80)),
        Field("is_won", cells.boolean, columns=(("is_won", "bool"),)),
        Field("is_closed", cells.boolean, columns=(("is_closed", "bool"),)),
        Field("amount", cells.amount, columns=(("amount", "numeric(18,2)"),)),
        Field("currency", cells.currency),
        Field("opened_at", cells.past_instant, columns=(("opened_at", "timestamptz"),)),
        Field("closed_at", cells.instant, columns=(("closed_at", "timestamptz"),)),
        Field("won_at", cells.past_instant, columns=(("won_at", "timestamptz"),)),
        Field("lost_at", cells.past_instant, columns=(("lost_at", "timestamptz"),)),
        Field("expected_close_on", cells.day, columns=(("expected_close_on", "date"),)),
        Field("lost_reason", readers.lost_reason, columns=(("lost_reason", "text"), ("lost_note", "text"))),
        Field("competitor", cells.line(limit=200)),
        Field("is_deleted", cells.boolean, columns=(("is_deleted", "bool"),)),
    ),
    apply=apply,
    capability=Capability.EDIT_OPPORTUNITIES,
    subject=AttributeSubject.OPPORTUNITY,
)
