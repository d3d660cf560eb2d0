"""Why this rep: what the page of a lead tells about the choice of its owner."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from funnel.selectors import decisions
from leads.models import Lead
from smarketing.users.models import User
from smarketing.web.panels import Panel


def why(lead: Lead, *, viewer: User, now: datetime) -> Panel | None:
    """The last choice: rule, pool, ring and candidates, as far as the viewer may read them."""
    decision = decisions.latest_of(lead.pk, viewer=viewer)
    if decision is None:
        return None
    context = {
        "decision": decision,
        "why": decisions.why_decided(decision, viewer=viewer),
        "has_moved": decisions.has_moved(decision),
    }
    return Panel(
        "funnel/_why_panel.html",
        context,
        title=_("Why it went to %(owner)s") % {"owner": decision.owner.name},
        id="routing",
    )
