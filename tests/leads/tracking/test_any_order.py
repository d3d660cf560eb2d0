"""I-5, F-21: shuffled, doubled, split and late deliveries leave the same rows as the ordered run."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from funnel.models import Interest
from leads.domain.tracking import Message
from leads.models import (
    DuplicateKind,
    Employment,
    Event,
    IdentityConflict,
    Person,
    Session,
    Touchpoint,
    Visitor,
)
from leads.services import merges, tracking
from reporting.models import PageDay, VisitDay, VisitorDay
from reporting.services import website
from tests.leads.tracking.conftest import START

SITE = "https://shop.example"
NOW = START + timedelta(days=9)


class _Back(Exception):
    """Ends the transaction of one run."""


def rows(
    messages: Sequence[Message], batches: Sequence[Sequence[Message]], *, compute_between: bool = False
) -> dict[str, Any]:
    """What these deliveries leave behind, without surrogate keys and receipt times.

    ``compute_between`` computes the website's days after each batch, too.
    """
    found: dict[str, Any] = {}
    try:
        with transaction.atomic():
            for batch in batches:
                tracking.apply(messages=batch, now=NOW)
                if compute_between:
                    _rollups()
            found = snapshot()
            raise _Back
    except _Back:
        return found


def snapshot() -> dict[str, Any]:
    names = {person.pk: _name(person) for person in Person.objects.all()}
    return {
        "persons": sorted(
            (
                names[p.pk],
                sorted(p.emails.values_list("email", "is_primary")),
                sorted(p.refs.values_list("external_id", flat=True)),
                sorted(p.phones.values_list("written", flat=True)),
                (p.first_name, p.last_name, p.title, p.city, p.company.name if p.company else ""),
            )
            for p in Person.objects.all()
        ),
        "events": sorted(
            (str(e.pk), names.get(e.person_id or 0), e.kind, e.url, e.occurred_at)
            for e in Event.objects.all()
        ),
        "visitors": sorted(
            (v.anonymous_id, names.get(v.person_id or 0), v.first_seen_at, v.last_seen_at)
            for v in Visitor.objects.all()
        ),
        "sessions": sorted(
            (s.visitor.anonymous_id, names.get(s.person_id or 0) or "", s.started_at, s.last_at, s.pages,
             s.events, s.engagement_seconds, s.entry_url, s.exit_url, s.referrer,
             sorted(s.parameters.items()), s.channel.code)
            for s in Session.objects.select_related("visitor", "channel")
        ),
        "touchpoints": sorted(
            (names[t.person_id], t.occurred_at, t.channel.code, t.url, t.external_id, t.lead_id is not None)
            for t in Touchpoint.objects.select_related("channel")
        ),
        "employments": sorted(
            (names[e.person_id], e.company.name if e.company else "", e.began_at, e.until or NOW)
            for e in Employment.objects.select_related("company").exclude(basis="domain")
        ),
        **_rollups(),
        "conflicts": sorted(
            (names[c.person_id], names[c.other_id], c.user_id, c.email, c.at)
            for c in IdentityConflict.objects.all()
        ),
        "interest": sorted(
            (names[i.person_id], [f"{mass:.9g}" for mass in i.masses])
            for i in Interest.objects.all()
            if any(i.masses)
        ),
    }  # fmt: skip


def _rollups() -> dict[str, Any]:
    """The website's days, computed from whatever days these deliveries have marked."""
    while website.run_once(now=NOW, limit=500):
        pass
    return {
        "visitors_by_day": sorted(
            VisitorDay.objects.values_list("day", "previous_day", "is_known", "visitors")
        ),
        "visits_by_day": sorted(
            VisitDay.objects.values_list(
                "day", "channel__code", "campaign", "landing", "sessions", "firsts", "pages"
            )
        ),
        "pages_by_day": sorted(PageDay.objects.values_list("day", "path", "views", "visitors", "entries")),
    }


