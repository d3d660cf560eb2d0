"""Two records of one person become one and, undone, two again: nothing is lost, and nothing is left over."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.apps import apps
from django.db import connection, transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from funnel import invariants as ours
from funnel.models import (
    Handoff,
    HandoffState,
    Interest,
    LeadState,
    Opportunity,
    StageTransition,
    Tombstone,
    TombstoneHit,
)
from funnel.selectors import scores
from funnel.services import company_scores, handoffs, lifecycle, opportunities, scoring, tombstones
from leads import invariants as theirs
from leads.models import (
    Activity,
    Company,
    ConsentEntry,
    Duplicate,
    Event,
    Lead,
    Merge,
    MergedRow,
    Person,
    PersonEmail,
    Purpose,
    Source,
    Touchpoint,
)
from leads.selectors import consents as allowed
from leads.services import (
    activities,
    companies,
    company_merging,
    consents,
    finder,
    merge_ledger,
    merging,
    people,
    unmerging,
)
from leads.services import leads as capturing
from leads.services.companies import CompanyInput
from leads.services.people import PersonInput
from reporting.models import Journey
from sla.models import Clock
from sla.services import sweep
from smarketing.core.invariants import check
from smarketing.users.models import User
from tests.funnel.conftest import NOW, asks_for_demo, capture_lead, record

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LATER = NOW + DAY
# What happened is written down for ever; projections by hand below; versions and stamps only go on.
LEDGERS = {
    "funnel_stagetransition", "funnel_assignment", "funnel_fitperiod", "funnel_signalday", "sla_clockaction",
    "sla_clockevent", "leads_merge", "leads_mergedrow", "leads_personhistory", "leads_companyhistory",
    "audit_auditentry", "leads_finderstate", "funnel_tombstonehit",
}  # fmt: skip
BANDS = "funnel_interestperiod"
CONSEQUENCES = {
    "funnel_handoff", "funnel_leadstate", "funnel_leadscore", "funnel_likelihood", "sla_clock",
    "reporting_journey",
}  # fmt: skip
STAMPS = {
    "version",
    "updated_at",
    "seq",
    "entered_at",
    "assignment_seq",
    "evaluated_at",
    "decided_at",
    "refreshed_at",
}


def broken():
    known = {(i.id, i.title) for i in (*ours.ALL, *theirs.ALL)}
    return [
        f.invariant.title for f in check() if (f.invariant.id, f.invariant.title) in known and not f.holds
    ]


def rounded(row):
    return {
        "person": row["person_id"],
        "masses": [round(m, 9) for m in row["masses"]],
        "key": round(row["key"], 9),
    }


def picture() -> dict[str, list[str]]:
    """Every row of leads, funnel, sla and reporting, as text, without ledgers and stamps."""
    company_scores.run_once(now=LATER, limit=1000)
    seen: dict[str, list[str]] = {}
    for model in apps.get_models():
        table = model._meta.db_table
        if model._meta.app_label not in ("leads", "funnel", "sla", "reporting") or table in LEDGERS:
            continue
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT to_jsonb(t) FROM "{table}" t')  # noqa: S608 - a table of ours
            rows = [json.loads(r[0]) if isinstance(r[0], str) else r[0] for r in cursor.fetchall()]
        if table == "funnel_interest":
            rows = [rounded(r) for r in rows if r["key"] is not None]
        if table == "funnel_companyinterest":
            rows = [{**r, "key": round(r["key"], 9)} for r in rows]
        if table == "sla_clock":
            rows = [
                {k: v for k, v in r.items() if k in ("id", "handoff_id", "kind", "owner_id", "state")}
                for r in rows
            ]
        seen[table] = sorted(
            json.dumps({k: v for k, v in r.items() if k not in STAMPS}, sort_keys=True) for r in rows
        )
    return seen


def ada(web: Source, email: str, *, at=NOW, **more) -> Lead:
    told = {
        "first_name": "Ada",
        "last_name": "Lovelace",
        "title": "Director of Sales",
        **more.pop("told", {}),
    }
    return capturing.capture(
        source=web,
        person=PersonInput(emails=[email], **told),
        company=CompanyInput("Initech"),
        captured_at=at,
        actor=None,
        now=at,
        **more,
    ).lead


@pytest.fixture
def two(web) -> tuple[Lead, Lead]:
    """Ada's lead, and the one of her other record that came a day later."""
    return ada(web, "ada@initech.example"), ada(web, "ada@home.example", at=LATER)


