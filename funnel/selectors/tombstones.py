"""Which tombstones leads meet, set-based: the same two statements for one lead and for twenty thousand.

A lead is recognised by its person's record, e-mail addresses and phone numbers, and by its company's
record and domain. A lead whose product is unknown meets no tombstone for one product.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Count, Q, QuerySet

from funnel.models import MeetingOutcome, Tombstone, TombstoneHit, TombstoneKey
from leads.domain.suppression import keyed_hash
from leads.models import Company, Lead, Person, PersonEmail
from smarketing.core.keysets import among
from smarketing.core.prepared import Statement
from smarketing.users.models import User

_ANY = Statement(
    "tombstones_any",
    """
SELECT EXISTS (SELECT 1 FROM funnel_tombstone WHERE lifted_at IS NULL
                  AND (expires_at IS NULL OR expires_at > %(now)s)),
       EXISTS (SELECT 1 FROM funnel_tombstone WHERE lifted_at IS NULL AND erased_at IS NOT NULL)
""",
)
# Needs the parameters leads, hash_leads, hashes.
KEYS = """
wanted AS (
    SELECT l.id AS lead_id, l.person_id, coalesce(l.company_id, p.company_id) AS company_id, l.source_id,
           l.import_run_id,
           regexp_replace(lower(l.attributes ->> 'product'), '[^[:alnum:]]+', '', 'g') AS product_key
      FROM unnest(%(leads)s::bigint[]) AS w(id)
      JOIN leads_lead l ON l.id = w.id JOIN leads_person p ON p.id = l.person_id
), known AS (
    SELECT lead_id, 'person' AS kind, person_id::text AS value FROM wanted
    UNION ALL
    SELECT lead_id, 'email', e.email FROM wanted JOIN leads_personemail e USING (person_id)
    UNION ALL
    SELECT lead_id, 'domain', split_part(e.email, '@', 2)
      FROM wanted JOIN leads_personemail e USING (person_id)
    UNION ALL
    SELECT lead_id, 'phone', h.e164 FROM wanted JOIN leads_personphone h USING (person_id) WHERE h.e164 <> ''
    UNION ALL
    SELECT lead_id, 'company', company_id::text FROM wanted WHERE company_id IS NOT NULL
    UNION ALL
    SELECT lead_id, 'domain', c.domain FROM wanted JOIN leads_company c ON c.id = company_id
     WHERE c.domain <> ''
    UNION ALL
    SELECT lead_id, 'email_hash', hash
      FROM unnest(%(hash_leads)s::bigint[], %(hashes)s::text[]) h(lead_id, hash)
)
"""
# Needs now beside them. ``is_open`` says that the rule of the tombstone lets the lead through.
MET = f"""
{KEYS}, met AS (
    SELECT DISTINCT w.lead_id, t.id AS tombstone_id,
           CASE t.reopen
             WHEN 'new_company' THEN coalesce(w.company_id <> t.company_id, false)
             WHEN 'new_product' THEN coalesce(w.product_key <> p.name_key, false)
             WHEN 'hand_raise' THEN EXISTS (
                 SELECT 1 FROM leads_event e
                  WHERE e.person_id = w.person_id AND e.kind = 'form' AND e.occurred_at > t.created_at)
             ELSE false END AS is_open
      FROM known k
      JOIN wanted w USING (lead_id)
      JOIN funnel_tombstonekey x ON x.value = k.value AND x.kind = k.kind
      JOIN funnel_tombstone t ON t.id = x.tombstone_id
      LEFT JOIN funnel_product p ON p.id = t.product_id
     WHERE t.lifted_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > %(now)s)
       AND (t.scope <> 'product' OR w.product_key = p.name_key)
)
"""  # noqa: S608 - composed of constants
_BLOCKING = f"""
WITH {MET}
SELECT m.lead_id, m.tombstone_id FROM met m WHERE NOT m.is_open ORDER BY m.lead_id, m.tombstone_id
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Blocked:
    """How often refused leads came again: leads, and the times they met a tombstone at an inlet."""

    leads: int
    times: int


def parameters(lead_ids: Collection[int], *, now: datetime) -> dict[str, Any] | None:
    """What the statements above take; ``None`` when nothing at all is refused.

    Addresses are hashed only while there are tombstones of erased people.
    """
    ((is_any, is_hashed),) = _ANY.rows(now=now)
    if not is_any:
        return None
    hashed = _hashes(lead_ids) if is_hashed else []
    return {
        "leads": sorted(lead_ids),
        "hash_leads": [lead for lead, _hash in hashed],
        "hashes": [digest for _lead, digest in hashed],
        "now": now,
    }


