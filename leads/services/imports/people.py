"""Import of people: persons known by the id of their source, their e-mail address or their phone."""

from __future__ import annotations

from leads.events import LeadsChanged
from leads.models import AttributeSubject
from leads.services.imports import cells, persons, references
from leads.services.imports.kinds import Field, Kind
from leads.services.imports.staging import Batch
from smarketing.core import events


def apply(*, batch: Batch) -> None:
    """Make and change the persons of the file, and remember their ids in the source."""
    persons.settle_names(batch=batch)
    batch.reject(
        "external_id",
        "Nobody can be recognised by this row again: it needs an id, an e-mail address or a phone number.",
        "r.external_id IS NULL AND r.email IS NULL AND r.phone_written IS NULL AND r.mobile_written IS NULL",
    )
    references.companies(batch=batch, may_create=True)
    batch.table(
        "import_match",
        "SELECT r.row_no, coalesce(p.merged_into_id, p.id) AS person_id FROM import_row r"
        " LEFT JOIN leads_personref f ON f.source_id = %(source)s AND f.external_id = r.external_id"
        "  AND %(by_id)s"
        " LEFT JOIN leads_personemail e ON e.email = r.email"
        " LEFT JOIN leads_person p ON p.id = coalesce(f.person_id, e.person_id)",
        index="row_no",
        by_id=batch.key == "external_id",
    )
    persons.match_phones(batch=batch)
    persons.make_new(batch=batch, own_attributes=True)
    batch.table("import_fill", "SELECT NULL::int AS row_no WHERE false")
    persons.change(batch=batch, own_attributes=True)
    batch.execute(
        """
        WITH added AS (
            INSERT INTO leads_personref (person_id, source_id, external_id)
            SELECT t.person_id, %(source)s, r.external_id
              FROM import_target t JOIN import_row r USING (row_no)
             WHERE r.external_id IS NOT NULL ON CONFLICT DO NOTHING RETURNING id, person_id
        ), made AS (
            INSERT INTO import_made SELECT 'leads_personref', id FROM added
        )
        INSERT INTO import_changed SELECT person_id FROM added
        """
    )
    batch.outcome("c", "SELECT row_no FROM import_target WHERE is_first")
    batch.outcome(
        "u",
        "SELECT row_no FROM import_target"
        " JOIN (SELECT DISTINCT person_id FROM import_changed) c USING (person_id) WHERE NOT is_first",
    )
    changed = batch.fetch(
        "SELECT l.id FROM leads_lead l"
        " JOIN (SELECT DISTINCT person_id FROM import_changed) c USING (person_id)"
        " WHERE l.closed_at IS NULL ORDER BY 1"
    )
    if changed:
        actor = batch.actor.pk if batch.actor else None
        events.publish(LeadsChanged(tuple(pk for (pk,) in changed), actor, batch.now))


KIND = Kind(
    name="people",
    fields=(Field("external_id", cells.key), Field("email", cells.loose_email), *persons.FIELDS),
    apply=apply,
    subject=AttributeSubject.PERSON,
)
