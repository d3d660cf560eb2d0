"""What the funnel tells webhooks and people."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from smarketing.notifications.topics import Kind, Topic

KINDS = (
    Kind("delivery", _("Leads for me"), _("A lead was delivered to you."), order=10),
    Kind(
        "fate",
        _("What becomes of our leads"),
        _("Leads of your campaigns: accepted, returned, expired, won, lost, or stopped at the gate."),
        order=20,
    ),
    Kind(
        "waiting",
        _("Leads that nobody takes"),
        _("No rep could take a lead, or it waits too long."),
        order=25,
    ),
    Kind(
        "nurture",
        _("Whom I keep warm"),
        _("Somebody came back from nurture, or a colleague contacted them."),
        order=30,
    ),
    Kind("alert", _("My alerts"), _("A person or company you follow did something."), order=45),
    Kind(
        "definition",
        _("The definition"),
        _("A version was proposed, signed, commented on or took effect; questionnaires."),
        order=60,
    ),
)
TOPICS = (
    Topic("lead.qualified", _("A lead met the definition")),
    Topic("lead.stage_moved", _("A lead was moved to another stage by hand or by what is known of it")),
    Topic("lead.owner_changed", _("A lead went from one rep to another")),
    Topic("handoff.delivered", _("A lead was delivered to a rep"), "delivery"),
    Topic("handoff.gate_failed", _("A lead lacks what the agreement asks for"), "fate"),
    Topic("handoff.waiting", _("No rep can take a lead"), "waiting"),
    Topic("handoff.held", _("A lead has waited for a rep longer than its pool allows"), "waiting"),
    Topic("handoff.accepted", _("Sales accepted a lead"), "fate"),
    Topic("handoff.returned", _("Sales returned a lead, with its reason"), "fate"),
    Topic("handoff.appealed", _("Marketing appeals against a return"), "waiting"),
    Topic("handoff.upheld", _("A return was upheld on appeal"), "fate"),
    Topic("handoff.overturned", _("A return was overturned on appeal"), "fate"),
    Topic("handoff.explained", _("Sales explained a return")),
    Topic("handoff.expired", _("Nobody answered a handoff in time"), "fate"),
    Topic("handoff.reopened", _("An answer was taken back")),
    Topic("opportunity.opened", _("A deal was opened")),
    Topic("opportunity.moved", _("An open deal moved to another stage")),
    Topic("opportunity.won", _("A deal was won"), "fate"),
    Topic("opportunity.lost", _("A deal was lost"), "fate"),
    Topic("nurture.returned", _("A lead came back from nurture"), "nurture"),
    Topic("nurture.contacted", _("A colleague contacted somebody who is kept warm"), "nurture"),
    Topic("alert.raised", _("An alert was raised"), "alert"),
    Topic("definition.proposed", _("A version of the definition waits for signatures"), "definition"),
    Topic("definition.signed", _("Both teams signed a version of the definition"), "definition"),
    Topic("definition.in_force", _("Another version of the definition decides"), "definition"),
    Topic("definition.taken_back", _("A signed version of the definition was taken back"), "definition"),
    Topic("definition.commented", _("Somebody commented on the definition"), "definition"),
    Topic("questionnaire.started", _("A questionnaire asks for answers"), "definition"),
    Topic("questionnaire.revealed", _("A questionnaire has its result"), "definition"),
    Topic("questionnaire.cancelled", _("A questionnaire ended without a result"), "definition"),
    Topic("questionnaire.due", _("It is time for the next questionnaire"), "definition"),
)