def _name(person: Person) -> str:
    """What a person is told by: the addresses, else the ids."""
    emails = sorted(person.emails.values_list("email", flat=True))
    return " ".join(emails or sorted(person.refs.values_list("external_id", flat=True)))


@pytest.fixture
def day(say):
    """A day on a site: lone visitors, a shared machine, a change of browser, a pseudonym, a conflict."""
    ad = {"utm_source": "google", "utm_medium": "cpc", "utm_campaign": "spring"}
    ada, bob, cy = ({"email": f"{name}@x.example"} for name in ("ada", "bob", "cy"))
    home = {"email": "dee@x.example", "address": {"city": "Rome"}}
    return [
        say(anonymous="v1", url=f"{SITE}/", referrer="https://www.google.com/"),
        say(anonymous="v1", minute=2, url=f"{SITE}/pricing"),
        say("identify", minute=3, anonymous="v1", user="ada", traits={**ada, "name": "Ada L"}),
        say(anonymous="v1", minute=4, url=f"{SITE}/docs"),
        say(anonymous="v1", minute=50, url=f"{SITE}/", campaign=ad),
        say("identify", minute=55, anonymous="v1", user="bob", traits={**bob, "title": "CTO"}),
        say(anonymous="v1", minute=56, url=f"{SITE}/bob"),
        say("track", minute=57, user="ada", name="Signed In"),
        say(anonymous="v2", minute=58, url=f"{SITE}/pricing", referrer="https://chatgpt.com/"),
        say("identify", minute=59, anonymous="v2", user="ada", traits={**ada, "title": "CEO"}),
        say("identify", minute=80, user="ada", traits={**ada, "title": "Chair"}),
        say("identify", minute=90, anonymous="v3", user="ada", traits=bob),
        say(anonymous="v3", minute=91, url=f"{SITE}/v3"),
        say("track", minute=95, user="cy", name="Trial Started"),
        say("identify", minute=96, anonymous="v4", traits={**cy, "phone": "+49 30 901820"}),
        say("identify", minute=97, user="cy", traits=cy),
        say("alias", minute=98, user="dee", previous_id="v5"),
        say(anonymous="v5", minute=60, url=f"{SITE}/five"),
        say("identify", minute=99, user="dee", traits=home),
        say("identify", minute=110, user="dee", traits={"email": "dee@new.example"}),
        say("group", minute=20, user="ada", group_id="g1"),
        say("group", minute=70, user="bob", group_id="g1", traits={"name": "Initech"}),
        say("group", minute=120, user="ada", group_id="g2", traits={"name": "Initrode"}),
    ]


def test_one_by_one_backwards_and_all_at_once_are_the_same(day, db):
    ordered = sorted(day, key=lambda m: m.occurred_at)
    whole = rows(day, [ordered])
    assert whole["events"]
    assert len(whole["persons"]) == 4
    assert rows(day, [[m] for m in ordered]) == whole
    assert rows(day, [[m] for m in reversed(ordered)]) == whole


@pytest.mark.parametrize("seed", range(12))
def test_shuffled_doubled_and_split_deliveries_leave_the_same_rows(day, db, seed):
    ordered = sorted(day, key=lambda m: m.occurred_at)
    chance = random.Random(seed)
    sent = [*day, *chance.choices(day, k=2 * len(day))]
    chance.shuffle(sent)
    batches = []
    while sent:
        size = chance.randint(1, 8)
        batches.append(sent[:size])
        sent = sent[size:]
    assert rows(day, batches) == rows(day, [ordered])


def test_a_receipt_three_days_late_leaves_the_same_rows(day, db):
    """Half of the day comes in time, the rest three days later, when its rollups were long computed."""
    late = [replace(m, received_at=m.received_at + timedelta(days=3)) for m in day[1::2]]
    ordered = rows(day, [sorted(day, key=lambda m: m.occurred_at)])
    assert ordered["visits_by_day"]
    assert rows(day, [day[::2], late]) == ordered
    assert rows(day, [day[::2], [], late, late[::-1]], compute_between=True) == ordered


