"""Interest is a projection of the events: the same in any order, and the same when built anew."""

from __future__ import annotations

import math
import random
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from funnel.models import FitPeriod, Handoff, Interest, LeadScore, LeadState, SignalDay
from funnel.selectors import definitions, hot, scores
from funnel.services import rescoring, scoring
from leads.models import Event, Source
from leads.services import events as behaviour
from leads.services import leads as capturing
from leads.services.events import EventInput
from tests.funnel.conftest import DAY, NOW, asks_for_demo, capture_lead, record

pytestmark = pytest.mark.django_db

# (hours after the capture, kind, name, url): the fourth and the sixth take the lead over the threshold
STORY = [
    (-50, "page", "Home", "/"),
    (1, "page", "Prices", "/pricing"),
    (2, "page", "Prices", "/pricing"),
    (3, "page", "Prices", "/pricing"),
    (5, "track", "Content Downloaded", ""),
    (6, "track", "Webinar attended", ""),
    (7, "email_open", "", ""),
    (8, "email_click", "", ""),
    (30, "form", "Newsletter", ""),
    (31, "track", "List Unsubscribed", ""),
    (90, "page", "Home", "/"),
]


def story(lead):
    web = Source.objects.get(code="web")
    return [
        EventInput(
            source=web,
            message_id=f"{lead.pk}-{number}",
            kind=kind,
            name=name,
            url=url,
            occurred_at=NOW + timedelta(hours=hours),
            person_id=lead.person_id,
        )
        for number, (hours, kind, name, url) in enumerate(STORY)
    ]


def outcome(lead):
    interest = Interest.objects.get(person=lead.person_id)
    score = LeadScore.objects.get(lead=lead)
    return interest.masses, interest.key, score.qualified_at


def test_every_order_of_arrival_gives_the_same_masses_and_instant(web, rita):
    """I-5, I-15: whole orders, with repetitions, in batches of any size."""
    chance = random.Random(7)
    first = capture_lead(web)
    behaviour.record(rows=story(first), now=NOW + 5 * DAY)
    masses, key, qualified_at = outcome(first)
    assert qualified_at == NOW + timedelta(hours=6)
    for _ in range(25):
        lead = capture_lead(web)
        rows = story(lead)
        rows += chance.sample(rows, 3)
        chance.shuffle(rows)
        while rows:
            size = chance.randint(1, 4)
            behaviour.record(rows=rows[:size], now=NOW + 5 * DAY)
            rows = rows[size:]
        other, other_key, other_instant = outcome(lead)
        assert other == pytest.approx(masses, rel=1e-12)
        assert other_key == pytest.approx(key, rel=1e-12)
        assert other_instant == qualified_at
        assert Handoff.objects.filter(lead=lead).count() == 1


def test_any_schedule_of_sweeps_gives_the_same_bands_and_instants(web, rita):
    """Show 2: swept every hour, once a week or never until the end, with deliveries split at random."""
    chance = random.Random(11)
    end, results = NOW + 60 * DAY, []
    for every in (timedelta(hours=7), 6 * DAY, 60 * DAY):
        lead = capture_lead(web)
        rows = sorted([*story(lead), *story(lead)[4:7]], key=lambda row: row.occurred_at)
        at = NOW
        while at < end:
            at = min(at + every, end)
            arrived = [row for row in rows if row.occurred_at <= at]
            rows = rows[len(arrived) :]
            while arrived:
                size = chance.randint(1, 3)
                behaviour.record(rows=arrived[:size], now=max(row.occurred_at for row in arrived[:size]))
                arrived = arrived[size:]
            scoring.run_once(now=at, limit=100)
        masses, key, instant = outcome(lead)
        score = LeadScore.objects.get(lead=lead)
        handoffs = Handoff.objects.filter(lead=lead).count()
        results.append((masses, key, (instant, score.interest_band, score.action, handoffs)))
    for masses, key, told in results:
        assert masses == pytest.approx(results[0][0], rel=1e-9)
        assert key == pytest.approx(results[0][1], rel=1e-9)
        assert told == (NOW + timedelta(hours=6), 3, "nurture", 1)


