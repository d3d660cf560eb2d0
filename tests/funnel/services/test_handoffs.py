"""A lead goes to sales whole or not at all, and every handoff ends in an answer."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from funnel.models import Assignment, Handoff, HandoffState, LeadState, PoolMember, StageTransition
from funnel.services import handoffs, holding, opportunities, qualifications
from funnel.services.delivery import DeliveryNotAllowed, NotDeliverable
from funnel.services.handoffs import (
    AlreadyAnswered,
    AnswerNotAllowed,
    DealIsOpen,
    HandoffChanged,
    ReturnNotPossible,
    UndoNotPossible,
)
from leads.models import Lead
from leads.services import leads as capturing
from leads.services import people
from tests.funnel.conftest import NOW, capture_lead

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=2)


@pytest.fixture
def handoff(rita, lead, qualify):
    """Rita's handoff, delivered an hour after the capture."""
    qualify(lead)
    return Handoff.objects.get(lead=lead)


def stage(lead):
    return LeadState.objects.get(lead=lead).stage.code


def owner(lead):
    return LeadState.objects.get(lead=lead).owner


# --- delivery


def test_a_lead_that_meets_the_definition_is_delivered_at_once(handoff, rita, lead):
    assert (handoff.state, handoff.owner, handoff.delivered_at) == (
        "delivered",
        rita,
        NOW + timedelta(hours=1),
    )
    assert (stage(lead), owner(lead)) == ("mql", rita)
    assert Assignment.objects.get(lead=lead).record["reason"] == "only_eligible"


def test_the_packet_tells_why_where_from_and_what_they_did(handoff):
    packet = handoff.packet
    assert packet["scores"]["cell"] == "B1"
    interest = packet["scores"]["interest"]
    assert Decimal(str(interest["score"])) == sum(Decimal(str(s["shown"])) for s in interest["signals"])
    assert [s["key"] for s in interest["signals"]] == ["demo_requested", "form_submitted"]
    assert packet["origin"]["source"] == "Website"
    assert packet["actions"] == [
        {"kind": "form", "name": "Demo request", "at": (NOW + timedelta(hours=1)).isoformat()}
    ]
    assert packet["missing"] == []
    assert packet["routing"]["reason"] == "only_eligible"


def test_a_lead_without_the_minimum_information_fails_the_gate(web, rita, qualify):
    lead = qualify(capture_lead(web, company="", title="Head director, chief vp"))
    failed = Handoff.objects.get(lead=lead)
    assert (failed.state, failed.missing, failed.owner) == ("gate_failed", ["company.name"], None)
    assert (stage(lead), owner(lead)) == ("mql", None)


def test_mended_information_delivers_what_the_gate_held_back(web, rita, qualify):
    lead = qualify(capture_lead(web, company="", title="Head director, chief vp"))
    firm = capture_lead(web, company="Globex").company
    capturing.update(lead=lead, changes={"company": firm}, actor=None, now=LATER)
    states = list(Handoff.objects.filter(lead=lead).order_by("pk").values_list("state", flat=True))
    assert states == ["gate_failed", "delivered"]


def test_the_same_missing_information_is_one_failure(web, mara, qualify):
    lead = qualify(capture_lead(web, company="", title="Head director, chief vp"))
    again = handoffs.deliver(lead=lead, actor=mara, now=LATER)
    assert again.state == "gate_failed"
    assert Handoff.objects.filter(lead=lead).count() == 1


def test_a_marketer_can_deliver_only_what_met_the_definition(lead, mara, rita):
    failed = handoffs.deliver(lead=lead, actor=mara, now=LATER)
    assert (failed.state, failed.missing) == ("gate_failed", ["definition"])
    assert (stage(lead), owner(lead)) == ("lead", None)


def test_a_marketing_manager_overrides_the_gate_with_a_reason(lead, max_, rita):
    delivered = handoffs.deliver(lead=lead, actor=max_, now=LATER, override_reason="Met at the fair")
    assert (delivered.state, delivered.owner) == ("delivered", rita)
    assert (delivered.override_reason, delivered.missing) == ("Met at the fair", ["definition"])
    assert stage(lead) == "mql"


@pytest.mark.parametrize(("who", "reason"), [("rita", ""), ("olga", ""), ("mara", "because"), ("sam", "")])
def test_others_can_neither_deliver_nor_override(lead, who, reason, request):
    actor = request.getfixturevalue(who)
    with pytest.raises(DeliveryNotAllowed):
        handoffs.deliver(lead=lead, actor=actor, now=LATER, override_reason=reason)
    assert Handoff.objects.count() == 0
    assert stage(lead) == "lead"


