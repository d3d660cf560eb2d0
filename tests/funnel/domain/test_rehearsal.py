"""Past leads given away again through a pool as it might be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from funnel.domain.rehearsal import PastLead, Rules, Seat, as_it_was, rehearse

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
END = START + 30 * DAY


def past(n, *, every=HOUR, band="B1", **more):
    return [PastLead(START + i * every, band, "A", **more) for i in range(n)]


def counts(outcome):
    return {key: part.count for key, part in outcome.parts.items()}


def test_weights_share_the_leads_of_each_band_apart():
    seats = [Seat("A", 2), Seat("B"), Seat("C")]
    leads = sorted(past(80) + past(8, band="A1", value=0.5), key=lambda lead: lead.at)
    outcome = rehearse(seats, leads, rules=Rules(), until=END)
    assert {k: p.bands for k, p in outcome.parts.items()} == {
        "A": {"B1": 40, "A1": 4}, "B": {"B1": 20, "A1": 2}, "C": {"B1": 20, "A1": 2},
    }  # fmt: skip
    assert [p.value for p in outcome.parts.values()] == [2.0, 1.0, 1.0]
    assert (outcome.waited, outcome.left) == (0, 0)
    assert as_it_was(leads, "ABC")["A"].count == 88


def test_each_capacity_of_a_month_gets_its_share_and_the_rest_waits():
    capacities = [5, 10, 14, 15, 44, 45]
    seats = [Seat(c, capacity=c) for c in capacities]
    outcome = rehearse(seats, past(720), rules=Rules(), until=END)
    assert counts(outcome) == {c: c for c in capacities}
    assert outcome.left == 720 - sum(capacities)


def test_policies_of_return_are_those_of_the_ring():
    away = ((START, START + 4 * HOUR),)
    for policy, expected in (("reset", 3), ("accrue", 5), ("cap", 4)):
        outcome = rehearse(
            [Seat("A"), Seat("B", away=away)],
            past(10),
            rules=Rules(policy, owed_at_most=1),
            until=END,
        )
        assert counts(outcome)["B"] == expected, policy


def test_who_could_not_take_a_lead_for_its_sake_does_not_and_accounts_go_first():
    leads = past(4, unfit=frozenset({"A"})) + past(2, band="C1", preferred="B")
    outcome = rehearse([Seat("A"), Seat("B")], leads, rules=Rules(), until=END)
    assert counts(outcome) == {"A": 0, "B": 6}


def test_leads_that_nobody_could_take_are_given_when_somebody_is_back():
    seats = [Seat("A", away=((START, START + DAY),))]
    outcome = rehearse(seats, past(3), rules=Rules(), until=END)
    assert (counts(outcome), outcome.waited, outcome.left) == ({"A": 3}, 3, 0)
    outcome = rehearse(seats, past(3), rules=Rules(), until=START + 20 * HOUR)
    assert (counts(outcome), outcome.left) == ({"A": 0}, 3)
    assert rehearse([], past(3), rules=Rules(), until=END).left == 3
