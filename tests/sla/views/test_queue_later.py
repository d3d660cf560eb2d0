"""My queue, what comes later: pages of it, setting a lead aside, the next step."""

from __future__ import annotations

from datetime import timedelta

import pytest

from funnel.models import (
    Handoff,
    LeadScore,
    Likelihood,
    LikelihoodModel,
    ModelState,
    Opportunity,
    OpportunityStage,
)
from funnel.selectors import expected_value
from funnel.services import handoffs, owners
from leads.models import Activity, Lead
from sla.models import Clock, ClockState, Snooze
from sla.selectors import queue as read
from smarketing.users.services import organisation
from tests.sla.conftest import HOUR, MINUTE, MONDAY, deliver, make_lead, make_user
from tests.sla.views.conftest import HTMX
from tests.sla.views.test_queue import names

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
NOON = MONDAY + 2 * HOUR


@pytest.fixture
def queue(clause, rep, client_of, at):
    """Ada is due first, Cleo last; it is Monday noon."""
    for name, moment in (("Ada One", MONDAY), ("Cleo Three", MONDAY + HOUR)):
        deliver(rep, moment, lead=make_lead(name, moment - 2 * HOUR))
    at(NOON)
    return client_of(rep)


def of(first_name):
    return Handoff.objects.get(lead__person__first_name=first_name)


def set_aside(client, first_name, **values):
    given = {"when": "hour", "reason": "asked to be called after lunch", **values}
    return client.post(f"/queue/{of(first_name).pk}/snooze/", given, headers=HTMX)


def test_a_lead_set_aside_stands_apart_with_its_deadline_and_its_clock_goes_on(queue, rep, at):
    before = Clock.objects.get(handoff=of("Ada")).due_at
    assert "Set Ada One aside" in queue.get(f"/queue/{of('Ada').pk}/snooze/", headers=HTMX).content.decode()
    answer = set_aside(queue, "Ada").content.decode()
    assert "Set aside: Ada One" in answer
    snooze = Snooze.objects.get()
    assert (snooze.owner, snooze.until, snooze.ended_at) == (rep, NOON + HOUR, None)
    clock = Clock.objects.get(handoff=of("Ada"))
    assert (clock.state, clock.due_at) == (ClockState.RUNNING, before)
    page = queue.get("/queue/").content.decode()
    cleo, heading, ada = (page.index(text) for text in ("Cleo Three", 'id="queue-asleep"', "Ada One"))
    assert cleo < heading < ada
    assert "asked to be called after lunch" in page
    assert "2 h left" in page[heading:]
    assert "1 lead waits" in page
    assert "1 set aside" in page
    etag = queue.get("/queue/cards/", headers=HTMX)["ETag"]
    at(NOON + HOUR + MINUTE)
    back = queue.get("/queue/cards/", headers={**HTMX, "If-None-Match": etag})
    assert names(back) == ["Ada One", "Cleo Three"]
    assert 'id="queue-asleep"' not in back.content.decode()


def test_an_overdue_lead_comes_back_whatever_was_asked(queue, at):
    set_aside(queue, "Ada", when="tomorrow")
    at(MONDAY + 4 * HOUR + MINUTE)
    page = queue.get("/queue/")
    assert names(page) == ["Ada One", "Cleo Three"]
    assert 'id="queue-asleep"' not in page.content.decode()


def test_a_lead_is_taken_up_again_once(queue):
    set_aside(queue, "Ada")
    url = f"/queue/{of('Ada').pk}/wake/"
    assert "Back in the queue: Ada One" in queue.post(url, headers=HTMX).content.decode()
    assert Snooze.objects.get().ended_at == NOON
    assert queue.post(url, headers=HTMX).status_code == 409
    assert names(queue.get("/queue/")) == ["Ada One", "Cleo Three"]


