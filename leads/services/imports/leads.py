"""Import of leads: each record of a source is a lap of its person.

A record is recognised by its id in the source. Without one (or with ``--key email``) a row is the
person's lead from this source with the same capture, else their open lead. A person whose open lead
came from elsewhere does not get a second one: the row fills its blanks and adds a touchpoint. Two
records of one person in one source are two laps, the earlier one ended where the later begins.
"""

from __future__ import annotations

from leads.events import LeadsCaptured, LeadsChanged, TouchpointsRecorded
from leads.models import AttributeSubject
from leads.services import visit_links
from leads.services.imports import cells, first_load, laps, lead_stages, persons, references, roads
from leads.services.imports.kinds import Field, Kind
from leads.services.imports.staging import Batch, kept
from smarketing.core import events

_UNRECOGNISED = (
    "r.external_id IS NULL AND r.email IS NULL AND r.phone_written IS NULL AND r.mobile_written IS NULL"
)
# Read in portions: what is ``after`` the last one, at most ``most``.
_CAPTURED = """
SELECT n.lead_id, n.stage, w.user_id FROM import_lead n JOIN import_row r USING (row_no)
  LEFT JOIN import_owner w ON w.written = r.owner
 WHERE n.lead_id > %(after)s ORDER BY n.lead_id LIMIT %(most)s
"""
_CHANGED = """
SELECT l.id FROM leads_lead l WHERE l.closed_at IS NULL
   AND (l.id IN (SELECT lead_id FROM import_lead_changed)
        OR l.person_id IN (SELECT person_id FROM import_changed))
   AND l.id NOT IN (SELECT lead_id FROM import_lead)
   AND l.id > %(after)s ORDER BY 1 LIMIT %(most)s
"""
_TOUCHED = """
SELECT id FROM import_made WHERE made_in = 'leads_touchpoint' AND id > %(after)s ORDER BY 1 LIMIT %(most)s
"""
_CLAIM_VISITS = visit_links.OF_IMPORTED_LAPS.format(kept=kept(table="leads_touchpoint"))


def apply(*, batch: Batch) -> None:
    """Recognise persons and leads, write what is new or different, and publish it once."""
    persons.settle_names(batch=batch)
    batch.reject(
        "external_id",
        "Nobody can be recognised by this row again: it needs an id, an e-mail address or a phone number.",
        _UNRECOGNISED,
    )
    references.owners(batch=batch)
    references.campaigns(batch=batch)
    references.companies(batch=batch, may_create=True)
    _settle_origin(batch)
    roads.channels(batch=batch)
    _match(batch)
    persons.match_phones(batch=batch)
    with first_load.proved_at_once(batch=batch):
        persons.make_new(batch=batch, own_attributes=False)
        _remember_unnamed(batch)
        _roles(batch)
        persons.change(batch=batch, own_attributes=False)
        laps.number(batch=batch)
        _insert(batch)
        touched = _touch(batch)
        batch.execute(_CLAIM_VISITS)
        batch.refresh_statistics("leads_lead", "leads_touchpoint", written=touched)
        _change(batch)
        _publish(batch)


def _settle_origin(batch: Batch) -> None:
    """Where only campaign parameters tell where somebody came from, their source is the origin."""
    if batch.has("utm_source"):
        batch.execute("UPDATE import_row SET origin = left(utm_source, 120) WHERE origin IS NULL")


def _match(batch: Batch) -> None:
    """``import_match (row_no, lead_id, touched_id, person_id)`` by id and e-mail address."""
    batch.table(
        "import_match",
        """
        SELECT r.row_no, l.id AS lead_id, t.lead_id AS touched_id,
               coalesce(p.merged_into_id, p.id) AS person_id
          FROM import_row r
          LEFT JOIN leads_lead l ON l.source_id = %(source)s AND l.external_id = r.external_id AND %(by_id)s
          LEFT JOIN leads_touchpoint t ON t.source_id = %(source)s AND %(by_id)s
                                      AND t.external_id = 'lead ' || r.external_id
          LEFT JOIN leads_personemail e ON e.email = r.email
          LEFT JOIN (leads_personref f JOIN leads_person n ON n.id = f.person_id)
                 ON f.source_id = %(source)s AND f.external_id = r.external_id AND %(by_id)s
                -- Ids of leads and of people may be counted apart: names must not contradict.
                AND lower(n.last_name) = lower(coalesce(r.last_name, ''))
                AND lower(n.first_name) = lower(coalesce(r.first_name, ''))
          LEFT JOIN leads_person p ON p.id = coalesce(l.person_id, t.person_id, e.person_id, f.person_id)
        """,
        index="row_no",
        by_id=batch.key == "external_id",
    )


