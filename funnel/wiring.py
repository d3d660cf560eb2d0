"""What the funnel listens to and which loops it runs."""

from __future__ import annotations

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from funnel import invariants, subscribers
from funnel import palette as hits
from funnel.events import (
    AppealRuled,
    DefinitionInForce,
    HandoffAccepted,
    HandoffDelivered,
    HandoffExpired,
    HandoffExplained,
    HandoffGateFailed,
    HandoffHeld,
    HandoffReopened,
    HandoffReturned,
    HandoffWaiting,
    LeadQualified,
    LeadReturned,
    LeadsPlaced,
    MovesWithdrawn,
    OpportunitiesImported,
    OpportunityChanged,
    OpportunityMoved,
    OpportunityOpened,
    OwnerChanged,
    ReturnAppealed,
    StageMoved,
)
from funnel.selectors import appeals as appeal_rows
from funnel.selectors import company_people, definition_texts, signals, timeline_rows
from funnel.selectors import stages as stage_rows
from funnel.services import (
    alert_hits,
    appeals,
    company_scores,
    definitions,
    entries,
    erasures,
    holding,
    likelihoods,
    nurture_gains,
    nurture_returns,
    questionnaires,
    replays,
    rescoring,
    score_marks,
    scoring,
    training_runs,
)
from funnel.services import stages as stage_settings
from funnel.services import topics as told
from funnel.services.imports import opportunities, products, withdrawn
from funnel.views import accounts as account_views
from funnel.views import hot, routing_panels, view_panels
from funnel.views import nurture_panels as warm
from funnel.views import panels as shown
from funnel.views import tombstone_panels as refusals
from leads.domain import withdrawals
from leads.events import (
    ActivityLogged,
    CompaniesMerged,
    CompaniesUnmerged,
    ErasureBegan,
    EventsJoined,
    EventsRecorded,
    HistoriesChanged,
    ImportUndone,
    LapsMeet,
    LeadsCaptured,
    LeadsChanged,
    PersonsMerged,
    PersonsUnmerged,
    RecordsMerging,
)
from leads.selectors import timeline, visits
from leads.services import erasure_steps
from leads.services.imports import kinds, lead_stages
from smarketing.core import invariants as audited
from smarketing.core import loops
from smarketing.core.events import subscribe
from smarketing.notifications import topics
from smarketing.users.domain.roles import Capability
from smarketing.web import cells, navigation, palette, panels, settings_pages
from smarketing.web.navigation import NavItem, Section
from smarketing.web.settings_pages import SettingsPage


def connect() -> None:
    """Called once, at start."""
    kinds.register(kind=products.KIND)
    kinds.register(kind=opportunities.KIND)
    lead_stages.register(own=stage_rows.importable)
    withdrawals.register(records=withdrawn.RECORDS, companions=withdrawn.COMPANIONS)
    subscribe(LeadsCaptured, subscribers.place)
    subscribe(ImportUndone, subscribers.withdraw_moves)
    subscribe(LeadsPlaced, subscribers.answer_placed)
    subscribe(LeadsChanged, subscribers.score_again)
    subscribe(LeadsChanged, subscribers.answer_changed)
    subscribe(EventsRecorded, subscribers.add_interest)
    subscribe(EventsRecorded, subscribers.raise_alerts)
    subscribe(ActivityLogged, subscribers.note_contact)
    _merge()
    subscribe(StageMoved, subscribers.refuse)
    subscribe(HandoffReturned, subscribers.refuse_returned)
    subscribe(OpportunityMoved, subscribers.score_colleagues)
    _keep_warm()
    _score_companies()
    subscribe(EventsJoined, subscribers.add_interest)
    subscribe(EventsJoined, subscribers.raise_alerts)
    subscribe(HistoriesChanged, subscribers.count_again)
    visits.register_points(signals.points_of)
    subscribe(ErasureBegan, subscribers.end_erased)
    erasure_steps.register(app="funnel", steps=erasures.STEPS)
    for provider in timeline_rows.PROVIDERS:
        timeline.register(provider)
    for invariant in invariants.ALL:
        audited.register(invariant)
    _run_loops()
    _enter_stages()
    _tell()
    _add_pages()


