"""What the funnel does on facts of the leads app and on its own, in their transactions."""

from __future__ import annotations

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
from funnel.forms import segments
from funnel.models import MoveCause
from funnel.services import (
    alert_hits,
    alerts,
    broadcasts,
    company_scores,
    deal_withdrawal,
    delivery,
    entries,
    erasures,
    likelihoods,
    merges,
    notices,
    nurtures,
    placing,
    score_marks,
    scoring,
    tombstones,
)
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


def place(fact: LeadsCaptured) -> None:
    """New leads get stage, owner and score; one that meets the definition is delivered."""
    placing.place_many(
        lead_ids=fact.lead_ids,
        stage_codes=dict(fact.stages),
        owner_ids=dict(fact.owners),
        actor_id=fact.actor_id,
        is_import=fact.is_import,
        now=fact.now,
    )


def score_again(fact: LeadsChanged) -> None:
    """Fit may differ now, and what the gate missed may be there."""
    scoring.refresh(lead_ids=fact.lead_ids, now=fact.now)
    delivery.retry_failed(lead_ids=list(fact.lead_ids), now=fact.now)


def answer_placed(fact: LeadsPlaced) -> None:
    """How likely a new lead becomes a customer; a file's leads are answered after it."""
    if fact.is_import:
        likelihoods.answer_later(lead_ids=fact.lead_ids)
    else:
        likelihoods.answer(lead_ids=fact.lead_ids, now=fact.now)


def answer_changed(fact: LeadsChanged) -> None:
    """What is known of a lead differs, so may its likelihood."""
    likelihoods.answer(lead_ids=fact.lead_ids, now=fact.now)


def add_interest(fact: EventsRecorded | EventsJoined) -> None:
    """Each event adds to its person's interest, once: when it is stored, or when its person is found."""
    scoring.apply_events(event_ids=fact.event_ids, now=fact.now)


def mark_companies(fact: EventsRecorded | EventsJoined) -> None:
    """The interest of a company is that of its people."""
    company_scores.mark_events(event_ids=fact.event_ids)


def mark_companies_of_people(fact: HistoriesChanged) -> None:
    """Behaviour belongs to somebody else now."""
    company_scores.mark_people(person_ids=fact.person_ids)


def mark_companies_of_leads(fact: LeadsChanged) -> None:
    """A person may belong to another company."""
    company_scores.mark_leads(lead_ids=fact.lead_ids)


def mark_companies_of_merge(fact: PersonsMerged | PersonsUnmerged) -> None:
    """Two people are one, or two again."""
    company_scores.mark_people(person_ids=[fact.survivor_id, fact.merged_id])


def mark_companies_of_deals(
    fact: OpportunityOpened | OpportunityMoved | OpportunityChanged | OpportunitiesImported,
) -> None:
    """Where a deal stands says where its company stands."""
    ids = fact.opportunity_ids if isinstance(fact, OpportunitiesImported) else [fact.opportunity_id]
    company_scores.mark_deals(opportunity_ids=ids)


def mark_merged_companies(fact: CompaniesMerged | CompaniesUnmerged) -> None:
    """Their people are of another company."""
    company_scores.mark_companies(company_ids=[fact.survivor_id, fact.merged_id])


def score_companies(fact: DefinitionInForce) -> None:
    """Another definition gives other points: companies switch with their people."""
    company_scores.rebuild(now=fact.now)


def enter_stages(fact: EventsRecorded | EventsJoined) -> None:
    """Whoever meets the criteria of an own stage by what they did goes on to it."""
    entries.after_events(event_ids=fact.event_ids, now=fact.now)


def enter_stage(fact: StageMoved | HandoffAccepted | LeadsChanged | LeadsPlaced) -> None:
    """Something about these leads differs, so may what the criteria of own stages say."""
    lead_ids = fact.lead_ids if isinstance(fact, LeadsChanged | LeadsPlaced) else (fact.lead_id,)
    if isinstance(fact, LeadsPlaced) and fact.is_import:
        entries.enter_later(lead_ids=lead_ids)
    else:
        entries.enter(lead_ids=lead_ids, now=fact.now)


