"""The website's rollups: equal to a rebuild whatever the order, exact uniques, bounded, audited."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import Sum

from leads.events import ErasureBegan
from leads.models import Event, Person, Session, Source
from leads.services import merging, unmerging
from reporting.models import DayState, PageDay, PageReader, VisitDay, VisitMark, VisitorDay
from reporting.services import website
from smarketing.core import events, invariants
from smarketing.core.changes import ConfigurationChanged
from smarketing.users.models import Organisation
from tests.reporting.traffic import content, tell_of, visit

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 12, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TABLES = (VisitorDay, VisitDay, PageDay, PageReader, DayState)


def settle(now=NOW):
    while website.run_once(now=now, limit=5000):
        pass


def test_a_day_is_counted_by_visitors_sessions_pages_and_readers():
    ada = Person.objects.create(first_name="Ada")
    visit("a", NOW - 2 * DAY, "/", "/pricing")
    visit("a", NOW, "/pricing", channel="organic_search", campaign="spring")
    visit("b", NOW, "/blog?x=1", "/pricing/#top", "/pricing", person=ada)
    settle()
    assert list(
        VisitorDay.objects.order_by("day", "-is_known").values_list(
            "day", "previous_day", "is_known", "visitors"
        )
    ) == [
        (date(2026, 3, 10), None, False, 1),
        (date(2026, 3, 12), None, True, 1),
        (date(2026, 3, 12), date(2026, 3, 10), False, 1),
    ]
    today = VisitDay.objects.filter(day="2026-03-12")
    assert sorted(
        today.values_list(
            "channel__code", "campaign", "landing", "sessions", "firsts", "pages", "attention_seconds"
        )
    ) == [
        ("direct", "", "/blog", 1, 1, 3, 60),
        ("organic_search", "spring", "/pricing", 1, 0, 1, 20),
    ]
    page = PageDay.objects.get(day="2026-03-12", path="/pricing")
    assert (page.views, page.visitors, page.entries, page.attention_seconds) == (3, 2, 1, 60)
    assert page.title.startswith("Title of /pricing")
    assert sorted(PageReader.objects.values_list("path", "person__first_name")) == [
        ("/blog", "Ada"), ("/pricing", "Ada"),
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_order_repetition_and_lateness_do_not_matter(seed):
    """Visits of ten days in any order, told of twice, settled at any moment, some known only later."""
    chance = random.Random(seed)
    ada = Person.objects.create(first_name="Ada")
    story = [
        (who, NOW - chance.randint(0, 9) * DAY + timedelta(minutes=chance.randint(-600, 600)))
        for who in "abcdefgh"
        for _ in range(chance.randint(1, 5))
    ]
    chance.shuffle(story)
    for who, at in story:
        pages = chance.sample(["/", "/pricing", "/blog", "/docs"], chance.randint(1, 3))
        session = visit(who, at, *pages, channel=chance.choice(["direct", "referral"]))
        if chance.random() < 0.3:
            tell_of(session, now=NOW)
        if chance.random() < 0.4:
            settle()
    for session in Session.objects.filter(visitor__anonymous_id="c"):
        Session.objects.filter(pk=session.pk).update(person=ada)
        Event.objects.filter(visitor=session.visitor).update(person=ada)
        tell_of(session, now=NOW)
    settle()
    stored = content(*TABLES)
    for table in TABLES:
        table.objects.all().delete()
    website.rebuild(now=NOW)
    assert content(*TABLES) == stored
    assert VisitDay.objects.aggregate(n=Sum("sessions"))["n"] == len(story)
    assert not VisitMark.objects.exists()


@pytest.mark.parametrize("seed", range(4))
def test_uniques_of_any_stretch_of_days_are_exact(seed):
    chance = random.Random(seed)
    for who in "abcdefghij":
        for _ in range(chance.randint(1, 6)):
            visit(who, NOW - chance.randint(0, 14) * DAY)
    settle()
    for _ in range(20):
        first, last = sorted(chance.randint(0, 14) for _ in range(2))
        start, end = (NOW - last * DAY).date(), (NOW - first * DAY).date()
        rows = VisitorDay.objects.filter(day__range=(start, end))
        counted = sum(r.visitors for r in rows if r.previous_day is None or r.previous_day < start)
        sessions = Session.objects.filter(started_at__date__range=(start, end))
        assert counted == sessions.values("visitor").distinct().count()


def test_days_are_those_of_the_organisation_and_follow_its_zone():
    late = datetime(2026, 3, 11, 20, tzinfo=UTC)  # half past one on the 12th in Kolkata
    visit("a", late)
    settle()
    assert VisitorDay.objects.get().day == date(2026, 3, 11)
    Organisation.objects.filter(pk=1).update(time_zone="Asia/Kolkata")
    with transaction.atomic():
        events.publish(
            ConfigurationChanged(
                None, "organisation_updated", "users.organisation", "1", "", NOW,
                before={"time_zone": "UTC"}, after={"time_zone": "Asia/Kolkata"},
            )
        )  # fmt: skip
    settle()
    assert VisitorDay.objects.get().day == date(2026, 3, 12)
    assert VisitDay.objects.get().day == date(2026, 3, 12)


def test_invented_addresses_cannot_make_the_tables_grow(monkeypatch):
    monkeypatch.setattr(VisitDay, "LANDINGS", 3)
    monkeypatch.setattr(PageDay, "PAGES", 3)
    for number in range(10):
        visit(f"v{number}", NOW, f"/junk-{number}", campaign=f"c{number}")
        visit(f"w{number}", NOW, "/home")
    settle()
    rows = VisitDay.objects.all()
    assert (rows.count(), rows.aggregate(n=Sum("sessions"))["n"]) == (4, 20)
    assert rows.get(landing="/home").sessions == 10
    assert rows.get(landing="(other)").sessions == 8
    assert PageDay.objects.count() == 3


def test_a_mark_that_comes_while_a_day_is_computed_is_not_lost():
    visit("a", NOW)
    settle()
    session = visit("b", NOW, tell=False)
    VisitMark.objects.create(source=session.source, day=NOW.date(), at=NOW)
    assert website.run_once(now=NOW, limit=1) == 1
    assert VisitorDay.objects.aggregate(n=Sum("visitors"))["n"] == 2


def test_the_audit_and_the_rebuild_find_what_is_off(monkeypatch):
    now = datetime.now(tz=UTC)
    monkeypatch.setattr("smarketing.core.clock.now", lambda: now)
    visit("a", now - DAY)
    settle(now)

    def broken():
        return [f.invariant.title for f in invariants.check(only="I-15") if not f.holds]

    assert broken() == []
    call_command("rollups", "rebuild")
    VisitDay.objects.update(sessions=0)
    VisitorDay.objects.update(visitors=0)
    assert len(broken()) == 2
    with pytest.raises(CommandError, match="right now"):
        call_command("rollups", "rebuild")
    assert broken() == []
    assert VisitDay.objects.get().sessions == 1


def test_days_whose_visits_were_deleted_stay_as_they_were_counted():
    visit("a", NOW - 5 * DAY)
    visit("b", NOW)
    settle()
    Session.objects.filter(visitor__anonymous_id="a").delete()
    assert website.rebuild(now=NOW).rows == 0
    assert VisitorDay.objects.count() == 2
    assert Source.objects.filter(code="web").exists()


def test_who_is_erased_is_no_reader_any_more_and_their_days_are_counted_anew():
    ada = Person.objects.create(first_name="Ada")
    visit("a", NOW, "/pricing", person=ada)
    settle()
    with transaction.atomic():
        events.publish(ErasureBegan(ada.pk, (), None, NOW))
    assert not PageReader.objects.exists()
    Session.objects.update(person=None)
    Event.objects.update(person=None)
    settle()
    assert VisitorDay.objects.get().is_known is False
    assert website.rebuild(now=NOW).rows == 0


def test_the_readers_of_a_page_follow_a_merge_and_its_undoing():
    ada, bob = (Person.objects.create(first_name=name) for name in ("Ada", "Bob"))
    visit("a", NOW, "/pricing", person=ada)
    visit("b", NOW, "/pricing", person=bob)
    settle()
    done = merging.merge(survivor=ada, merged=bob, actor=None, now=NOW)
    settle()
    assert [r.person_id for r in PageReader.objects.all()] == [ada.pk]
    unmerging.unmerge(merge=done, actor=None, now=NOW)
    settle()
    assert {r.person_id for r in PageReader.objects.all()} == {ada.pk, bob.pk}
    assert website.rebuild(now=NOW).rows == 0
