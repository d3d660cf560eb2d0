"""Import of touchpoints: contacts of the past, such as the members of a campaign."""

from __future__ import annotations

from leads.events import TouchpointsRecorded
from leads.services.imports import cells, references, roads, subjects
from leads.services.imports.kinds import Field, Kind
from leads.services.imports.staging import Batch, kept
from smarketing.core import events

_KINDS = {
    word: kind
    for kind, words in {
        "visit": "visit page pageview websitevisit web",
        "form": "form formsubmission submission download",
        "email": "email mail newsletter emailopen emailclick",
        "ad": "ad advertisement advertising click",
        "event": "event webinar tradeshow conference seminar meeting",
        "social": "social socialmedia post",
        "pr": "pr press article",
        "recommendation": "recommendation referral wordofmouth",
    }.items()
    for word in words.split()
}
_WANTED = """
SELECT r.row_no, s.person_id, s.lead_id, r.occurred_at, coalesce(r.kind, 'other') AS kind, r.external_id,
       coalesce(h.channel_id, c.channel_id, k.id, (SELECT id FROM leads_channel WHERE code = 'unknown'))
           AS channel_id,
       g.campaign_id, coalesce(r.title, '') AS title, coalesce(r.url, '') AS url,
       coalesce(r.referrer, '') AS referrer
  FROM import_row r JOIN import_subject s USING (row_no)
  LEFT JOIN import_campaign g ON g.written = coalesce(r.campaign_ref, r.campaign)
  LEFT JOIN leads_campaign c ON c.id = g.campaign_id
  LEFT JOIN import_channel h ON h.origin = coalesce(r.origin, '') AND h.medium = coalesce(r.medium, '')
  LEFT JOIN leads_channel k ON k.code = CASE r.kind WHEN 'email' THEN 'email' WHEN 'event' THEN 'event'
       WHEN 'pr' THEN 'pr' WHEN 'recommendation' THEN 'recommendation' WHEN 'social' THEN 'organic_social' END
"""


_TARGETS = """
SELECT w.row_no, coalesce(t.id, q.id) AS touch_id,
       coalesce(t.id, q.id) IS NULL AND (w.external_id IS NOT NULL OR row_number() OVER (
           PARTITION BY w.person_id, w.occurred_at, w.kind, w.title, w.external_id
           ORDER BY w.row_no) = 1) AS is_new
  FROM import_wanted w
  LEFT JOIN leads_touchpoint t ON t.source_id = %(source)s AND t.external_id = w.external_id
  -- Without an id, the same contact at the same moment is the same touchpoint.
  LEFT JOIN LATERAL (
        SELECT min(x.id) AS id FROM leads_touchpoint x
         WHERE x.person_id = w.person_id AND x.source_id = %(source)s AND x.kind = w.kind
           AND x.occurred_at = w.occurred_at AND x.title = w.title
       ) q ON w.external_id IS NULL
"""

_INSERT = """
INSERT INTO leads_touchpoint (person_id, lead_id, occurred_at, kind, channel_id, campaign_id, title,
                              url, referrer, parameters, is_self_reported, source_id, external_id,
                              created_at, updated_at)
SELECT w.person_id, w.lead_id, w.occurred_at, w.kind, w.channel_id, w.campaign_id, w.title, w.url,
       w.referrer, '{}', false, %(source)s, w.external_id, %(now)s, %(now)s
  FROM import_wanted w JOIN import_target t USING (row_no) WHERE t.is_new
 ORDER BY w.row_no RETURNING id
"""

_CHANGE = """
WITH changed AS (
    UPDATE leads_touchpoint t SET occurred_at = w.occurred_at, kind = w.kind,
           channel_id = w.channel_id, updated_at = %(now)s,
           campaign_id = coalesce(w.campaign_id, t.campaign_id),
           title = coalesce(nullif(w.title, ''), t.title), url = coalesce(nullif(w.url, ''), t.url)
      FROM import_wanted w JOIN import_target g USING (row_no)
     WHERE t.id = g.touch_id AND w.external_id IS NOT NULL
       AND (w.occurred_at, w.kind, w.channel_id, coalesce(w.campaign_id, t.campaign_id),
            coalesce(nullif(w.title, ''), t.title), coalesce(nullif(w.url, ''), t.url))
           IS DISTINCT FROM (t.occurred_at, t.kind, t.channel_id, t.campaign_id, t.title, t.url)
    RETURNING t.id
), KEPT
INSERT INTO import_changed SELECT id FROM changed
""".replace("KEPT", kept(table="leads_touchpoint"))


def apply(*, batch: Batch) -> None:
    """Store the touchpoints that are new and mend those that are known by their id."""
    batch.reject("occurred_at", "When the contact was is not told.", "r.occurred_at IS NULL")
    references.campaigns(batch=batch)
    roads.channels(batch=batch)
    subjects.find(batch=batch, or_company=False)
    batch.table("import_wanted", _WANTED, index="row_no")
    batch.table(
        "import_target",
        _TARGETS,
        index="row_no",
    )
    added = batch.fetch(_INSERT)
    batch.made_ids("leads_touchpoint", [pk for (pk,) in added])
    batch.table("import_changed", "SELECT NULL::bigint AS touch_id WHERE false")
    batch.execute(_CHANGE)
    batch.outcome("c", "SELECT row_no FROM import_target WHERE is_new")
    batch.outcome("u", "SELECT row_no FROM import_target JOIN import_changed USING (touch_id)")
    if added:
        events.publish(TouchpointsRecorded(tuple(pk for (pk,) in added), batch.now))


KIND = Kind(
    name="touchpoints",
    fields=(
        Field("external_id", cells.key),
        Field("person_ref", cells.key),
        Field("lead_ref", cells.key),
        Field("email", cells.loose_email),
        Field("occurred_at", cells.past_instant, columns=(("occurred_at", "timestamptz"),)),
        Field("kind", cells.choice(meanings=_KINDS, told="a kind of contact", otherwise="other")),
        Field("origin", cells.line(limit=120)),
        Field("medium", cells.line(limit=120)),
        Field("campaign", cells.line(limit=255)),
        Field("campaign_ref", cells.key),
        Field("title", cells.line(limit=300)),
        Field("url", cells.line(limit=2000)),
        Field("referrer", cells.line(limit=2000)),
        Field("is_deleted", cells.boolean, columns=(("is_deleted", "bool"),)),
    ),
    apply=apply,
)