def merge(one: Lead, other: Lead, now=LATER + HOUR, **more) -> Merge:
    return merging.merge(
        survivor=one.person, merged=other.person, actor=more.pop("actor", None), now=now, **more
    )


def test_everything_of_the_one_becomes_the_others(web, two, mara):
    one, other = two
    record(other, "page", "Prices", at=LATER)
    activities.log(person=other.person, kind="note", subject="met", occurred_at=LATER, actor=mara, now=LATER)
    done = merge(one, other, actor=mara)
    assert set(Event.objects.values_list("person", flat=True)) == {one.person_id}
    assert set(Touchpoint.objects.values_list("person", flat=True)) == {one.person_id}
    assert set(Activity.objects.values_list("person", flat=True)) == {one.person_id}
    assert sorted(Lead.objects.values_list("pk", "person", "lap")) == [
        (one.pk, one.person_id, 1), (other.pk, one.person_id, 2),
    ]  # fmt: skip
    assert sorted(PersonEmail.objects.values_list("email", "person", "is_primary")) == [
        ("ada@home.example", one.person_id, False), ("ada@initech.example", one.person_id, True),
    ]  # fmt: skip
    other.person.refresh_from_db()
    assert (other.person.merged_into, done.actor) == (one.person, mara)
    assert people.find(emails=["ada@home.example"]) == one.person
    assert set(Journey.objects.values_list("person", flat=True)) == {one.person_id}
    assert broken() == []


def test_of_two_open_laps_the_earlier_goes_on_and_the_later_ends_as_merged(two):
    one, other = two
    merge(one, other)
    one.refresh_from_db()
    other.refresh_from_db()
    assert (one.closed_at, other.closed_at) == (None, LATER + HOUR)
    assert LeadState.objects.get(lead=one).stage.code == "lead"
    last = StageTransition.objects.filter(lead=other).order_by("-seq")[0]
    assert (last.to_stage.code, last.cause) == ("merged", "merged")
    assert str(one.pk) in last.reason


def test_the_lap_that_sales_has_in_hand_goes_on_though_it_is_the_later(web, two, rita):
    one, other = two
    asks_for_demo(other, at=LATER)
    handoff = Handoff.objects.get(lead=other)
    merge(one, other)
    handoff.refresh_from_db()
    assert (handoff.state, handoff.owner) == (HandoffState.DELIVERED, rita)
    assert Clock.objects.open().filter(handoff=handoff).count() >= 1
    assert sorted(Lead.objects.open().values_list("pk", flat=True)) == [other.pk]
    assert broken() == []


def test_where_both_wait_for_sales_one_is_given_back_as_worked_already(two, rita, rob, mara):
    one, other = two
    for lead in two:
        asks_for_demo(lead, at=LATER)
    merge(one, other, actor=mara)
    first, second = Handoff.objects.get(lead=one), Handoff.objects.get(lead=other)
    assert first.state == HandoffState.DELIVERED
    assert (second.state, second.return_reason, second.answered_by) == ("returned", "duplicate", mara)
    assert not Clock.objects.open().filter(handoff=second).exists()
    assert LeadState.objects.get(lead=other).owner is None
    assert Tombstone.objects.count() == 0
    assert broken() == []


def test_deals_follow_to_the_lap_that_goes_on(web, two, rita):
    one, other = two
    for number, lead in enumerate(two):
        asks_for_demo(lead, at=LATER)
        handoffs.accept(handoff=Handoff.objects.get(lead=lead), actor=rita, now=LATER)
        opportunities.open(
            name=f"Deal {number}",
            lead=lead,
            owner=rita,
            currency="EUR",
            opened_at=LATER,
            actor=rita,
            now=LATER,
        )
    merge(one, other)
    assert set(Opportunity.objects.values_list("lead", "person")) == {(one.pk, one.person_id)}
    assert Lead.objects.open().get() == one
    assert broken() == []