def _remember_unnamed(batch: Batch) -> None:
    """Somebody with neither e-mail address nor phone is known by the id of their lead alone."""
    batch.execute(
        "INSERT INTO leads_personref (person_id, source_id, external_id)"
        " SELECT t.person_id, %(source)s, r.external_id FROM import_target t JOIN import_row r USING (row_no)"
        " WHERE t.is_first AND r.email IS NULL AND r.phone_written IS NULL AND r.mobile_written IS NULL"
        " AND r.external_id IS NOT NULL ON CONFLICT DO NOTHING"
    )


def _roles(batch: Batch) -> None:
    """``import_role``: of each row the lead it is about, and whether it is that lead's record.

    "own": the row is the lead's record. "new": it becomes one. "touch": it is another contact of
    that lead, which is open and from elsewhere (or begun by an earlier row of the same person).
    """
    batch.table(
        "import_role",
        """
        WITH known AS (
            SELECT t.row_no, t.person_id, t.is_new, r.captured_at, m.lead_id, m.touched_id,
                   %(by_id)s AND r.external_id IS NOT NULL AS has_id
              FROM import_target t JOIN import_match m USING (row_no) JOIN import_row r USING (row_no)
        ), found AS (
            SELECT k.*, coalesce(k.lead_id, s.id) AS own_id,
                   coalesce(k.touched_id, h.lead_id, o.id) AS other_id
              FROM known k
              LEFT JOIN LATERAL (
                    SELECT l.id FROM leads_lead l
                     WHERE l.person_id = k.person_id AND l.source_id = %(source)s
                       AND (k.captured_at IS NULL OR l.captured_at = k.captured_at)
                     ORDER BY l.lap DESC LIMIT 1) s ON NOT k.is_new AND NOT k.has_id
              LEFT JOIN LATERAL (
                    SELECT h.lead_id FROM leads_touchpoint h
                     WHERE h.person_id = k.person_id AND h.source_id = %(source)s
                       AND h.occurred_at = k.captured_at AND h.lead_id IS NOT NULL LIMIT 1
                    ) h ON NOT k.is_new AND NOT k.has_id
              LEFT JOIN leads_lead o ON NOT k.is_new AND o.person_id = k.person_id AND o.closed_at IS NULL
                    AND NOT (k.has_id AND o.source_id = %(source)s AND o.external_id IS NOT NULL)
        ), ranked AS (
            SELECT f.*, own_id IS NULL AND other_id IS NULL AND (has_id OR row_number() OVER (
                       PARTITION BY person_id, has_id, own_id IS NULL AND other_id IS NULL
                       ORDER BY captured_at NULLS LAST, row_no) = 1) AS is_new_lead
              FROM found f
        ), numbered AS (
            SELECT r.*, CASE WHEN is_new_lead THEN nextval('leads_lead_id_seq') END AS new_id FROM ranked r
        )
        SELECT n.row_no, n.person_id, n.captured_at,
               CASE WHEN own_id IS NOT NULL THEN 'own' WHEN is_new_lead THEN 'new' ELSE 'touch' END AS role,
               coalesce(n.own_id, n.new_id, n.other_id, b.new_id) AS lead_id
          FROM numbered n
          LEFT JOIN (SELECT person_id, new_id FROM numbered WHERE is_new_lead AND NOT has_id) b
                 ON b.person_id = n.person_id AND n.own_id IS NULL AND n.other_id IS NULL
                AND NOT n.is_new_lead
        """,
        index="row_no",
        by_id=batch.key == "external_id",
    )
    batch.table("import_fill", "SELECT row_no FROM import_role WHERE role = 'touch'", index="row_no")


