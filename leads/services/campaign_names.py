"""Which of our campaigns somebody else's words mean: an id of another system, or the name in a link."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leads.models import Campaign


def of_tags(*, tags: Mapping[str, str], raw: Mapping[str, Any]) -> Campaign | None:
    """The campaign of a Web-to-Lead ``Campaign_ID``, else the only one named like ``utm_campaign``."""
    given = (raw.get("fields", {}).get("Campaign_ID") or [""])[0]
    if given:
        # 15- and 18-character ids of Salesforce are the same record.
        rows = Campaign.objects.select_related("channel").filter(external_id__startswith=given[:15])
        found = [
            c
            for c in rows[:3]
            if given in (c.external_id, (c.external_id or "")[:15]) or c.external_id == given[:15]
        ]
        if len(found) == 1:
            return found[0]
    name = tags.get("utm_campaign", "")
    if not name:
        return None
    same = list(Campaign.objects.select_related("channel").filter(name__iexact=name.replace("_", " "))[:2])
    same = same or list(Campaign.objects.select_related("channel").filter(name__iexact=name)[:2])
    return same[0] if len(same) == 1 else None
