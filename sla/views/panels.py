"""What the SLA app shows on the page of a lead: the running promise, and why it stands where it does."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from leads.models import Lead
from sla.selectors import clocks, prose
from sla.views import strips
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User
from smarketing.web.panels import Panel


def header(subject: Lead, *, viewer: User, now: datetime) -> Panel | None:
    """The present clock in the strip of facts."""
    clock = clocks.for_leads([subject.pk]).get(subject.pk)
    if clock is None:
        return None
    return Panel("sla/_header_item.html", {"view": clocks.views([clock], now=now)[clock.pk]})


def side(subject: Lead, *, viewer: User, now: datetime) -> Panel | None:
    """All clocks of the lead, each with its strip."""
    found = clocks.of_lead(subject.pk)
    if not found:
        return None
    views = clocks.views(found, now=now)
    shown = [
        {
            "clock": clock,
            "view": views[clock.pk],
            "drawing": strips.draw(clocks.strip(clock, now=now), now=now),
            "promise": prose.sentence(clock.clause),
            "may_pause": _may_pause(viewer, clock.owner_id),
        }
        for clock in found
    ]
    return Panel("sla/_clock_panel.html", {"clocks": shown}, title=_("First response"), id="clock-panel")


def _may_pause(viewer: User, owner_id: int) -> bool:
    own = viewer.pk == owner_id and viewer.may(Capability.ANSWER_OWN_HANDOFF)
    return own or viewer.may(Capability.ANSWER_ANY_HANDOFF)