def _insert(batch: Batch) -> None:
    batch.execute(
        """
        INSERT INTO leads_lead (id, person_id, lap, company_id, captured_at, closed_at, origin, channel_id,
                                campaign_id, landing_page, description, attributes, import_run_id, source_id,
                                external_id, version, created_at, updated_at)
        SELECT n.lead_id, n.person_id, coalesce(b.lap, 1), coalesce(c.company_id, p.company_id),
               n.captured_at, coalesce(b.closed_at, n.ended_at), coalesce(r.origin, ''),
               h.channel_id, g.campaign_id, coalesce(r.landing_page, ''), coalesce(r.description, ''),
               coalesce(r.attributes, '{}'), %(run)s, %(source)s, r.external_id, 1, %(now)s, %(now)s
          FROM import_lead n JOIN import_row r USING (row_no) JOIN leads_person p ON p.id = n.person_id
          LEFT JOIN import_lap b ON b.lead_id = n.lead_id
          LEFT JOIN import_row_company c ON c.row_no = n.row_no
          LEFT JOIN import_campaign g ON g.written = coalesce(r.campaign_ref, r.campaign)
          LEFT JOIN import_channel h ON h.origin = coalesce(r.origin, '')
               AND h.medium = coalesce(r.medium, '')
        """
    )
    batch.made("leads_lead", "SELECT lead_id FROM import_lead")
    batch.outcome("c", "SELECT row_no FROM import_lead")


def _touch(batch: Batch) -> int:
    """The contact by which each new lead came, and each by which somebody came again; how many.

    Without an id, a contact is known by its person and moment, and told once.
    """
    batch.table(
        "import_touch",
        """
        SELECT DISTINCT ON (o.lead_id, coalesce('id ' || r.external_id, o.captured_at::text)) o.row_no
          FROM import_role o JOIN import_row r USING (row_no)
          LEFT JOIN import_lead n ON n.lead_id = o.lead_id
         WHERE o.role = 'touch' AND (o.captured_at IS NOT NULL OR r.external_id IS NOT NULL)
           AND NOT (r.external_id IS NULL AND n.captured_at IS NOT DISTINCT FROM o.captured_at)
           AND NOT EXISTS (SELECT 1 FROM leads_touchpoint t
                            WHERE t.person_id = o.person_id AND t.source_id = %(source)s
                              AND (t.external_id = 'lead ' || r.external_id
                                   OR (r.external_id IS NULL AND t.occurred_at = o.captured_at)))
         ORDER BY o.lead_id, coalesce('id ' || r.external_id, o.captured_at::text), o.row_no
        """,
    )
    return batch.execute(
        """
        WITH added AS (
        INSERT INTO leads_touchpoint (person_id, lead_id, occurred_at, kind, channel_id, campaign_id, title,
                                      url, referrer, parameters, is_self_reported, source_id, external_id,
                                      created_at, updated_at)
        SELECT o.person_id, o.lead_id, coalesce(o.captured_at, %(now)s), 'other',
               coalesce(h.channel_id, (SELECT id FROM leads_channel WHERE code = 'unknown')), g.campaign_id,
               coalesce(r.origin, ''), coalesce(r.landing_page, ''), '', '{}', false,
               %(source)s, left('lead ' || r.external_id, 255), %(now)s, %(now)s
          FROM import_role o JOIN import_row r USING (row_no)
          LEFT JOIN import_touch t USING (row_no)
          LEFT JOIN import_campaign g ON g.written = coalesce(r.campaign_ref, r.campaign)
          LEFT JOIN import_channel h ON h.origin = coalesce(r.origin, '')
               AND h.medium = coalesce(r.medium, '')
         WHERE o.role = 'new' OR t.row_no IS NOT NULL
        RETURNING id)
        INSERT INTO import_made SELECT 'leads_touchpoint', id FROM added
        """
    )


# What a row may change of a lead that is known.
_CHANGEABLE = (
    "landing_page",
    "description",
    "origin",
    "channel_id",
    "campaign_id",
    "company_id",
    "attributes",
)