def enter_worked(fact: ActivityLogged | OpportunityMoved) -> None:
    """An attempt, a meeting or a deal may be what an own stage asks for."""
    if fact.lead_id is not None:
        entries.enter(lead_ids=[fact.lead_id], now=fact.now)


def raise_alerts(fact: EventsRecorded | EventsJoined) -> None:
    """Whoever waited for one of these events is told: when it is stored, or when its person is found."""
    alert_hits.raise_for(event_ids=fact.event_ids, members=segments.members, now=fact.now)


def note_contact(fact: ActivityLogged) -> None:
    """The first human attempt after an alert is its answer."""
    if fact.is_attempt and fact.person_id is not None:
        alert_hits.note_contact(person_id=fact.person_id, at=fact.occurred_at)


def move_alerts(fact: PersonsMerged | PersonsUnmerged) -> None:
    """Alerts about a person follow them."""
    alerts.follow_records(person_ids=[fact.survivor_id, fact.merged_id])


def move_company_alerts(fact: CompaniesMerged | CompaniesUnmerged) -> None:
    """Alerts about a company follow it."""
    alerts.follow_records(company_ids=[fact.survivor_id, fact.merged_id])


def refuse(fact: StageMoved) -> None:
    """A disqualified lead's person is never delivered again, until that is taken back."""
    tombstones.after_move(
        lead_id=fact.lead_id,
        from_stage=fact.from_stage,
        to_stage=fact.to_stage,
        cause=fact.cause,
        now=fact.now,
    )


def refuse_returned(fact: HandoffReturned) -> None:
    """Some reasons of sales refuse the person for ever."""
    tombstones.after_return(handoff_id=fact.handoff_id, now=fact.now)


def count_again(fact: HistoriesChanged) -> None:
    """What had been counted belongs to somebody else now: these persons' interest comes from all events."""
    scoring.recount(person_ids=fact.person_ids, now=fact.now)


def prepare_merge(fact: RecordsMerging) -> None:
    """What comes before persons in the order of locks."""
    merges.prepare(person_ids=fact.person_ids)


def end_one_lap(fact: LapsMeet) -> None:
    """Of two open laps the one that sales has further in hand goes on."""
    merges.end_one_lap(merge_id=fact.merge_id, lead_ids=fact.lead_ids, actor_id=fact.actor_id, now=fact.now)


def join_tombstones(fact: PersonsMerged) -> None:
    """What refuses either person refuses the one."""
    merges.join_tombstones(
        merge_id=fact.merge_id, survivor_id=fact.survivor_id, merged_id=fact.merged_id, now=fact.now
    )


def join_company_tombstones(fact: CompaniesMerged) -> None:
    """What refuses either company refuses the one."""
    merges.join_company_tombstones(
        merge_id=fact.merge_id, survivor_id=fact.survivor_id, merged_id=fact.merged_id, now=fact.now
    )


def take_apart(fact: PersonsUnmerged) -> None:
    """A lap that ended by the merge goes on."""
    merges.take_apart(merge_id=fact.merge_id, lead_ids=fact.lead_ids, actor_id=fact.actor_id, now=fact.now)


def tell_delivered(fact: HandoffDelivered) -> None:
    """The rep is told."""
    notices.tell_delivered(handoff_id=fact.handoff_id, now=fact.now)


def tell_gate_failed(fact: HandoffGateFailed) -> None:
    """Marketing is told what is missing."""
    notices.tell_gate_failed(handoff_id=fact.handoff_id, now=fact.now)


def tell_waiting(fact: HandoffWaiting) -> None:
    """Managers are told that nobody can take a lead."""
    notices.tell_waiting(handoff_id=fact.handoff_id, now=fact.now)


def tell_held(fact: HandoffHeld) -> None:
    """Managers are told that a lead waits too long."""
    notices.tell_held(handoff_id=fact.handoff_id, now=fact.now)


def tell_answered(fact: HandoffAccepted | HandoffReturned | HandoffExpired) -> None:
    """Marketing is told the fate of what it delivered."""
    notices.tell_answered(handoff_id=fact.handoff_id, now=fact.now)


def tell_appealed(fact: ReturnAppealed) -> None:
    """The arbiter and the rep are told of an appeal."""
    notices.tell_appealed(appeal_id=fact.appeal_id, now=fact.now)