def _hashes(lead_ids: Collection[int]) -> list[tuple[int, str]]:
    rows = Lead.objects.filter(pk__in=among(lead_ids)).values_list("pk", "person__emails__email")
    return [(lead, email_hash(email)) for lead, email in rows if email]


def email_hash(email: str) -> str:
    """The keyed hash of an address in normal form."""
    return keyed_hash("email", email, settings.SUPPRESSION_KEY)


def blocking(lead_ids: Sequence[int], *, now: datetime) -> dict[int, list[int]]:
    """The tombstones that keep each of these leads from being delivered; leads with none are left out."""
    given = parameters(lead_ids, now=now)
    found: dict[int, list[int]] = {}
    if given is None:
        return found
    with connection.cursor() as cursor:
        cursor.execute(_BLOCKING, given)
        for lead, tombstone in cursor.fetchall():
            found.setdefault(lead, []).append(tombstone)
    return found


def listed(user: User) -> QuerySet[Tombstone]:
    """Tombstones with their author, and how many leads they kept from being delivered again."""
    blocked = Count("hits__lead", filter=Q(hits__outcome=MeetingOutcome.BLOCKED), distinct=True)
    shown = Tombstone.objects.visible_to(user).select_related("author", "lifted_by", "product", "company")
    return shown.prefetch_related("keys").annotate(blocked_count=blocked)


def matching(queryset: QuerySet[Tombstone], text: str) -> QuerySet[Tombstone]:
    """Those whose label or note holds the text, or that recognise just this address, number or domain."""
    wanted = text.strip()
    keys = TombstoneKey.objects.filter(value__in=[wanted.lower(), email_hash(wanted.lower())])
    return queryset.filter(
        Q(label__icontains=wanted) | Q(note__icontains=wanted) | Q(pk__in=keys.values("tombstone"))
    )


def of_person(user: User, person: Person, *, now: datetime) -> list[Tombstone]:
    """What is in force about the person: by their record, addresses, numbers, or company."""
    emails = list(PersonEmail.objects.filter(person=person).values_list("email", flat=True))
    numbers = [n for n in person.phones.values_list("e164", flat=True) if n]
    asked = Q(kind="person", value=str(person.pk)) | Q(kind="phone", value__in=numbers)
    asked |= Q(kind="email", value__in=emails)
    asked |= Q(kind="email_hash", value__in=[email_hash(e) for e in emails])
    asked |= Q(kind="domain", value__in=[e.partition("@")[2] for e in emails])
    if person.company is not None:
        asked |= _of_company(person.company)
    return _shown(user, TombstoneKey.objects.filter(asked), now=now)


def of_company(user: User, company: Company, *, now: datetime) -> list[Tombstone]:
    """What is in force about everybody of the company."""
    return _shown(user, TombstoneKey.objects.filter(_of_company(company)), now=now)


def _of_company(company: Company) -> Q:
    asked = Q(kind="company", value=str(company.pk))
    return asked | Q(kind="domain", value=company.domain) if company.domain else asked


def _shown(user: User, keys: QuerySet[TombstoneKey], *, now: datetime) -> list[Tombstone]:
    found = Tombstone.objects.visible_to(user).in_force(now).filter(pk__in=keys.values("tombstone"))
    blocked = Count("hits__lead", filter=Q(hits__outcome=MeetingOutcome.BLOCKED), distinct=True)
    shown = found.select_related("author", "product", "company").annotate(blocked_count=blocked)
    return list(shown.order_by("-created_at", "-pk")[:10])


def blocked(*, start: datetime | None = None, end: datetime | None = None) -> Blocked:
    """Blocked redeliveries of a period (start ≤ instant < end), or of all time."""
    hits = TombstoneHit.objects.filter(outcome=MeetingOutcome.BLOCKED)
    if start is not None:
        hits = hits.filter(at__gte=start)
    if end is not None:
        hits = hits.filter(at__lt=end)
    counted = hits.aggregate(leads=Count("lead", distinct=True), times=Count("pk"))
    return Blocked(counted["leads"], counted["times"])


def hits_of(tombstone: Tombstone, *, limit: int) -> list[TombstoneHit]:
    """What met the tombstone, newest first."""
    hits = TombstoneHit.objects.filter(tombstone=tombstone).select_related("lead__person")
    return list(hits.order_by("-at", "-pk")[:limit])


def in_words(tombstone_ids: Sequence[int]) -> list[Tombstone]:
    """These tombstones, for the sentence that refuses a delivery."""
    return list(Tombstone.objects.filter(pk__in=tombstone_ids).select_related("author").order_by("pk"))
