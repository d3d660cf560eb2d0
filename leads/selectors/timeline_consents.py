"""What people allowed and took back, on the timeline."""

from __future__ import annotations

from django.utils.translation import gettext as _

from leads.models import ConsentEntry, ConsentState, Person
from leads.selectors import timeline
from leads.selectors.timeline import Category, Entry, Position, Provider

_TONES = {ConsentState.GRANTED: "ok", ConsentState.PENDING: "warn", ConsentState.WITHDRAWN: "bad"}
_ICONS = {
    ConsentState.GRANTED: "shield-check",
    ConsentState.PENDING: "mail-question-mark",
    ConsentState.WITHDRAWN: "shield-off",
}


def consents(person: Person, *, before: Position | None, limit: int) -> list[Entry]:
    """Entries of the consent ledger."""
    rows = timeline.newest(
        lambda who: ConsentEntry.objects.filter(timeline.whose(who, "person")).select_related(
            "purpose", "text", "actor"
        ),
        person,
        provider="consent",
        before=before,
        limit=limit,
    )
    return [
        Entry(
            at=row.occurred_at,
            provider="consent",
            pk=row.pk,
            title=title_of(row),
            icon=_ICONS[ConsentState(row.state)],
            tone=_TONES[ConsentState(row.state)],
            detail=" · ".join(part for part in (row.source, row.text.text if row.text else "") if part),
            who=row.actor.name if row.actor else "",
        )
        for row in rows
    ]


def title_of(row: ConsentEntry) -> str:
    """The entry in a few words."""
    if row.purpose is None:
        channel = row.get_channel_display().lower()
        if row.state == ConsentState.WITHDRAWN:
            return _("Must not be contacted by %(channel)s") % {"channel": channel}
        return _("May be contacted by %(channel)s again") % {"channel": channel}
    heads = {
        ConsentState.GRANTED: _("Consented: %(purpose)s"),
        ConsentState.PENDING: _("Asked to confirm: %(purpose)s"),
        ConsentState.WITHDRAWN: _("Took back: %(purpose)s"),
    }
    return heads[ConsentState(row.state)] % {"purpose": row.purpose.name}


PROVIDERS = (Provider("consent", Category.CONSENT, consents),)
