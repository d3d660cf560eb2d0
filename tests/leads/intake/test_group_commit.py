"""Requests that come together share a commit; what can't be stored harms no other; faults are told."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

import pytest
from django.db import DataError, OperationalError, connections

from leads.domain.segment import Arrival, message_of
from leads.intake import group_commit, spool
from leads.intake.application import Intake
from leads.intake.calls import row_of
from leads.intake.group_commit import GroupCommit
from leads.intake.stores import Unavailable, Unstorable
from leads.models import EventInbox, IntakeCount, KeyKind, WriteKeyUse
from leads.services import intake, sources, write_keys
from leads.services.intake import Row
from smarketing.core import clock
from tests.faults.servers import wait_for
from tests.leads.intake.conftest import track
from tests.leads.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def store() -> Iterator[GroupCommit]:
    """A store whose thread closes its connection when the test is over."""
    made = GroupCommit()
    yield made
    ended = threading.Event()

    def end(*_arguments: Any) -> None:
        connections.close_all()
        ended.set()
        raise SystemExit

    made._look = end  # type: ignore[method-assign]
    made._next_state_at = 0.0
    with made._running() as gathered:
        made._wants_state.append(group_commit._Ticket(()))
        gathered.notify()
    assert ended.wait(10)


@pytest.fixture
def row(now: datetime) -> Callable[[int], Row]:
    source = sources.ensure(code="site", name="Site", kind="web", now=now)

    def made(number: int) -> Row:
        return row_of(message_of(track(number), arrival=Arrival(source.pk, source.code, now)))

    return made


def test_those_that_come_while_one_is_written_share_the_next_commit(
    store: GroupCommit, row: Callable[[int], Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    honest, groups, go_on = intake.accept, [], threading.Event()

    def accept(*, rows: Sequence[Row]) -> frozenset[str]:
        groups.append(len(rows))
        assert go_on.wait(10)
        return honest(rows=rows)

    monkeypatch.setattr(intake, "accept", accept)

    def put(number: int) -> int:
        if number == 7:
            wait_for(lambda: store._waiting_rows == 6, seconds=10)
            go_on.set()
        elif number:
            wait_for(lambda: bool(groups), seconds=10)
        return len(store.put([row(number)], seconds=10)) if number < 7 else 0

    at_once(8, put)
    assert groups == [1, 6]
    assert EventInbox.objects.count() == 7


def test_nobody_is_answered_before_the_commit(store: GroupCommit, row: Callable[[int], Row]) -> None:
    def put(number: int) -> bool:
        store.put([row(number)], seconds=10)
        return EventInbox.objects.filter(message_id=row(number).id).exists()

    assert at_once(8, put) == [True] * 8


def test_what_the_database_refuses_is_refused_and_its_neighbours_are_stored(
    store: GroupCommit, row: Callable[[int], Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    honest, bad = intake.accept, row(0).id

    def accept(*, rows: Sequence[Row]) -> frozenset[str]:
        if any(r.id == bad for r in rows):
            raise DataError("unsupported Unicode escape sequence")
        return honest(rows=rows)

    monkeypatch.setattr(intake, "accept", accept)
    found = at_once(5, lambda number: row(number).id in store.put([row(number)], seconds=10))
    assert isinstance(found[0], Unstorable)
    assert found[1:] == [True] * 4
    assert EventInbox.objects.count() == 4


def test_while_the_database_is_away_senders_are_told_to_come_back(
    store: GroupCommit, row: Callable[[int], Row], monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    key = write_keys.issue(
        source=sources.ensure(code="site", kind="web", now=now),
        name="k",
        kind=KeyKind.SERVER,
        actor=None,
        now=now,
    ).text
    store.state(seconds=10)

    def away(**_arguments: Any) -> Any:
        raise OperationalError("server closed the connection unexpectedly")

    with monkeypatch.context() as patch:
        patch.setattr(intake, "accept", away)
        with pytest.raises(Unavailable):
            store.put([row(1)], seconds=10)
        answer = Intake(store).answer(request("/v1/track", track(1), key), "POST")
        assert (answer.status, dict(answer.headers)["Retry-After"]) == (503, "5")
    wait_for(lambda: put_again(store, row(1)), seconds=10)
    assert EventInbox.objects.count() == 1


def put_again(store: GroupCommit, row: Row) -> bool:
    try:
        return bool(store.put([row], seconds=10))
    except Unavailable:
        return False


def test_a_picture_waits_in_a_file_while_the_database_is_away(
    store: GroupCommit, monkeypatch: pytest.MonkeyPatch, now: datetime, tmp_path: Any, settings: Any
) -> None:
    settings.HOME = tmp_path
    source = sources.ensure(code="site", kind="web", now=now)
    key = write_keys.issue(source=source, name="k", kind=KeyKind.BROWSER, actor=None, now=now).text
    store.state(seconds=10)
    query = f"writeKey={key}&event=Opened&userId=u-1&messageId=m-1"
    with monkeypatch.context() as patch:
        patch.setattr(intake, "accept", lambda **_rows: (_ for _ in ()).throw(OperationalError("away")))
        answer = Intake(store).answer({"PATH_INFO": "/v1/pixel/track", "QUERY_STRING": query}, "GET")
        assert answer.status == 200
        assert spool.is_waiting()
        assert not EventInbox.objects.exists()
    assert spool.replay(accept=intake.accept) == 1
    assert spool.replay(accept=intake.accept) == 0
    assert EventInbox.objects.get().body["message_id"] == "m-1"


def test_counts_reach_the_database_within_moments(store: GroupCommit, now: datetime) -> None:
    source = sources.ensure(code="site", kind="web", now=now)
    issued = write_keys.issue(source=source, name="k", kind=KeyKind.SERVER, actor=None, now=now)
    application = Intake(store)
    for number in range(3):
        assert application.answer(request("/v1/track", track(number), issued.text), "POST").status == 200
    wait_for(lambda: IntakeCount.objects.filter(outcome="stored", events=3).exists(), seconds=10)
    assert WriteKeyUse.objects.get(key=issued.key).events == 3


def test_after_a_fork_the_child_has_a_thread_of_its_own(
    store: GroupCommit, row: Callable[[int], Row]
) -> None:
    store.put([row(1)], seconds=10)
    rows = [row(2)]
    child = os.fork()
    if not child:
        status = 1
        try:
            connections["default"].connection = None  # the parent's socket is not ours to close
            status = 0 if store._thread is None and not store._waiting else 2
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert len(store.put(rows, seconds=10)) == 1


def request(path: str, call: Any, key: str) -> dict[str, Any]:
    """A WSGI environment as far as the intake looks at it."""
    body = json.dumps({**call, "writeKey": key}).encode()
    return {
        "PATH_INFO": path,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": _Body(body),
        "REMOTE_ADDR": "127.0.0.1",
        "at": clock.now(),
    }


class _Body:
    def __init__(self, body: bytes) -> None:
        self.body = body

    def read(self, size: int) -> bytes:
        part, self.body = self.body[:size], self.body[size:]
        return part
