"""Who was given which leads: against the fair share, with reasons that add up, each rep their own line."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.test import Client
from time_machine import travel

from funnel.models import Handoff, Pool, RoutingDecision
from funnel.selectors import fairness, rehearsals
from funnel.selectors.rehearsals import Changed
from funnel.services import absences, handoffs, opportunities, pools
from leads.models import Source
from reporting.reports import catalogue
from smarketing.core.periods import Period
from smarketing.users.models import User
from tests.funnel.conftest import NOW, capture_lead
from tests.rest import assert_problem, client_for

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=14)
HOUR = timedelta(hours=1)


def make(role: str, name: str) -> User:
    return User.objects.create(email=f"{name.casefold()}@example.com", name=name, role=role)


@pytest.fixture
def cast(db: None) -> dict[str, User]:
    """Fourteen leads in as many hours to three reps: weights 2, 1, 1; Cara is away for the first six."""
    people = {name: make("rep", name) for name in ("Ada", "Bob", "Cara")}
    people |= {"Sam": make("sales_manager", "Sam"), "Max": make("marketing_manager", "Max")}
    pool = Pool.objects.get(is_default=True)
    for name in ("Ada", "Bob", "Cara"):
        weight = 2 if name == "Ada" else 1
        pools.set_place(pool=pool, user=people[name], weight=weight, actor=people["Sam"], now=NOW)
    absences.add(user=people["Cara"], starts_at=NOW, ends_at=NOW + 6 * HOUR, actor=people["Cara"], now=NOW)
    web = Source.objects.get(code="web")
    for hour in range(14):
        lead = capture_lead(web, at=NOW + hour * HOUR)
        handoffs.deliver(lead=lead, actor=people["Max"], now=NOW + hour * HOUR, override_reason="fair")
    RoutingDecision.objects.update(likelihood=0.25)
    return people


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    with travel(LATER, tick=False):
        yield


def standings() -> dict[str, fairness.Standing]:
    (pool,) = fairness.standings(Period(NOW, LATER))
    return {owner.name: owner for owner in pool.owners}


def test_what_was_given_is_the_fair_share_and_the_steps_to_it(cast: dict[str, User]) -> None:
    told = standings()
    assert {name: (s.given, s.due) for name, s in told.items()} == {
        "Ada": (8, 7.0), "Bob": (4, 3.5), "Cara": (2, 3.5),
    }  # fmt: skip
    cara = {step: round(value, 6) for step, value in told["Cara"].steps.items() if round(value, 6)}
    assert cara == {"away": -1.5}
    assert round(told["Ada"].steps["gained"], 6) == 1.0  # two thirds instead of a half of six leads
    for standing in told.values():
        assert sum(standing.steps.values()) == pytest.approx(standing.given - standing.due)
    assert sum(s.due for s in told.values()) == pytest.approx(14)


def test_an_account_owner_is_told_apart_from_the_turn(cast: dict[str, User]) -> None:
    lead = capture_lead(Source.objects.get(code="web"), at=LATER - HOUR)
    other = capture_lead(Source.objects.get(code="web"), at=NOW)
    opportunities.open(
        lead=other,
        name="Initech",
        currency="EUR",
        owner=cast["Bob"],
        opened_at=NOW,
        actor=cast["Sam"],
        now=LATER - HOUR,
    )
    handoffs.deliver(lead=lead, actor=cast["Max"], now=LATER - HOUR, override_reason="fair")
    steps = {name: round(s.steps["accounts"], 6) for name, s in standings().items()}
    assert steps == {"Ada": -0.5, "Bob": 0.75, "Cara": -0.25}


def test_managers_read_all_lines_reps_their_own_and_others_only_the_pool(cast: dict[str, User]) -> None:
    def lines(user: User | None) -> list[object]:
        result = catalogue.get("fairness").run({}, zone=ZoneInfo("UTC"), now=LATER, viewer=user)
        return [[row.values["label"] for row in table.rows] for table in result.tables]

    everybody = ["Ada", "Bob", "Cara"]
    assert lines(cast["Sam"]) == [everybody, everybody]
    assert lines(None) == [everybody, everybody]
    assert lines(cast["Bob"]) == [["Bob"], ["Bob"]]
    assert lines(make("marketer", "Mara")) == [[]]
    answer = client_for(cast["Bob"]).get("/api/v1/reports/fairness").json()
    (own,) = next(iter(answer["tables"].values()))["rows"]
    assert (own["given"], own["due"], own["difference"], own["customers"]) == (4, 3.5, 0.5, 1.0)
    client = Client()
    client.force_login(cast["Bob"])
    page = client.get("/reports/fairness/").content.decode()
    assert "Bob" in page
    assert "Ada" not in page
    assert "You read your own line" in page


def test_the_command_prints_the_report_and_every_number_opens_its_leads(cast: dict[str, User]) -> None:
    printed = io.StringIO()
    call_command("report", "fairness", "--format=json", stdout=printed)
    told = json.loads(printed.getvalue())
    assert told["figures"]["given"] == 14
    assert told["figures"]["jain_count"] == pytest.approx(25 / 27)  # of 8/7, 8/7 and 4/7
    report = catalogue.get("fairness")
    result = report.run({}, zone=ZoneInfo("UTC"), now=LATER)
    table = result.tables[0]
    assert table.total is not None
    for row in (*table.rows, table.total):
        for cell in ("given", "credited"):
            found = report.behind({}, zone=ZoneInfo("UTC"), row=row.key, cell=cell, now=LATER)
            assert found.count() == row.values[cell]
    assert report.run({"to": "2026-02-01"}, zone=ZoneInfo("UTC"), now=LATER).why_empty


def test_a_rehearsal_of_the_same_pool_is_what_happened_and_of_another_what_would_have(
    cast: dict[str, User],
) -> None:
    pool, period = Pool.objects.get(is_default=True), Period(NOW, LATER)
    same = rehearsals.rehearse(pool, period, rehearsals.present(pool))
    assert {line.owner.name: (line.was.count, line.would.count) for line in same.lines} == {
        "Ada": (8, 8), "Bob": (4, 4), "Cara": (2, 2),
    }  # fmt: skip
    address = f"/api/v1/pools/{pool.pk}/rehearse"
    body = {
        "first": "2026-03-02",
        "last": "2026-03-02",
        "members": [{"user": cast["Bob"].pk}, {"user": cast["Sam"].pk, "weight": 3}],
    }
    told = client_for(cast["Sam"]).post(address, body, format="json").json()
    assert (told["leads"], told["waited"]) == (14, 0)
    would = {line["user"]: (line["was"], line["would"]) for line in told["lines"]}
    assert would == {
        cast["Ada"].pk: (8, 0), cast["Bob"].pk: (4, 4), cast["Cara"].pk: (2, 0), cast["Sam"].pk: (0, 10),
    }  # fmt: skip
    assert_problem(client_for(cast["Bob"]).post(address, body, format="json"), 403, "denied")
    bad = client_for(cast["Sam"]).post(address, {**body, "last": "2026-03-01"}, format="json")
    assert [e["pointer"] for e in assert_problem(bad, 422, "invalid")["errors"]] == ["/last"]
    few = {cast["Bob"].pk: Changed(1, capacity=30), cast["Ada"].pk: Changed(1, capacity=30)}
    tight = rehearsals.rehearse(pool, period, few)
    assert (tight.outcome.waited, tight.outcome.left) == (12, 12)
    assert Handoff.objects.count() == 14


def test_the_page_of_a_rehearsal_begins_as_the_pool_is_and_refuses_nonsense(cast: dict[str, User]) -> None:
    pool = Pool.objects.get(is_default=True)
    address = f"/settings/pools/{pool.pk}/rehearse/"
    client = Client()
    client.force_login(cast["Sam"])
    page = client.get(address).content.decode()
    assert 'name="first" value="2026-02-01"' in page
    days = {"first": "2026-03-02", "last": "2026-03-02"}
    assert client.get(address, {**days, f"weight_{cast['Ada'].pk}": 21}).status_code == 422
    assert client.get(address, days).status_code == 422  # nobody has a weight
    shown = client.get(address, {**days, f"weight_{cast['Ada'].pk}": 1}).content.decode()
    assert "Who would have got what" in shown
    assert "+6" in shown
    client.force_login(cast["Bob"])
    assert client.get(address).status_code == 403