def test_interest_is_that_of_all_events_and_may_qualify(web, two, rita):
    one, other = two
    asks_for_demo(one, at=NOW)
    record(other, "page", "Prices", at=LATER, url="https://example.com/pricing")
    merge(one, other)
    masses = {i.person_id: i.masses for i in Interest.objects.all()}
    assert sum(masses.get(other.person_id, [0])) == 0
    before = masses[one.person_id]
    scoring.recount(person_ids=[one.person_id], now=LATER + HOUR)
    assert Interest.objects.get(person=one.person).masses == pytest.approx(before, rel=1e-9)
    assert scores.explain(lead=one, at=LATER + HOUR) is not None


def test_what_refuses_either_refuses_the_one(web, two, mara, rita):
    one, other = two
    made = tombstones.add(scope="person", person=other.person, reason="asked", actor=mara, now=LATER)
    done = merge(one, other)
    assert set(made.keys.filter(kind="person").values_list("value", flat=True)) == {
        str(one.person_id), str(other.person_id),
    }  # fmt: skip
    asks_for_demo(one, at=LATER + 2 * HOUR)
    assert Handoff.objects.filter(lead=one).count() == 0
    assert TombstoneHit.objects.filter(lead=one, inlet="gate", outcome="blocked").count() == 1
    unmerging.unmerge(merge=done, actor=None, now=LATER + 3 * HOUR)
    assert list(made.keys.filter(kind="person").values_list("value", flat=True)) == [str(other.person_id)]


def test_fields_are_chosen_and_blanks_are_filled(web, mara):
    one = ada(web, "ada@initech.example", told={"title": "CEO", "country": ""})
    other = ada(web, "ada@home.example", at=LATER, told={"title": "Countess", "country": "GB"})
    done = merge(one, other, choices={"title": "merged", "email": "merged"})
    one.person.refresh_from_db()
    assert (one.person.title, one.person.country) == ("Countess", "GB")
    assert PersonEmail.objects.get(is_primary=True).email == "ada@home.example"
    people.update(person=one.person, changes={"country": "FR"}, actor=mara, now=LATER + 2 * HOUR)
    unmerging.unmerge(merge=done, actor=mara, now=LATER + 3 * HOUR)
    one.person.refresh_from_db()
    # What somebody changed since stays; what still read as the merge wrote it is put back.
    assert (one.person.title, one.person.country) == ("CEO", "FR")


def test_who_said_no_to_either_has_said_no(web, two, mara):
    one, other = two
    news = Purpose.objects.create(code="news-x", name="News", channel="email")
    for person, state, at in ((one.person, "withdrawn", NOW), (other.person, "granted", LATER)):
        consents.record(person=person, purpose=news, state=state, source="form", occurred_at=at, now=LATER)

    def said(person):
        return {p.purpose.code: p.state for p in allowed.state(person).purposes}.get("news-x")

    done = merge(one, other)
    assert said(one.person) == "withdrawn"
    unmerging.unmerge(merge=done, actor=mara, now=LATER + 2 * HOUR)
    assert (said(one.person), said(other.person)) == ("withdrawn", "granted")
    assert ConsentEntry.objects.count() == 3


STORIES: list[Callable[[Lead, User], object]] = [
    lambda lead, rita: asks_for_demo(lead, at=LATER),
    lambda lead, rita: record(lead, "page", "Prices", at=LATER),
    lambda lead, rita: activities.log(
        person=lead.person, kind="call", outcome="reached", occurred_at=LATER, actor=rita, now=LATER
    ),
    lambda lead, rita: tombstones.add(
        scope="person", person=lead.person, reason="asked", actor=rita, now=LATER
    ),
    lambda lead, rita: people.update(
        person=lead.person, changes={"phones": ["+44 7400 123456"], "title": "CTO"}, actor=None, now=LATER
    ),
    lambda lead, rita: (
        lifecycle.move(
            lead=lead, to="nurture", cause="manual", actor=rita, reason="later", at=LATER, now=LATER
        )
        if LeadState.objects.get(lead=lead).stage.code == "lead"
        else None
    ),
    lambda lead, rita: (
        lifecycle.move(lead=lead, to="recycled", cause="manual", actor=rita, reason="no", at=LATER, now=LATER)
        if LeadState.objects.get(lead=lead).stage.code == "mql"
        and not Handoff.objects.open().filter(lead=lead)
        else None
    ),
]


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    first=st.lists(st.sampled_from(range(len(STORIES))), max_size=3),
    second=st.lists(st.sampled_from(range(len(STORIES))), max_size=3),
    swap=st.booleans(),
)
@example(first=[0], second=[0], swap=False)
@example(first=[0, 2], second=[0, 2], swap=True)
@example(first=[], second=[3, 0], swap=False)
@example(first=[], second=[5], swap=False)
@example(first=[0], second=[5, 0], swap=False)
def test_merged_and_unmerged_everything_is_as_it_was(web, rita, rob, first, second, swap):
    with_rollback(web, rita, first, second, swap=swap)


