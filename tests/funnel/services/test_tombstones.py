"""Nobody who was refused is delivered again: by no inlet, until the rule or a manager lets them in."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from funnel import invariants
from funnel.domain import tombstones as rules
from funnel.models import Handoff, HandoffState, LeadState, Product, Tombstone, TombstoneHit, TombstoneKey
from funnel.selectors import tombstones as reads
from funnel.services import handoffs, holding, lifecycle, tombstones
from funnel.services.delivery import NeverDelivered
from leads.domain.suppression import keyed_hash
from leads.models import Lead, PersonEmail, Source, Touchpoint
from leads.services import companies, people
from leads.services import leads as capturing
from leads.services.companies import CompanyInput
from leads.services.people import PersonInput
from smarketing.audit.models import AuditEntry
from smarketing.core.invariants import check
from tests.funnel.conftest import NOW, asks_for_demo, capture_lead, record
from tests.importing import take

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LATER = NOW + 3 * DAY


def returned(lead, rita, reason="competitor", note="", at=NOW + HOUR):
    """Deliver ``lead`` to Rita, who gives it back."""
    asks_for_demo(lead, at=NOW)
    handoff = Handoff.objects.get(lead=lead)
    assert handoff.owner == rita
    return handoffs.return_(handoff=handoff, reason=reason, note=note, actor=rita, now=at)


def back(lead, web, at=LATER, **more):
    """The same person fills in a form again: a new lap that meets the definition."""
    email = PersonEmail.objects.filter(person=lead.person_id).values_list("email", flat=True)[0]
    again = capturing.capture(
        source=web,
        person=PersonInput(first_name="Ada", emails=[email], title="Director of Sales"),
        captured_at=at,
        actor=None,
        now=at,
        **more,
    ).lead
    record(again, "form", "Demo request", at=at)
    return again


def broken():
    ours = {(i.id, i.title) for i in invariants.ALL}
    return [f.invariant.title for f in check() if (f.invariant.id, f.invariant.title) in ours and not f.holds]


def keys_of(tombstone):
    return sorted(TombstoneKey.objects.filter(tombstone=tombstone).values_list("kind", "value"))


@pytest.mark.parametrize(("reason", "writes"), [("competitor", 1), ("no_fit", 1), ("duplicate", 0)])
def test_a_return_that_rejects_for_ever_writes_a_tombstone(web, rita, lead, reason, writes):
    returned(lead, rita, reason=reason, note="They sell what we sell.")
    assert Tombstone.objects.count() == writes
    if writes:
        made = Tombstone.objects.get()
        email = lead.person.emails.get().email
        assert (made.scope, made.reason, made.reopen, made.author, made.lead) == (
            "person", reason, "new_company", rita, lead,
        )  # fmt: skip
        assert made.note == "They sell what we sell."
        assert keys_of(made) == sorted(
            [
                ("person", str(lead.person_id)),
                ("email", email),
                ("email_hash", reads.email_hash(email)),
            ]
        )


def test_the_hash_is_keyed_and_apart_by_kind():
    assert keyed_hash("email", "a@b.example", "k") != keyed_hash("email", "a@b.example", "other")
    assert keyed_hash("email", "a@b.example", "k") != keyed_hash("phone", "a@b.example", "k")
    assert len(keyed_hash("email", "a@b.example", "k")) == 64


def test_who_was_refused_comes_back_and_is_kept_counted_and_not_delivered(web, rita, lead):
    returned(lead, rita)
    again = back(lead, web, company=CompanyInput("Initech"))
    # Their form would be a hand-raise, but the rule of this tombstone asks for another company.
    assert again.pk != lead.pk
    assert Touchpoint.objects.filter(person=lead.person_id).count() == 2
    assert Handoff.objects.filter(lead=again).count() == 0
    assert LeadState.objects.get(lead=again).stage.code == "lead"
    assert again.score.qualified_at is not None
    assert sorted(TombstoneHit.objects.values_list("lead", "inlet", "outcome")) == [
        (again.pk, "form", "blocked"),
        (again.pk, "gate", "blocked"),
    ]
    assert reads.blocked() == reads.Blocked(leads=1, times=2)
    assert broken() == []


def test_the_gate_meets_a_tombstone_once_however_often_it_is_asked(web, rita, lead):
    returned(lead, rita)
    again = back(lead, web)
    for days in (1, 2, 3):
        record(again, "form", "Demo request", at=LATER + days * DAY)
        tombstones.stopped(lead_ids=[again.pk], now=LATER + days * DAY)
    assert TombstoneHit.objects.filter(lead=again, inlet="gate").count() == 1


def test_no_override_passes_a_tombstone_and_the_refusal_changes_nothing(web, rita, max_, lead):
    returned(lead, rita)
    again = back(lead, web)
    before = Handoff.objects.count(), TombstoneHit.objects.count()
    with pytest.raises(NeverDelivered) as refused:
        handoffs.deliver(lead=again, actor=max_, override_reason="I know them", now=LATER + HOUR)
    assert "Works for a competitor (Rita Rep, 2026-03-02)" in refused.value.detail
    assert (Handoff.objects.count(), TombstoneHit.objects.count()) == before


def test_undoing_the_return_takes_the_tombstone_away(web, rita, lead):
    answered = returned(lead, rita)
    handoffs.undo(handoff=answered, actor=rita, now=NOW + HOUR + timedelta(seconds=5))
    made = Tombstone.objects.get()
    assert made.lift_reason == tombstones.TAKEN_BACK
    assert not made.holds(NOW + DAY)
    assert Handoff.objects.get(lead=lead).state == HandoffState.DELIVERED
    assert broken() == []


def test_disqualifying_by_hand_writes_one_and_taking_it_back_lifts_it(web, mara, lead):
    lifecycle.move(
        lead=lead, to="disqualified", cause="manual", actor=mara, reason="Made up", at=NOW, now=NOW
    )
    made = Tombstone.objects.get()
    assert (made.reason, made.reopen, made.note, made.author) == ("disqualified", "never", "Made up", mara)
    lifecycle.move(
        lead=lead,
        to="lead",
        cause="correction",
        actor=mara,
        reason="It was real",
        at=NOW,
        now=NOW,
        reopen=True,
    )
    made.refresh_from_db()
    assert made.lifted_at == NOW


def test_another_company_lets_a_competitor_in_and_leaves_a_trace(web, rita, lead):
    returned(lead, rita)
    again = back(lead, web, company=CompanyInput("Globex"))
    assert Handoff.objects.get(lead=again).state == HandoffState.DELIVERED
    assert list(TombstoneHit.objects.filter(lead=again, inlet="gate").values_list("outcome", flat=True)) == [
        "reopened"
    ]
    trace = AuditEntry.objects.get(action="tombstone.reopened")
    assert trace.after["lead"] == again.pk
    assert trace.after["rule"] == "new_company"
    assert broken() == []


def test_a_hand_raise_after_the_refusal_lets_in_and_one_before_does_not(web, mara, rita, lead):
    record(lead, "form", "Newsletter", at=NOW)
    tombstones.add(
        scope="person", person=lead.person, reason="asked", reopen="hand_raise", actor=mara, now=NOW + HOUR
    )
    assert tombstones.stopped(lead_ids=[lead.pk], now=NOW + 2 * HOUR) == {lead.pk}
    asks_for_demo(lead, at=NOW + 3 * HOUR)
    assert Handoff.objects.get(lead=lead).state == HandoffState.DELIVERED


def test_a_product_is_refused_and_another_is_not(web, mara, rita, lead, now):
    from_us = Source.objects.get(code="web")
    gtx = Product.objects.create(name="GTX Pro", name_key="gtxpro", source=from_us)
    tombstones.add(scope="product", person=lead.person, product=gtx, reason="no_fit", actor=mara, now=NOW)
    for product, refused in (("gtx-PRO", True), ("MG Special", False), (None, False)):
        Lead.objects.filter(pk=lead.pk).update(attributes={"product": product} if product else {})
        assert bool(reads.blocking([lead.pk], now=NOW + HOUR)) is refused, product


def test_a_company_is_refused_by_record_and_domain(web, mara, rita, lead):
    other = capture_lead(web, company="Initech")
    stranger = capture_lead(web, company="")
    company = lead.company
    companies.update(company=company, changes={"domain": "https://www.evil.example/"}, actor=None, now=NOW)
    company.refresh_from_db()
    PersonEmail.objects.filter(person=stranger.person_id).update(email="x@evil.example")
    made = tombstones.add(scope="company", company=company, reason="competitor", actor=mara, now=NOW + HOUR)
    assert keys_of(made) == [("company", str(company.pk)), ("domain", "evil.example")]
    assert set(reads.blocking([lead.pk, other.pk, stranger.pk], now=LATER)) == {
        lead.pk,
        other.pk,
        stranger.pk,
    }


def test_a_refusal_ends_with_its_expiry_and_not_before(web, mara, lead):
    tombstones.add(
        scope="person", person=lead.person, expires_at=NOW + DAY, reason="other", actor=mara, now=NOW
    )
    assert reads.blocking([lead.pk], now=NOW + DAY - timedelta(seconds=1)) != {}
    assert reads.blocking([lead.pk], now=NOW + DAY) == {}
    assert rules.in_force(lifted_at=None, expires_at=NOW, at=NOW) is False


def test_a_number_of_a_switchboard_recognises_nobody_but_a_mobile_does(web, rita, lead):
    people.update(
        person=lead.person, changes={"phones": ["+44 20 7946 0958", "+44 7400 123456"]}, actor=None, now=NOW
    )
    returned(lead, rita)
    assert [v for k, v in keys_of(Tombstone.objects.get()) if k == "phone"] == ["+447400123456"]


def test_who_is_in_a_reps_hands_when_the_company_is_refused_stays_there(web, mara, rita, lead):
    asks_for_demo(lead, at=NOW)
    tombstones.add(scope="company", company=lead.company, reason="competitor", actor=mara, now=NOW)
    assert Handoff.objects.get(lead=lead).state == HandoffState.DELIVERED
    assert TombstoneHit.objects.get().outcome == "earlier"
    assert broken() == []


def test_a_lead_that_waits_for_a_rep_is_not_delivered_once_it_is_refused(web, mara, lead):
    asks_for_demo(lead, at=NOW)
    assert Handoff.objects.get(lead=lead).state == HandoffState.ASSEMBLING
    tombstones.add(scope="person", person=lead.person, reason="spam", actor=mara, now=NOW + HOUR)
    rep = type(mara).objects.create(email="new@example.com", name="New Rep", role="rep")
    assert holding.run_once(now=LATER, limit=10) == 1
    held = Handoff.objects.get(lead=lead)
    assert (held.state, held.missing, held.owner) == ("gate_failed", ["tombstone"], None)
    assert rep.handoffs.count() == 0


def test_rows_of_a_file_are_counted_and_history_refuses_too(web, rita, lead, tmp_path):
    returned(lead, rita)
    email = lead.person.emails.get().email
    path = tmp_path / "leads.csv"
    path.write_text(f"Email,Last Name,Lead Status\n{email},Lovelace,\njunk@evil.example,Junk,Unqualified\n")
    take("leads", path, now=LATER)
    again = Lead.objects.get(person=lead.person_id, closed_at=None)
    assert list(TombstoneHit.objects.values_list("lead", "inlet", "outcome")) == [
        (again.pk, "import", "blocked")
    ]
    junk = Tombstone.objects.get(keys__value="junk@evil.example")
    assert (junk.reason, junk.author) == ("disqualified", None)


def test_the_number_of_statements_does_not_grow_with_the_leads(web, rita, lead):
    returned(lead, rita)
    few = [capture_lead(web).pk for _ in range(2)]
    many = few + [capture_lead(web).pk for _ in range(10)]

    def statements(ids):
        with CaptureQueriesContext(
            connection,
        ) as seen:
            tombstones.stopped(lead_ids=ids, now=LATER)
            tombstones.write_for_leads(lead_ids=ids, reason="no_fit", author=rita, now=LATER)
        return len(seen)

    assert statements(few) == statements(many)


def test_an_erased_person_is_recognised_by_the_hash_alone(web, rita, lead):
    email = lead.person.emails.get().email
    returned(lead, rita)
    assert tombstones.forget(person_id=lead.person_id, now=LATER) == 1
    made = Tombstone.objects.get()
    assert (made.label, made.note, made.lead_id, made.erased_at) == ("", "", None, LATER)
    assert keys_of(made) == [("email_hash", reads.email_hash(email))]
    Lead.objects.filter(pk=lead.pk).update(closed_at=NOW + HOUR)
    lead.person.emails.all().delete()
    stranger = capturing.capture(
        source=web,
        person=PersonInput(last_name="Anon", emails=[email]),
        captured_at=LATER,
        actor=None,
        now=LATER,
    ).lead
    assert list(TombstoneHit.objects.values_list("lead", "inlet")) == [(stranger.pk, "form")]


def test_lifting_needs_the_right_and_a_reason_and_is_kept(web, rita, sam, lead):
    returned(lead, rita)
    made = Tombstone.objects.get()
    with pytest.raises(tombstones.LiftNotAllowed):
        tombstones.lift(tombstone=made, reason="I want them", actor=rita, now=LATER)
    with pytest.raises(tombstones.LiftNeedsReason):
        tombstones.lift(tombstone=made, reason="  ", actor=sam, now=LATER)
    assert Tombstone.objects.get().lifted_at is None
    tombstones.lift(tombstone=made, reason="They were bought by a customer.", actor=sam, now=LATER)
    assert AuditEntry.objects.get(action="tombstone.lifted").actor == sam
    again = back(lead, web, at=LATER + DAY)
    assert Handoff.objects.get(lead=again).state == HandoffState.DELIVERED
    with pytest.raises(tombstones.AlreadyLifted):
        tombstones.lift(tombstone=made, reason="again", actor=sam, now=LATER)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"scope": "person"}, "emails"),
        ({"scope": "company"}, "company"),
        ({"scope": "company", "domain": "gmail.com"}, "domain"),
        ({"scope": "person", "phones": ["12"]}, "phones"),
        ({"scope": "product", "emails": ["a@b.example"]}, "product"),
        ({"scope": "person", "emails": ["a@b.example"], "reopen": "new_company"}, "reopen"),
        ({"scope": "person", "emails": ["a@b.example"], "expires_at": NOW}, "expires_at"),
        ({"scope": "person", "emails": ["nonsense"]}, "emails"),
    ],
)
def test_what_refuses_nobody_is_refused_by_field_and_writes_nothing(mara, given, field):
    with pytest.raises(Exception, match=".") as refused:
        tombstones.add(reason="other", actor=mara, now=NOW, **given)
    assert [e.field for e in refused.value.errors] == [field]
    assert Tombstone.objects.count() == 0


def test_a_deleted_trace_of_a_delivery_would_be_found(web, mara, rita, lead):
    asks_for_demo(lead, at=NOW)
    tombstones.add(scope="company", company=lead.company, reason="competitor", actor=mara, now=NOW)
    TombstoneHit.objects.all().delete()
    assert broken() == [
        "No handoff waits for an answer that was delivered while a tombstone refused its lead"
    ]