def test_a_delivered_lead_is_not_delivered_twice(handoff, mara):
    with pytest.raises(NotDeliverable):
        handoffs.deliver(lead=handoff.lead, actor=mara, now=LATER)
    assert Handoff.objects.count() == 1


def test_without_an_eligible_rep_the_lead_waits_and_is_delivered_later(lead, qualify):
    qualify(lead)
    waiting = Handoff.objects.get(lead=lead)
    assert (waiting.state, waiting.owner) == ("assembling", None)
    assert holding.run_once(now=LATER, limit=10) == 0
    rep = handoffs.User.objects.create(email="new@example.com", name="New Rep", role="rep")
    assert holding.run_once(now=LATER, limit=10) == 1
    waiting.refresh_from_db()
    assert (waiting.state, waiting.owner, waiting.delivered_at) == ("delivered", rep, LATER)


def test_a_full_rep_is_passed_over(web, rita, rob, qualify):
    qualify(capture_lead(web))
    PoolMember.objects.filter(user=rita).update(open_cap=1)
    for _ in range(3):
        qualify(capture_lead(web))
    owners = list(Handoff.objects.order_by("pk").values_list("owner__name", flat=True))
    assert owners == ["Rita Rep", "Rob Rep", "Rob Rep", "Rob Rep"]


def test_a_named_owner_gets_the_lead(lead, max_, rita, rob):
    delivered = handoffs.deliver(lead=lead, actor=max_, now=LATER, owner=rob, override_reason="Asked for Rob")
    assert delivered.owner == rob


# --- answers


def test_the_owner_accepts(handoff, rita, lead):
    answered = handoffs.accept(handoff=handoff, actor=rita, now=LATER)
    assert (answered.state, answered.answered_by, answered.answered_at) == ("accepted", rita, LATER)
    assert (answered.version, stage(lead), owner(lead)) == (2, "mql", rita)


@pytest.mark.parametrize("accept_first", [True, False])
def test_acceptance_and_need_and_budget_make_an_sql_in_either_order(handoff, rita, lead, accept_first):
    def accept():
        handoffs.accept(handoff=handoff, actor=rita, now=LATER)

    def qualify():
        qualifications.record(
            lead=lead, need="A CRM", budget=Decimal("9000"), currency="EUR", actor=rita, now=LATER
        )

    first, second = (accept, qualify) if accept_first else (qualify, accept)
    first()
    assert stage(lead) == "mql"
    second()
    assert stage(lead) == "sql"


@pytest.mark.parametrize(
    ("reason", "to", "closed"),
    [
        ("not_ready", "nurture", False),
        ("no_fit", "disqualified", True),
        ("competitor", "disqualified", True),
        ("no_budget", "recycled", True),
        ("unreachable", "recycled", True),
    ],
)
def test_a_return_sends_the_lead_where_its_reason_says(handoff, rita, lead, reason, to, closed):
    answered = handoffs.return_(handoff=handoff, reason=reason, note="Too small", actor=rita, now=LATER)
    assert (answered.state, answered.return_reason, answered.return_note) == ("returned", reason, "Too small")
    assert (stage(lead), owner(lead)) == (to, None)
    assert (Lead.objects.get(pk=lead.pk).closed_at == LATER) is closed
    assert answered.owner == rita


@pytest.mark.parametrize(("reason", "field"), [("", "reason"), ("because", "reason"), ("no_fit", "note")])
def test_a_return_without_a_usable_reason_is_refused(handoff, rita, lead, reason, field):
    with pytest.raises(ReturnNotPossible) as refused:
        handoffs.return_(handoff=handoff, reason=reason, actor=rita, now=LATER)
    assert [e.field for e in refused.value.errors] == [field]
    handoff.refresh_from_db()
    assert (handoff.state, stage(lead)) == ("delivered", "mql")


@pytest.mark.parametrize("who", ["rob", "mara", "max_", "olga"])
def test_nobody_else_answers(handoff, who, request):
    actor = request.getfixturevalue(who)
    with pytest.raises(AnswerNotAllowed):
        handoffs.accept(handoff=handoff, actor=actor, now=LATER)
    with pytest.raises(AnswerNotAllowed):
        handoffs.return_(handoff=handoff, reason="no_need", actor=actor, now=LATER)
    handoff.refresh_from_db()
    assert (handoff.state, handoff.version) == ("delivered", 1)