def _merge() -> None:
    """What follows records that become one, or two again."""
    subscribe(RecordsMerging, subscribers.prepare_merge)
    subscribe(LapsMeet, subscribers.end_one_lap)
    subscribe(PersonsMerged, subscribers.join_tombstones)
    subscribe(PersonsMerged, subscribers.move_alerts)
    subscribe(PersonsUnmerged, subscribers.move_alerts)
    subscribe(CompaniesMerged, subscribers.move_company_alerts)
    subscribe(CompaniesUnmerged, subscribers.move_company_alerts)
    subscribe(CompaniesMerged, subscribers.join_company_tombstones)
    subscribe(PersonsUnmerged, subscribers.take_apart)


def _run_loops() -> None:
    """What the worker does by and by."""
    loops.register(loops.Loop("scores", scoring.run_once, every_seconds=60.0))
    loops.register(loops.Loop(likelihoods.LOOP, likelihoods.run_once, every_seconds=60.0, limit=2000))
    loops.register(loops.Loop(replays.LOOP, replays.run_once, every_seconds=30.0, limit=1))
    loops.register(loops.Loop(training_runs.LOOP, training_runs.run_once, every_seconds=60.0, limit=1))
    loops.register(loops.Loop(appeals.LOOP, appeals.run_once, every_seconds=3600.0, limit=500))
    loops.register(loops.Loop(stage_settings.LOOP, entries.run_once, every_seconds=30.0))
    loops.register(loops.Loop("handoffs", holding.run_once, every_seconds=30.0, limit=100))
    loops.register(loops.Loop("alerts", alert_hits.tell_due, every_seconds=30.0))
    loops.register(loops.Loop(definitions.LOOP, definitions.run_once, every_seconds=30.0, limit=1))
    loops.register(loops.Loop(score_marks.LOOP, score_marks.run_once, every_seconds=30.0, limit=500))
    loops.register(loops.Loop(questionnaires.LOOP, questionnaires.run_once, every_seconds=300.0, limit=1))
    loops.register(loops.Loop("rescoring", rescoring.run_once, every_seconds=30.0, limit=2000))


def _score_companies() -> None:
    """Companies follow their people, behind a loop of their own."""
    subscribe(EventsRecorded, subscribers.mark_companies)
    subscribe(EventsJoined, subscribers.mark_companies)
    subscribe(HistoriesChanged, subscribers.mark_companies_of_people)
    subscribe(LeadsChanged, subscribers.mark_companies_of_leads)
    subscribe(OpportunityOpened, subscribers.mark_companies_of_deals)
    subscribe(OpportunityMoved, subscribers.mark_companies_of_deals)
    subscribe(OpportunityChanged, subscribers.mark_companies_of_deals)
    subscribe(OpportunitiesImported, subscribers.mark_companies_of_deals)
    subscribe(PersonsMerged, subscribers.mark_companies_of_merge)
    subscribe(PersonsUnmerged, subscribers.mark_companies_of_merge)
    subscribe(CompaniesMerged, subscribers.mark_merged_companies)
    subscribe(CompaniesUnmerged, subscribers.mark_merged_companies)
    subscribe(DefinitionInForce, subscribers.score_companies)
    loops.register(loops.Loop(company_scores.LOOP, company_scores.run_once, every_seconds=30.0, limit=1000))
    navigation.register(
        NavItem(_("Hot list"), "flame", "funnel:hot", section=Section.FUNNEL, order=15, key="h")
    )
    panels.register("company.side", "score", hot.company_panel, order=3)


