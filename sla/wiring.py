"""What the SLA app listens to, and what it adds to the house."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from funnel import events as funnel
from leads import events as leads
from leads.selectors import timeline
from sla import subscribers
from sla.selectors import attainment, lead_cells, queue, timeline_rows
from sla.services import sweep
from sla.views import panels as lead_panels
from smarketing.core import clock, loops
from smarketing.core.events import subscribe
from smarketing.users.domain.roles import Role
from smarketing.users.models import User
from smarketing.web import cells, navigation, panels
from smarketing.web.cells import Added
from smarketing.web.navigation import NavItem


def connect() -> None:
    """Clocks follow deliveries, answers and attempts; the sweep follows time."""
    subscribe(funnel.HandoffDelivered, subscribers.start_clocks)
    subscribe(funnel.HandoffAccepted, subscribers.close_books_on_acceptance)
    subscribe(funnel.HandoffReturned, subscribers.cancel_on_return)
    subscribe(funnel.HandoffExpired, subscribers.cancel_on_expiry)
    subscribe(funnel.HandoffReopened, subscribers.reopen_on_undo)
    subscribe(funnel.StageMoved, subscribers.cancel_on_end_of_lap)
    subscribe(funnel.OwnerChanged, subscribers.follow_owner)
    subscribe(leads.ActivityLogged, subscribers.stop_on_attempt)
    _add_to_menu()
    cells.register("leads", Added("clock", _("SLA"), "sla/_clock_cell.html", lead_cells.provide))
    loops.register(loops.Loop(name="clocks", run_once=sweep.run_once, every_seconds=10.0))


def _add_to_menu() -> None:
    sellers = frozenset({Role.REP, Role.SALES_MANAGER})
    navigation.register(
        NavItem(
            _("My queue"),
            "inbox",
            "sla:queue",
            roles=sellers,
            order=10,
            key="q",
            badge=_waiting,
            badge_label=_("waiting"),
            phone=True,
        )
    )

    navigation.register(
        NavItem(
            _("Promises"), "timer", "sla:board", order=30, key="s", badge=_overdue, badge_label=_("overdue")
        )
    )
    navigation.register(NavItem(_("Agreement"), "handshake", "sla:agreement", order=40, key="a"))
    navigation.register(
        NavItem(_("Calendars"), "calendar-days", "sla:calendar", order=230, section=_("Settings"))
    )
    panels.register("lead.header", "sla.clock", lead_panels.header, order=20)
    panels.register("lead.side", "sla.clocks", lead_panels.side, order=20)
    for provider in timeline_rows.PROVIDERS:
        timeline.register(provider)


def _overdue(user: User) -> int:
    """Promises that are overdue now, beside the menu entry."""
    return attainment.live(now=clock.now()).breached


def _waiting(user: User) -> int:
    """How many leads wait for this user, beside the menu entry."""
    return queue.count(user, now=clock.now()).waiting
