"""What was accepted is applied once; what can't be is set apart, and nothing innocent with it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, OperationalError

from leads.domain.segment import Arrival, message_of
from leads.domain.tracking import Message
from leads.intake.calls import row_of
from leads.models import DeadLetter, Event, EventInbox, InboxMinute, InboxStop, Source
from leads.services import dead_letters, inbox, intake, tracking
from smarketing.audit.models import AuditEntry
from smarketing.core import clock, invariants
from smarketing.core.errors import Denied
from smarketing.notifications.models import Outbox
from smarketing.users.models import User
from tests.leads.intake.conftest import track, waiting

pytestmark = pytest.mark.django_db
Apply = Callable[..., None]


@pytest.fixture
def take_in(site: Source, now: datetime) -> Callable[..., None]:
    """Accept so many messages."""

    def accept(*numbers: int, **changes: Any) -> None:
        arrival = Arrival(site.pk, site.code, now)
        messages = [message_of(track(n, **changes), arrival=arrival) for n in numbers]
        intake.accept(rows=[row_of(message) for message in messages])

    return accept


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Callable[[], None]]:
    """Have ``apply`` fail for messages of these names, until what it returns is called."""

    def poisoned(error: Callable[[], BaseException], *names: str) -> Callable[[], None]:
        honest = tracking.apply

        def apply(*, messages: Sequence[Message], now: datetime) -> None:
            honest(messages=messages, now=now)
            if any(message.name in names for message in messages):
                raise error()

        monkeypatch.setattr(tracking, "apply", apply)
        return lambda: monkeypatch.setattr(tracking, "apply", honest)

    return poisoned


def rounds(now: datetime, until: timedelta = timedelta(0), step: timedelta = timedelta(seconds=1)) -> int:
    """Rounds of the loop from ``now`` on; how many rows they dealt with."""
    done, at = 0, now
    while at <= now + until:
        while found := inbox.run_once(now=at, limit=100):
            done += found
        at += step
    return done


def broken() -> list[str]:
    return [
        f.invariant.title
        for f in invariants.check()
        if not f.holds and f.invariant.id in {"I-1", "I-2", "I-6"}
    ]


def test_messages_become_events_and_leave_the_inbox(take_in: Any, now: datetime) -> None:
    take_in(1, 2, 3)
    assert rounds(now) > 0
    assert (Event.objects.count(), EventInbox.objects.count()) == (3, 0)
    assert InboxMinute.objects.get().applied == 3
    assert broken() == []


def test_a_message_that_comes_again_later_is_no_second_event(take_in: Any, now: datetime) -> None:
    for _ in range(3):
        take_in(1, 2)
        rounds(now)
    assert (Event.objects.count(), EventInbox.objects.count()) == (2, 0)


@pytest.mark.parametrize("error", [ValueError, IntegrityError, KeyError, RecursionError])
def test_a_bad_message_is_set_apart_and_the_others_are_applied(
    take_in: Any, poison: Any, now: datetime, error: Callable[[], BaseException]
) -> None:
    poison(error, "Poison")
    take_in(1, 2, 3)
    take_in(4, event="Poison")
    inbox.run_once(now=now, limit=100)
    assert Event.objects.count() == 3
    row = EventInbox.objects.get()
    assert (row.attempts, row.not_before) == (1, now + timedelta(seconds=4))
    assert row.last_error.startswith(error.__name__)  # type: ignore[attr-defined]


def test_after_five_attempts_it_is_a_dead_letter(take_in: Any, poison: Any, now: datetime) -> None:
    poison(ValueError, "Poison")
    take_in(1, event="Poison")
    attempts = []
    at = now
    while EventInbox.objects.exists():
        inbox.run_once(now=at, limit=100)
        attempts += EventInbox.objects.values_list("attempts", flat=True)
        at += timedelta(seconds=1)
        assert at < now + timedelta(minutes=10)
    assert max(attempts) == 5
    letter = DeadLetter.objects.get()
    assert (letter.origin, letter.attempts, letter.error) == ("event", 5, "ValueError: ")
    assert letter.body["message_id"] == "m-1"
    assert not Event.objects.exists()
    assert broken() == []


def test_a_message_that_killed_its_process_is_tried_alone(take_in: Any, now: datetime) -> None:
    take_in(1, 2, 3)
    leased = inbox._lease(now, solo=False, most=100)  # and the process dies
    assert len(leased) == 3
    assert inbox.run_once(now=now, limit=100) == 0
    later = now + inbox.LEASE
    assert [len(inbox._lease(later, solo=True, most=1)) for _ in range(4)] == [1, 1, 1, 0]


def test_a_killer_is_retired_and_takes_nobody_with_it(
    take_in: Any, monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    """Death is played by leaving the batch where it is, as SIGKILL does."""
    honest = inbox._work

    def work(rows: Sequence[inbox.Leased], at: datetime) -> None:
        if not any(row.body["name"] == "Killer" for row in rows):
            honest(rows, at)

    monkeypatch.setattr(inbox, "_work", work)
    take_in(*range(30))
    take_in(99, event="Killer")
    rounds(now, until=timedelta(minutes=4), step=timedelta(seconds=10))
    assert Event.objects.count() == 30
    letter = DeadLetter.objects.get()
    assert letter.error == "the process ended while it worked on this message"
    assert not EventInbox.objects.exists()


def test_a_busy_database_is_no_fault_of_the_messages(take_in: Any, poison: Any, now: datetime) -> None:
    poison(lambda: OperationalError("deadlock detected"), "Signed Up")
    take_in(1, 2)
    inbox.run_once(now=now, limit=100)
    assert (
        list(EventInbox.objects.values_list("attempts", "not_before"))
        == [(0, now + timedelta(seconds=1))] * 2
    )


def test_it_stops_and_tells_when_too_many_would_be_dead(take_in: Any, poison: Any, now: datetime) -> None:
    poison_is_mended = poison(ValueError, "Signed Up")
    take_in(*range(25))
    EventInbox.objects.update(attempts=4)
    at = now
    for _ in range(80):
        inbox.run_once(now=at, limit=100)
        at += timedelta(seconds=1)
    assert inbox.run_once(now=at, limit=100) == 0
    left, dead = EventInbox.objects.count(), DeadLetter.objects.count()
    assert left + dead == 25
    assert dead <= 20
    assert Outbox.objects.filter(topic="inbox.stopped").count() == 1

    take_in(100, event="Good")
    assert inbox.run_once(now=at, limit=100) == 0
    out = StringIO()
    call_command("inbox", stdout=out)
    assert InboxStop.objects.get().failing == 20
    assert "STOPPED since 2026-03-02" in out.getvalue()
    assert f"waiting {left + 1}, of which failing" in out.getvalue()
    call_command("inbox", "resume", stdout=out)
    assert EventInbox.objects.filter(attempts__gt=0).count() == 0
    poison_is_mended()
    assert rounds(clock.now()) > 0
    assert (EventInbox.objects.count(), Event.objects.count()) == (0, left + 1)


def test_few_dead_letters_among_many_good_ones_do_not_stop_it(
    take_in: Any, poison: Any, now: datetime
) -> None:
    poison(ValueError, "Poison")
    InboxMinute.objects.create(minute_at=now.replace(second=0), applied=1000)
    take_in(*range(30), event="Poison")
    EventInbox.objects.update(attempts=5, not_before=now)
    inbox.run_once(now=now, limit=100)
    assert DeadLetter.objects.count() == 30


def test_a_dead_letter_is_replayed_discarded_and_restored(
    take_in: Any, now: datetime, adam: User, mara: User
) -> None:
    take_in(1, 2)
    EventInbox.objects.update(attempts=5)
    inbox.retire(now=now, limit=10)
    first, second = DeadLetter.objects.order_by("message_id").values_list("pk", flat=True)
    with pytest.raises(Denied):
        dead_letters.replay(ids=[first], actor=mara, now=now)
    with pytest.raises(Denied):
        dead_letters.discard(ids=[first], actor=mara, now=now)
    assert DeadLetter.objects.waiting().count() == 2

    assert dead_letters.discard(ids=[second], actor=adam, now=now) == 1
    assert dead_letters.replay(ids=[first], actor=adam, now=now) == 1
    assert dead_letters.replay(ids=[first], actor=adam, now=now) == 0
    assert rounds(now) > 0
    assert (Event.objects.count(), DeadLetter.objects.get().discarded_at) == (1, now)
    assert dead_letters.restore(ids=[second], actor=adam, now=now) == 1
    assert DeadLetter.objects.waiting().count() == 1
    kept = AuditEntry.objects.filter(action__startswith="dead_letters").order_by("pk")
    assert [(e.action, e.actor_id, e.after["number"]) for e in kept] == [
        ("dead_letters_discarded", adam.pk, 1),
        ("dead_letters_replayed", adam.pk, 1),
        ("dead_letters_restored", adam.pk, 1),
    ]
    assert waiting() == []


def test_the_audit_sees_a_message_that_is_not_whole(take_in: Any, now: datetime) -> None:
    take_in(1)
    EventInbox.objects.update(message_id=uuid.uuid4())
    assert broken() == ["An accepted message that waits is whole: the inbox holds what its columns say"]
