"""What the funnel shows and does on the page of a lead."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from funnel.models import Handoff, HandoffState, LeadState, Qualification, StageTransition
from funnel.services import handoffs
from leads.models import Lead, Source
from smarketing.users.models import User
from tests.funnel.conftest import NOW, asks_for_demo, capture_lead, record
from tests.funnel.views.conftest import HTMX, At, SignedIn


def stage_of(lead_id: int) -> str:
    return LeadState.objects.select_related("stage").get(pk=lead_id).stage.code


def test_the_page_shows_stage_owner_score_and_what_the_rep_was_told(
    signed_in: SignedIn, rita: User, delivered: Handoff
) -> None:
    text = signed_in(rita).get(f"/leads/{delivered.lead_id}/").content.decode()
    assert "A lead that fits the signed definition" in text  # what the stage means, on the tag
    assert "Rita Rep" in text
    assert "Why it qualified" in text
    assert "Demo request" in text


def test_the_parts_of_the_score_sum_to_what_is_shown(
    signed_in: SignedIn, rita: User, delivered: Handoff
) -> None:
    record(delivered.lead, "page", url="https://us.example/pricing", at=NOW + timedelta(minutes=5))
    answer = signed_in(rita).get(f"/leads/{delivered.lead_id}/")
    panel = next(p for p in answer.context["panels_side"] if p.id == "score")
    told = panel.context["told"]
    shown = [Decimal(str(s["shown"])) for s in panel.context["signals"]]
    assert len(shown) == 4  # the form, the demo, the page, the pricing page
    assert sum(shown) == Decimal(str(told.interest))
    assert sum(line.points for line in told.fit.lines) + told.fit.clamped == told.fit.score


def test_a_signal_opens_its_events_with_what_each_gives_now(
    signed_in: SignedIn, rita: User, delivered: Handoff
) -> None:
    for minute in range(7):
        record(delivered.lead, "page", url="https://us.example/", at=NOW + timedelta(minutes=minute))
    answer = signed_in(rita).get(f"/leads/{delivered.lead_id}/signals/page/", headers=HTMX)
    found = answer.context["found"]
    assert len(found.shown) == 7
    assert [e.points is None for e in found.shown].count(True) == 2  # five count on a day
    assert "over the daily limit" in answer.content.decode()


def test_the_page_reads_a_fixed_number_of_times(signed_in: SignedIn, rita: User, delivered: Handoff) -> None:
    client = signed_in(rita)
    address = f"/leads/{delivered.lead_id}/"
    client.get(address)
    with CaptureQueriesContext(connection) as before:
        client.get(address)
    for minute in range(20):
        record(delivered.lead, "form", f"Form {minute}", at=NOW + timedelta(minutes=minute))
    with CaptureQueriesContext(connection) as after:
        client.get(address)
    assert len(after) <= len(before)


def test_the_owner_accepts_once_however_often_it_is_clicked_and_takes_it_back(
    signed_in: SignedIn, rita: User, delivered: Handoff
) -> None:
    client = signed_in(rita)
    url = f"/handoffs/{delivered.pk}/accept/"
    first = client.post(url, {"version": delivered.version}, headers=HTMX)
    second = client.post(url, {"version": delivered.version}, headers=HTMX)
    assert (first.status_code, second.status_code) == (200, 409)
    assert first["HX-Trigger"] == "record-changed"
    assert Handoff.objects.get(pk=delivered.pk).state == HandoffState.ACCEPTED

    undo = re.search(r'action="(/handoffs/\d+/undo/)"', first.content.decode())
    assert undo is not None
    assert client.post(undo[1], headers=HTMX).status_code == 200
    assert Handoff.objects.get(pk=delivered.pk).state == HandoffState.DELIVERED


def test_an_answer_stands_after_ten_seconds(
    signed_in: SignedIn, rita: User, delivered: Handoff, at: At
) -> None:
    handoffs.accept(handoff=delivered, actor=rita, now=NOW + timedelta(minutes=5))
    at(NOW + timedelta(minutes=5, seconds=11))
    assert signed_in(rita).post(f"/handoffs/{delivered.pk}/undo/", headers=HTMX).status_code == 409
    assert Handoff.objects.get(pk=delivered.pk).state == HandoffState.ACCEPTED


def test_a_return_needs_its_reason_and_some_reasons_a_note(
    signed_in: SignedIn, rita: User, delivered: Handoff
) -> None:
    client = signed_in(rita)
    url = f"/handoffs/{delivered.pk}/return/"
    for data, word in (({}, "Choose why"), ({"reason": "no_fit"}, "Say in a sentence")):
        refused = client.post(url, data, headers=HTMX)
        assert refused.status_code == 422
        assert word in refused.content.decode()
        assert Handoff.objects.get(pk=delivered.pk).state == HandoffState.DELIVERED

    assert client.post(url, {"reason": "not_ready", "note": "Next year."}, headers=HTMX).status_code == 200
    assert stage_of(delivered.lead_id) == "nurture"
    text = client.get(f"/leads/{delivered.lead_id}/").content.decode()
    assert "Not ready to buy yet" in text
    assert "Next year." in text


def test_another_rep_and_a_reader_can_not_answer_and_see_no_buttons(
    signed_in: SignedIn, delivered: Handoff, rob: User, olga: User
) -> None:
    for user in (rob, olga):
        client = signed_in(user)
        assert "/accept/" not in client.get(f"/leads/{delivered.lead_id}/").content.decode()
        for path in ("accept", "return", "undo"):
            answer = client.post(f"/handoffs/{delivered.pk}/{path}/", {"reason": "no_need"}, headers=HTMX)
            assert answer.status_code == 403, path
    assert Handoff.objects.get(pk=delivered.pk).state == HandoffState.DELIVERED


def test_without_scripts_an_answer_leads_back_to_the_lead(
    signed_in: SignedIn, rita: User, delivered: Handoff
) -> None:
    client = signed_in(rita)
    assert client.get(f"/handoffs/{delivered.pk}/return/").status_code == 200
    answer = client.post(f"/handoffs/{delivered.pk}/accept/")
    assert (answer.status_code, answer["Location"]) == (303, f"/leads/{delivered.lead_id}/")


def test_marketing_delivers_and_is_told_what_is_missing_and_a_manager_overrides(
    signed_in: SignedIn, mara: User, max_: User, rita: User, web: Source
) -> None:
    lead = capture_lead(web, company="")
    answer = signed_in(mara).post(f"/leads/{lead.pk}/deliver/", headers=HTMX)
    assert "Missing: the company, it has not met the definition." in answer.content.decode()
    assert signed_in(mara).post(f"/leads/{lead.pk}/override/", {"override_reason": "x"}).status_code == 403
    client = signed_in(max_)
    assert "Override the gate" in client.get(f"/leads/{lead.pk}/").content.decode()
    assert client.post(f"/leads/{lead.pk}/override/", {}, headers=HTMX).status_code == 422
    assert not Handoff.objects.filter(lead=lead, state=HandoffState.DELIVERED).exists()

    done = client.post(f"/leads/{lead.pk}/override/", {"override_reason": "Asked in person"}, headers=HTMX)
    assert "Delivered to Rita Rep." in done.content.decode()
    assert Handoff.objects.get(lead=lead, state=HandoffState.DELIVERED).override_reason == "Asked in person"


def test_need_and_budget_of_an_accepted_lead_make_it_an_sql(
    signed_in: SignedIn, rita: User, delivered: Handoff
) -> None:
    client = signed_in(rita)
    client.post(f"/handoffs/{delivered.pk}/accept/")
    url = f"/leads/{delivered.lead_id}/qualification/"
    bad = client.post(url, {"need": "x", "budget": "5", "currency": "?", "version": "0"}, headers=HTMX)
    assert bad.status_code == 422
    assert not Qualification.objects.exists()

    good = {"need": "A plan", "budget": "5000", "currency": "eur", "version": "0"}
    assert client.post(url, good, headers=HTMX).status_code == 200
    assert stage_of(delivered.lead_id) == "sql"
    stale = client.post(url, {**good, "need": "Other"}, headers=HTMX)
    assert stale.status_code == 412 or stale.status_code == 422
    assert Qualification.objects.get().need == "A plan"


def test_a_move_by_hand_says_why_and_offers_only_what_is_possible(
    signed_in: SignedIn, rita: User, web: Source
) -> None:
    lead = capture_lead(web)
    client = signed_in(rita)
    text = client.get(f"/leads/{lead.pk}/").content.decode()
    assert '<option value="disqualified">' in text
    assert '<option value="lost">' not in text
    moves = StageTransition.objects.count()
    for data in ({"to": "disqualified"}, {"to": "lost", "reason": "x"}, {"to": "nowhere", "reason": "x"}):
        assert client.post(f"/leads/{lead.pk}/move/", data, headers=HTMX).status_code == 422
    assert StageTransition.objects.count() == moves
    done = client.post(f"/leads/{lead.pk}/move/", {"to": "disqualified", "reason": "A test"}, headers=HTMX)
    assert done.status_code == 200
    assert stage_of(lead.pk) == "disqualified"
    assert StageTransition.objects.latest("pk").reason == "A test"


def test_a_manager_gives_a_waiting_lead_to_another_rep(
    signed_in: SignedIn, delivered: Handoff, sam: User, rita: User, rob: User
) -> None:
    client = signed_in(sam)
    url = f"/leads/{delivered.lead_id}/owner/"
    assert client.post(url, {"owner": sam.pk * 100}, headers=HTMX).status_code == 422
    assert signed_in(rita).post(url, {"owner": rob.pk}).status_code == 403
    answer = client.post(url, {"owner": rob.pk}, headers=HTMX)
    assert Handoff.objects.get(pk=delivered.pk).owner_id == rob.pk
    undo = re.search(r'action="(/leads/owner/undo/[\d/]+)"', answer.content.decode())
    assert undo is not None
    assert client.post(undo[1], headers=HTMX)["HX-Trigger"] == "record-changed"
    assert Handoff.objects.get(pk=delivered.pk).owner_id == rita.pk


@pytest.mark.parametrize("path", ["deliver", "override", "owner", "move", "qualification"])
def test_actions_on_what_is_not_there_are_404(signed_in: SignedIn, sam: User, max_: User, path: str) -> None:
    codes = {signed_in(user).post(f"/leads/999999/{path}/").status_code for user in (sam, max_)}
    assert 404 in codes
    assert codes <= {403, 404}


def test_pages_of_person_and_company_show_stage_and_deals(
    signed_in: SignedIn, rita: User, delivered: Handoff
) -> None:
    lead: Lead = delivered.lead
    client = signed_in(rita)
    assert "MQL" in client.get(f"/people/{lead.person_id}/").content.decode()
    text = client.get(f"/companies/{lead.company_id}/").content.decode()
    assert f"/opportunities/new/?company={lead.company_id}" in text
    assert f"/leads/{lead.pk}/" in text
    asks_for_demo(lead, at=NOW + timedelta(minutes=1))
