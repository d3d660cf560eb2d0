"""What the SLA app shows on the page of a lead: the running promise, and why it stands where it does."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from leads.models import Lead
from sla.models import Clock, ClockKind
from sla.selectors import agreements, clocks, depth, prose
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
            "is_to_explain": clock.kind == ClockKind.FEEDBACK and clock.ended_at is None,
            "depth": _depth_so_far(clock, now),
        }
        for clock in found
    ]
    return Panel("sla/_clock_panel.html", {"clocks": shown}, title=_("Promises"), id="clock-panel")


def _depth_so_far(clock: Clock, now: datetime) -> str:
    """How far an open clock of depth has come, in words."""
    if clock.kind != ClockKind.DEPTH or clock.ended_at is not None:
        return ""
    found = depth.progress(clock, until=now)
    spec = agreements.spec_of(clock.clause)
    return _(
        "%(made)s of %(attempts)s attempts, %(channels)s of %(of)s channels, %(days)s of %(on)s days"
    ) % {
        "made": found.attempts,
        "attempts": int(spec.target),
        "channels": found.channels,
        "of": spec.term("channels"),
        "days": found.days,
        "on": spec.term("days"),
    }


def _may_pause(viewer: User, owner_id: int) -> bool:
    own = viewer.pk == owner_id and viewer.may(Capability.ANSWER_OWN_HANDOFF)
    return own or viewer.may(Capability.ANSWER_ANY_HANDOFF)
