"""The funnel as a board and a table: who is where, for how long, who gets further; moves on it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from funnel.models import LeadState, MoveCause, Qualification, Stage, StageTransition, Tombstone
from funnel.selectors import lead_board, stage_figures
from funnel.services import handoffs, lifecycle, owners, stages
from smarketing.users.models import User
from tests.funnel.conftest import DAY, NOW, capture_lead
from tests.funnel.views.conftest import SignedIn

pytestmark = pytest.mark.django_db
HX = {"HX-Request": "true"}


def put(lead, *, to, at, actor, cause=MoveCause.CORRECTION, reason="A test"):
    return lifecycle.move(lead=lead, to=to, cause=cause, reason=reason, actor=actor, at=at, now=at)


def figures(code, *, now, owner=None):
    found = stage_figures.all_of(owner=owner, month=NOW.replace(day=1), now=now)
    return next(each for each in found if each.stage.code == code)


@pytest.fixture
def funnel(web, mara):
    """12 leads that became MQL on days 1 to 12: 3 got further, 5 were disqualified, 4 are there still."""
    leads = [capture_lead(web) for _ in range(12)]
    for number, lead in enumerate(leads, start=1):
        put(lead, to="mql", at=NOW + number * DAY, actor=mara)
    for lead in leads[:3]:
        put(lead, to="opportunity", at=NOW + 13 * DAY, actor=mara)
    for lead in leads[3:8]:
        put(lead, to="disqualified", at=NOW + 14 * DAY, actor=mara)
    return leads


def test_a_stage_tells_how_many_how_old_and_how_many_get_further(funnel, sam):
    now = NOW + 20 * DAY
    mql = figures("mql", now=now)
    assert (mql.here, mql.late, mql.came, mql.known, mql.further, mql.undecided) == (4, 4, 12, 8, 3, 4)
    # They came on days 9, 10, 11 and 12: the middle one has been here for 9 days.
    assert mql.median_seconds == 9 * 86_400
    assert mql.is_slow  # the limit is three days
    assert mql.conversion == 37.5
    assert not mql.is_leaky
    stages.update(stage=mql.stage, changes={"target_conversion": 95}, actor=sam, now=now)
    assert not figures("mql", now=now).is_leaky  # 8 known outcomes are too few to say so
    assert figures("opportunity", now=now).here == 3
    assert figures("disqualified", now=now).came == 5
    assert figures("lead", now=now).further == 12


def test_losing_more_than_agreed_is_marked_when_chance_does_not_explain_it(funnel, sam, mara):
    for lead in funnel[8:]:
        put(lead, to="disqualified", at=NOW + 15 * DAY, actor=mara)
    stage = Stage.objects.get(code="mql")
    stages.update(stage=stage, changes={"target_conversion": 60}, actor=sam, now=NOW)
    mql = figures("mql", now=NOW + 20 * DAY)
    assert (mql.further, mql.known) == (3, 12)
    assert mql.is_leaky  # Wilson's upper bound of 3 in 12 is 53 %
    stages.update(stage=stage, changes={"target_conversion": 50}, actor=sam, now=NOW)
    assert not figures("mql", now=NOW + 20 * DAY).is_leaky


def test_each_number_opens_its_leads(signed_in: SignedIn, funnel, olga: User, at):
    at(NOW + 20 * DAY)
    client = signed_in(olga)
    page = client.get("/leads/stages/")
    assert page.status_code == 200
    told = next(f for f in page.context["figures"] if f.stage.code == "mql")
    for query, count in (
        ("stage=mql", told.here),
        ("stage=mql&late=true", told.late),
        (f"been=mql&been_since={told.since:%Y-%m-%d}", told.came),
        (f"been=mql&been_since={told.since:%Y-%m-%d}&been_then=further", told.further),
        (f"been=mql&been_since={told.since:%Y-%m-%d}&been_then=open", told.undecided),
        (f"been=mql&been_since={told.since:%Y-%m-%d}&been_then=ended", told.known - told.further),
    ):
        assert len(client.get(f"/leads/?{query}").context["list"].table.rows) == count, query


def test_the_board_asks_the_same_number_of_questions_whatever_is_on_it(web, rita, mara):
    def asked() -> int:
        with CaptureQueriesContext(connection) as seen:
            lead_board.first_columns(rita, owner=None, month=NOW, now=NOW + 5 * DAY)
        return len(seen)

    capture_lead(web)
    asked()
    few = asked()
    for _ in range(25):
        capture_lead(web)
    assert asked() == few


def test_a_column_goes_on_where_its_first_page_ended(signed_in: SignedIn, web, rita):
    leads = [capture_lead(web, at=NOW + number * DAY) for number in range(23)]
    client = signed_in(rita)
    column = next(c for c in client.get("/leads/board/").context["columns"] if c.stage.code == "lead")
    assert [card.pk for card in column.cards] == [lead.pk for lead in leads[:20]]
    more = client.get(f"/leads/board/{column.stage.pk}/more/", {"cursor": column.next})
    assert [card.pk for card in more.context["cards"]] == [lead.pk for lead in leads[20:]]
    assert more.context["next"] is None


def test_the_board_of_one_owner_shows_only_theirs(signed_in: SignedIn, web, sam, rita):
    mine, _other = capture_lead(web), capture_lead(web)
    owners.assign(lead=mine, owner=rita, reason=owners.BY_HAND, actor=sam, now=NOW)
    page = signed_in(rita).get("/leads/board/?owner=me")
    column = next(c for c in page.context["columns"] if c.stage.code == "lead")
    assert ([card.pk for card in column.cards], column.figures.here) == ([mine.pk], 1)


def test_a_card_moves_forward_at_once_and_asks_why_on_the_way_back(signed_in: SignedIn, lead, mara):
    client = signed_in(mara)
    url = f"/leads/{lead.pk}/board/move/"
    version = LeadState.objects.get(lead=lead).version
    assert client.post(url, {"to": "mql", "version": version}, headers=HX).status_code in (200, 204)
    assert LeadState.objects.get(lead=lead).stage.code == "mql"
    stale = client.post(url, {"to": "opportunity", "version": version}, headers=HX)
    assert stale.status_code == 412
    back = client.post(url, {"to": "lead", "version": version + 1}, headers=HX)
    assert back.status_code == 422
    assert 'value="lead" selected' in back.content.decode()
    assert LeadState.objects.get(lead=lead).stage.code == "mql"
    assert client.post(url, {"to": "visitor"}, headers=HX).status_code == 409
    assert client.post(url, {"to": "nowhere"}, headers=HX).status_code == 409


def test_moving_to_sql_asks_for_need_and_budget_and_records_both(
    signed_in: SignedIn, lead, qualify, rita, at
):
    at(NOW + DAY / 12)
    handoff = qualify(lead).handoffs.get()
    handoffs.accept(handoff=handoff, actor=handoff.owner, now=handoff.delivered_at)
    client = signed_in(handoff.owner)
    asked = client.post(f"/leads/{lead.pk}/board/move/", {"to": "sql"}, headers=HX)
    assert asked.status_code == 422
    assert 'name="need"' in asked.content.decode()
    url = f"/leads/{lead.pk}/move/"
    data = {"to": "sql", "reason": "Spoke with them", "need": "Fewer tools", "currency": "EUR"}
    assert client.post(url, {**data, "budget": ""}, headers=HX).status_code == 422
    assert not Qualification.objects.exists()
    answer = client.post(url, {**data, "budget": "9000"}, headers=HX)
    assert answer.status_code in (200, 204)
    assert LeadState.objects.get(lead=lead).stage.code == "sql"
    assert Qualification.objects.get(lead=lead).need == "Fewer tools"


def test_selected_leads_move_together_and_who_cannot_is_told(signed_in: SignedIn, web, mara):
    ready, closed = capture_lead(web), capture_lead(web)
    put(closed, to="disqualified", at=NOW, actor=mara)
    client = signed_in(mara)
    data = {"id": [ready.pk, closed.pk], "to": "mql", "reason": "Met at the fair"}
    assert client.post("/leads/move/", {**data, "reason": ""}).status_code == 422
    answer = client.post("/leads/move/", data, follow=True)
    text = answer.content.decode()
    assert "1 lead moved to MQL." in text
    assert "This lead is closed." in text
    moved = StageTransition.objects.filter(cause=MoveCause.MANUAL)
    assert [(row.lead_id, row.to_stage.code, row.reason) for row in moved] == [
        (ready.pk, "mql", "Met at the fair")
    ]


def test_only_who_edits_leads_moves_them(signed_in: SignedIn, lead, olga):
    client = signed_in(olga)
    assert "data-card" not in client.get("/leads/board/").content.decode()
    assert client.post(f"/leads/{lead.pk}/board/move/", {"to": "mql"}).status_code == 403
    assert client.post("/leads/move/", {"id": [lead.pk], "to": "mql", "reason": "x"}).status_code == 403
    assert LeadState.objects.get(lead=lead).stage.code == "lead"


def undo_of(lead):
    return f"/leads/{lead.pk}/board/undo/{LeadState.objects.get(lead=lead).seq}/"


def stage_and_rows(lead):
    state = LeadState.objects.get(lead=lead)
    return state.stage.code, StageTransition.objects.filter(lead=lead).count()


@pytest.mark.parametrize("to", ["mql", "opportunity", "nurture", "customer"])
def test_a_move_on_the_board_is_taken_back_within_ten_seconds(signed_in: SignedIn, lead, mara, at, to):
    at(NOW + DAY)
    client = signed_in(mara)
    moved = client.post(f"/leads/{lead.pk}/board/move/", {"to": to}, headers=HX)
    url = undo_of(lead)
    assert f'hx-post="{url}"' in moved.content.decode()
    at(NOW + DAY + timedelta(seconds=10))
    back = client.post(url, headers=HX)
    assert "is back in Lead." in back.content.decode()
    assert back.headers["HX-Trigger"] == moved.headers["HX-Trigger"]
    state = LeadState.objects.select_related("lead").get(lead=lead)
    assert (state.stage.code, state.lead.closed_at) == ("lead", None)
    last = StageTransition.objects.filter(lead=lead).latest("seq")
    assert (last.cause, last.actor_id, last.from_stage.code) == (MoveCause.CORRECTION, mara.pk, to)
    held = stage_and_rows(lead)
    assert client.post(url, headers=HX).status_code == 409  # a second click
    assert stage_and_rows(lead) == held


def test_a_move_stands_when_it_is_late_anothers_or_followed_by_another(
    signed_in: SignedIn, lead, mara, rita, at
):
    at(NOW + DAY)
    client, other = signed_in(mara), signed_in(rita)
    client.post(f"/leads/{lead.pk}/board/move/", {"to": "mql"}, headers=HX)
    url, held = undo_of(lead), stage_and_rows(lead)
    assert "no move of yours" in other.post(url, headers=HX).content.decode()
    assert stage_and_rows(lead) == held
    other.post(f"/leads/{lead.pk}/board/move/", {"to": "opportunity"}, headers=HX)
    held = stage_and_rows(lead)
    answer = client.post(url, headers=HX)
    assert (answer.status_code, "has moved again meanwhile" in answer.content.decode()) == (409, True)
    assert stage_and_rows(lead) == held
    at(NOW + DAY + timedelta(seconds=11))
    assert "within ten seconds" in other.post(undo_of(lead), headers=HX).content.decode()
    assert stage_and_rows(lead) == held


def test_a_disqualification_is_taken_back_with_its_refusal(signed_in: SignedIn, lead, mara, at):
    at(NOW + DAY)
    client = signed_in(mara)
    data = {"to": "disqualified", "reason": "A competitor"}
    answer = client.post(f"/leads/{lead.pk}/move/", data, headers=HX)
    assert undo_of(lead) in answer.content.decode()
    assert Tombstone.objects.get().lifted_at is None
    assert client.post(undo_of(lead), headers=HX).status_code == 200
    assert LeadState.objects.get(lead=lead).stage.code == "lead"
    assert Tombstone.objects.get().lifted_at is not None


def test_only_who_edits_leads_takes_a_move_back(signed_in: SignedIn, lead, mara, olga, at):
    at(NOW + DAY)
    signed_in(mara).post(f"/leads/{lead.pk}/board/move/", {"to": "mql"}, headers=HX)
    held = stage_and_rows(lead)
    assert signed_in(olga).post(undo_of(lead), headers=HX).status_code == 403
    assert stage_and_rows(lead) == held