def test_a_late_event_moves_the_instant_and_delivers_nothing_again(lead, rita):
    asks_for_demo(lead, at=NOW + 3 * DAY)
    assert LeadScore.objects.get(lead=lead).qualified_at == NOW + 3 * DAY
    record(lead, "form", "Demo request", at=NOW + DAY, now=NOW + 4 * DAY)
    assert LeadScore.objects.get(lead=lead).qualified_at == NOW + DAY
    assert Handoff.objects.filter(lead=lead).count() == 1


def test_building_anew_gives_the_same_numbers(web, rita):
    for number in range(3):
        lead = capture_lead(web)
        behaviour.record(rows=story(lead)[number:], now=NOW + 5 * DAY)
    before = list(Interest.objects.order_by("person_id").values_list("masses", "key"))
    days = list(SignalDay.objects.order_by("person_id", "slot", "day").values_list("slot", "day", "count"))
    result = rescoring.rebuild(now=NOW + 6 * DAY)
    assert (result.people, result.leads, result.instants) == (3, 3, 0)
    assert result.worst < 1e-9
    after = list(Interest.objects.order_by("person_id").values_list("masses", "key"))
    for (masses, key), (new_masses, new_key) in zip(before, after, strict=True):
        assert new_masses == pytest.approx(masses, rel=1e-12)
        assert new_key == pytest.approx(key, rel=1e-12)
    assert days == list(
        SignalDay.objects.order_by("person_id", "slot", "day").values_list("slot", "day", "count")
    )


def test_a_damaged_projection_is_found_and_mended(lead, rita):
    behaviour.record(rows=story(lead), now=NOW + 5 * DAY)
    sound = outcome(lead)
    Interest.objects.update(masses=[1.0] * 11, key=3.0)
    LeadScore.objects.update(qualified_at=NOW)
    result = rescoring.rebuild(now=NOW + 5 * DAY)
    assert result.worst > 0.1
    assert result.instants == 1
    assert outcome(lead)[0] == pytest.approx(sound[0], rel=1e-12)
    assert outcome(lead)[2] == sound[2]


def test_the_masses_are_the_documented_formula(lead, rita):
    record(lead, "track", "Webinar attended", at=NOW + timedelta(hours=5))
    version = definitions.in_force()
    slot = [s.key for s in definitions.rules_of(version).signals].index("webinar_attended")
    day = NOW.replace(hour=0)
    expected = 2 ** ((day - version.landmark) / timedelta(days=30))
    interest = Interest.objects.get(person=lead.person_id)
    assert interest.masses[slot] == pytest.approx(expected, rel=1e-12)
    assert interest.key == pytest.approx(math.log2(20 * expected), rel=1e-12)


def test_interest_halves_in_thirty_days(lead, rita):
    record(lead, "track", "Webinar attended", at=NOW)
    key = Interest.objects.get(person=lead.person_id).key
    day = NOW.replace(hour=0)
    assert scores.interest_of(key, at=day) == pytest.approx(20)
    assert scores.interest_of(key, at=day + 30 * DAY) == pytest.approx(10)


def test_an_explanation_sums_to_its_score(lead, rita):
    behaviour.record(rows=story(lead), now=NOW + 5 * DAY)
    why = scores.explain(lead=lead, at=NOW + 5 * DAY)
    assert round(sum(round(s.shown * 10) for s in why.signals)) == round(why.interest * 10)
    assert sum(line.points for line in why.fit.lines) + why.fit.clamped == why.fit.score
    assert why.fit.score == LeadScore.objects.get(lead=lead).fit


