"""An import taken back leaves everything as it was; what somebody relies on stays, and says why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from funnel.models import LeadState, StageTransition
from leads.models import (
    Activity,
    Company,
    ImportBefore,
    ImportRun,
    ImportState,
    ImportTrace,
    Lead,
    Person,
    PersonEmail,
    Touchpoint,
)
from leads.services import activities, people
from leads.services.imports import asking, execution
from leads.services.imports.asking import NotReady
from leads.services.imports.watching import Watch
from smarketing.users.models import User
from tests.importing import NOW, counts, take
from tests.leads.imports.conftest import Written

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)
FIRST = """\
Lead ID,First Name,Last Name,Email,Company,Phone,Lead Source,Create Date,Landing Page,Industry Code
L1,Ada,Lovelace,ada@example.com,Acme Inc.,+49 30 901820,paid_search,2025-01-02,/demo,7
L2,Grace,Hopper,grace@example.com,Acme Inc.,,referral,2025-02-03,/price,
"""
SECOND = """\
Lead ID,First Name,Last Name,Email,Company,Phone,Lead Source,Create Date,Landing Page,Industry Code,Lifecycle
L1,Ada,King,ada@example.com,Acme Inc.,+49 30 901821,paid_search,2025-01-02,/demo2,8,x
L2,Grace,Hopper,grace.hopper@example.com,Navy,,referral,2025-02-03,,9,
L3,Alan,Turing,alan@example.com,Bletchley,+44 20 7946 0958,,2025-03-04,,,y
L9,Ada,Lovelace,ada@example.com,,,webinar,2025-06-01,,,
"""
# What is a trace of what happened, not a record: runs, audit, previous values, who was told.
_LEFT = (
    "importrun",
    "importtrace",
    "importbefore",
    "auditentry",
    "personhistory",
    "companyhistory",
    "source",
    "companymark",  # work that waits: what it leads to is derived anew
)
Tables = dict[str, list[dict[str, Any]]]
_STAMPS = {"version", "updated_at", "evaluated_at"}


def everything() -> Tables:
    """All rows of all tables of ours, without when they were last touched."""
    found: Tables = {}
    for model in apps.get_models():
        meta = model._meta
        ours = model.__module__.split(".")[0] in {"leads", "funnel", "sla", "reporting", "smarketing"}
        if not ours or meta.model_name in _LEFT or meta.proxy:
            continue
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT to_jsonb(t)::text FROM {meta.db_table} t")  # noqa: S608
            rows = [row for (row,) in cursor.fetchall()]
        plain = [{k: v for k, v in json.loads(row).items() if k not in _STAMPS} for row in rows]
        for row in plain:
            if "search_text" in row:
                row["search_text"] = " ".join(row["search_text"].split())
        found[meta.db_table] = sorted(plain, key=repr)
    return found


def differences(before: Tables, after: Tables) -> list[str]:
    """What is not as it was, row by row."""
    found = []
    for table, rows in after.items():
        found += [f"{table} has {row}" for row in rows if row not in before[table]]
        found += [f"{table} lacks {row}" for row in before[table] if row not in rows]
    return found


def last() -> ImportRun:
    return ImportRun.objects.latest("pk")


def undo(run: ImportRun, actor: User) -> ImportRun:
    asking.undo(run=run, actor=actor, now=LATER)
    execution.work(clock=lambda: LATER, watch=execution.unwatched)
    run.refresh_from_db()
    return run


def test_undo_of_a_first_import_leaves_nothing_of_it(written: Written, mara: User) -> None:
    before = everything()
    take("leads", written(FIRST), keep_unmapped=True)
    assert Lead.objects.count() == 2
    run = undo(last(), mara)
    assert (run.state, run.undone_by, run.undone_at) == (ImportState.UNDONE, mara, LATER)
    assert run.undo_report["stays"] == []
    assert differences(before, everything()) == []
    assert not Lead.objects.exists()
    assert not StageTransition.objects.exists()


def test_undo_of_a_second_import_restores_what_the_first_had_left(written: Written, mara: User) -> None:
    take("leads", written(FIRST), keep_unmapped=True)
    before = everything()
    report = take("leads", written(SECOND, "b.csv"), keep_unmapped=True, now=NOW + timedelta(minutes=5))
    assert counts(report) == (2, 2, 0, 0)
    assert ImportTrace.objects.filter(run=last(), table="leads_lead").get().ids
    assert ImportBefore.objects.filter(run=last(), table="leads_person").exists()
    assert Lead.objects.filter(person__emails__email="ada@example.com").count() == 2
    run = undo(last(), mara)
    assert run.undo_report["stays"] == []
    assert differences(before, everything()) == []
    person = PersonEmail.objects.get(email="ada@example.com").person
    assert (person.last_name, person.search_text) == ("Lovelace", "ada lovelace ada@example.com acme inc.")


def test_whoever_looks_on_sees_how_far_the_taking_back_is(written: Written, mara: User) -> None:
    take("leads", written(FIRST))
    run, seen = last(), []

    @contextmanager
    def looking(*, run: ImportRun) -> Iterator[Watch]:
        class Look:
            def read(self, *, rows: int) -> None:
                seen.append(rows)

        yield Look()

    ImportRun.objects.filter(pk=run.pk).update(rows_total=2)
    asking.undo(run=run, actor=mara, now=LATER)
    execution.work(clock=lambda: LATER, watch=looking)
    assert seen == sorted(seen)
    assert (seen[0], seen[-1], 1 in seen) == (0, 2, True)


def test_undo_twice_is_once_and_only_of_what_is_done(written: Written, mara: User) -> None:
    take("leads", written(FIRST))
    run = undo(last(), mara)
    told = run.undo_report
    asking.undo(run=run, actor=mara, now=LATER + timedelta(hours=1))
    assert execution.work(clock=lambda: LATER, watch=execution.unwatched) == 0
    run.refresh_from_db()
    assert (run.undo_report, run.undone_at) == (told, LATER)
    ImportRun.objects.filter(pk=run.pk).update(state=ImportState.FAILED)
    with pytest.raises(NotReady):
        asking.undo(run=run, actor=mara, now=LATER)


def test_what_somebody_has_worked_on_stays_and_says_why(written: Written, mara: User) -> None:
    take("leads", written(FIRST))
    run = last()
    worked_on = Lead.objects.get(external_id="L1")
    activities.log(
        person=worked_on.person,
        lead=worked_on,
        kind="call",
        occurred_at=NOW + timedelta(minutes=30),
        actor=mara,
        now=NOW + timedelta(minutes=30),
    )
    run = undo(run, mara)
    assert list(Lead.objects.values_list("external_id", flat=True)) == ["L1"]
    assert [person.first_name for person in Person.objects.all()] == ["Ada"]
    assert Company.objects.get().name == "Acme Inc."
    assert Activity.objects.count() == 1
    assert LeadState.objects.get().lead == worked_on
    told = {(entry["what"], entry["why"]) for entry in run.undo_report["stays"]}
    assert ("leads", "is referred to by activities") in told
    assert ("people", "is referred to by leads") in told
    assert ("companies", "is referred to by people") in told


def test_a_value_that_somebody_has_changed_since_stays_theirs(written: Written, mara: User) -> None:
    take("leads", written(FIRST), keep_unmapped=True)
    take("leads", written(SECOND, "b.csv"), keep_unmapped=True, now=NOW + timedelta(minutes=5))
    ada = PersonEmail.objects.get(email="ada@example.com").person
    people.update(person=ada, changes={"last_name": "Byron"}, actor=mara, now=NOW + timedelta(minutes=30))
    undo(last(), mara)
    ada.refresh_from_db()
    assert ada.last_name == "Byron"
    lead = Lead.objects.get(external_id="L1")
    assert (lead.landing_page, lead.attributes) == ("/demo", {"industry_code": 7})
    assert (lead.lap, lead.closed_at) == (1, None)


@pytest.mark.parametrize(
    ("kind", "base", "more"),
    [
        ("companies", "id,name,industry,parent\nC1,Rolling Mill,Steel,\n",
         "id,name,industry,parent\nC1,Rolling Mills,Iron,Parent\nC2,Parent,Holding,\n"),
        ("people", "id,email,first name,phone\nP1,a@example.com,Ada,\n",
         "id,email,first name,phone\nP1,a2@example.com,Eda,+49 30 901820\nP2,b@example.com,Bob,\n"),
        ("products", "id,name,price\nX1,GTX Basic,100\n",
         "id,name,price\nX1,GTX Basic,200\nX2,GTX Pro,300\n"),
        ("activities", "id,email,type,subject,date\nA1,ada@example.com,call,Hello,2025-03-01\n",
         "id,email,type,subject,date\nA1,ada@example.com,call,Changed,2025-03-01\n"
         "A2,ada@example.com,note,New,2025-03-02\n"),
        ("touchpoints", "id,email,date,type,title\nT1,ada@example.com,2025-03-01,event,Fair\n",
         "id,email,date,type,title\nT1,ada@example.com,2025-03-01,event,Other fair\n"
         "T2,ada@example.com,2025-03-02,form,Form\n"),
        ("opportunities", "id,name,amount,stage,email\nD1,Deal,100,Prospecting,grace@example.com\n",
         "id,name,amount,stage,email\nD1,Deal,500,Prospecting,grace@example.com\n"
         "D2,New,200,Prospecting,\n"),
    ],
)  # fmt: skip
def test_every_kind_comes_back_to_what_it_was(
    written: Written, mara: User, kind: str, base: str, more: str
) -> None:
    take("leads", written(FIRST))
    assert take(kind, written(base, "base.csv"), now=NOW + timedelta(minutes=1)).created == 1
    before = everything()
    report = take(kind, written(more, "more.csv"), now=NOW + timedelta(minutes=5))
    assert (report.updated, report.rejected) == (1, 0)
    run = undo(last(), mara)
    assert run.undo_report["stays"] == []
    assert differences(before, everything()) == []


def test_leads_stand_where_they_stood_before_the_deals_of_an_import(written: Written, mara: User) -> None:
    take("leads", written(FIRST))
    deals = "id,name,amount,stage,lead id,close date\nD1,Big,100,Closed Won,L1,2025-09-01\n"
    deals += "D2,Small,9,Prospecting,L2,\n"
    before = everything()
    take("opportunities", written(deals), now=NOW + timedelta(minutes=5))
    assert [state.stage.code for state in LeadState.objects.order_by("lead__external_id")] == [
        "customer",
        "opportunity",
    ]
    assert Lead.objects.filter(closed_at__isnull=False).count() == 1
    run = undo(last(), mara)
    assert run.undo_report["stays"] == []
    assert differences(before, everything()) == []


def test_users_can_not_sign_in_any_more_but_stay(written: Written, adam: User) -> None:
    take("users", written("id,name,email,role\nU1,Rep One,one@example.com,rep\n"))
    run = undo(last(), adam)
    user = User.objects.get(email="one@example.com")
    assert (user.is_active, run.undo_report["removed"]) == (False, {"users": 1})


def test_a_run_says_for_how_long_its_trace_is_small(written: Written, tmp_path: Path) -> None:
    lines = "".join(f"N{i},n{i}@example.com,2025-01-01\n" for i in range(12_000))
    take("people", written("id,email,created\n" + lines))
    rows = ImportTrace.objects.filter(run=last(), table="leads_person")
    assert sorted(len(row.ids) for row in rows) == [2_000, 10_000]
    assert Touchpoint.objects.count() == 0
