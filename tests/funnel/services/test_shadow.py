"""Scores by a signed version are filled beside those in force and switch all at once."""

from __future__ import annotations

import copy
import random
from datetime import UTC, date, datetime, timedelta

import pytest

from funnel.domain.interest import masses as masses_of
from funnel.models import (
    CompanyInterest,
    DefinitionState,
    DefinitionVersion,
    Filling,
    FitPeriod,
    Handoff,
    Interest,
    LeadScore,
    NextInterest,
    NextScore,
    SignalDay,
)
from funnel.selectors import definition_texts, facts, hot, signals
from funnel.selectors import definitions as reading
from funnel.services import company_scores, definitions, frames, rescoring, score_marks, scoring, shadow
from leads.models import Lead, Person
from smarketing.core import invariants
from tests.funnel.conftest import DAY, NOW, asks_for_demo, capture_lead, record

pytestmark = pytest.mark.django_db
MAY = date(2026, 5, 4)
DUE = datetime(2026, 5, 4, tzinfo=UTC)
PRICES = "https://example.com/pricing"


def signed(max_, sam, *, on=MAY, now=NOW, **parts):
    """The next version, with these parts, signed by both."""
    draft = definitions.create_draft(actor=max_, now=now)
    body = copy.deepcopy(draft.body) | parts
    draft = definitions.update_draft(definition=draft, body=body, actor=max_, now=now)
    proposal = definitions.propose(definition=draft, effective_on=on, actor=max_, now=now)
    definitions.sign(definition=proposal, signer=max_, now=now)
    return definitions.sign(definition=proposal, signer=sam, now=now)


def with_a_signal_for_visits(body):
    """A signal more, uncapped: a visit to the place of a partner."""
    where = [{"path": "properties.name", "operator": "matches", "value": "partner visited"}]
    return [*body["signals"], {"key": "partner", "event": "track", "points": 9, "where": where}]


def by_title(word, points):
    """A criterion of fit."""
    path = {"path": "person.title", "operator": "matches", "value": f"*{word}*"}
    return {"key": word, "points": points, **path}


def stored():
    """Everything that readers see of scores."""
    interest = Interest.objects.order_by("pk").values_list("pk", "definition", "masses", "key", "cools_at")
    fits = LeadScore.objects.order_by("pk").values_list(
        "pk", "definition", "fit", "fit_band", "interest_band", "action", "qualified_at"
    )
    return list(interest), list(fits)


def fill_up(*, now=NOW + DAY, limit=100):
    while rescoring.run_once(now=now, limit=limit):
        pass


def check_shadow():
    """The shadow is what the events and the facts say, to 1e-9."""
    waiting = frames.of(version=reading.waiting())
    if frames.of(version=reading.in_force()).has_masses_of(waiting):
        assert not NextInterest.objects.exists()
    else:
        check_masses(waiting)
    check_fits(waiting.rules)


def check_masses(waiting):
    people = list(Person.objects.filter(events__isnull=False).distinct().values_list("pk", flat=True))
    history = signals.history(waiting.rules, people)
    held = {row.person_id: row for row in NextInterest.objects.all()}
    assert set(people) <= held.keys()
    for person in people:
        told = masses_of(waiting.decay, history[person], waiting.rules.caps)
        assert held[person].masses == pytest.approx(told, rel=1e-9)
        key = waiting.decay.key(waiting.rules.weights, told)
        assert (held[person].key or 0.0) == pytest.approx(key or 0.0, rel=1e-9, abs=1e-9)


def check_fits(rules):
    fits = {row.lead_id: (row.fit, row.fit_band, row.is_excluded) for row in NextScore.objects.all()}
    known = facts.of_leads(list(Lead.objects.filter(closed_at=None).values_list("pk", flat=True)))
    assert fits.keys() == known.keys()
    for lead, told in known.items():
        fit = rules.fit_score(told)
        assert fits[lead] == (fit, rules.fit_band(fit), rules.excluded_by(told) is not None)


@pytest.fixture
def known(web, rita):
    """Three leads: one delivered, one interested, one who has only done what nothing counts."""
    leads = [capture_lead(web), capture_lead(web), capture_lead(web, title="Clerk")]
    asks_for_demo(leads[0], at=NOW)
    record(leads[1], "track", "Webinar attended", at=NOW)
    record(leads[1], "page", at=NOW, url=PRICES)
    record(leads[2], "track", "Partner visited", at=NOW)
    return leads


