"""A replay says what a version would have done, from what was known then, and writes nothing else."""

from __future__ import annotations

import copy
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from funnel.domain.definitions import default_document
from funnel.domain.drafts import parse
from funnel.domain.replay import Rate
from funnel.models import DefinitionVersion, Handoff, LeadScore, LeadState, Replay, ReplayState
from funnel.selectors import past_facts
from funnel.services import definitions, handoffs, replays
from leads.models import Company, Event, Lead, Person
from leads.services import people
from tests.funnel.conftest import DAY, NOW, asks_for_demo, capture_lead, record

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
END = NOW + 60 * DAY


@pytest.fixture
def year(web, rita, rob, sam) -> list[Lead]:
    """Twelve leads: every second asks for a demo; sales takes some, gives one back, sells to one."""
    leads = []
    for n in range(12):
        title = "Director of Sales" if n % 3 else "Student"
        lead = capture_lead(web, at=NOW + n * DAY, title=title, company=f"Firm {n}")
        record(lead, "page", "Prices", at=lead.captured_at + HOUR, url="https://x.example/pricing")
        if n % 2 == 0:
            asks_for_demo(lead, at=lead.captured_at + 2 * HOUR)
        leads.append(lead)
        for handoff in Handoff.objects.filter(lead=lead, state="delivered", pk__in=_first_three()):
            at = lead.captured_at + 3 * HOUR
            if len(_first_three()) < 3:
                handoffs.accept(handoff=handoff, actor=sam, now=at)
            else:
                handoffs.return_(handoff=handoff, reason="no_need", note="They rent", actor=sam, now=at)
    assert len(_first_three()) == 3
    return leads


def _first_three() -> list[int]:
    return list(Handoff.objects.order_by("pk").values_list("pk", flat=True)[:3])


def of(document: Any, *, start=NOW, end=END) -> dict[str, Any]:
    (result,) = replays.compute(documents=[document], start=start, end=end)
    return result


def changed(**points: int) -> dict[str, Any]:
    document = copy.deepcopy(default_document())
    for signal in document["signals"]:
        signal["points"] = points.get(signal["key"], signal["points"])
    return document


def test_the_version_in_force_replays_to_what_really_happened(year) -> None:
    result = of(DefinitionVersion.objects.in_force().get().body)
    delivered = Handoff.objects.filter(delivered_at__isnull=False).values("lead").distinct().count()
    assert (result["qualified"], result["delivered"], result["both"]) == (delivered, delivered, delivered)
    assert (result["gains"]["n"], result["losses"]["n"], result["missed"]["n"]) == (0, 0, 0)
    assert (result["accepted"]["k"], result["accepted"]["n"], result["returned"]["k"]) == (2, 3, 1)
    assert result["not_answered"] == delivered - 3
    assert sum(n for _week, n in result["weeks"]) == delivered
    assert result["load"]["reps"] == 2


def slowly(document: Any, leads: list[Lead]) -> dict[int, Any]:
    """When each lead would have qualified, minute by minute from the sum of halved points: no shortcuts."""
    rules = parse(document)
    found: dict[int, Any] = {}
    for lead in leads:
        events = list(Event.objects.filter(person=lead.person).order_by("occurred_at"))
        known = past_facts.of_leads([lead.pk])[lead.pk]
        instant = lead.captured_at
        while instant < min(END, lead.captured_at + 3 * DAY):
            seen: Counter[tuple[int, Any]] = Counter()
            score = 0.0
            for event in events:
                for slot in rules.signals_for(event.kind, {"name": event.name, "url": event.url}):
                    signal = rules.signals[slot]
                    day = event.occurred_at.date()
                    if event.occurred_at > instant or seen[slot, day] == signal.daily_cap:
                        continue
                    seen[slot, day] += 1
                    dated = event.occurred_at
                    if signal.daily_cap is not None:
                        dated = event.occurred_at.replace(hour=0, minute=0, second=0, microsecond=0)
                    score += signal.points * 0.5 ** ((instant - dated) / rules.half_life)
            facts = next(part.facts for part in known if part.until is None or instant < part.until)
            fit = rules.fit_band(rules.fit_score(facts))
            if rules.decide(fit, rules.interest_band(score)) == "hand_off":
                if rules.excluded_by(facts) is None:
                    found[lead.pk] = instant
                break
            instant += timedelta(minutes=15)
    return found


@pytest.mark.parametrize("points", [{}, {"demo_requested": 5}, {"pricing_page": 60}, {"page": 30}])
def test_a_draft_replays_to_the_same_as_an_independent_slow_computation(year, points) -> None:
    document = changed(**points)
    expected = slowly(document, year)
    result = of(document)
    delivered = set(Handoff.objects.filter(delivered_at__isnull=False).values_list("lead_id", flat=True))
    assert result["qualified"] == len(expected)
    assert set(result["gains"]["leads"]) == set(expected) - delivered
    assert set(result["losses"]["leads"]) == delivered - set(expected)
    weeks = Counter(at.date() - timedelta(days=at.weekday()) for at in expected.values())
    assert {week: n for week, n in result["weeks"] if n} == {w.isoformat(): n for w, n in weeks.items()}


def test_stricter_thresholds_never_bring_more_leads(year) -> None:
    curve = of(changed())["curve"]
    counts = [point["qualified"] for point in curve]
    assert counts == sorted(counts, reverse=True)
    assert [p["qualified"] for p in curve if p["scale"] == 1.0] == [of(changed())["qualified"]]


