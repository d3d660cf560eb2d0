"""What a visit belongs to, where that was made only after the visit began: a lap, or a campaign.

A visit belongs to the lap that ran then, or to the next one, to which it led, and to the campaign that its
link names. Visits that come later find both (``visits``); a lap or campaign that is new claims the visits
that were there before it and have none, so it does not matter which of the two came first, nor whether the
visit goes on.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection

from leads.models import Campaign, Lead
from leads.services import campaign_names
from smarketing.core.prepared import Statement

_RUNNING = """
SELECT l.id FROM leads_lead l
 WHERE l.person_id = t.person_id AND (l.closed_at IS NULL OR l.closed_at > t.occurred_at)
 ORDER BY l.lap LIMIT 1
"""
_OF_LAP = Statement(
    "claim_visits_of_lap",
    f"""
    UPDATE leads_touchpoint t SET lead_id = %(lead)s, updated_at = %(now)s
     WHERE t.person_id = %(person)s AND t.kind = 'visit' AND t.lead_id IS NULL
       AND ({_RUNNING}) = %(lead)s
    """,  # noqa: S608  (only text of this module)
)
# New laps of an import, of persons who were known before. ``kept`` is a part that keeps the former rows.
OF_IMPORTED_LAPS = f"""
WITH claimed AS (
    SELECT t.id, ({_RUNNING}) AS lead_id
      FROM (SELECT DISTINCT n.person_id FROM import_lead n JOIN import_target g USING (row_no)
             WHERE NOT g.is_new) p
      JOIN leads_touchpoint t ON t.person_id = p.person_id AND t.kind = 'visit' AND t.lead_id IS NULL
), changed AS (
    UPDATE leads_touchpoint t SET lead_id = c.lead_id, updated_at = %(now)s
      FROM claimed c WHERE t.id = c.id AND c.lead_id IS NOT NULL RETURNING t.id
), {{kept}}
SELECT count(*) FROM changed
"""  # noqa: S608  (only text of this module)
# Served by the indexes ``touch_without_campaign`` and ``touch_without_campaign_id``.
OF_CAMPAIGN = """
UPDATE leads_touchpoint t SET campaign_id = %(campaign)s, updated_at = %(now)s
 WHERE t.kind = 'visit' AND t.campaign_id IS NULL
   AND ((t.parameters ? 'utm_campaign' AND lower(t.parameters ->> 'utm_campaign') = ANY(%(names)s))
        OR (t.parameters ? 'utm_id' AND lower(t.parameters ->> 'utm_id') = ANY(%(names)s)))
RETURNING t.id
"""


def claim_for_lap(*, lead: Lead, now: datetime) -> int:
    """Give a lap that has just opened the visits that led to it; return how many."""
    return _OF_LAP.count(lead=lead.pk, person=lead.person_id, now=now)


def claim_for_campaign(*, campaign: Campaign, now: datetime) -> int:
    """Give a campaign the visits whose link names it and that belong to none; return how many."""
    with connection.cursor() as cursor:
        cursor.execute(OF_CAMPAIGN, {**named(campaign=campaign), "now": now})
        return int(cursor.rowcount)


def named(*, campaign: Campaign) -> dict[str, Any]:
    """The campaign and what links call it, as :data:`OF_CAMPAIGN` wants to be told."""
    return {"campaign": campaign.pk, "names": campaign_names.words_of(campaign=campaign)}
