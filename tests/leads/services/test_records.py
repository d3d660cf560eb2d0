"""Events, touchpoints, activities, campaigns, attributes and sources."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from leads.events import ActivityLogged, EventsRecorded, TouchpointsRecorded
from leads.models import (
    Activity,
    AttributeDefinition,
    Campaign,
    Channel,
    Event,
    Lead,
    Person,
    Source,
    Touchpoint,
)
from leads.services import activities, attributes, campaigns, sources, touchpoints
from leads.services import events as event_services
from leads.services.events import EventInput
from leads.services.fields import EditedMeanwhile, InTheFuture
from smarketing.audit.models import AuditEntry
from smarketing.core import events
from smarketing.core.errors import Invalid
from smarketing.users.models import User
from tests.leads.threads import at_once


@pytest.fixture
def facts(monkeypatch: pytest.MonkeyPatch) -> list[events.Fact]:
    heard: list[events.Fact] = []
    monkeypatch.setattr(events, "publish", heard.append)
    return heard


@pytest.fixture
def ada(web: Source, now: datetime) -> Person:
    person = Person.objects.create(first_name="Ada")
    Lead.objects.create(person=person, source=web, captured_at=now)
    return person


def event(source: Source, message: str, at: datetime, **values: Any) -> EventInput:
    return EventInput(source, message, "page", at, **values)


def test_events_are_stored_once_and_only_the_new_ones_are_told(
    web: Source, ada: Person, now: datetime, facts: list[events.Fact]
) -> None:
    def hers(message: str) -> EventInput:
        return event(web, message, now, person_id=ada.pk)

    first = event_services.record(rows=[hers("a"), hers("b")], now=now)
    again = event_services.record(rows=[hers("c"), hers("b"), hers("c")], now=now)
    assert len(first) == 2
    assert again == (event_services.id_of(source=web, message_id="c"),)
    assert event_services.record(rows=[hers("a")], now=now) == ()
    nobodys = event_services.record(rows=[event(web, "d", now)], now=now)
    assert nobodys == (event_services.id_of(source=web, message_id="d"),)  # told when they become somebody's
    assert Event.objects.count() == 4
    assert facts == [EventsRecorded(first, now), EventsRecorded(again, now)]


def test_the_same_message_of_two_sources_is_two_events(
    web: Source, now: datetime, facts: list[events.Fact]
) -> None:
    api = Source.objects.get(code="api")
    assert len(event_services.record(rows=[event(web, "a", now), event(api, "a", now)], now=now)) == 2


def test_an_event_ahead_of_its_arrival_counts_as_arriving(
    web: Source, now: datetime, facts: list[events.Fact]
) -> None:
    event_services.record(rows=[event(web, "a", now + timedelta(days=3))], now=now)
    assert Event.objects.get().occurred_at == now


@pytest.mark.parametrize(
    "wrong",
    [
        {"message_id": ""},
        {"message_id": "x" * 256},
        {"kind": "nonsense"},
        {"name": "a\x00b"},
        {"url": "x" * 2001},
        {"occurred_at": datetime(2026, 1, 1)},  # noqa: DTZ001 - without zone on purpose
        {"properties": {"a": float("nan")}},
        {"properties": {"a": "\x00"}},
        {"properties": {"a": "\ud800"}},
        {"properties": {"a": "x" * 33_000}},
        {"properties": {"a": object()}},
    ],
)
def test_one_bad_event_refuses_the_batch_and_nothing_is_stored(
    web: Source, now: datetime, wrong: dict[str, Any]
) -> None:
    bad = {"source": web, "message_id": "b", "kind": "page", "occurred_at": now, **wrong}
    with pytest.raises(event_services.BadEvent) as refused:
        event_services.record(rows=[event(web, "a", now), EventInput(**bad)], now=now)
    assert [e.field.split(".")[0] for e in refused.value.errors] == ["1"]
    assert Event.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_batches_that_overlap_in_opposite_order_store_each_event_once(now: datetime) -> None:
    web = Source.objects.get(code="web")
    names = [str(n) for n in range(40)]
    results = at_once(
        4,
        lambda n: event_services.record(
            rows=[event(web, m, now) for m in (names if n % 2 else names[::-1])], now=now
        ),
    )
    assert [r for r in results if isinstance(r, Exception)] == []
    assert sum(len(r) for r in results) == Event.objects.count() == 40


def test_a_touchpoint_belongs_to_the_open_lap_and_takes_the_campaigns_channel(
    web: Source, ada: Person, now: datetime, facts: list[events.Fact]
) -> None:
    campaign = Campaign.objects.create(name="Spring", source=web, channel=Channel.objects.get(code="event"))
    made = touchpoints.record(
        person=ada, source=web, occurred_at=now, campaign=campaign, external_id="1", actor=None, now=now
    )
    again = touchpoints.record(person=ada, source=web, occurred_at=now, external_id="1", actor=None, now=now)
    assert (made.lead, made.channel.code) == (Lead.objects.get(), "event")
    assert again == made
    assert Touchpoint.objects.count() == 1
    assert facts == [TouchpointsRecorded((made.pk,), now)]


def test_a_lead_of_somebody_else_takes_no_touchpoint(web: Source, ada: Person, now: datetime) -> None:
    other = Person.objects.create(first_name="Bob")
    with pytest.raises(touchpoints.LeadOfAnother):
        touchpoints.record(
            person=other, lead=Lead.objects.get(), source=web, occurred_at=now, actor=None, now=now
        )
    assert Touchpoint.objects.count() == 0


@pytest.mark.parametrize(
    ("kind", "direction", "is_automated", "is_attempt"),
    [
        ("call", "outbound", False, True),
        ("mail", "outbound", False, True),
        ("meeting", "outbound", False, True),
        ("mail", "outbound", True, False),
        ("call", "inbound", False, False),
        ("note", "outbound", False, False),
    ],
)
def test_only_a_human_outbound_call_mail_or_meeting_is_an_attempt(
    ada: Person,
    rita: User,
    now: datetime,
    facts: list[events.Fact],
    kind: str,
    direction: str,
    is_automated: bool,
    is_attempt: bool,
) -> None:
    activity = activities.log(
        person=ada,
        kind=kind,
        direction=direction,
        is_automated=is_automated,
        occurred_at=now,
        actor=rita,
        now=now,
    )
    lead = Lead.objects.get()
    assert facts == [ActivityLogged(activity.pk, lead.pk, ada.pk, kind, is_attempt, now, rita.pk, now)]


def test_an_activity_with_the_same_id_is_logged_once(
    ada: Person, web: Source, now: datetime, facts: list[events.Fact]
) -> None:
    for _ in range(2):
        activities.log(
            person=ada, kind="call", occurred_at=now, source=web, external_id="1", actor=None, now=now
        )
    assert (Activity.objects.count(), len(facts)) == (1, 1)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"kind": "task"}, activities.TaskIsNotLogged),
        ({"kind": "dance"}, Invalid),
        ({"outcome": "held"}, activities.OutcomeDoesNotFit),
        ({"direction": "sideways"}, Invalid),
        ({"duration_seconds": -1}, Invalid),
        ({"occurred_at": datetime(2090, 1, 1).astimezone()}, InTheFuture),  # noqa: DTZ001
    ],
)
def test_what_can_not_be_logged_is_refused_and_nothing_is_stored(
    ada: Person, now: datetime, wrong: dict[str, Any], error: type[Exception]
) -> None:
    values: dict[str, Any] = {"kind": "call", "occurred_at": now, **wrong}
    with pytest.raises(error):
        activities.log(person=ada, **values, actor=None, now=now)
    assert Activity.objects.count() == 0


def test_a_task_is_completed_once_and_can_be_reopened(ada: Person, rita: User, now: datetime) -> None:
    task = activities.add_task(person=ada, subject="Offer", owner=rita, actor=rita, now=now)
    later = now + timedelta(hours=1)
    activities.complete_task(task=task, actor=rita, now=later)
    activities.complete_task(task=task, actor=rita, now=later + timedelta(hours=1))
    assert Activity.objects.get().done_at == later
    assert activities.reopen_task(task=task, actor=rita, now=later).done_at is None


def test_only_tasks_are_completed(ada: Person, rita: User, now: datetime, facts: list[events.Fact]) -> None:
    note = activities.log(person=ada, kind="note", body="x", occurred_at=now, actor=rita, now=now)
    with pytest.raises(activities.NotATask):
        activities.complete_task(task=note, actor=rita, now=now)


def test_a_campaign_ends_after_it_starts(web: Source, now: datetime) -> None:
    with pytest.raises(campaigns.EndsBeforeItStarts):
        campaigns.create(
            name="Spring", starts_on=date(2026, 3, 2), ends_on=date(2026, 3, 1), actor=None, now=now
        )
    spring = campaigns.create(name="Spring", starts_on=date(2026, 3, 2), actor=None, now=now)
    with pytest.raises(campaigns.EndsBeforeItStarts):
        campaigns.update(campaign=spring, changes={"ends_on": date(2026, 3, 1)}, actor=None, now=now)
    assert Campaign.objects.get().ends_on is None


def test_a_stale_edit_of_a_campaign_changes_nothing(web: Source, now: datetime) -> None:
    spring = campaigns.create(name="Spring", actor=None, now=now)
    campaigns.update(campaign=spring, changes={"name": "May"}, expected_version=1, actor=None, now=now)
    with pytest.raises(EditedMeanwhile):
        campaigns.update(campaign=spring, changes={"name": "June"}, expected_version=1, actor=None, now=now)
    assert Campaign.objects.get().name == "May"


def test_an_attribute_is_defined_once_and_its_changes_are_audited(
    web: Source, rita: User, now: datetime
) -> None:
    for label in ("Seats", "Seats", "Number of seats"):
        attributes.define(subject="person", key="seats", label=label, type="number", actor=rita, now=now)
    assert AttributeDefinition.objects.get().label == "Number of seats"
    audited = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
    assert audited == ["attribute.defined", "attribute.changed"]
    with pytest.raises(attributes.TypeDiffers):
        attributes.define(subject="person", key="seats", type="text", actor=rita, now=now)


@pytest.mark.parametrize(
    ("type_", "raw", "stored"),
    [
        ("text", " x ", "x"),
        ("number", "40", 40),
        ("number", "1.5", 1.5),
        ("boolean", "Yes", True),
        ("boolean", False, False),
        ("date", "2026-03-31", "2026-03-31"),
        ("date", date(2026, 3, 31), "2026-03-31"),
        ("choice", "GOLD", "Gold"),
    ],
)
def test_values_are_stored_in_the_type_of_their_attribute(type_: str, raw: Any, stored: Any) -> None:
    definition = AttributeDefinition(type=type_, choices=["Gold", "Silver"])
    assert attributes.typed(definition=definition, raw=raw) == stored


@pytest.mark.parametrize(
    ("type_", "raw"),
    [
        ("number", "many"),
        ("number", "NaN"),
        ("number", "1e99999"),
        ("number", True),
        ("boolean", "perhaps"),
        ("date", "31.3.2026"),
        ("choice", "Bronze"),
        ("text", "a\x00b"),
        ("text", "x" * 4001),
    ],
)
def test_values_of_another_type_are_refused(type_: str, raw: Any) -> None:
    definition = AttributeDefinition(type=type_, choices=["Gold", "Silver"])
    with pytest.raises(ValueError, match=r"\."):
        attributes.typed(definition=definition, raw=raw)


def test_a_source_is_made_once_and_keeps_its_kind(web: Source, now: datetime) -> None:
    one = sources.ensure(code="maven", kind="import", now=now)
    assert sources.ensure(code="maven", kind="import", now=now) == one
    with pytest.raises(sources.KindDiffers):
        sources.ensure(code="maven", kind="web", now=now)
    with pytest.raises(Invalid):
        sources.ensure(code="not a slug", kind="import", now=now)