def test_until_its_day_all_read_the_old_scores_and_then_all_the_new(known, max_, sam):
    default = reading.in_force()
    packet = Handoff.objects.get().packet
    fill_up()
    before = stored()
    more = with_a_signal_for_visits(default.body)
    version = signed(max_, sam, half_life_days=15, signals=more, fit=[by_title("clerk", 70)])
    assert (version.state, definition_texts.progress()) == (DefinitionState.SIGNED, (0, 6))
    fill_up()
    assert definition_texts.progress() is None
    check_shadow()
    assert definitions.run_once(now=DUE - timedelta(seconds=1)) == 0
    # Only the row of the one who had shown no interest is there besides, with nothing in it.
    interest, fits = stored()
    assert [row for row in interest if row[3] is not None] == before[0]
    assert fits == before[1]
    assert definitions.run_once(now=DUE + timedelta(minutes=3)) == 1
    assert {row.definition_id for row in Interest.objects.all()} == {version.pk}
    assert {row.definition_id for row in LeadScore.objects.all()} == {version.pk}
    # A new signal counts what somebody did before it, who had no interest before.
    new = Interest.objects.get(person=known[2].person_id)
    assert reading.decay_of(reading.in_force()).score_of_key(new.key, NOW) == pytest.approx(9)
    assert LeadScore.objects.get(lead=known[2]).fit_band == "A"
    assert FitPeriod.objects.filter(lead=known[2]).values_list("until", flat=True).get() == DUE
    assert Handoff.objects.get().packet == packet
    assert (NextInterest.objects.count(), NextScore.objects.count()) == (0, 0)
    fill_up(now=DUE + DAY)
    assert not SignalDay.objects.exclude(definition=version).exists()
    assert not Filling.objects.exists()
    assert rescoring.rebuild(now=DUE + DAY).worst < 1e-9
    broken = [found.invariant.title for found in invariants.check() if not found.holds]
    assert not [title for title in broken if "masses" in title or "signals" in title or "qualified" in title]


@pytest.mark.parametrize("parts", [{"half_life_days": 10}, {"hysteresis": 0.2}])
def test_the_switch_gives_what_scoring_one_by_one_gives(known, max_, sam, parts, web):
    """Bands, actions and instants of cooling are those that the rules of one lead say."""
    signed(max_, sam, **parts, interest_bands={"1": 18, "2": 9})
    fill_up()
    definitions.run_once(now=DUE)
    told = {row.pk: (row.interest_band, row.action) for row in LeadScore.objects.all()}
    cooling = dict(Interest.objects.values_list("pk", "cools_at"))
    scoring.evaluate(lead_ids=sorted(told), now=DUE)
    assert told == {row.pk: (row.interest_band, row.action) for row in LeadScore.objects.all()}
    for row in Interest.objects.all():
        assert (row.cools_at is None) == (cooling[row.pk] is None)
        assert row.cools_at is None or abs(row.cools_at - cooling[row.pk]) < timedelta(milliseconds=1)


def test_whoever_meets_the_new_definition_qualifies_by_it_and_nobody_is_taken_back(known, max_, sam):
    first = LeadScore.objects.get(lead=known[0]).qualified_at
    signed(max_, sam, on=None, now=NOW + DAY, interest_bands={"1": 20, "2": 10})
    assert reading.in_force().number == 2
    assert LeadScore.objects.get(lead=known[1]).qualified_at == NOW + DAY
    assert Handoff.objects.filter(lead=known[1]).count() == 1
    signed(max_, sam, on=None, now=NOW + 2 * DAY, interest_bands={"1": 900, "2": 800})
    assert LeadScore.objects.get(lead=known[0]).qualified_at == first
    assert Handoff.objects.count() == 2
    assert not score_marks.run_once(now=NOW + 3 * DAY, limit=10)


def test_an_event_while_it_is_filled_counts_by_both(known, max_, sam):
    """Whoever acts before their turn is brought up first; who acts after it gets the event added."""
    signed(max_, sam, half_life_days=15)
    shadow.fill(now=NOW + DAY, limit=1)
    for lead in known:
        for hours in (20, 21, 22):
            record(lead, "page", at=NOW + timedelta(hours=hours), url=PRICES, now=NOW + DAY)
        record(lead, "track", "Webinar attended", at=NOW - DAY, now=NOW + DAY)
    late = capture_lead(Lead.objects.get(pk=known[0].pk).source, at=NOW + DAY)
    asks_for_demo(late, at=NOW + DAY)
    fill_up()
    check_shadow()
    assert rescoring.rebuild(now=NOW + 2 * DAY).worst < 1e-9


def test_filling_goes_on_where_it_was_killed(known, max_, sam, monkeypatch):
    signed(max_, sam, half_life_days=15)
    assert shadow.fill(now=NOW + DAY, limit=2) == 2
    place = Filling.objects.values().get()

    def killed(**_more):
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(shadow.reheats, "instants", killed)
        with pytest.raises(RuntimeError):
            shadow.fill(now=NOW + DAY, limit=2)
    assert Filling.objects.values().get() == place
    assert definition_texts.progress() == (2, 6)
    # The day comes before it is full: the old version holds until then, and the day is kept.
    monkeypatch.setattr(rescoring, "BATCH", 1)
    assert definitions.run_once(now=DUE) == 0
    fill_up(now=DUE, limit=1)
    check_shadow()
    assert definitions.run_once(now=DUE + DAY) == 1
    assert reading.in_force().in_force_from == DUE


def test_a_version_without_a_day_is_in_force_once_all_are_scored(known, max_, sam, monkeypatch):
    monkeypatch.setattr(rescoring, "BATCH", 1)
    version = signed(max_, sam, on=None, half_life_days=15)
    assert (version.state, reading.in_force().number) == (DefinitionState.SIGNED, 1)
    assert definition_texts.progress() == (1, 6)
    fill_up()
    assert definitions.run_once(now=NOW + DAY) == 1
    assert reading.in_force().in_force_from == NOW + DAY


