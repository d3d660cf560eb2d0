"""What the SLA app listens to, and what it adds to the house."""

from __future__ import annotations

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from funnel import events as funnel
from funnel.selectors import appeals as contested
from funnel.selectors import at_work as asked_by_routing
from leads import events as leads
from leads.selectors import timeline
from leads.services import erasure_steps
from sla import subscribers
from sla.invariants import ALL
from sla.selectors import agreements, appeal_terms, at_work, attainment, lead_cells, queue, timeline_rows
from sla.services import agreements as agreement_services
from sla.services import commitments, erasures, recalculations, sweep
from sla.services import topics as told
from sla.templatetags.clocks import clock_cell
from sla.views import panels as lead_panels
from smarketing.core import clock, invariants, loops, readings
from smarketing.core.events import subscribe
from smarketing.notifications import topics
from smarketing.users.domain.roles import Role
from smarketing.users.models import User
from smarketing.web import cells, navigation, panels, settings_pages
from smarketing.web.cells import Added
from smarketing.web.navigation import NavItem, Section
from smarketing.web.settings_pages import SettingsPage


def connect() -> None:
    """Called once, at start."""
    _name_what_is_told()
    _follow_facts()
    _keep_watch()
    contested.register(appeal_terms.agreed)
    asked_by_routing.register(in_hours=at_work.in_hours, at_ceiling=at_work.at_ceiling)
    _add_to_menu()
    _add_to_settings()
    _add_to_records()
    erasure_steps.register(app="sla", steps=erasures.STEPS)


def _name_what_is_told() -> None:
    """The topics of webhooks and the kinds of notices."""
    for kind in told.KINDS:
        topics.register_kind(kind)
    topics.register(*told.TOPICS)


def _follow_facts() -> None:
    """Clocks follow deliveries, answers, attempts and changes of owner."""
    subscribe(funnel.HandoffDelivered, subscribers.start_clocks)
    subscribe(funnel.HandoffAccepted, subscribers.close_books_on_acceptance)
    subscribe(funnel.HandoffReturned, subscribers.cancel_on_return)
    subscribe(funnel.HandoffExpired, subscribers.cancel_on_expiry)
    subscribe(funnel.HandoffReopened, subscribers.reopen_on_undo)
    subscribe(funnel.HandoffExplained, subscribers.stop_on_explanation)
    subscribe(funnel.StageMoved, subscribers.stop_on_outcome)
    subscribe(funnel.StageMoved, subscribers.cancel_on_end_of_lap)
    subscribe(funnel.StageMoved, subscribers.reopen_after_merge)
    subscribe(funnel.OwnerChanged, subscribers.follow_owner)
    subscribe(leads.ActivityLogged, subscribers.stop_on_attempt)


def _keep_watch() -> None:
    """The sweep follows time; its lag and the invariants show whether it does."""
    loops.register(
        loops.Loop(name="clocks", run_once=sweep.run_once, every_seconds=10.0, limit=2000, true_clock=True)
    )
    loops.register(loops.Loop(name="agreements", run_once=agreement_services.run_once, every_seconds=60.0))
    loops.register(
        loops.Loop(
            name="commitments",
            run_once=commitments.run_once,
            every_seconds=300.0,
            queue="reports",
            true_clock=True,
        )
    )
    loops.register(loops.Loop(name="calendars", run_once=recalculations.run_once, every_seconds=30.0))
    readings.register(readings.lag("clocks", of="sla_clock", due="next_at", where="next_at IS NOT NULL"))
    readings.register(
        readings.Reading(
            "clocks_open",
            "Promises that run, by state.",
            "SELECT state, count(*) FROM sla_clock WHERE ended_at IS NULL GROUP BY state",
            label="state",
        )
    )
    for invariant in ALL:
        invariants.register(invariant)


def _add_to_menu() -> None:
    navigation.register_first_page(Role.REP, "sla:queue")
    navigation.register(
        NavItem(
            _("My queue"),
            "inbox",
            "sla:queue",
            roles=frozenset({Role.REP, Role.SALES_MANAGER}),
            order=10,
            key="q",
            badge=_waiting,
            badge_label=_("waiting"),
            phone=True,
        )
    )
    navigation.register(
        NavItem(
            _("Promises"),
            "timer",
            "sla:board",
            section=Section.PROMISE,
            order=30,
            key="p",
            badge=_overdue,
            badge_label=_("overdue"),
            phone=True,
        )
    )
    for item in (
        NavItem(_("My commitments"), "list-checks", "sla:mine", order=40, key="k"),
        NavItem(_("Commitments"), "target", "sla:commitments", section=Section.PROMISE, order=40, key="y"),
        NavItem(_("Agreement"), "signature", "sla:agreement", section=Section.PROMISE, order=50, key="a"),
    ):
        navigation.register(item)


def _add_to_settings() -> None:
    settings_pages.register(
        SettingsPage(
            _("Agreement"),
            _("What sales and marketing promise each other, signed by both."),
            "signature",
            "sla:agreement",
            _("The agreement"),
            order=20,
            notice=_unsigned,
        )
    )
    settings_pages.register(
        SettingsPage(
            _("Calendars"),
            _("The hours and holidays by which promises are counted."),
            "calendar-days",
            "sla:calendar",
            _("The agreement"),
            order=30,
        )
    )


def _add_to_records() -> None:
    """The clock on the page of a lead, in its list and on its timeline."""
    panels.register("lead.header", "sla.clock", lead_panels.header, order=20)
    panels.register("lead.side", "sla.clocks", lead_panels.side, order=20)
    cells.register("leads", Added("clock", _("SLA"), lead_cells.provide, write=clock_cell))
    for provider in timeline_rows.PROVIDERS:
        timeline.register(provider)


def _unsigned() -> str:
    """What the settings page says while a signature is missing."""
    text = agreements.in_force()
    return "" if text is not None and text.is_signed else gettext("not signed yet")


def _overdue(user: User) -> int:
    """Promises that are overdue now, beside the menu entry: one's own for a rep."""
    owner = user if user.role == Role.REP else None
    return attainment.overdue(now=clock.now(), owner=owner)


def _waiting(user: User) -> int:
    """How many leads wait for this user, beside the menu entry."""
    return queue.count(user)
