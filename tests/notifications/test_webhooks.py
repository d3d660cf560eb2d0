"""Webhooks reach real receivers, signed, again and again until they are taken (I-22, F-30)."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from smarketing.audit.models import AuditEntry
from smarketing.core.errors import Denied, Invalid
from smarketing.core.http import AddressRefused
from smarketing.notifications.models import Delivery, Endpoint, Notification, Outbox
from smarketing.notifications.services import deliveries, endpoints, outbox
from smarketing.users.models import User
from tests.notifications.conftest import NOW, Hook

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def even_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries.random, "random", lambda: 0.5)  # the middle of the jitter


def put(count: int = 1, at: datetime = NOW) -> None:
    start = Outbox.objects.count()
    outbox.put_many(
        entries=[outbox.Entry("opportunity.won", {"id": n}, f"k{start + n}") for n in range(count)], now=at
    )
    outbox.fan_out(now=at, limit=1000)


def receiver(hook: Hook, admin: User) -> endpoints.IssuedSecret:
    return endpoints.create(name="Hook", url=hook.url, topics=["*"], actor=admin, now=NOW)


def test_a_message_is_signed_so_that_the_reference_library_takes_it(admin: User, hook: Hook) -> None:
    issued = receiver(hook, admin)
    put()
    now = datetime.now(tz=NOW.tzinfo)
    assert deliveries.run_once(now=now, limit=10) == 1
    ((headers, body),) = hook.requests
    assert Webhook(issued.secret).verify(body, headers) == {
        "type": "opportunity.won",
        "timestamp": NOW.isoformat(),
        "data": {"id": 0},
    }
    done = Delivery.objects.get()
    assert (done.state, done.attempts, done.last_status, headers["webhook-id"]) == (
        "done",
        1,
        204,
        done.msg_id,
    )
    with pytest.raises(WebhookVerificationError):
        Webhook(issued.secret).verify(body + b" ", headers)


def test_the_secret_is_kept_encrypted_and_never_in_the_audit_trail(admin: User, hook: Hook) -> None:
    issued = receiver(hook, admin)
    stored = Endpoint.objects.get()
    assert issued.secret.startswith("whsec_")
    assert issued.secret not in stored.secret
    entries = json.dumps(list(AuditEntry.objects.values("action", "before", "after")))
    assert "webhook_added" in entries
    assert issued.secret not in entries


def test_while_a_secret_turns_over_both_sign(admin: User, hook: Hook) -> None:
    old = receiver(hook, admin)
    now = datetime.now(tz=NOW.tzinfo)
    new = endpoints.turn_secret(endpoint=old.endpoint, actor=admin, now=now)
    put()
    deliveries.run_once(now=now, limit=10)
    headers, body = hook.requests[0]
    Webhook(old.secret).verify(body, headers)
    Webhook(new.secret).verify(body, headers)
    Endpoint.objects.update(former_until=now)
    put()
    deliveries.run_once(now=now, limit=10)
    headers, body = hook.requests[1]
    Webhook(new.secret).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(old.secret).verify(body, headers)


def test_failures_follow_the_schedule_with_one_id(admin: User, hook: Hook) -> None:
    receiver(hook, admin)
    hook.answers = [(500, {}), (302, {"Location": hook.url}), (204, {})]
    put()
    deliveries.run_once(now=NOW, limit=10)
    waiting = Delivery.objects.get()
    assert (waiting.state, waiting.last_error, waiting.attempts) == ("pending", "HTTP 500", 1)
    assert 5 <= (waiting.not_before - NOW).total_seconds() < 7
    assert deliveries.run_once(now=NOW + timedelta(seconds=4), limit=10) == 0
    second = NOW + timedelta(seconds=7)
    assert deliveries.run_once(now=second, limit=10) == 1
    waiting.refresh_from_db()
    assert 300 <= (waiting.not_before - second).total_seconds() < 302
    assert deliveries.run_once(now=second + timedelta(minutes=6), limit=10) == 1
    waiting.refresh_from_db()
    assert (waiting.state, waiting.attempts) == ("done", 3)
    assert {headers["webhook-id"] for headers, _ in hook.requests} == {waiting.msg_id}
    assert len({headers["webhook-timestamp"] for headers, _ in hook.requests}) == 3


def test_retry_after_is_honoured(admin: User, hook: Hook) -> None:
    receiver(hook, admin)
    hook.answers = [(429, {"Retry-After": "120"})]
    put()
    deliveries.run_once(now=NOW, limit=10)
    assert 120 <= (Delivery.objects.get().not_before - NOW).total_seconds() < 122


def test_410_switches_the_receiver_off_and_tells_the_admins(admin: User, rep: User, hook: Hook) -> None:
    receiver(hook, admin)
    hook.answers = [(410, {})]
    put()
    deliveries.run_once(now=NOW, limit=10)
    endpoint = Endpoint.objects.get()
    assert (endpoint.enabled, endpoint.disabled_reason) == (False, "The receiver answered 410 Gone.")
    assert Delivery.objects.get().state == "failed"
    outbox.fan_out(now=NOW, limit=10)
    assert [n.user for n in Notification.objects.all()] == [admin]
    assert AuditEntry.objects.filter(action="webhook_disabled", actor=None).count() == 1


def test_five_days_of_failure_switch_the_receiver_off(admin: User, hook: Hook) -> None:
    receiver(hook, admin)
    hook.answers = [(500, {})]
    put()
    deliveries.run_once(now=NOW, limit=1)
    assert Endpoint.objects.get().failing_since is not None
    later = NOW + timedelta(days=5, minutes=1)
    deliveries.run_once(now=later, limit=1)
    assert Endpoint.objects.get().enabled is False


def test_success_ends_a_failing_spell(admin: User, hook: Hook) -> None:
    receiver(hook, admin)
    hook.answers = [(500, {}), (204, {})]
    put()
    deliveries.run_once(now=NOW, limit=1)
    deliveries.run_once(now=NOW + timedelta(minutes=1), limit=1)
    endpoint = Endpoint.objects.get()
    assert (endpoint.failing_since, endpoint.enabled) == (None, True)


def test_a_schedule_that_is_over_fails_for_good_until_it_is_replayed(admin: User, hook: Hook) -> None:
    receiver(hook, admin)
    hook.answers = [(500, {}), (204, {})]
    put()
    Delivery.objects.update(attempts=9)
    deliveries.run_once(now=NOW, limit=1)
    failed = Delivery.objects.get()
    assert (failed.state, failed.attempts) == ("failed", 10)
    deliveries.replay(delivery=failed, actor=admin, now=NOW)
    deliveries.run_once(now=NOW, limit=1)
    failed.refresh_from_db()
    assert (failed.state, failed.attempts) == ("done", 1)


def test_a_lease_keeps_others_off_and_runs_out(admin: User, hook: Hook) -> None:
    receiver(hook, admin)
    put()
    assert len(deliveries.claim(now=NOW, limit=10)) == 1  # its runner dies here
    assert deliveries.run_once(now=NOW + timedelta(seconds=29), limit=10) == 0
    assert deliveries.run_once(now=NOW + timedelta(seconds=31), limit=10) == 1
    assert Delivery.objects.get().attempts == 2


def test_at_most_two_in_flight_and_receivers_take_turns(admin: User, make_hook: Callable[[], Hook]) -> None:
    for _ in range(3):
        receiver(make_hook(), admin)
    put(5)
    claimed = deliveries.claim(now=NOW, limit=100)
    per_receiver = [sum(d.channel == e.pk for d in claimed) for e in Endpoint.objects.all()]
    assert per_receiver == [2, 2, 2]
    assert deliveries.claim(now=NOW, limit=100) == []
    first_turn = deliveries.claim(now=NOW + timedelta(minutes=1), limit=3)
    assert len({d.channel for d in first_turn}) == 3


def test_a_hanging_receiver_does_not_hold_up_the_others(admin: User, make_hook: Callable[[], Hook]) -> None:
    slow, quick = make_hook(), make_hook()
    slow.hold = threading.Event()
    receiver(slow, admin)
    receiver(quick, admin)
    put(20)
    seen: list[float] = []
    started = time.monotonic()

    def release_when_quick_has_all() -> None:
        while len(quick.requests) < 20 and time.monotonic() - started < 8:
            time.sleep(0.01)
        seen.append(time.monotonic() - started)
        assert slow.hold is not None
        slow.hold.set()

    watcher = threading.Thread(target=release_when_quick_has_all)
    watcher.start()
    assert deliveries.run_once(now=NOW, limit=100) == 40
    watcher.join()
    assert len(quick.requests) == len(slow.requests) == 20
    assert seen[0] < 4


def test_only_who_manages_keys_may_touch_receivers(rep: User, admin: User, hook: Hook) -> None:
    with pytest.raises(Denied):
        receiver(hook, rep)
    issued = receiver(hook, admin)
    with pytest.raises(Denied):
        endpoints.update(endpoint=issued.endpoint, actor=rep, now=NOW, enabled=False)
    with pytest.raises(Denied):
        endpoints.turn_secret(endpoint=issued.endpoint, actor=rep, now=NOW)
    assert Endpoint.objects.get().enabled


@pytest.mark.parametrize("topics", [[], ["Handoff"], ["a b"], ["*.x"], ["x" * 200 + "!"]])
def test_wrong_topics_are_refused(admin: User, hook: Hook, topics: list[str]) -> None:
    with pytest.raises(Invalid):
        endpoints.create(name="x", url=hook.url, topics=topics, actor=admin, now=NOW)
    assert Endpoint.objects.count() == 0


def test_a_private_address_is_refused_when_it_is_entered(admin: User, settings: Any) -> None:
    settings.OUTBOUND_NETWORKS = []
    for url in ("http://10.0.0.1/", "https://127.0.0.1/", "https://[::1]/", "file:///etc/passwd"):
        with pytest.raises(AddressRefused):
            endpoints.create(name="x", url=url, topics=["*"], actor=admin, now=NOW)
    assert Endpoint.objects.count() == 0