def test_a_sales_manager_answers_for_the_owner(handoff, sam, rita, lead):
    answered = handoffs.accept(handoff=handoff, actor=sam, now=LATER)
    assert (answered.answered_by, answered.owner, owner(lead)) == (sam, rita, rita)


def test_an_answered_handoff_is_not_answered_again(handoff, rita, sam):
    handoffs.accept(handoff=handoff, actor=rita, now=LATER)
    with pytest.raises(AlreadyAnswered):
        handoffs.return_(handoff=handoff, reason="no_need", actor=sam, now=LATER)
    handoff.refresh_from_db()
    assert handoff.state == "accepted"


def test_an_answer_to_an_older_version_is_refused(handoff, rita, sam, rob):
    handoffs.reassign(handoff=handoff, owner=rob, actor=sam, now=LATER)
    handoff.refresh_from_db()
    with pytest.raises(HandoffChanged):
        handoffs.accept(handoff=handoff, actor=rob, now=LATER, expected_version=1)
    handoff.refresh_from_db()
    assert (handoff.state, handoff.version, handoff.owner) == ("delivered", 2, rob)


def test_a_lead_with_an_open_deal_is_not_returned(handoff, rita, lead):
    opportunities.open(
        lead=lead, name="Deal", currency="EUR", owner=rita, opened_at=LATER, actor=rita, now=LATER
    )
    with pytest.raises(DealIsOpen):
        handoffs.return_(handoff=handoff, reason="no_need", actor=rita, now=LATER)
    handoff.refresh_from_db()
    assert (handoff.state, stage(lead), owner(lead)) == ("delivered", "opportunity", rita)


def test_silence_expires_and_marketing_can_deliver_again(handoff, rita, mara, lead):
    assert handoffs.expire(handoff=handoff, at=LATER, now=LATER + timedelta(minutes=1)) is True
    handoff.refresh_from_db()
    assert (handoff.state, handoff.answered_at, handoff.owner) == ("expired", LATER, rita)
    assert (stage(lead), owner(lead)) == ("mql", None)
    assert handoffs.expire(handoff=handoff, at=LATER, now=LATER) is False
    again = handoffs.deliver(lead=lead, actor=mara, now=LATER + timedelta(minutes=2))
    assert (again.state, again.owner, again.pk) == ("delivered", rita, handoff.pk + 1)


# --- undo


@pytest.mark.parametrize("answer", ["accept", "return"])
def test_an_answer_can_be_taken_back_within_ten_seconds(handoff, rita, lead, answer):
    if answer == "accept":
        handoffs.accept(handoff=handoff, actor=rita, now=LATER)
    else:
        handoffs.return_(handoff=handoff, reason="no_need", actor=rita, now=LATER)
    back = handoffs.undo(handoff=handoff, actor=rita, now=LATER + timedelta(seconds=10))
    assert (back.state, back.answered_at, back.return_reason) == ("delivered", None, "")
    assert (stage(lead), owner(lead), Lead.objects.get(pk=lead.pk).closed_at) == ("mql", rita, None)
    seqs = list(StageTransition.objects.filter(lead=lead).order_by("seq").values_list("seq", flat=True))
    assert seqs == list(range(1, len(seqs) + 1))


def test_after_eleven_seconds_the_answer_stands(handoff, rita, lead):
    handoffs.return_(handoff=handoff, reason="no_need", actor=rita, now=LATER)
    with pytest.raises(UndoNotPossible):
        handoffs.undo(handoff=handoff, actor=rita, now=LATER + timedelta(seconds=11))
    assert stage(lead) == "recycled"


def test_only_who_answered_takes_it_back(handoff, rita, sam):
    handoffs.accept(handoff=handoff, actor=rita, now=LATER)
    with pytest.raises(AnswerNotAllowed):
        handoffs.undo(handoff=handoff, actor=sam, now=LATER)
    handoff.refresh_from_db()
    assert handoff.state == HandoffState.ACCEPTED


def test_a_return_stands_when_the_person_has_come_back(handoff, rita, web, lead):
    handoffs.return_(handoff=handoff, reason="no_need", actor=rita, now=LATER)
    person = people.Person.objects.get(pk=lead.person_id)
    capturing.capture(source=web, person=person, captured_at=LATER, actor=None, now=LATER)
    with pytest.raises(capturing.LaterLap):
        handoffs.undo(handoff=handoff, actor=rita, now=LATER + timedelta(seconds=5))
    handoff.refresh_from_db()
    assert handoff.state == HandoffState.RETURNED