def test_setting_aside_again_ends_the_former(queue):
    set_aside(queue, "Ada")
    set_aside(queue, "Ada", when="own", own="2026-01-14T11:00", reason="on holiday until Wednesday")
    first, second = Snooze.objects.order_by("pk")
    assert (first.ended_at, second.ended_at) == (NOON, None)
    assert second.until == MONDAY + 2 * DAY + HOUR


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"reason": ""}, "Say in a few words why it waits"),
        ({"reason": "x" * 201}, "at most 200"),
        ({"when": "never"}, "Select a valid choice"),
        ({"when": "own"}, "Give the time"),
        ({"when": "own", "own": "2026-01-12T09:00"}, "still to come"),
        ({"when": "own", "own": "2026-03-01T09:00"}, "within the next 30 days"),
        ({"when": "own", "own": "soon"}, "Enter a valid date"),
    ],
)
def test_a_snooze_that_is_not_possible_says_why_and_changes_nothing(queue, values, said):
    response = set_aside(queue, "Ada", **values)
    assert response.status_code == 422
    assert said in response.content.decode()
    assert not Snooze.objects.exists()


def test_only_the_owner_or_a_sales_manager_sets_a_lead_aside(
    queue, client_of, other_rep, marketer, sales_manager
):
    for user in (other_rep, marketer):
        assert set_aside(client_of(user), "Ada").status_code == 403
    assert not Snooze.objects.exists()
    assert set_aside(client_of(sales_manager), "Ada").status_code == 200
    assert names(queue.get("/queue/")) == ["Cleo Three", "Ada One"]


def test_what_was_returned_can_not_be_set_aside(queue, rep):
    ada = of("Ada")
    handoffs.return_(handoff=ada, reason="not_ready", actor=rep, now=NOON)
    assert set_aside(queue, "Ada").status_code == 409
    assert not Snooze.objects.exists()


def test_a_snooze_does_not_follow_a_lead_to_another_rep(queue, rep, other_rep, sales_manager, client_of, at):
    set_aside(queue, "Ada", when="tomorrow")
    handoffs.reassign(handoff=of("Ada"), owner=other_rep, actor=sales_manager, now=NOON)
    page = client_of(other_rep).get("/queue/")
    assert names(page) == ["Ada One"]
    assert 'id="queue-asleep"' not in page.content.decode()


def test_an_accepted_lead_waits_for_whoever_its_clock_runs_for(
    queue, rep, other_rep, sales_manager, client_of
):
    ada = of("Ada")
    handoffs.accept(handoff=ada, actor=rep, now=NOON)
    owners.assign(lead=ada.lead, owner=other_rep, reason=owners.BY_HAND, actor=sales_manager, now=NOON)
    assert names(queue.get("/queue/")) == ["Cleo Three"]
    theirs = client_of(other_rep)
    assert names(theirs.get("/queue/")) == ["Ada One"]
    assert theirs.post(f"/queue/{ada.pk}/log/", {"attempt": "reached"}, headers=HTMX).status_code == 200
    assert Clock.objects.get(handoff=ada).state == ClockState.MET
    assert names(theirs.get("/queue/")) == []


def test_a_next_step_is_planned_and_stands_above_the_queue_on_its_day(queue, rep, client_of, at):
    url = f"/queue/{of('Ada').pk}/next-step/"
    assert "Next step with Ada One" in queue.get(url, headers=HTMX).content.decode()
    refused = queue.post(url, {"when": "hour", "subject": " "}, headers=HTMX)
    assert refused.status_code == 422
    assert not Activity.objects.exists()
    answer = queue.post(url, {"when": "tomorrow", "subject": "Send the offer"}, headers=HTMX)
    assert "Next step planned: Ada One" in answer.content.decode()
    task = Activity.objects.get()
    assert (task.kind, task.actor, task.lead_id) == ("task", rep, of("Ada").lead_id)
    assert task.due_at == MONDAY.replace(hour=9) + DAY
    assert "Send the offer" not in queue.get("/queue/").content.decode()
    at(MONDAY + DAY)
    tuesday = client_of(rep)
    assert "Send the offer" in tuesday.get("/queue/").content.decode()
    assert "Send the offer" in tuesday.get("/queue/steps/", headers=HTMX).content.decode()
    # Planning is no attempt: the promise of a first response is still open.
    assert Clock.objects.get(handoff=of("Ada")).ended_at is None