def _keep_warm() -> None:
    """Nurture follows stages and owners, and has a loop of its own."""
    subscribe(StageMoved, subscribers.keep_warm)
    subscribe(LeadsPlaced, subscribers.keep_imported_warm)
    subscribe(OpportunitiesImported, subscribers.follow_many)
    subscribe(MovesWithdrawn, subscribers.follow_many)
    subscribe(OwnerChanged, subscribers.pause_nurture)
    subscribe(LeadReturned, subscribers.tell_returned)
    subscribe(ActivityLogged, subscribers.tell_held_contact)
    withdrawals.register(companions=(withdrawals.Companion("leads_lead", "funnel_nurture", "lead_id"),))
    loops.register(loops.Loop(nurture_gains.LOOP, nurture_returns.run_once, every_seconds=60.0, limit=500))
    navigation.register(
        NavItem(_("Nurture"), "sprout", "funnel:nurtures", section=Section.FUNNEL, order=25, key="u")
    )
    panels.register("lead.main", "nurture", warm.of_lead, order=3)
    panels.register("person.main", "nurture", warm.of_person, order=3)
    panels.register("person.contact", "nurture", warm.before_contact, order=10)


def _enter_stages() -> None:
    """When the criteria of own stages are asked again; after scores and owners are what they are."""
    subscribe(EventsRecorded, subscribers.enter_stages)
    subscribe(EventsJoined, subscribers.enter_stages)
    subscribe(LeadsChanged, subscribers.enter_stage)
    subscribe(LeadsPlaced, subscribers.enter_stage)
    subscribe(StageMoved, subscribers.enter_stage)
    subscribe(HandoffAccepted, subscribers.enter_stage)
    subscribe(ActivityLogged, subscribers.enter_worked)
    subscribe(OpportunityMoved, subscribers.enter_worked)


def _tell() -> None:
    """Who hears of what through the outbox."""
    for kind in told.KINDS:
        topics.register_kind(kind)
    topics.register(*told.TOPICS)
    subscribe(LeadQualified, subscribers.tell_qualified)
    subscribe(StageMoved, subscribers.tell_moved)
    subscribe(OwnerChanged, subscribers.tell_owner_changed)
    subscribe(HandoffExplained, subscribers.tell_explained)
    subscribe(HandoffReopened, subscribers.tell_reopened)
    subscribe(OpportunityOpened, subscribers.tell_opened)
    subscribe(OpportunityMoved, subscribers.tell_deal_moved)
    subscribe(HandoffDelivered, subscribers.tell_delivered)
    subscribe(HandoffGateFailed, subscribers.tell_gate_failed)
    subscribe(HandoffWaiting, subscribers.tell_waiting)
    subscribe(HandoffHeld, subscribers.tell_held)
    subscribe(HandoffAccepted, subscribers.tell_answered)
    subscribe(HandoffReturned, subscribers.tell_answered)
    subscribe(HandoffExpired, subscribers.tell_answered)
    subscribe(ReturnAppealed, subscribers.tell_appealed)
    subscribe(AppealRuled, subscribers.tell_ruled)
    subscribe(OpportunityMoved, subscribers.tell_outcome)


def _add_pages() -> None:
    """Entries of the menu, panels on the pages of leads, hits of the palette."""
    _add_to_menu()
    panels.register("lead.header", "stage", shown.header, order=10)
    panels.register("person.header", "stage", shown.person_header, order=10)
    panels.register("lead.main", "tombstones", refusals.of_lead, order=5)
    panels.register("person.main", "tombstones", refusals.of_person, order=5)
    panels.register("company.main", "tombstones", refusals.of_company, order=5)
    panels.register("person.actions", "refuse", refusals.refuse_person, order=90)
    panels.register("company.actions", "refuse", refusals.refuse_company, order=90)
    panels.register("lead.actions", "handoff", shown.actions, order=10)
    for record in ("lead", "person", "company"):
        panels.register(f"{record}.actions", "alert", shown.tell_me, order=50)
    panels.register("import.actions", "leads", shown.of_import, order=10)
    for record in ("lead", "person"):
        panels.register(f"{record}.side", "footprint", view_panels.footprint, order=35)
        panels.register(f"{record}.story", "origin", view_panels.origin, order=10)
    panels.register("lead.main", "handoff", shown.handoff, order=20)
    panels.register("lead.side", "score", shown.score, order=40)
    panels.register("lead.side", "likelihood", shown.likelihood, order=45)
    panels.register("lead.side", "qualification", shown.qualification, order=25)
    panels.register("lead.side", "routing", routing_panels.why, order=28)
    panels.register("lead.side", "deals", shown.deals_of_lead, order=30)
    panels.register("person.side", "deals", shown.deals_of_person, order=30)
    cells.register(
        "company_people",
        cells.Added("standing", _("Where they stand"), company_people.standing, "funnel/_standing_cell.html"),
    )
    for column in account_views.COLUMNS:
        cells.register("companies", column)
    panels.register("company.side", "journey", account_views.journey_panel, order=3)
    panels.register("company.side", "owners", view_panels.owners, order=5)
    panels.register("company.side", "deals", shown.deals_of_company, order=10)
    panels.register("company.side", "leads", shown.leads_of_company, order=20)
    palette.register("funnel.actions", _("Add"), hits.actions, order=25)
    palette.register("funnel.deals", _("Opportunities"), hits.opportunities, order=50)
    _add_settings()