def test_a_cooling_lead_falls_a_band_and_stays_delivered(lead, rita):
    asks_for_demo(lead, at=NOW)
    interest = Interest.objects.get(person=lead.person_id)
    assert LeadScore.objects.get(lead=lead).interest_band == 1
    assert interest.cools_at is not None
    assert scoring.run_once(now=interest.cools_at - timedelta(seconds=1), limit=10) == 0
    assert scoring.run_once(now=interest.cools_at + timedelta(seconds=1), limit=10) == 1
    score = LeadScore.objects.get(lead=lead)
    assert (score.interest_band, score.action) == (2, "nurture")
    assert score.qualified_at == NOW
    assert LeadState.objects.get(lead=lead).stage.code == "mql"
    assert Handoff.objects.get(lead=lead).state == "delivered"
    later = Interest.objects.get(person=lead.person_id).cools_at
    assert later > interest.cools_at
    assert scoring.run_once(now=later + timedelta(seconds=1), limit=10) == 1
    assert Interest.objects.get(person=lead.person_id).cools_at is None


def test_better_fit_qualifies_a_lead_whose_interest_was_there(web, rita):
    lead = capture_lead(web, title="Clerk", company="")
    asks_for_demo(lead, at=NOW + timedelta(hours=1))
    assert LeadScore.objects.get(lead=lead).qualified_at is None
    firm = capture_lead(web, company="Globex").company
    capturing.update(lead=lead, changes={"company": firm}, actor=None, now=NOW + DAY)
    score = LeadScore.objects.get(lead=lead)
    assert (score.fit, score.fit_band, score.qualified_at) == (30, "B", NOW + DAY)
    period = FitPeriod.objects.get(lead=lead)
    assert (period.fit, period.fit_band, period.until) == (15, "C", NOW + DAY)
    assert rescoring.rebuild(now=NOW + 2 * DAY).instants == 0


def test_an_excluded_lead_is_never_delivered(web, rita):
    lead = capture_lead(web, title="Student, head director")
    asks_for_demo(lead, at=NOW + timedelta(hours=1))
    score = LeadScore.objects.get(lead=lead)
    assert (score.action, score.qualified_at) == ("discard", None)
    assert not Handoff.objects.exists()


def test_the_past_of_an_imported_lead_delivers_nothing(web, rita):
    from_file = capture_lead(web)
    with transaction.atomic():
        scoring.place(lead_ids=[from_file.pk], now=NOW)
    assert not Handoff.objects.exists()


def test_an_event_without_a_person_waits_until_somebody_is_named(web):
    row = EventInput(source=web, message_id="a", kind="page", occurred_at=NOW, anonymous_id="v1", url="/")
    behaviour.record(rows=[row], now=NOW)
    assert (Event.objects.count(), Interest.objects.count()) == (1, 0)


def test_the_top_is_ordered_by_interest_now(web, rita):
    cold, warm = capture_lead(web), capture_lead(web)
    record(cold, "page", at=NOW, url="/")
    asks_for_demo(warm, at=NOW)
    found = hot.top(rita, at=NOW, limit=10)
    assert [who.lead_id for who in found] == [warm.pk, cold.pk]
    assert found[0].points > found[1].points > 0
    assert hot.top(rita, at=NOW + timedelta(days=30), limit=1)[0].points == pytest.approx(found[0].points / 2)


def test_the_landmark_moves_and_scores_stay(lead, rita):
    asks_for_demo(lead, at=NOW)
    key = Interest.objects.get(person=lead.person_id).key
    before = scores.interest_of(key, at=NOW)
    far = definitions.in_force().landmark + timedelta(days=30 * 401)
    rescoring.run_once(now=far, limit=10)
    assert definitions.in_force().landmark == far
    assert scores.interest_of(Interest.objects.get().key, at=NOW) == pytest.approx(before, rel=1e-9)


def test_the_command_says_how_far_the_numbers_were_off(lead, rita, capsys):
    behaviour.record(rows=story(lead), now=NOW + 5 * DAY)
    call_command("scores", "rebuild")
    assert "persons 1, open leads 1," in capsys.readouterr().out
    Interest.objects.update(masses=[1.0] * 11)
    with pytest.raises(CommandError, match="were off"):
        call_command("scores", "rebuild")
