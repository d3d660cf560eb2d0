"""Which of our campaigns somebody else's words mean: an id of another system, or the name in a link.

One rule for links, wherever they are read: ``utm_id`` says more than ``utm_campaign``, the id that a
campaign has in the system it came from more than its name, and its name may be written with underscores.
Of two campaigns that are called the same it is the older one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q
from django.db.models.functions import Lower

from leads.models import Campaign

Tags = Mapping[str, str]
_TAGS = ("utm_id", "utm_campaign")


@dataclass(frozen=True, slots=True)
class Named:
    """The campaigns that some links name, by what they are called in lower case."""

    _ids: dict[str, int] = field(default_factory=dict)
    _names: dict[str, int] = field(default_factory=dict)
    _joined: dict[str, int] = field(default_factory=dict)

    def of(self, tags: Tags) -> int | None:
        """The key of the campaign that one link names."""
        for word in _words(tags):
            for known in (self._ids, self._names, self._joined):
                if word in known:
                    return known[word]
        return None


def in_links(*, tags: Sequence[Tags]) -> Named:
    """The campaigns that these links name, by one query whatever their number."""
    words = {word for link in tags for word in _words(link)}
    found = Named()
    if not words:
        return found
    spoken = words | {word.replace("_", " ") for word in words}
    called = Campaign.objects.annotate(called=Lower("name"), coded=Lower("external_id"))
    rows = called.filter(Q(called__in=spoken) | Q(coded__in=words)).order_by("pk")
    for key, name, code in rows.values_list("pk", "called", "coded"):
        found._names.setdefault(name, key)
        found._joined.setdefault(name.replace(" ", "_"), key)
        if code:
            found._ids.setdefault(code, key)
    return found


def words_of(*, campaign: Campaign) -> list[str]:
    """What links call the campaign, in lower case."""
    name = campaign.name.lower()
    return sorted({name, name.replace(" ", "_"), (campaign.external_id or name).lower()})


def of_answer(*, tags: Tags, raw: Mapping[str, Any]) -> Campaign | None:
    """The campaign of a form's answer: of a Web-to-Lead ``Campaign_ID``, else the one that its link names."""
    given = (raw.get("fields", {}).get("Campaign_ID") or [""])[0]
    campaigns = Campaign.objects.select_related("channel")
    if given:
        # 15- and 18-character ids of Salesforce are the same record.
        found = [
            c
            for c in campaigns.filter(external_id__startswith=given[:15])[:3]
            if given in (c.external_id, (c.external_id or "")[:15]) or c.external_id == given[:15]
        ]
        if len(found) == 1:
            return found[0]
    key = in_links(tags=[tags]).of(tags)
    return None if key is None else campaigns.get(pk=key)


def _words(tags: Tags) -> list[str]:
    return [tags[name].lower() for name in _TAGS if tags.get(name)]