def test_fit_is_what_was_known_then_not_what_is_known_now(web, rita, mara) -> None:
    lead = capture_lead(web, title="Director of Sales")
    asks_for_demo(lead, at=NOW + HOUR)
    before = of(changed())
    assert before["qualified"] == 1
    person = Person.objects.get(pk=lead.person_id)
    people.update(person=person, changes={"title": "Student"}, actor=mara, now=NOW + 5 * DAY)
    Company.objects.filter(pk=lead.company_id).update(name="", updated_at=NOW + 6 * DAY)
    assert of(changed()) == before
    (then, between, now) = past_facts.of_leads([lead.pk])[lead.pk]
    assert (then.facts["person"]["title"], then.until) == ("Director of Sales", NOW + 5 * DAY)
    assert between.facts["person"]["title"] == now.facts["person"]["title"] == "Student"
    assert (between.facts["company"]["name"], now.facts["company"]["name"]) == ("Initech", "")


def test_what_happened_after_the_period_does_not_count(web, rita) -> None:
    lead = capture_lead(web)
    asks_for_demo(lead, at=NOW + 5 * DAY)
    assert of(changed(), end=NOW + 5 * DAY)["qualified"] == 0
    assert of(changed(), end=NOW + 5 * DAY + HOUR)["qualified"] == 1
    assert of(changed(), start=NOW + 6 * DAY, end=NOW + 9 * DAY)["qualified"] == 0


def test_an_excluded_lead_would_not_have_been_handed_off(web, rita) -> None:
    lead = capture_lead(web, company="Initech")
    asks_for_demo(lead, at=NOW + HOUR)
    document = changed()
    document["exclusions"] = [
        {"key": "rival", "path": "company.name", "operator": "equals", "value": "Initech", "reason": "Rival"}
    ]
    assert of(document)["qualified"] == 0
    assert of(document)["losses"] == {"n": 1, "leads": [lead.pk]}


def test_a_replay_changes_nothing(year) -> None:
    def state() -> list[Any]:
        return [
            list(LeadScore.objects.order_by("pk").values()),
            list(LeadState.objects.order_by("pk").values()),
            Handoff.objects.count(),
        ]

    before = state()
    of(changed(demo_requested=500))
    assert state() == before


def test_queries_do_not_grow_with_leads(year, django_assert_max_num_queries) -> None:
    with django_assert_max_num_queries(18):
        of(changed())


def test_it_is_asked_for_carried_out_and_kept_as_it_was_asked(year, sam, now) -> None:
    draft = definitions.create_draft(actor=sam, now=END)
    replay = replays.ask(versions=[draft], start=NOW, end=END, actor=sam, now=END)
    definitions.update_draft(
        definition=draft,
        body=changed(demo_requested=1),
        name="Other",
        actor=sam,
        now=END,
        expected_version=None,
    )
    replays.carry_out(replay=replay, clock=lambda: END)
    replay.refresh_from_db()
    assert (replay.state, replay.leads_done, replay.leads_total) == (ReplayState.DONE, 12, 12)
    assert replay.results == [of(replay.versions[0]["body"])]
    assert replay.versions[0]["body"] != changed(demo_requested=1)


def test_the_loop_starts_one_process_for_what_is_due(sam, now, monkeypatch) -> None:
    started: list[tuple[str, ...]] = []
    monkeypatch.setattr(replays.processes, "start", lambda *words: started.append(words))
    assert replays.run_once(now=now, limit=1) == 0
    version = DefinitionVersion.objects.in_force().get()
    replays.ask(versions=[version], start=now - DAY, end=now, actor=sam, now=now)
    assert replays.run_once(now=now, limit=1) == 1
    assert started == [("replay", "--due")]
    assert replays.work(clock=lambda: now) == 1
    assert not Replay.objects.due().exists()


def test_a_replay_that_keeps_ending_its_process_fails(sam, now) -> None:
    version = DefinitionVersion.objects.in_force().get()
    replay = replays.ask(versions=[version], start=now - DAY, end=now, actor=sam, now=now)
    Replay.objects.filter(pk=replay.pk).update(attempts=3, state=ReplayState.RUNNING)
    replay.refresh_from_db()
    replays.carry_out(replay=replay, clock=lambda: now)
    assert (replay.state, replay.problem) == ("failed", "RuntimeError: it ended its process 3 times")


@pytest.mark.parametrize(
    ("count", "start", "end", "field"),
    [
        (0, -9, 0, "versions"),
        (5, -9, 0, "versions"),
        (1, 0, -9, "start"),
        (1, 1, 9, "start"),
        (1, -2000, 0, "end"),
    ],
)
def test_a_senseless_wish_is_refused_and_nothing_kept(sam, now, count, start, end, field) -> None:
    versions = [DefinitionVersion.objects.in_force().get()] * count
    with pytest.raises(replays.ReplayNotPossible) as refused:
        replays.ask(versions=versions, start=now + start * DAY, end=now + end * DAY, actor=sam, now=now)
    assert [error.field for error in refused.value.errors] == [field]
    assert not Replay.objects.exists()


def test_a_rate_without_cases_has_neither_share_nor_interval() -> None:
    assert Rate(0, 0).as_json() == {"k": 0, "n": 0, "percent": None, "interval_95": None}
    assert Rate(7, 10).as_json() == {"k": 7, "n": 10, "percent": 70.0, "interval_95": [39.68, 89.22]}