def with_rollback(web, rita, first, second, *, swap):
    with transaction.atomic():
        one, other = ada(web, "ada@initech.example"), ada(web, "ada@home.example", at=LATER)
        for lead, story in ((one, first), (other, second)):
            for step in story:
                STORIES[step](Lead.objects.get(pk=lead.pk), rita)
        if swap:
            one, other = other, one
        sweep.run_once(now=LATER + 2 * HOUR)  # what was overdue anyway is not the merge's doing
        before, handed = picture(), Handoff.objects.count()
        done = merge(one, other)
        assert broken() == []
        assert Lead.objects.open().count() <= 1
        # With the events of both a lead may have qualified and gone to sales: that has happened, and stays.
        happened = Handoff.objects.count() != handed
        unmerging.unmerge(merge=done, actor=None, now=LATER + 2 * HOUR)
        assert broken() == []
        after = picture()
        after["sla_clock"] = without_undone(after["sla_clock"], before["sla_clock"])
        after[BANDS] = without_bands_between(after[BANDS], before[BANDS])
        apart = CONSEQUENCES if happened else set()
        for table in before.keys() - apart:
            assert after[table] == before[table], table
        transaction.set_rollback(True)


def without_undone(clocks, former):
    """Without the promises that the merge began by giving a handoff back: undoing it has called them off,
    and that they were once made stays on record.
    """
    known = {json.loads(row)["id"] for row in former}
    fresh = [json.loads(row) for row in clocks if json.loads(row)["id"] not in known]
    assert {(clock["kind"], clock["state"]) for clock in fresh} <= {("feedback", "cancelled")}
    return [row for row in clocks if json.loads(row)["id"] in known]


def without_bands_between(periods, former):
    """Without the bands that the interest of both together reached, and left when they were parted: for as
    long as they were one it was so, and the score of that time says so.
    """
    fresh = [json.loads(row) for row in periods if row not in former]
    assert all(datetime.fromisoformat(row["until"]) >= LATER for row in fresh)
    return [row for row in periods if row in former]


def test_what_came_between_stays_with_the_survivor(web, two, mara):
    one, other = two
    done = merge(one, other)
    record(one, "page", "New", at=LATER + 2 * HOUR)
    between = Event.objects.get(name="New")
    people.update(person=one.person, changes={"emails": [
        "ada@initech.example", "ada@home.example", "ada@new.example",
    ]}, actor=mara, now=LATER + 2 * HOUR)  # fmt: skip
    unmerging.unmerge(merge=done, actor=mara, now=LATER + 3 * HOUR)
    between.refresh_from_db()
    assert between.person == one.person
    assert sorted(PersonEmail.objects.values_list("email", "person")) == [
        ("ada@home.example", other.person_id),
        ("ada@initech.example", one.person_id),
        ("ada@new.example", one.person_id),
    ]
    assert sorted(Lead.objects.open().values_list("pk", flat=True)) == [one.pk, other.pk]
    assert broken() == []


def test_merges_stand_on_each_other_and_are_undone_from_the_top(web, two, mara):
    one, other = two
    third = ada(web, "ada@third.example", at=LATER + DAY)
    below = merge(one, other)
    above = merge(third, one, now=LATER + 2 * DAY)
    with pytest.raises(unmerging.CantUnmerge):
        unmerging.unmerge(merge=below, actor=mara, now=LATER + 3 * DAY)
    unmerging.unmerge(merge=above, actor=mara, now=LATER + 3 * DAY)
    unmerging.unmerge(merge=below, actor=mara, now=LATER + 3 * DAY)
    with pytest.raises(unmerging.CantUnmerge):
        unmerging.unmerge(merge=below, actor=mara, now=LATER + 3 * DAY)
    assert Person.objects.filter(merged_into=None).count() == 3
    assert broken() == []


