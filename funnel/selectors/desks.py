"""Where a lead stands and what somebody can do with it: what the panels of its page show."""

from __future__ import annotations

from dataclasses import dataclass

from funnel.domain import handoffs as rules
from funnel.models import Handoff, HandoffState, LeadScore, LeadState, Qualification, Stage
from funnel.selectors import stages
from leads.models import Lead
from smarketing.core.prepared import Query, given
from smarketing.users.domain.roles import Capability
from smarketing.users.models import User

_LATEST_HANDOFF = Query(
    "handoff_latest",
    lambda: (
        Handoff.objects.filter(lead=given("lead"))
        .select_related("owner", "delivered_by", "answered_by")
        .order_by("-pk")
    ),
    ending="LIMIT 1",
)


@dataclass(frozen=True, slots=True)
class Desk:
    """One lead for one viewer. ``handoff`` is the latest; ``targets`` is where a move by hand may go."""

    lead: Lead
    state: LeadState
    score: LeadScore | None
    handoff: Handoff | None
    may_answer: bool
    may_deliver: bool
    may_override: bool
    may_change_owner: bool
    may_open_deal: bool
    targets: list[Stage]

    @property
    def is_empty(self) -> bool:
        """Whether the viewer can do nothing here."""
        return not (
            self.may_answer or self.may_deliver or self.may_change_owner or self.may_open_deal or self.targets
        )


def of_lead(lead: Lead, *, viewer: User) -> Desk | None:
    """The desk of ``lead``; ``None`` for one that has not been placed."""
    state = (
        LeadState.objects.select_related("stage", "owner", "high_water", "lead__score")
        .filter(pk=lead.pk)
        .first()
    )
    if state is None:
        return None
    handoff = latest_handoff(lead.pk)
    is_open = lead.closed_at is None
    waits = handoff is not None and handoff.state == HandoffState.DELIVERED
    own = handoff is not None and handoff.owner_id == viewer.pk
    deliverable = is_open and state.stage.counts_as in rules.DELIVERABLE and not waits
    in_work = accepted(handoff) and state.stage.counts_as == "mql"
    return Desk(
        lead=lead,
        state=state,
        score=getattr(state.lead, "score", None),
        handoff=handoff,
        may_answer=waits
        and (
            (own and viewer.may(Capability.ANSWER_OWN_HANDOFF)) or viewer.may(Capability.ANSWER_ANY_HANDOFF)
        ),
        may_deliver=deliverable and not in_work and viewer.may(Capability.DELIVER),
        may_override=handoff is not None
        and handoff.state == HandoffState.GATE_FAILED
        and deliverable
        and viewer.may(Capability.OVERRIDE_GATE),
        may_change_owner=viewer.may(Capability.CHANGE_OWNER),
        may_open_deal=is_open
        and (in_work or state.stage.counts_as in {"sql", "opportunity"})
        and viewer.may(Capability.EDIT_OPPORTUNITIES),
        targets=_targets(state) if is_open and viewer.may(Capability.EDIT_LEADS) else [],
    )


def latest_handoff(lead_id: int) -> Handoff | None:
    """The handoff that was made last, with owner, who delivered and who answered."""
    return _LATEST_HANDOFF.first(lead=lead_id)


def is_with_sales(lead: Lead) -> bool:
    """Whether the lead was delivered already, or its lap is over: nobody would get it now."""
    handoff = latest_handoff(lead.pk)
    held = (HandoffState.DELIVERED, HandoffState.ACCEPTED)
    return lead.closed_at is not None or (handoff is not None and handoff.state in held)


def qualification_of(lead_id: int) -> Qualification | None:
    """What sales found out, if anything."""
    return Qualification.objects.select_related("recorded_by").filter(pk=lead_id).first()


def accepted(handoff: Handoff | None) -> bool:
    """Whether sales works on the lead."""
    return handoff is not None and handoff.state == HandoffState.ACCEPTED


def _targets(state: LeadState) -> list[Stage]:
    """Stages in use that the table of moves allows from here, in the order of the road."""
    known, ladder = stages.road()
    return [known[code] for code in ladder.targets(state.stage.code)]