def test_the_queue_is_paged_by_place(queue, rep, monkeypatch):
    monkeypatch.setattr(read, "PAGE", 2)
    for number in range(3):
        deliver(rep, MONDAY + (2 + number) * 10 * MINUTE, lead=make_lead(f"Lead {number}", MONDAY - HOUR))
    first = queue.get("/queue/")
    assert names(first) == ["Ada One", "Lead 0"]
    assert "3 more leads" in first.content.decode()
    after = read.look(rep, now=NOON).next
    second = queue.get("/queue/", {"after": after})
    assert names(second) == ["Lead 1", "Lead 2"]
    # What stands before the place goes: the page still begins where the former ended.
    again = queue.post(
        f"/queue/{of('Ada').pk}/accept/", headers={**HTMX, "HX-Current-URL": f"http://x/queue/?after={after}"}
    )
    assert names(again) == ["Lead 1", "Lead 2"]
    for strange in ("x", "e30", "W10", "WzAsIiIsMSwxLCJhIl0", "x" * 5000, "%00"):
        assert names(queue.get("/queue/", {"after": strange})) == ["Ada One", "Lead 0"], strange


def test_the_likelier_lead_comes_first_where_deadlines_are_the_same(clause, rep, client_of, at):
    for name in ("Ada One", "Bob Two", "Cleo Three"):
        deliver(rep, MONDAY, lead=make_lead(name, MONDAY - HOUR))
    at(NOON)
    model = LikelihoodModel.objects.create(
        number=1, state=ModelState.CHAMPION, body={}, card={}, trained_at=MONDAY
    )
    for name, value in (("Ada", 0.1), ("Cleo", 0.6)):
        lead = Lead.objects.get(person__first_name=name)
        Likelihood.objects.create(lead=lead, model=model, value=value, computed_at=MONDAY)
    page = client_of(rep).get("/queue/")
    assert names(page) == ["Cleo Three", "Ada One", "Bob Two"]
    assert "60% likely" in page.content.decode()
    LikelihoodModel.objects.update(state=ModelState.RETIRED)
    page = client_of(rep).get("/queue/")
    assert names(page) == ["Ada One", "Bob Two", "Cleo Three"]
    assert "likely" not in page.content.decode()


def won(lead, amount, *, number=10):
    """Deals of this lead that were won within the year."""
    stage = OpportunityStage.objects.get(kind="won")
    Opportunity.objects.bulk_create(
        Opportunity(
            name="Seats", lead=lead, person=lead.person, source=lead.source, stage=stage, amount=amount,
            currency="USD", opened_at=MONDAY - 9 * DAY, stage_entered_at=MONDAY - DAY, closed_at=MONDAY - DAY,
        )
        for _n in range(number)
    )  # fmt: skip


def test_where_the_organisation_says_so_the_lead_that_may_bring_most_comes_first_and_says_why(
    clause, rep, client_of, at, sales_manager
):
    admin = make_user("admin", "Ada Admin")
    likely = []
    for name, value, band in (("Ada One", 0.1, "A"), ("Bob Two", 0.2, "C"), ("Cleo Three", 0.3, "B")):
        lead = make_lead(name, MONDAY - HOUR)
        LeadScore.objects.filter(lead=lead).update(fit_band=band)
        handoff = deliver(rep, MONDAY, lead=lead)
        handoff.packet["scores"]["fit"]["band"] = band
        Handoff.objects.filter(pk=handoff.pk).update(packet=handoff.packet)
        likely.append((lead, value))
    model = LikelihoodModel.objects.create(
        number=1, state=ModelState.CHAMPION, body={}, card={}, trained_at=MONDAY
    )
    for lead, value in likely:
        Likelihood.objects.create(lead=lead, model=model, value=value, computed_at=MONDAY)
    won(of("Ada").lead, 9000)
    won(of("Cleo").lead, 1000)
    won(of("Bob").lead, 2000, number=1)  # too few to say what leads of fit C are worth
    at(NOON)
    expected_value.worth_in.cache_clear()
    assert names(client_of(rep).get("/queue/")) == ["Cleo Three", "Bob Two", "Ada One"]
    changes = {"queue_by_value": True}
    organisation.update(changes=changes, expected_version=None, actor=admin, now=NOON)
    page = client_of(rep).get("/queue/")
    # 20% × $4,857 (21 deals), 10% × $9,000, 30% × $1,000
    assert names(page) == ["Bob Two", "Ada One", "Cleo Three"]
    text = " ".join(page.content.decode().split())
    assert "may bring $971" in text
    assert "20% likely × $4,857, the average deal won in the year before." in text
    assert "10% likely × $9,000, the average deal won by leads of fit A in a year." in text
    expected_value.worth_in.cache_clear()
