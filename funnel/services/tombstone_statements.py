"""The set-based statements behind tombstones, the same for one lead and for a file of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from funnel.domain.tombstones import Refusal
from funnel.selectors import tombstones as reads
from smarketing.core import locks
from smarketing.core.prepared import Statement
from smarketing.users.models import User

# Locks of a transaction stand in a table of fixed size; a file of history delivers nothing anyway.
MOST_LOCKS = 200
_INSERT = """
INSERT INTO funnel_tombstone (created_at, updated_at, version, scope, reason, note, reopen, label, lead_id,
                              company_id, product_id, author_id, lift_reason)
SELECT %(now)s, %(now)s, 1, %(scope)s, %(reason)s, left(%(note)s, 500), %(reopen)s,
       left(coalesce(nullif(trim(p.first_name || ' ' || p.last_name), ''), e.email, ''), 255), l.id,
       coalesce(l.company_id, p.company_id), o.id, %(author)s, ''
  FROM unnest(%(leads)s::bigint[]) AS w(id)
  JOIN leads_lead l ON l.id = w.id
  JOIN leads_person p ON p.id = l.person_id
  LEFT JOIN leads_personemail e ON e.person_id = p.id AND e.is_primary
  LEFT JOIN funnel_product o
    ON o.name_key = regexp_replace(lower(l.attributes ->> 'product'), '[^[:alnum:]]+', '', 'g')
 WHERE NOT EXISTS (SELECT 1 FROM funnel_tombstone t WHERE t.lead_id = l.id AND t.lifted_at IS NULL)
 ORDER BY l.id
RETURNING id
"""
# A number on the desk of several people recognises nobody, unless there is nothing else to go by.
_KEYS = """
INSERT INTO funnel_tombstonekey (tombstone_id, kind, value)
SELECT t.id, k.kind, k.value
  FROM funnel_tombstone t
  JOIN leads_lead l ON l.id = t.lead_id
 CROSS JOIN LATERAL (
    SELECT 'person' AS kind, l.person_id::text AS value
    UNION ALL
    SELECT 'email', e.email FROM leads_personemail e WHERE e.person_id = l.person_id
    UNION ALL
    SELECT 'phone', h.e164 FROM leads_personphone h
     WHERE h.person_id = l.person_id AND h.e164 <> ''
       AND (h.is_mobile OR NOT EXISTS (SELECT 1 FROM leads_personemail e WHERE e.person_id = l.person_id))
 ) k
 WHERE t.id = ANY(%(tombstones)s)
ON CONFLICT DO NOTHING
"""
_MEET = f"""
WITH {reads.MET}, judged AS (
    SELECT m.*, bool_and(m.is_open) OVER (PARTITION BY m.lead_id) AS passes,
           coalesce(%(inlet)s, CASE WHEN w.import_run_id IS NOT NULL THEN 'import'
               ELSE CASE s.kind WHEN 'web' THEN 'form' WHEN 'api' THEN 'api' WHEN 'import' THEN 'import'
                                ELSE 'hand' END END) AS inlet
      FROM met m JOIN wanted w USING (lead_id) JOIN leads_source s ON s.id = w.source_id
), noted AS (
    INSERT INTO funnel_tombstonehit (tombstone_id, lead_id, inlet, outcome, at)
    SELECT tombstone_id, lead_id, inlet, CASE WHEN is_open THEN 'reopened' ELSE 'blocked' END, %(now)s
      FROM judged WHERE NOT is_open OR (passes AND %(inlet)s IS NOT NULL)
     ORDER BY tombstone_id, lead_id
    ON CONFLICT DO NOTHING
    RETURNING tombstone_id, lead_id
)
SELECT j.lead_id, j.tombstone_id, j.is_open AND j.passes, n.lead_id IS NOT NULL
  FROM judged j LEFT JOIN noted n USING (tombstone_id, lead_id)
 WHERE NOT j.is_open OR j.passes
"""  # noqa: S608 - composed of constants
_LOCK_KNOWN = Statement(
    "tombstone_locks",
    f"""