def _add_to_menu() -> None:
    navigation.register(
        NavItem(_("Leads"), "users", "funnel:leads", section=Section.FUNNEL, order=10, key="l", phone=True)
    )
    navigation.register(
        NavItem(
            _("Opportunities"),
            "square-kanban",
            "funnel:opportunities",
            section=Section.FUNNEL,
            order=20,
            key="b",
            phone=True,
        )
    )
    navigation.register(
        NavItem(
            _("Appeals"),
            "scale",
            "funnel:appeals",
            section=Section.PROMISE,
            order=25,
            key="j",
            badge=appeal_rows.waiting_for,
            badge_label=_("to rule on"),
        )
    )
    navigation.register(NavItem(_("My alerts"), "bell-ring", "funnel:alerts", order=30, key="w"))


_QUESTIONNAIRE = SettingsPage(
    _("Questionnaire"),
    _("What each team calls a qualified lead, asked apart."),
    "clipboard-list",
    "funnel:questionnaires",
    _("The agreement"),
    order=15,
)


_ROUTING = (
    SettingsPage(
        _("Pools"),
        _("Who shares delivered leads, with which share and limits."),
        "rotate-cw",
        "funnel:pools",
        _("The funnel"),
        order=50,
    ),
    SettingsPage(
        _("Routing"),
        _("Which leads go to which pool, asked in order; try a lead without changing anything."),
        "route",
        "funnel:routing",
        _("The funnel"),
        order=52,
    ),
    SettingsPage(
        _("Absences"),
        _("Who is away when, and so gets no leads."),
        "plane",
        "funnel:absences",
        _("The funnel"),
        order=54,
    ),
)
_NURTURE = SettingsPage(
    _("Nurture"),
    _("When a lead goes to nurture, and what brings it back."),
    "sprout",
    "funnel:nurture_rule",
    _("The funnel"),
    capability=Capability.EDIT_DEFINITION,
    order=55,
)


def _add_settings() -> None:
    """Cards of the settings page."""
    agreed, road = _("The agreement"), _("The funnel")
    for page in (
        SettingsPage(
            _("Definition"),
            _("What a qualified lead is: fit, interest and what follows, signed by both."),
            "badge-check",
            "funnel:definition",
            agreed,
            order=10,
            notice=_unsigned,
        ),
        _QUESTIONNAIRE,
        _NURTURE,
        SettingsPage(
            _("Likelihood"),
            _("How likely a lead becomes a customer: the model in use and what it learns from."),
            "graduation-cap",
            "funnel:likelihood",
            road,
            order=45,
        ),
        SettingsPage(
            _("Stages"),
            _("What each stage means, whose it is, its target and time limit; the board's columns."),
            "milestone",
            "funnel:stages",
            road,
            order=40,
        ),
        *_ROUTING,
        SettingsPage(_("Products"), _("What is sold."), "package", "funnel:products", road, order=60),
        SettingsPage(
            _("Never delivered again"),
            _("Who was refused, why, until when, and how often they were kept out."),
            "shield-ban",
            "funnel:tombstones",
            road,
            order=70,
        ),
    ):
        settings_pages.register(page)


def _unsigned() -> str:
    """What the settings page says while a signature is missing."""
    return "" if definition_texts.in_force().is_signed else gettext("not signed yet")