@pytest.mark.parametrize("wrong", ["itself", "merged away", "choice"])
def test_what_can_not_be_merged_is_refused_and_nothing_changes(two, wrong):
    one, other = two
    before = picture()
    if wrong == "itself":
        with pytest.raises(merging.CantMerge):
            merge(one, one)
    elif wrong == "choice":
        with pytest.raises(merging.BadChoice) as refused:
            merge(one, other, choices={"salary": "merged", "title": "both"})
        assert [e.field for e in refused.value.errors] == ["choices.salary", "choices.title"]
    else:
        merge(one, other)
        before = picture()
        with pytest.raises(merging.CantMerge):
            merge(one, other)
    assert picture() == before


def test_a_row_that_was_added_while_it_was_merged_away_is_swept_after(two):
    one, other = two
    done = merge(one, other)
    Event.objects.create(
        id="00000000-0000-7000-8000-000000000001", source=one.source, person=other.person, kind="page",
        occurred_at=LATER, received_at=LATER,
    )  # fmt: skip
    assert merging.run_once(now=LATER + HOUR + timedelta(minutes=1), limit=10) == 1
    assert set(Event.objects.values_list("person", flat=True)) == {one.person_id}
    assert merging.run_once(now=LATER + HOUR + timedelta(minutes=2), limit=10) == 0
    assert MergedRow.objects.filter(merge=done, table_name="leads_event").count() == 1


def test_a_found_pair_is_settled_by_the_merge_and_asked_again_after_the_undoing(two, mara):
    one, other = two
    people.update(person=other.person, changes={"city": "London"}, actor=None, now=LATER)
    people.update(person=one.person, changes={"city": "London"}, actor=None, now=LATER)
    finder.find(now=LATER)
    assert Duplicate.objects.get().state == "open"
    done = merge(one, other, actor=mara)
    assert (Duplicate.objects.get().state, Duplicate.objects.get().decided_by) == ("merged", mara)
    unmerging.unmerge(merge=done, actor=mara, now=LATER + 2 * HOUR)
    assert Duplicate.objects.get().state == "open"


def test_companies_merge_the_same_way(web, mara):
    one = capture_lead(web, company="Initech")
    other = capture_lead(web, company="Initech Holding")
    refused = tombstones.add(scope="company", company=other.company, reason="competitor", actor=mara, now=NOW)
    Company.objects.filter(pk=other.company_id).update(domain="initech.example", parent=one.company)
    before = picture()
    done = company_merging.merge(survivor=one.company, merged=other.company, actor=mara, now=LATER)
    assert set(Person.objects.values_list("company", flat=True)) == {one.company_id}
    assert set(Lead.objects.values_list("company", flat=True)) == {one.company_id}
    assert set(Journey.objects.values_list("company", flat=True)) == {one.company_id}
    assert Company.objects.get(pk=one.company_id).domain == "initech.example"
    assert refused.keys.filter(kind="company").count() == 2
    assert companies.find(name="Initech Holding") is None
    unmerging.unmerge(merge=done, actor=mara, now=LATER + HOUR)
    after = picture()
    for table in before:
        assert after[table] == before[table], table


def test_nobody_moves_a_lead_to_merged_by_hand(two, mara):
    with pytest.raises(lifecycle.MoveNotPossible):
        lifecycle.move(
            lead=two[0], to="merged", cause="manual", actor=mara, reason="tidy", at=LATER, now=LATER
        )
    assert LeadState.objects.get(lead=two[0]).stage.code == "lead"


def test_every_table_that_refers_to_a_person_follows_or_says_why_not():
    followed = {(r.table, r.column) for r in merge_ledger.relations(model=Person)}
    assert {("leads_event", "person_id"), ("funnel_opportunity", "person_id")} <= followed
    assert not {t for t, _c in followed} & {"funnel_interest", "reporting_journey", "leads_personhistory"}