def _change(batch: Batch) -> None:
    """Records say what their lead is; other rows only fill its blanks."""
    batch.load("import_lead_changed", (("lead_id", "bigint"),), [])
    for role, latest, text, link, custom in (
        ("own", "DESC", "coalesce(r.{0}, l.{0})", "coalesce({1}, l.{0})", "l.attributes || r.attributes"),
        (
            "touch",
            "ASC",
            "coalesce(nullif(l.{0}, ''), r.{0}, '')",
            "coalesce(l.{0}, {1})",
            "r.attributes || l.attributes",
        ),
    ):
        final = [text.format(name) for name in ("landing_page", "description", "origin")]
        final += [link.format("channel_id", "h.channel_id"), link.format("campaign_id", "g.campaign_id")]
        final.append(link.format("company_id", "c.company_id"))
        final.append(f"coalesce({custom}, l.attributes)")
        assigned = ", ".join(f"{name} = q.{name}" for name in _CHANGEABLE)
        wanted = ", ".join(f"{value} AS {name}" for name, value in zip(_CHANGEABLE, final, strict=True))
        now_, then = (", ".join(f"{table}.{n}" for n in _CHANGEABLE) for table in ("l", "q"))
        differ = f"({then}) IS DISTINCT FROM ({now_})"
        batch.execute(
            f"""
            WITH q AS (
                SELECT DISTINCT ON (o.lead_id) o.lead_id, {wanted}
                  FROM import_role o JOIN import_row r USING (row_no) JOIN leads_lead l ON l.id = o.lead_id
                  LEFT JOIN import_row_company c ON c.row_no = o.row_no
                  LEFT JOIN import_campaign g ON g.written = coalesce(r.campaign_ref, r.campaign)
                  LEFT JOIN import_channel h ON h.origin = coalesce(r.origin, '')
                        AND h.medium = coalesce(r.medium, '')
                 WHERE o.role = %(role)s ORDER BY o.lead_id, o.row_no {latest}
            ), changed AS (
                UPDATE leads_lead l SET {assigned}, version = l.version + 1, updated_at = %(now)s
                  FROM q WHERE l.id = q.lead_id AND {differ} RETURNING l.id
            ), {kept(table="leads_lead")}
            INSERT INTO import_lead_changed SELECT id FROM changed
            """,  # noqa: S608  (only names and expressions of this function)
            role=role,
        )
    batch.outcome(
        "u",
        "SELECT o.row_no FROM import_role o WHERE o.role <> 'new' AND ("
        " o.lead_id IN (SELECT lead_id FROM import_lead_changed)"
        " OR o.person_id IN (SELECT person_id FROM import_changed)"
        " OR o.row_no IN (SELECT row_no FROM import_touch))",
    )


def _publish(batch: Batch) -> None:
    """New laps, changed ones and contacts: a fact for each portion of them, so that a file may be long."""
    actor = batch.actor.pk if batch.actor else None
    for captured in batch.portions(_CAPTURED):
        events.publish(
            LeadsCaptured(
                lead_ids=tuple(row[0] for row in captured),
                stages=tuple((row[0], row[1]) for row in captured if row[1]),
                owners=tuple((row[0], row[2]) for row in captured if row[2]),
                actor_id=actor,
                is_import=True,
                now=batch.now,
            )
        )
    for changed in batch.portions(_CHANGED):
        events.publish(LeadsChanged(tuple(row[0] for row in changed), actor, batch.now))
    for touched in batch.portions(_TOUCHED):
        events.publish(TouchpointsRecorded(tuple(row[0] for row in touched), batch.now))


KIND = Kind(
    name="leads",
    fields=(
        Field("external_id", cells.key),
        Field("email", cells.email),
        *persons.FIELDS,
        Field("owner", cells.key),
        Field("origin", cells.line(limit=120)),
        Field("medium", cells.line(limit=120)),
        Field("utm_source", cells.line(limit=120)),
        Field("campaign", cells.line(limit=255)),
        Field("campaign_ref", cells.key),
        Field("landing_page", cells.line(limit=2000)),
        Field("captured_at", cells.past_instant, columns=(("captured_at", "timestamptz"),)),
        Field("stage", lead_stages.reader),
        Field("is_converted", cells.boolean, columns=(("is_converted", "bool"),)),
        Field("is_customer", cells.boolean, columns=(("is_customer", "bool"),)),
        Field("converted_at", cells.past_instant, columns=(("converted_at", "timestamptz"),)),
        Field("description", cells.prose),
    ),
    apply=apply,
    subject=AttributeSubject.LEAD,
)
