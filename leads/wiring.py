"""How this app is wired at start."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from leads import invariants as audited
from leads import palette as hits
from leads import subscribers
from leads.domain import withdrawals
from leads.events import ActivityLogged, LeadsCaptured
from leads.selectors import duplicates as pairs
from leads.selectors import submissions as submission_rows
from leads.selectors import tasks, timeline, timeline_consents, timeline_merges, timeline_rows, write_keys
from leads.services import (
    channel_reviews,
    duplicates,
    erasure,
    erasure_steps,
    inbox,
    mails,
    merging,
    reminders,
    retention,
    submissions,
    visitors,
)
from leads.services import topics as told
from leads.services.imports import (
    activities,
    asking,
    companies,
    execution,
    kinds,
    leads,
    people,
    touchpoints,
    users,
)
from leads.views import consents, merge_with, outreach
from leads.views import duplicates as lookalikes
from leads.views import merges as united
from smarketing.core import clock, invariants, loops, readings
from smarketing.core.events import subscribe
from smarketing.notifications import topics
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User
from smarketing.web import navigation, palette, panels, settings_pages
from smarketing.web.navigation import NavItem, Section
from smarketing.web.settings_pages import SettingsPage

# What files may hold, in the order in which one refers to another.
KINDS = (users.KIND, companies.KIND, people.KIND, leads.KIND, touchpoints.KIND, activities.KIND)


def connect() -> None:
    """Put what this app knows on the timeline, into the menu and the command palette."""
    _take_files()
    for provider in (
        *timeline_rows.PROVIDERS,
        *timeline_consents.PROVIDERS,
        *timeline_merges.PROVIDERS,
    ):
        timeline.register(provider)
    _connect_tracking()
    _name_what_is_told()
    navigation.register(
        NavItem(
            _("Tasks"),
            "square-check-big",
            "leads:tasks",
            order=20,
            key="t",
            badge=_due_tasks,
            badge_label=_("due"),
        )
    )
    navigation.register(
        NavItem(
            _("Imports"),
            "file-up",
            "leads:imports",
            capability=Capability.IMPORT,
            section=Section.WHOLE,
            order=20,
            key="i",
        )
    )
    navigation.register(
        NavItem(_("Companies"), "building-2", "leads:companies", section=Section.FUNNEL, order=30, key="o")
    )
    navigation.register(
        NavItem(_("Campaigns"), "megaphone", "leads:campaigns", section=Section.MARKETING, order=20, key="c")
    )
    _find_duplicates()
    _add_settings()
    _add_forms_and_privacy()
    palette.register("leads.actions", _("Add"), hits.actions, order=20)
    palette.register("leads.people", _("People"), hits.persons, order=30)
    palette.register("leads.companies", _("Companies"), hits.organisations, order=40)


def _name_what_is_told() -> None:
    """The topics of webhooks, the kinds of notices, and the facts that are told."""
    for kind in told.KINDS:
        topics.register_kind(kind)
    topics.register(*told.TOPICS)
    subscribe(LeadsCaptured, subscribers.tell_captured)
    subscribe(ActivityLogged, subscribers.tell_attempt)


def _add_settings() -> None:
    """Cards of the settings page."""
    settings_pages.register(
        SettingsPage(
            _("Channels"),
            _("The rules by which a visit gets its channel, and a bench to try them."),
            "route",
            "leads:channels",
            _("This installation"),
            order=212,
        )
    )
    settings_pages.register(
        SettingsPage(
            _("Screened traffic"),
            _("Our own networks and hosts, and what was dropped of robots and colleagues."),
            "shield-off",
            "leads:screening",
            _("This installation"),
            order=213,
            capability=Capability.EDIT_CAMPAIGNS,
        )
    )
    settings_pages.register(
        SettingsPage(
            _("Mail"),
            _("Templates, and where replies to colleagues' mails come in."),
            "mail",
            "leads:mail_settings",
            _("This installation"),
            order=212,
        )
    )
    settings_pages.register(
        SettingsPage(
            _("Custom attributes"),
            _("Fields of your own on people, companies, leads and deals."),
            "tags",
            "leads:attributes",
            _("This installation"),
            order=215,
        )
    )


def _find_duplicates() -> None:
    """The loop that compares new records, where pairs are decided, and what records say of them."""
    loops.register(loops.Loop("duplicates", duplicates.run_once, every_seconds=60.0, queue="reports"))
    navigation.register(
        NavItem(
            _("Duplicates"),
            "copy-check",
            "leads:duplicates",
            section=Section.FUNNEL,
            order=40,
            key="d",
            badge=pairs.waiting,
            badge_label=_("to decide"),
        )
    )
    loops.register(loops.Loop("merges", merging.run_once, every_seconds=60.0, limit=50))
    panels.register("person.side", "merges", united.of_person, order=90)
    panels.register("company.side", "merges", united.of_company, order=90)
    panels.register("person.actions", "merge", merge_with.action, order=80)
    panels.register("person.side", "duplicates", lookalikes.of_person, order=15)
    panels.register("company.side", "duplicates", lookalikes.of_company, order=15)


def _take_files() -> None:
    """What may be imported, and the loop that starts the process which does it."""
    for kind in KINDS:
        kinds.register(kind=kind)
    withdrawals.register(records=withdrawals.OWN_RECORDS, companions=withdrawals.OWN_COMPANIONS)
    loops.register(loops.Loop(asking.LOOP, execution.run_once, every_seconds=10.0, queue="reports"))


def _connect_tracking() -> None:
    """The loop that applies accepted messages, its settings, and what operators see of it."""
    settings_pages.register(
        SettingsPage(
            _("Tracking keys"),
            _("Websites and programs that send what people do, and what became of it."),
            "radar",
            "leads:write_keys",
            _("This installation"),
            order=218,
            capability=Capability.MANAGE_KEYS,
            notice=lambda: _("stopped") if write_keys.stop() else "",
        )
    )
    loops.register(loops.Loop("inbox", inbox.run_once, every_seconds=5, limit=inbox.BATCH, queue="intake"))
    loops.register(loops.Loop(reminders.LOOP, reminders.run_once, every_seconds=30.0, limit=500))
    loops.register(loops.Loop(mails.LOOP, mails.run_once, every_seconds=5.0, limit=100, queue="mail"))
    loops.register(loops.Loop(visitors.LOOP, visitors.run_once, every_seconds=15.0))
    loops.register(
        loops.Loop(channel_reviews.LOOP, channel_reviews.run_once, every_seconds=30.0, queue="reports")
    )
    readings.register(readings.lag("inbox", of="leads_eventinbox", due="not_before", where="attempts < 5"))
    for reading in audited.READINGS:
        readings.register(reading)
    for invariant in audited.ALL:
        invariants.register(invariant)


def _add_forms_and_privacy() -> None:
    """Forms and their answers; consent on the pages of people."""
    loops.register(loops.Loop(submissions.LOOP, submissions.run_once, every_seconds=30.0, limit=200))
    loops.register(loops.Loop(erasure.LOOP, erasure.run_once, every_seconds=60.0, limit=5, queue="reports"))
    erasure_steps.register(app="kernel", steps=erasure_steps.KERNEL)
    erasure_steps.register(app="leads", steps=erasure_steps.LEADS)
    navigation.register(
        NavItem(
            _("Forms"),
            "clipboard-list",
            "leads:forms",
            section=Section.MARKETING,
            order=30,
            key="f",
            badge=submission_rows.waiting,
            badge_label=_("in quarantine"),
        )
    )
    settings_pages.register(
        SettingsPage(
            _("Consent purposes"),
            _("What people may say yes or no to."),
            "shield-check",
            "leads:purposes",
            _("This installation"),
            order=220,
        )
    )
    settings_pages.register(
        SettingsPage(
            _("Retention"),
            _("How long data is kept, and what goes next."),
            "archive",
            "leads:retention",
            _("This installation"),
            order=225,
        )
    )
    loops.register(
        loops.Loop(retention.LOOP, retention.run_once, every_seconds=600.0, limit=5000, queue="reports")
    )
    for region in ("lead.story", "person.story"):
        panels.register(region, "consents", consents.panel, order=80)
        panels.register(region, "outreach", outreach.panel, order=70)


def _due_tasks(user: User) -> int:
    return tasks.due_count(user, now=clock.now())
