"""Records that were made one with a person, on the timeline."""

from __future__ import annotations

from django.utils.translation import gettext as _

from leads.models import Merge, Person
from leads.selectors import timeline
from leads.selectors.timeline import Category, Entry, Facts, Position, Provider

_BOTH = frozenset({Facts.MARKETING, Facts.SALES})


def merges(person: Person, *, before: Position | None, limit: int) -> list[Entry]:
    """When another record went into this one; one that was taken apart again says so."""
    rows = timeline.newest(
        lambda who: Merge.objects.filter(timeline.whose(who, "survivor")).select_related("merged", "actor"),
        person,
        provider="merge",
        before=before,
        limit=limit,
        at="merged_at",
    )
    return [
        Entry(
            at=row.merged_at,
            provider="merge",
            pk=row.pk,
            title=_("Merged with %(name)s")
            % {"name": (row.merged.name if row.merged else "") or _("a person without a name")},
            icon="merge",
            detail=_("Taken apart again.") if row.undone_at else "",
            who=row.actor.name if row.actor else "",
        )
        for row in rows
    ]


PROVIDERS = (Provider("merge", Category.PIPELINE, merges, facts=_BOTH),)
