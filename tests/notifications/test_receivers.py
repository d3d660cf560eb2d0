"""Receivers in Slack's format, catching up on what was missed, and the list of topics."""

from __future__ import annotations

import ast
import json
from datetime import timedelta
from pathlib import Path

import pytest

from smarketing.audit.models import AuditEntry
from smarketing.core.errors import Denied, Invalid
from smarketing.notifications import topics
from smarketing.notifications.domain import slack
from smarketing.notifications.models import Delivery, Endpoint
from smarketing.notifications.services import deliveries, endpoints, outbox, recoveries
from smarketing.users.models import User
from tests.notifications.conftest import NOW, Hook

pytestmark = pytest.mark.django_db
PROJECT = Path(__file__).resolve().parents[2]


def put(key: str, text: str = "", at_minutes: int = 0, topic: str = "handoff.returned") -> None:
    at = NOW + timedelta(minutes=at_minutes)
    notice = outbox.Notice(text=text, link="/leads/7/") if text else None
    outbox.put(topic=topic, payload={"lead_id": 7, "missing": []}, dedupe_key=key, now=at, notify=notice)
    outbox.fan_out(now=at, limit=100)


def test_slack_gets_a_line_with_nothing_that_calls_the_channel(admin: User, hook: Hook) -> None:
    endpoints.create(name="#sales", url=hook.url, topics=["*"], actor=admin, now=NOW, format="slack")
    put("a", "Rita returned <!channel> & Söhne: no budget.")
    put("b", topic="lead.qualified")
    assert deliveries.run_once(now=NOW, limit=10) == 2
    first, second = sorted((json.loads(body)["text"] for _headers, body in hook.requests), reverse=True)
    assert first == (
        "*Sales returned a lead, with its reason*\n"
        "Rita returned &lt;!channel&gt; &amp; Söhne: no budget.\n"
        "<http://127.0.0.1:8000/leads/7/|Open in Smarketing>"
    )
    assert second == "*A lead met the definition*\nlead_id: 7"
    assert "webhook-signature" not in hook.requests[0][0]


def test_an_archived_channel_switches_the_receiver_off(admin: User, hook: Hook) -> None:
    made = endpoints.create(name="#old", url=hook.url, topics=["*"], actor=admin, now=NOW, format="slack")
    hook.answers = [(410, {})]
    put("a", "Text")
    deliveries.run_once(now=NOW, limit=10)
    assert Endpoint.objects.get(pk=made.endpoint.pk).enabled is False


def test_the_address_of_a_slack_channel_stays_out_of_the_audit_trail(admin: User, hook: Hook) -> None:
    endpoints.create(
        name="#sales", url=hook.url + "/T0/B0/secret", topics=["*"], actor=admin, now=NOW, format="slack"
    )
    assert "secret" not in json.dumps(list(AuditEntry.objects.values("after")))


def test_a_long_text_is_cut() -> None:
    body = slack.message(label="L", text="x" * 9000, payload={}, url="", link_label="")
    assert len(json.loads(body)["text"]) == len("*L*\n") + slack.LONGEST


def test_a_receiver_catches_up_on_what_it_missed_and_on_nothing_else(admin: User, hook: Hook) -> None:
    put("long ago", at_minutes=-60)
    put("never sent", at_minutes=0)
    endpoint = endpoints.create(
        name="Hook", url=hook.url, topics=["handoff.*"], actor=admin, now=NOW
    ).endpoint
    put("of no interest", topic="opportunity.won")
    hook.answers = [(204, {})]
    put("taken", at_minutes=1)
    deliveries.run_once(now=NOW + timedelta(minutes=1), limit=10)
    put("failed", at_minutes=2)
    failed = Delivery.objects.filter(outbox__dedupe_key="failed")
    failed.update(state="failed", finished_at=NOW, attempts=10)
    msg_id = failed.get().msg_id
    later = NOW + timedelta(minutes=10)
    done = recoveries.recover(endpoint=endpoint, since=NOW, actor=admin, now=later)
    assert done == recoveries.Recovered(again=1, new=1, next_since=None)
    deliveries.run_once(now=later, limit=10)
    got = [headers["webhook-id"] for headers, _body in hook.requests]
    assert (len(got), len(set(got)), msg_id in got) == (3, 3, True)
    assert recoveries.recover(endpoint=endpoint, since=NOW, actor=admin, now=later).new == 0
    assert AuditEntry.objects.filter(action="webhook_recovered").count() == 2


def test_more_than_one_call_takes_is_gone_on_with(
    admin: User, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recoveries, "MOST", 2)
    for n in range(5):
        put(f"k{n}", at_minutes=n)
    endpoint = endpoints.create(name="Hook", url=hook.url, topics=["*"], actor=admin, now=NOW).endpoint
    later, since, calls = NOW + timedelta(hours=1), NOW, 0
    while True:
        done = recoveries.recover(endpoint=endpoint, since=since, actor=admin, now=later)
        calls += 1
        if done.next_since is None:
            break
        since = done.next_since
    assert (calls, Delivery.objects.count()) == (3, 5)


def test_catching_up_is_refused_for_others_and_for_long_ago(admin: User, rep: User, hook: Hook) -> None:
    endpoint = endpoints.create(name="Hook", url=hook.url, topics=["*"], actor=admin, now=NOW).endpoint
    put("a")
    Delivery.objects.all().delete()
    with pytest.raises(Denied):
        recoveries.recover(endpoint=endpoint, since=NOW, actor=rep, now=NOW)
    for since in (NOW - timedelta(days=31), NOW + timedelta(seconds=1)):
        with pytest.raises(Invalid):
            recoveries.recover(endpoint=endpoint, since=since, actor=admin, now=NOW)
    assert Delivery.objects.count() == 0


@pytest.mark.parametrize("wanted", ["deal.won", "handoff.deliverd", "nothing.*"])
def test_a_topic_that_nothing_tells_is_refused(admin: User, hook: Hook, wanted: str) -> None:
    with pytest.raises(Invalid, match="topics"):
        endpoints.create(name="Hook", url=hook.url, topics=[wanted], actor=admin, now=NOW)
    assert Endpoint.objects.count() == 0


def test_every_topic_that_the_code_puts_is_in_the_list() -> None:
    """A topic that is missing there could be asked for by nobody and chosen by no user."""
    known = {topic.name for topic in topics.topics()}
    kinds = {kind.code for kind in topics.kinds()}
    assert {topic.kind for topic in topics.topics()} - {""} == kinds
    missing = []
    for app in ("leads", "funnel", "sla", "reporting", "smarketing"):
        for path in sorted((PROJECT / app).rglob("*.py")):
            tree = ast.parse(path.read_text())
            for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
                named = [k.value for k in call.keywords if k.arg == "topic"]
                first = call.args[:1] if getattr(call.func, "id", "") in ("Entry", "_put") else []
                for value in (*named, *first):
                    if isinstance(value, ast.Constant) and value.value not in known:
                        missing.append(f"{path.relative_to(PROJECT)}: {value.value}")
    assert missing == []
