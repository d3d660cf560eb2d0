"""The promise by the interface alone, told to a receiver that fails at random: nothing is lost."""

from __future__ import annotations

import http.server
import json
import random
import re
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient
from standardwebhooks.webhooks import Webhook

from sla.domain.calendars import WeeklyCalendar
from sla.models import Calendar, CalendarVersion
from sla.services import sweep
from smarketing.core import clock
from smarketing.notifications.models import Delivery, Outbox
from smarketing.notifications.services import deliveries, digests, outbox
from smarketing.users.domain.roles import Role
from smarketing.users.models import User
from tests.rest import client_for

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
MINUTE = timedelta(minutes=1)


@dataclass
class Receiver:
    """Takes two of three messages; the others are refused, delayed or taken and answered with an error."""

    url: str = ""
    dice: random.Random = field(default_factory=lambda: random.Random(6))
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)
    gone: bool = False

    def answer(self, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str]]:
        chance = self.dice.random()
        if self.gone:
            return 410, {}
        if chance < 0.15:
            return 503, {"Retry-After": "1"}
        self.got.append((headers, body))
        return (500, {}) if chance < 0.33 else (204, {})


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.OUTBOUND_NETWORKS = ["127.0.0.0/8"]
    made, lock = Receiver(), threading.Lock()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with lock:
                status, headers = made.answer({k.lower(): v for k, v in self.headers.items()}, body)
                made.answers[status] += 1
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_arguments: Any) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    made.url = f"http://127.0.0.1:{server.server_port}/hook"
    yield made
    server.shutdown()


class Api:
    """One colleague's program."""

    def __init__(self, role: Role, name: str) -> None:
        email = f"{name.split()[0].lower()}@example.com"
        self.user = User.objects.create(email=email, name=name, role=role)
        self.client: APIClient = client_for(self.user)

    def send(self, path: str, body: Any = None, status: int = 200, method: str = "post") -> Any:
        call = getattr(self.client, method)
        response = call(f"/api/v1/{path}", body or {}, format="json", headers={"if-match": "*"})
        assert response.status_code == status, response.content
        return response.json()

    def read(self, path: str) -> Any:
        response = self.client.get(f"/api/v1/{path}")
        assert response.status_code == 200, response.content
        return response.json()

    def sign(self, number: int) -> None:
        """A signature says again who signs."""
        self.user.set_password(PASSWORD)
        self.user.save(update_fields=["password"])
        digest = self.read(f"agreements/{number}")["digest"]
        self.send(f"agreements/{number}/sign", {"digest": digest, "password": PASSWORD})


def until_all_is_sent() -> None:
    """The loops, as if each pause between attempts had passed."""
    for _pass in range(40):
        now = clock.now()
        outbox.fan_out(now=now, limit=500)
        digests.run_once(now=now, limit=100)
        deliveries.run_once(now=now, limit=500)
        left = Delivery.objects.filter(state="pending")
        if not left.update(not_before=clock.now()):
            return
    raise AssertionError("the receiver never took everything")


def lead_of(marketing: Api, number: int) -> dict[str, Any]:
    person = {
        "first_name": f"Lead{number}",
        "last_name": "Lovelace",
        "email": f"lead{number}@initech.example",
        "title": "Director of Sales",
        "phone": f"+44 20 7946 00{number:02}",
    }
    company = {"name": "Initech", "domain": "initech.example"}
    body = {
        "person": person,
        "company": company,
        "origin": "webinar",
        "source": "tool",
        "external_id": f"w{number}",
    }
    return dict(marketing.send("leads", body, 201))


def agree(boss: Api, marketing: Api, sales: Api) -> None:
    now = clock.now()
    always = Calendar.objects.create(name="Always", created_at=now, updated_at=now)
    body = WeeklyCalendar.always().to_json()
    CalendarVersion.objects.create(calendar=always, number=1, body=body, created_at=now)
    draft = boss.send("agreements", {"base": "in_force"}, 201)
    promise = {
        "side": "sales", "metric": "first_response", "comparator": "<=", "target": "60", "period": "",
        "calendar": always.pk, "population": {}, "terms": {"managers_after_minutes": 30}, "grace_seconds": 0,
    }  # fmt: skip
    number = draft["number"]
    boss.send(f"agreements/{number}", {"clauses": [promise]}, method="patch")
    boss.send(f"agreements/{number}/propose")
    marketing.sign(number)
    sales.sign(number)
    assert boss.read("agreements/current")["number"] == number


