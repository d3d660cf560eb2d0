"""One timeline per person: merged, paged without loss, fast however long."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection

from leads.models import Activity, Channel, Company, Event, Lead, Person, Source, Touchpoint
from leads.selectors import timeline
from leads.selectors.timeline import Category, Facts, Position
from leads.services import merging, unmerging
from smarketing.users.models import User


@pytest.fixture
def ada(web: Source, now: datetime) -> Person:
    person = Person.objects.create(first_name="Ada")
    Lead.objects.create(person=person, source=web, captured_at=now - timedelta(days=400))
    return person


def browse(person: Person, source: Source, times: list[datetime], kind: str = "page") -> None:
    start = Event.objects.count()
    Event.objects.bulk_create(
        Event(
            id=UUID(int=start + number),
            source=source,
            person=person,
            kind=kind,
            name=f"Page {number % 7}",
            occurred_at=at,
            received_at=at,
        )
        for number, at in enumerate(times)
    )


def all_pages(person: Person, limit: int) -> list[list[timeline.Entry]]:
    pages, before = [], None
    while True:
        page = timeline.of_person(person, before=before, limit=limit)
        pages.append(page.entries)
        if page.next is None:
            return pages
        before = timeline.position_of(str(page.next))


def test_facts_of_all_kinds_stand_in_one_order(
    ada: Person, web: Source, direct: Channel, rita: User, now: datetime
) -> None:
    Touchpoint.objects.create(person=ada, source=web, channel=direct, title="Ad", occurred_at=now)
    Activity.objects.create(
        person=ada,
        source=web,
        kind="call",
        direction="outbound",
        outcome="reached",
        actor=rita,
        occurred_at=now + timedelta(minutes=2),
    )
    browse(ada, web, [now + timedelta(minutes=1)], kind="form")

    entries = timeline.of_person(ada).entries

    assert [str(e.title) for e in entries] == ["Call: reached", "Page 0", "Ad", "Lap 1 began"]
    assert (entries[0].who, entries[0].tone) == ("Rita Rep", "ok")


def test_neighbouring_events_are_one_visit_and_a_touchpoint_between_them_parts_it(
    ada: Person, web: Source, direct: Channel, now: datetime
) -> None:
    browse(ada, web, [now + timedelta(minutes=m) for m in (0, 5, 10, 15)])
    Touchpoint.objects.create(
        person=ada, source=web, channel=direct, title="Ad", occurred_at=now + timedelta(minutes=7)
    )
    titles = [str(e.title) for e in timeline.of_person(ada).entries]
    assert titles == ["2 actions in one visit", "Ad", "2 actions in one visit", "Lap 1 began"]


def test_events_more_than_half_an_hour_apart_are_two_visits(ada: Person, web: Source, now: datetime) -> None:
    browse(ada, web, [now, now + timedelta(minutes=31)])
    assert len(timeline.of_person(ada).entries) == 3


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_pages_hold_every_row_once_in_order_even_when_all_share_one_instant(
    ada: Person, web: Source, direct: Channel, now: datetime, limit: int
) -> None:
    Touchpoint.objects.bulk_create(
        Touchpoint(person=ada, source=web, channel=direct, title=f"T{n}", occurred_at=now) for n in range(5)
    )
    Activity.objects.bulk_create(
        Activity(person=ada, source=web, kind="note", direction="internal", occurred_at=now) for _ in range(4)
    )
    browse(ada, web, [now] * 6, kind="form")

    pages = all_pages(ada, limit)

    rows = [(e.provider, e.pk) for page in pages for e in page]
    assert len(rows) == len(set(rows)) == 5 + 4 + 6 + 1
    assert all(len(page) <= limit for page in pages)


def test_a_narrowed_timeline_shows_only_that_and_pages_on(
    ada: Person, web: Source, direct: Channel, now: datetime
) -> None:
    browse(ada, web, [now + timedelta(hours=h) for h in range(40)])
    page = timeline.of_person(ada, only=[Category.PIPELINE])
    assert [e.provider for e in page.entries] == ["lap"]
    page = timeline.of_person(ada, only=[Category.BEHAVIOUR], limit=30)
    assert len(page.entries) == 30
    rest = timeline.of_person(ada, only=[Category.BEHAVIOUR], limit=30, before=page.next)
    assert (len(rest.entries), rest.next) == (10, None)


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "a~b~c",
        "2026-03-02~event~1",
        "2026-03-02T10:00:00+00:00~nobody~1",
        "~~",
        "9999~event~" + "9" * 50,
    ],
)
def test_a_made_up_position_is_refused(ada: Person, text: str) -> None:
    with pytest.raises(timeline.BadPosition):
        timeline.position_of(text)


@pytest.mark.parametrize("pk", ["x", "9" * 30, "-1e5"])
def test_a_made_up_key_within_a_position_is_refused(ada: Person, now: datetime, pk: str) -> None:
    with pytest.raises(timeline.BadPosition):
        timeline.of_person(ada, before=Position(now, "touchpoint", pk))


def test_fifty_thousand_events_cost_no_more_than_five_hundred(
    ada: Person, web: Source, now: datetime
) -> None:
    browse(ada, web, [now - timedelta(minutes=9 * n) for n in range(500)])
    few = min(_seconds(ada, None) for _ in range(5))
    browse(ada, web, [now - timedelta(minutes=9 * n) for n in range(500, 50_000)])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE leads_event")
    middle = Position(now - timedelta(days=150), "event", str(UUID(int=0)))

    started = time.process_time()
    many = min(_seconds(ada, before) for before in (None, middle) for _ in range(5))
    # Other work on the machine slows the clock on the wall, not that of the process.
    assert (time.process_time() - started) / 10 < 0.1
    assert many < 5 * few


def _seconds(person: Person, before: Position | None) -> float:
    start = time.perf_counter()
    assert timeline.of_person(person, before=before).entries
    return time.perf_counter() - start


def test_whose_facts_are_shown_can_be_chosen(
    ada: Person, web: Source, direct: Channel, rita: User, now: datetime
) -> None:
    Touchpoint.objects.create(person=ada, source=web, channel=direct, title="Ad", occurred_at=now)
    Activity.objects.create(person=ada, source=web, kind="note", direction="internal", occurred_at=now)
    browse(ada, web, [now], kind="form")

    def providers(of: Facts | None) -> set[str]:
        return {e.provider for e in timeline.of_person(ada, of=of).entries}

    assert providers(Facts.PERSON) == {"event"}
    assert providers(Facts.MARKETING) == {"touchpoint", "lap"}
    assert providers(Facts.SALES) == {"activity", "lap"}
    assert timeline.of_person(ada, only=[Category.TOUCH], of=Facts.SALES).entries == []


def test_a_company_rolls_its_people_up_and_leaves_merged_ones_to_their_survivor(
    ada: Person, web: Source, direct: Channel, now: datetime
) -> None:
    company = Company.objects.create(name="Initech", name_key="initech")
    Person.objects.filter(pk=ada.pk).update(company=company)
    bob = Person.objects.create(first_name="Bob", company=company)
    gone = Person.objects.create(first_name="Gone", company=company, merged_into=bob)
    for number, person in enumerate([ada, bob, gone]):
        Touchpoint.objects.create(
            person=person, source=web, channel=direct, title=f"Ad {number}", occurred_at=now
        )
    entries = timeline.of_company(company, only=[Category.TOUCH]).entries
    assert [(str(e.title), str(e.about)) for e in entries] == [("Ad 1", "Bob"), ("Ad 0", "Ada")]
    assert entries[0].about_url == f"/people/{bob.pk}/"
    pages = [timeline.of_company(company, limit=1, only=[Category.TOUCH])]
    pages.append(timeline.of_company(company, limit=1, only=[Category.TOUCH], before=pages[0].next))
    assert [str(p.entries[0].title) for p in pages] == ["Ad 1", "Ad 0"]


def test_the_live_top_reaches_down_to_where_the_page_ended(
    ada: Person, web: Source, direct: Channel, now: datetime
) -> None:
    def touch(count: int, after: int) -> None:
        Touchpoint.objects.bulk_create(
            Touchpoint(
                person=ada, source=web, channel=direct, title=f"T{n}", occurred_at=now + timedelta(minutes=n)
            )
            for n in range(after, after + count)
        )

    touch(30, 0)
    first = timeline.of_person(ada)
    assert len(first.entries) == 25
    same = timeline.down_to(ada, first.next)
    assert same is not None
    assert same.entries == first.entries
    touch(3, 30)
    more = timeline.down_to(ada, first.next)
    assert more is not None
    assert [str(e.title) for e in more.entries[:4]] == ["T32", "T31", "T30", "T29"]
    assert len(more.entries) == 28
    touch(40, 40)
    assert timeline.down_to(ada, first.next) is None


def test_a_merge_stands_on_the_survivors_timeline(ada: Person, rita: User, now: datetime) -> None:
    bob = Person.objects.create(first_name="Bob")
    done = merging.merge(survivor=ada, merged=bob, actor=rita, now=now)
    (entry,) = [e for e in timeline.of_person(ada).entries if e.provider == "merge"]
    assert (str(entry.title), entry.who, str(entry.detail)) == ("Merged with Bob", "Rita Rep", "")
    unmerging.unmerge(merge=done, actor=rita, now=now + timedelta(minutes=1))
    (entry,) = [e for e in timeline.of_person(ada).entries if e.provider == "merge"]
    assert str(entry.detail) == "Taken apart again."