def tell_ruled(fact: AppealRuled) -> None:
    """Both sides are told of a ruling."""
    notices.tell_ruled(appeal_id=fact.appeal_id, now=fact.now)


def tell_outcome(fact: OpportunityMoved) -> None:
    """The campaign's owner is told of a deal that was won or lost."""
    notices.tell_outcome(opportunity_id=fact.opportunity_id, now=fact.now)


def tell_qualified(fact: LeadQualified) -> None:
    """Receivers of webhooks hear that a lead met the definition."""
    broadcasts.qualified(fact=fact)


def tell_moved(fact: StageMoved) -> None:
    """Receivers of webhooks hear of moves by hand and by what is known."""
    broadcasts.moved(fact=fact)


def tell_owner_changed(fact: OwnerChanged) -> None:
    """Receivers of webhooks hear of another owner."""
    broadcasts.owner_changed(fact=fact)


def tell_explained(fact: HandoffExplained) -> None:
    """Receivers of webhooks hear why a lead came back."""
    broadcasts.explained(fact=fact)


def tell_reopened(fact: HandoffReopened) -> None:
    """Receivers of webhooks hear that an answer was taken back."""
    broadcasts.reopened(fact=fact)


def tell_opened(fact: OpportunityOpened) -> None:
    """Receivers of webhooks hear of a new deal."""
    broadcasts.opened(fact=fact)


def score_colleagues(fact: OpportunityMoved) -> None:
    """A customer's other leads: the definition may ask whether they are customers already."""
    if fact.kind == "won" or fact.from_stage == "won":
        score_marks.mark_customers(opportunity_id=fact.opportunity_id)


def tell_deal_moved(fact: OpportunityMoved) -> None:
    """Receivers of webhooks hear how far a deal is."""
    broadcasts.deal_moved(fact=fact)


def end_erased(fact: ErasureBegan) -> None:
    """A person is being erased: nobody works their leads on."""
    erasures.end(person_id=fact.person_id, lead_ids=fact.lead_ids, actor_id=fact.actor_id, now=fact.now)


def keep_warm(fact: StageMoved) -> None:
    """A lead that enters nurture gets an owner and a way back; one that leaves pauses or ends it."""
    is_back = fact.cause == MoveCause.CORRECTION and fact.from_stage is not None
    if is_back and nurtures.go_on(lead_id=fact.lead_id, from_stage=fact.from_stage or "", now=fact.now):
        return
    if fact.to_stage == nurtures.STAGE:
        nurtures.begin(
            lead_id=fact.lead_id, cause=fact.cause, reason=fact.reason, at=fact.effective_at, now=fact.now
        )
    elif fact.from_stage is not None:
        nurtures.follow(lead_ids=[fact.lead_id], now=fact.now)


def keep_imported_warm(fact: LeadsPlaced) -> None:
    """A file may say that leads are in nurture."""
    if fact.is_import:
        nurtures.begin_imported(lead_ids=fact.lead_ids, now=fact.now)


def follow_many(fact: OpportunitiesImported | MovesWithdrawn) -> None:
    """Leads were taken along by a file, or put back."""
    nurtures.follow(lead_ids=fact.lead_ids, now=fact.now)


def pause_nurture(fact: OwnerChanged) -> None:
    """A rep who gets a lead in nurture takes it over."""
    nurtures.follow_owner(lead_id=fact.lead_id, has_owner=fact.to_owner_id is not None, now=fact.now)


def tell_returned(fact: LeadReturned) -> None:
    """Marketing is told that somebody came back from nurture."""
    notices.tell_returned(
        lead_id=fact.next_lead_id,
        owner_id=fact.owner_id,
        reason=fact.reason,
        at=fact.returned_at,
        now=fact.now,
    )


def tell_held_contact(fact: ActivityLogged) -> None:
    """Marketing is told that somebody whom it keeps warm was contacted."""
    if fact.is_attempt and fact.lead_id is not None:
        notices.tell_contact(lead_id=fact.lead_id, activity_id=fact.activity_id, now=fact.now)


def withdraw_moves(fact: ImportUndone) -> None:
    """Leads that imported deals had taken along stand where they stood before."""
    deal_withdrawal.withdraw(at=fact.at, now=fact.now)