def test_everything_by_the_interface_and_a_receiver_that_fails(receiver: Receiver) -> None:
    admin, mia = Api(Role.ADMIN, "Ada Admin"), Api(Role.MARKETING_MANAGER, "Mia Market")
    sam, rita = Api(Role.SALES_MANAGER, "Sam Seller"), Api(Role.REP, "Rita Rep")
    hook = admin.send("webhooks", {"name": "All", "url": receiver.url, "topics": ["*"]}, 201)
    agree(mia, mia, sam)
    # Nothing of it wakes the rep at night; the digest is for another day.
    rita.send("me/notices", {"kinds": [{"kind": "delivery", "mail": "daily"}]}, method="patch")

    won, returned, left = (lead_of(mia, n) for n in range(3))
    for lead in (won, returned, left):
        reason = {"owner": rita.user.pk, "override_reason": "asked for by name"}
        assert mia.send(f"leads/{lead['id']}/deliver", reason)["state"] == "delivered"
    waiting = {h["lead"]: h["id"] for h in rita.read("handoffs?state=delivered")["results"]}

    # One is answered in time and won.
    rita.send(f"handoffs/{waiting[won['id']]}/accept")
    rita.send("activities", {"person": won["person"]["id"], "kind": "call", "outcome": "reached"}, 201)
    need = {"need": "Fewer tools", "budget": "9000", "currency": "EUR"}
    rita.send(f"leads/{won['id']}/qualification", need)
    deal = {"lead": won["id"], "name": "Ten seats", "amount": "9000.00", "currency": "EUR"}
    deal = rita.send("opportunities", deal, 201)
    rita.send(f"opportunities/{deal['id']}/move", {"to": "won"})
    # One goes back, and is explained.
    rita.send(f"handoffs/{waiting[returned['id']]}/return", {"reason": "not_ready"})
    rita.send(f"handoffs/{waiting[returned['id']]}/explain", {"note": "Budget next year"})
    # One is left alone.
    for minutes in (61, 61, 120, 120):
        sweep.run_once(now=clock.now() + minutes * MINUTE)
    (broken,) = rita.read("clocks?state=breached_open&kind=respond")["results"]
    assert broken["lead"] == left["id"]

    until_all_is_sent()
    assert min(receiver.answers[status] for status in (204, 500, 503)) > 0

    # Every fact came, signed, as one message however often it was sent.
    messages: dict[str, dict[str, Any]] = {}
    for headers, body in receiver.got:
        told = Webhook(hook["secret"]).verify(body, headers)
        assert messages.setdefault(headers["webhook-id"], told) == told
    assert len(messages) == Outbox.objects.exclude(topic="digest").count()
    count = Counter(message["type"] for message in messages.values())
    assert {topic: count[topic] for topic in STORY} == STORY
    breach = next(m["data"] for m in messages.values() if m["type"] == "clock.breached")
    assert (breach["lead_id"], breach["owner_id"], breach["promise"]) == (left["id"], rita.user.pk, "respond")
    assert set(count) <= {topic["name"] for topic in admin.read("webhook-topics")["topics"]}

    # What people were told, by the same interface; the mail waits for its digest.
    texts = [note["text"] for note in rita.read("notifications")["results"]]
    assert sum("was delivered to you" in text for text in texts) == 3
    assert sum("is overdue" in text for text in texts) == 1
    assert Delivery.objects.filter(email=rita.user.email, outbox__topic="handoff.delivered").count() == 0

    # A message again, and all that was missed; then the receiver is gone and switched off.
    sent = admin.read(f"webhook-deliveries?endpoint={hook['endpoint']['id']}&limit=1")["results"][0]
    admin.send(f"webhook-deliveries/{sent['id']}/replay")
    path = f"webhooks/{hook['endpoint']['id']}"
    assert admin.send(f"{path}/recover", {"since": hook["endpoint"]["created_at"]}) == {
        "again": 0, "new": 0, "next_since": None,
    }  # fmt: skip
    receiver.gone = True
    until_all_is_sent()
    until_all_is_sent()  # and the admins hear of it
    shown = admin.read(path)
    assert (shown["enabled"], shown["disabled_reason"]) == (False, "The receiver answered 410 Gone.")
    assert re.search("was switched off", admin.read("notifications")["results"][0]["text"])
    assert json.dumps(shown).find(hook["secret"]) == -1


STORY = {
    "agreement.proposed": 1,
    "agreement.signed": 2,
    "agreement.in_force": 1,
    "lead.captured": 3,
    "handoff.delivered": 3,
    "handoff.accepted": 1,
    "handoff.returned": 1,
    "handoff.explained": 1,
    "attempt.logged": 1,
    "clock.met": 1,
    "clock.warning": 3,
    "clock.breached": 1,
    "clock.escalated": 1,
    "opportunity.opened": 1,
    "opportunity.won": 1,
}