def test_what_is_taken_back_leaves_no_shadow(known, max_, sam):
    version = signed(max_, sam, half_life_days=15)
    fill_up()
    before = stored()
    back = definitions.take_back(definition=version, actor=max_, now=NOW + DAY)
    assert [m.objects.count() for m in (Filling, NextInterest, NextScore)] == [0, 0, 0]
    assert not SignalDay.objects.filter(definition=version).exists()
    record(known[1], "page", at=NOW + DAY, url=PRICES)
    assert not NextInterest.objects.exists()
    assert stored()[1] == before[1]
    # Signed again with another text, it is filled by that one.
    body = back.body | {"half_life_days": 30, "effective_on": None, "hysteresis": 0.3}
    definitions.update_draft(definition=back, body=body, actor=max_, now=NOW + DAY)
    again = definitions.propose(definition=back, actor=max_, now=NOW + DAY)
    definitions.sign(definition=again, signer=max_, now=NOW + DAY)
    definitions.sign(definition=again, signer=sam, now=NOW + DAY)
    assert reading.in_force() == version
    assert rescoring.rebuild(now=NOW + 2 * DAY).worst < 1e-9


def test_changed_facts_count_by_both(known, max_, sam):
    signed(max_, sam, fit=[by_title("chief", 80)])
    fill_up()
    Person.objects.filter(pk=known[1].person_id).update(title="Chief Executive")
    scoring.refresh(lead_ids=[known[1].pk], now=NOW + DAY)
    check_shadow()
    assert NextScore.objects.get(lead=known[1]).fit == 80
    assert LeadScore.objects.get(lead=known[1]).definition.number == 1


def test_a_version_that_was_signed_before_there_were_shadows_gets_one(known, max_, sam):
    version = signed(max_, sam, half_life_days=15)
    Filling.objects.all().delete()
    DefinitionVersion.objects.update(followed_by=None)
    assert definitions.run_once(now=NOW + DAY) == 0
    assert reading.in_force().followed_by_id == version.pk
    fill_up()
    check_shadow()


def test_one_that_waits_for_very_long_is_measured_from_later(known, max_, sam):
    signed(max_, sam, half_life_days=0.25, on=date(2027, 5, 4))
    fill_up()
    later = NOW + 110 * DAY
    fill_up(now=later)
    assert reading.waiting().landmark == datetime(2026, 6, 20, tzinfo=UTC)
    record(known[0], "page", at=later, url=PRICES)
    check_shadow()


def test_companies_switch_with_their_people(known, max_, sam):
    company_scores.rebuild(now=NOW)
    before = CompanyInterest.objects.get().key
    signed(max_, sam, on=None, now=NOW + DAY, half_life_days=15)
    after = CompanyInterest.objects.get()
    assert after.key != before
    decay = reading.decay_of(reading.in_force())
    keys = Interest.objects.filter(key__isnull=False).values_list("key", flat=True)
    assert decay.score_of_key(after.key, NOW) == pytest.approx(sum(decay.score_of_key(k, NOW) for k in keys))


def test_nobody_at_all_is_filled_at_once(max_, sam):
    assert signed(max_, sam, on=None, half_life_days=15).state == DefinitionState.IN_FORCE
    assert signed(max_, sam, on=None, signals=[], fit=[], exclusions=[]).state == DefinitionState.IN_FORCE
    assert hot.top(sam, at=NOW, limit=50) == []


@pytest.mark.parametrize("seed", range(3))
def test_any_course_of_events_and_fillings_gives_the_shadow_of_a_recomputation(web, rita, max_, sam, seed):
    """Property: events in any order, some late, some twice a day at midnight, fillings and merges between."""
    chance = random.Random(seed)
    leads = [capture_lead(web) for _n in range(5)]
    kinds = [("page", "", "/"), ("page", "", PRICES), ("form", "Demo request", ""),
             ("track", "Webinar attended", ""), ("track", "Partner visited", ""),
             ("track", "List Unsubscribed", "")]  # fmt: skip
    half_life = chance.choice([3, 30, 45])
    default = reading.in_force()
    signed(max_, sam, half_life_days=half_life, signals=with_a_signal_for_visits(default.body))
    for _turn in range(40):
        if chance.random() < 0.2:
            shadow.fill(now=NOW + 9 * DAY, limit=2)
        kind, name, url = chance.choice(kinds)
        midnight = datetime(2026, 3, chance.randint(1, 8), tzinfo=UTC)
        at = midnight + timedelta(seconds=chance.choice([-1, 0, 1, 40_000]))
        record(chance.choice(leads), kind, name, at=at, url=url, now=NOW + 9 * DAY)
    fill_up(now=NOW + 9 * DAY)
    check_shadow()
    definitions.run_once(now=DUE)
    rebuilt = rescoring.rebuild(now=DUE + DAY)
    assert (rebuilt.worst < 1e-9, rebuilt.instants) == (True, 0)
