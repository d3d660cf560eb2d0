"""What reporting listens to."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from funnel import events as funnel
from leads import events as leads
from leads.domain import withdrawals
from leads.domain.withdrawals import Companion
from reporting import invariants, subscribers
from reporting.services import website
from sla import events as sla
from smarketing.core import invariants as audited
from smarketing.core import loops, readings
from smarketing.core.changes import ConfigurationChanged
from smarketing.core.events import subscribe
from smarketing.users.domain.roles import Role
from smarketing.web import navigation
from smarketing.web.navigation import NavItem, Section


def connect() -> None:
    """Journeys follow every fact that can change one; the menu shows the pages."""
    withdrawals.register(companions=(Companion("leads_lead", "reporting_journey", "lead_id"),))
    _follow()
    _show()
    for invariant in invariants.ALL:
        audited.register(invariant)
    loops.register(loops.Loop(website.LOOP, website.run_once, every_seconds=15.0, limit=5000))
    readings.register(readings.lag(website.LOOP, of="reporting_visitmark", due="at", where="true"))


def _show() -> None:
    navigation.register(
        NavItem(
            _("Alignment"),
            "handshake",
            "reporting:alignment",
            section=Section.PROMISE,
            order=10,
            key="m",
            phone=True,
        )
    )
    navigation.register(
        NavItem(_("Supply"), "package-open", "reporting:supply", section=Section.PROMISE, order=20, key="s")
    )
    navigation.register(
        NavItem(_("Website"), "globe", "reporting:website", section=Section.MARKETING, order=10, key="v")
    )
    navigation.register(
        NavItem(
            _("Reports"),
            "chart-no-axes-combined",
            "reporting:reports",
            section=Section.WHOLE,
            order=10,
            key="r",
        )
    )
    navigation.register_first_page(Role.MARKETER, "reporting:supply")
    for role in (Role.MARKETING_MANAGER, Role.SALES_MANAGER, Role.ADMIN, Role.READ_ONLY):
        navigation.register_first_page(role, "reporting:alignment")


def _follow() -> None:
    subscribe(funnel.LeadsPlaced, subscribers.follow_leads)
    subscribe(leads.LeadsChanged, subscribers.follow_leads)
    subscribe(funnel.OpportunitiesImported, subscribers.follow_leads)
    subscribe(funnel.MovesWithdrawn, subscribers.follow_leads)
    subscribe(leads.PersonsMerged, subscribers.follow_leads)
    subscribe(leads.PersonsUnmerged, subscribers.follow_leads)
    subscribe(leads.CompaniesMerged, subscribers.follow_leads)
    subscribe(leads.CompaniesUnmerged, subscribers.follow_leads)
    subscribe(funnel.StageMoved, subscribers.follow_lead)
    subscribe(funnel.OwnerChanged, subscribers.follow_lead)
    subscribe(funnel.HandoffDelivered, subscribers.follow_lead)
    subscribe(funnel.HandoffAccepted, subscribers.follow_lead)
    subscribe(funnel.HandoffReturned, subscribers.follow_lead)
    subscribe(funnel.HandoffExpired, subscribers.follow_lead)
    subscribe(funnel.HandoffReopened, subscribers.follow_lead)
    subscribe(funnel.OpportunityOpened, subscribers.follow_deal)
    subscribe(funnel.OpportunityMoved, subscribers.follow_deal)
    subscribe(leads.ActivityLogged, subscribers.follow_attempt)
    subscribe(leads.VisitsChanged, subscribers.follow_visits)
    subscribe(leads.PersonsMerged, subscribers.follow_visitors)
    subscribe(leads.PersonsUnmerged, subscribers.follow_visitors)
    subscribe(leads.ErasureBegan, subscribers.forget)
    subscribe(ConfigurationChanged, subscribers.follow_calendar)
    subscribe(sla.ThresholdsReached, subscribers.follow_thresholds)
    subscribe(sla.ClockEnded, subscribers.follow_clock_end)
