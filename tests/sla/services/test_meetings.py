"""Meetings of the two teams: entered once, taken back in sight, and measured against the promise."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from sla.domain.clauses import ClauseSpec
from sla.models import AgreementVersion, Clause, TeamMeeting
from sla.selectors import commitment_rows, commitments
from sla.services import commitments as closing
from sla.services import meetings
from sla.services.meetings import MeetingInvalid, MeetingKnown
from smarketing.core.errors import Denied
from smarketing.notifications.models import Outbox
from smarketing.users.domain.roles import Role
from smarketing.users.models import User
from tests.rest import client_for
from tests.sla.conftest import HOUR, MONDAY, make_user

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def hold(at, *people: User, actor: User | None = None, note: str = "") -> TeamMeeting:
    return meetings.log(held_at=at, attendees=people, note=note, actor=actor or people[0], now=at + HOUR)


@pytest.fixture
def weekly(clause: Clause) -> Clause:
    """One meeting a week, beside the first response."""
    AgreementVersion.objects.filter(pk=clause.version_id).update(in_force_from=MONDAY - 120 * DAY)
    version = AgreementVersion.objects.get(pk=clause.version_id)
    return Clause.objects.create(
        version=version,
        position=2,
        side="marketing",
        metric="meetings",
        comparator=">=",
        target=1,
        period="week",
    )


def test_a_meeting_is_entered_once_and_told(rep, marketer):
    made = hold(MONDAY, rep, marketer, note=" Fewer trials ")
    assert (made.held_at, made.note, made.recorded_by) == (MONDAY, "Fewer trials", rep)
    assert set(made.attendees.all()) == {rep, marketer}
    with pytest.raises(MeetingKnown):
        hold(MONDAY + timedelta(seconds=20), marketer, rep)
    assert TeamMeeting.objects.count() == 1
    assert Outbox.objects.get(topic="meeting.logged").payload["attendees"] == sorted([rep.pk, marketer.pk])


@pytest.mark.parametrize(
    ("shift", "sides", "field", "code"),
    [
        (2 * HOUR, "both", "held_at", "in_the_future"),
        (-93 * DAY, "both", "held_at", "too_old"),
        (-DAY, "sales", "attendees", "side_missing"),
    ],
)
def test_what_is_no_meeting_of_both_is_refused(rep, other_rep, marketer, shift, sides, field, code):
    people = [rep, marketer] if sides == "both" else [rep, other_rep]
    with pytest.raises(MeetingInvalid) as refused:
        meetings.log(held_at=MONDAY + shift, attendees=people, note="", actor=rep, now=MONDAY)
    assert [(error.field, error.code) for error in refused.value.errors] == [(field, code)]
    assert TeamMeeting.objects.count() == 0


def test_a_mistake_is_taken_back_with_a_reason_and_stays_in_sight(rep, marketer):
    made = hold(MONDAY, rep, marketer)
    with pytest.raises(MeetingInvalid):
        meetings.void(meeting=made, reason=" ", actor=rep, now=MONDAY + DAY)
    with pytest.raises(Denied):
        meetings.void(meeting=made, reason="x", actor=make_user(Role.READ_ONLY, "Rolf"), now=MONDAY + DAY)
    gone = meetings.void(meeting=made, reason="cancelled on the day", actor=marketer, now=MONDAY + DAY)
    assert (gone.voided_at, gone.voided_by) == (MONDAY + DAY, marketer)
    assert hold(MONDAY, rep, marketer).pk != made.pk  # the time is free again


def test_a_week_is_kept_by_its_meeting_and_broken_without(weekly, rep, marketer):
    spec = ClauseSpec(
        side="marketing", metric="meetings", comparator=">=", target=Decimal(1), period="week", calendar=None
    )

    def standing(now):
        (line,) = [x for x in commitments.lines(now=now) if x.spec.metric == "meetings"]
        return line.standing

    friday = MONDAY + 4 * DAY
    assert (standing(friday).promised, standing(friday).due, standing(friday).is_kept) == (1, 0, None)
    hold(MONDAY + DAY, rep, marketer)
    assert (standing(friday).done, standing(friday).is_kept) == (1, None)
    next_week, after = MONDAY + 8 * DAY, MONDAY + 15 * DAY
    lines = {
        back: next(x for x in commitments.lines(now=after, back=back) if x.spec.metric == "meetings")
        for back in (1, 2)
    }
    assert [(lines[back].standing.done, lines[back].standing.is_kept) for back in (2, 1)] == [
        (1, True),
        (0, False),
    ]
    shown = commitment_rows.row(lines[1], now=after)
    assert (shown.verdict, shown.sentence) == ("broken", "Marketing and sales meet at least once each week.")
    assert commitment_rows.row(lines[2], now=after).net.url == "/meetings/"
    period = commitments.span_of(spec, next_week, zone=closing.organisation.zone())
    closed = closing.close(clause=weekly, period=period, now=after)
    assert (closed.figures["done"], closed.figures["is_kept"]) == (0, False)


def test_the_interface_enters_and_takes_back(rep, marketer):
    client = client_for(rep)
    body = {"held_at": "2020-01-01T10:00:00Z", "attendees": [rep.pk, marketer.pk]}
    refused = client.post("/api/v1/meetings", body, format="json")
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/held_at")
    unknown = client.post("/api/v1/meetings", {**body, "attendees": [999_999]}, format="json")
    assert unknown.json()["errors"][0]["pointer"] == "/attendees"
    assert client_for(make_user(Role.READ_ONLY, "Rolf")).post("/api/v1/meetings", body).status_code == 403
    assert TeamMeeting.objects.count() == 0
    made = hold(MONDAY, rep, marketer, note="Fewer trials")
    (row,) = client.get("/api/v1/meetings").json()["results"]
    assert (row["note"], row["recorded_by"]["name"]) == ("Fewer trials", "Rita Rep")
    done = client.post(f"/api/v1/meetings/{made.pk}/void", {"reason": "was moved"}, format="json").json()
    assert done["void_reason"] == "was moved"


def test_the_page_enters_lists_and_takes_back(client, rep, marketer, monkeypatch):
    client.force_login(rep)
    assert "their cadence is a promise" in client.get("/meetings/").content.decode()
    made = hold(MONDAY, rep, marketer, note="<b>Fewer</b> trials")
    page = client.get("/meetings/").content.decode()
    assert "&lt;b&gt;Fewer&lt;/b&gt; trials" in page
    form = {"held_at": "2020-01-01T10:00", "attendees": [rep.pk], "note": ""}
    refused = client.post("/meetings/new/", form)
    assert refused.status_code == 422
    assert "needs somebody of marketing and somebody of sales" in refused.content.decode()
    client.post(f"/meetings/{made.pk}/void/", {"reason": "was moved"})
    made.refresh_from_db()
    assert made.void_reason == "was moved"
    assert "was moved" in client.get("/meetings/").content.decode()