def test_a_visit_that_comes_piece_by_piece_is_the_one_that_is_computed_from_all_its_events(say, db):
    """Events in order go on with the last session; the same events backwards make it anew each time."""
    ad = {"utm_source": "google", "utm_medium": "cpc"}
    engaged = {"seconds": 50.5}
    visit = [
        say("track", anonymous="v1", name="Opened"),
        say(anonymous="v1", minute=1, url=f"{SITE}/", campaign=ad),
        say("track", minute=2, anonymous="v1", url=f"{SITE}/", name="Page Engaged", properties=engaged),
        say(anonymous="v1", minute=2, url=f"{SITE}/same-minute"),
        say(anonymous="v1", minute=31, url=f"{SITE}/b"),
        say("track", minute=32, anonymous="v1", name="Page Engaged", properties={"seconds": 90_000}),
        say("identify", minute=33, anonymous="v1", user="ada", traits={"email": "ada@x.example"}),
        say(anonymous="v1", minute=34, url=f"{SITE}/c"),
        say(anonymous="v1", minute=35, url=f"{SITE}/d", campaign={"utm_source": "news"}),
        say("track", minute=36, anonymous="v1", name="Page Engaged", properties={"seconds": True}),
        say(anonymous="v1", minute=66, url=f"{SITE}/half-an-hour"),
        say(anonymous="v1", minute=97, url=f"{SITE}/another"),
        say(anonymous="v1", minute=98, url=f"{SITE}/end"),
    ]
    whole = rows(visit, [visit])
    assert [session[2:7] for session in whole["sessions"]] == [
        (visit[0].occurred_at, visit[10].occurred_at, 6, 10, 50 + 3600),
        (visit[11].occurred_at, visit[12].occurred_at, 2, 2, 0),
    ]
    assert rows(visit, [[m] for m in visit]) == whole
    assert rows(visit, [[m] for m in reversed(visit)]) == whole
    for size in (2, 3, 5):
        assert rows(visit, [visit[n : n + size] for n in range(0, len(visit), size)]) == whole


def test_an_event_in_order_reads_no_event_of_the_visit_again(say, db):
    visit = [say(anonymous="v1", minute=n / 10, url=f"{SITE}/{n}") for n in range(40)]
    for message in visit[:-1]:
        tracking.apply(messages=[message], now=NOW)
    with CaptureQueriesContext(connection) as seen:
        tracking.apply(messages=visit[-1:], now=NOW)
    ranges = [query["sql"] for query in seen if "r(visitor, low, high)" in query["sql"]]
    assert ranges
    assert not [sql for sql in ranges if "leads_event" in sql]
    assert Session.objects.get().pages == 40


def test_visits_of_two_who_were_merged_become_one_with_the_next_event(say, db, mara):
    ada, bob = ({"email": f"{name}@x.example"} for name in ("ada", "bob"))
    said = [
        say("identify", anonymous="v1", user="ada", traits=ada),
        say(anonymous="v1", minute=1, url=f"{SITE}/a"),
        say("identify", minute=2, anonymous="v1", user="bob", traits=bob),
        say(anonymous="v1", minute=3, url=f"{SITE}/b"),
    ]
    tracking.apply(messages=said, now=NOW)
    survivor, merged = (Person.objects.get(emails__email=who["email"]) for who in (ada, bob))
    merges.merge_records(
        kind=DuplicateKind.PERSON, survivor_id=survivor.pk, merged_id=merged.pk, actor=mara, now=NOW
    )
    tracking.apply(messages=[say(anonymous="v1", minute=4, url=f"{SITE}/c")], now=NOW)
    visit = Session.objects.get()
    assert (visit.person_id, visit.pages, visit.exit_url) == (survivor.pk, 3, f"{SITE}/c")