WITH {reads.KEYS}
SELECT pg_advisory_xact_lock_shared(%(namespace)s::int, k)
  FROM (SELECT DISTINCT hashtext(kind || ' ' || value) AS k FROM known ORDER BY 1) q
""",  # noqa: S608
    by="leads",
)
_LOCK_KEYS = """
SELECT pg_advisory_xact_lock(%(namespace)s, k)
  FROM (SELECT DISTINCT hashtext(kind || ' ' || value) AS k FROM funnel_tombstonekey
         WHERE tombstone_id = ANY(%(tombstones)s) ORDER BY 1 LIMIT %(most)s) q
"""
_EARLIER = """
INSERT INTO funnel_tombstonehit (tombstone_id, lead_id, inlet, outcome, at)
SELECT DISTINCT x.tombstone_id, l.id, 'gate', 'earlier', %(now)s
  FROM funnel_tombstonekey x
  JOIN funnel_handoff h ON h.state = 'delivered'
  JOIN leads_lead l ON l.id = h.lead_id
  JOIN leads_person p ON p.id = l.person_id
  LEFT JOIN leads_company c ON c.id = coalesce(l.company_id, p.company_id)
 WHERE x.tombstone_id = ANY(%(tombstones)s)
   AND CASE x.kind
         WHEN 'person' THEN l.person_id::text = x.value
         WHEN 'company' THEN c.id::text = x.value
         WHEN 'domain' THEN c.domain = x.value OR EXISTS (
             SELECT 1 FROM leads_personemail e
              WHERE e.person_id = l.person_id AND split_part(e.email, '@', 2) = x.value)
         WHEN 'email' THEN EXISTS (
             SELECT 1 FROM leads_personemail e WHERE e.person_id = l.person_id AND e.email = x.value)
         WHEN 'phone' THEN EXISTS (
             SELECT 1 FROM leads_personphone f WHERE f.person_id = l.person_id AND f.e164 = x.value)
         ELSE false END
ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Meeting:
    """A lead that met a tombstone; ``is_open`` when the rule lets it through, ``is_new`` the first time."""

    lead_id: int
    tombstone_id: int
    is_open: bool
    is_new: bool


def insert_for_leads(
    *,
    lead_ids: Collection[int],
    refusal: Refusal,
    reason: str,
    note: str,
    author: User | None,
    now: datetime,
) -> list[int]:
    """Tombstones about the persons of these leads with the keys that recognise them; their ids."""
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT,
            {
                "leads": sorted(lead_ids),
                "scope": str(refusal.scope),
                "reopen": str(refusal.reopen),
                "reason": reason,
                "note": note,
                "author": author.pk if author else None,
                "now": now,
            },
        )
        made = [pk for (pk,) in cursor.fetchall()]
        cursor.execute(_KEYS, {"tombstones": made})
    return made


def meet(*, given: dict[str, Any], inlet: str | None) -> list[Meeting]:
    """Write down which leads met which tombstones; without ``inlet`` the lead's source says by which way.

    ``given`` is what ``selectors.tombstones.parameters`` returns.
    """
    with connection.cursor() as cursor:
        cursor.execute(_MEET, {**given, "inlet": None if inlet is None else str(inlet)})
        return [Meeting(*row) for row in cursor.fetchall()]


def lock_known(*, lead_ids: Collection[int]) -> None:
    """Share the locks of everything these leads are recognised by."""
    _LOCK_KNOWN.rows(
        leads=sorted(lead_ids), hash_leads=[], hashes=[], namespace=int(locks.Namespace.TOMBSTONE)
    )


def lock_keys(*, tombstone_ids: Sequence[int]) -> None:
    """Wait for deliveries of whoever these tombstones recognise, and keep new ones waiting."""
    with connection.cursor() as cursor:
        cursor.execute(
            _LOCK_KEYS,
            {
                "tombstones": list(tombstone_ids),
                "most": MOST_LOCKS,
                "namespace": int(locks.Namespace.TOMBSTONE),
            },
        )


def note_earlier(*, tombstone_ids: Sequence[int], now: datetime) -> None:
    """Write down whom these tombstones recognise and who is in a rep's hands already: they stay there."""
    if not tombstone_ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(_EARLIER, {"tombstones": list(tombstone_ids), "now": now})
