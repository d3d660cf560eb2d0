"""F-22: messages that raise, hang, swallow memory or kill their process harm no other (I-6)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from smarketing.embedded.servers import used
from tests.faults.senders import SOURCE
from tests.faults.servers import PROJECT, Installation, environment, wait_for

pytestmark = [pytest.mark.fault, pytest.mark.quick]
INNOCENT, RAISING, KILLING = 300, 3, 2

# The product's loop, with an ``apply`` that does to poison what a bug might; started again whenever it dies.
_CONSUMER = """
import os, signal, time
import django
django.setup()
from leads.services import inbox, tracking
from smarketing.core import clock
honest = tracking.apply
def apply(*, messages, now):
    for message in messages:
        if message.name == "raise": raise ValueError("poison")
        if message.name == "kill": os.kill(os.getpid(), signal.SIGKILL)
    honest(messages=messages, now=now)
tracking.apply = apply
inbox.LEASE = inbox.LEASE / 60  # half a second, so that five deaths fit into a test
while True:
    if not inbox.run_once(now=clock.now(), limit=100): time.sleep(0.05)
"""
_ACCEPT = """
import sys
from leads.domain.segment import Arrival, message_of
from leads.intake.calls import row_of
from leads.services import intake, sources
from smarketing.core import clock
now = clock.now()
source = sources.ensure(code="%s", name="Site", kind="web", now=now)
arrival = Arrival(source.pk, source.code, now)
names = ["good"] * %d + ["raise"] * %d + ["kill"] * %d
calls = [dict(type="track", event=name, messageId=f"m-{n}", anonymousId=f"a-{n %% 20}")
         for n, name in enumerate(names)]
intake.accept(rows=[row_of(message_of(call, arrival=arrival)) for call in calls])
"""
_HURRY = "UPDATE leads_eventinbox SET not_before = now() WHERE last_error <> '' AND not_before > now()"


def test_poison_becomes_dead_letters_and_innocents_become_events(home: Path) -> None:
    env = environment(home, SMARKETING_PROCESS="worker")
    deaths = 0

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", _CONSUMER], cwd=PROJECT, env=env)

    with used(["postgres"], home):
        s = Installation(home)
        s.manage("shell", "-c", _ACCEPT % (SOURCE, INNOCENT, RAISING, KILLING))
        consumer = start()
        try:

            def settled() -> bool:
                nonlocal consumer, deaths
                if consumer.poll() is not None:
                    deaths += 1
                    consumer = start()
                s.rows(_HURRY)
                return s.number("SELECT count(*) FROM leads_eventinbox") == 0

            wait_for(settled, seconds=240, what="an empty inbox")
        finally:
            consumer.kill()
            consumer.wait()
        dead = dict(s.rows("SELECT body->>'name', count(*) FROM leads_deadletter GROUP BY 1"))
        assert dead == {"raise": RAISING, "kill": KILLING}
        assert s.number("SELECT count(*) FROM leads_event") == INNOCENT
        assert s.number("SELECT max(attempts) FROM leads_deadletter") == 5
        assert deaths >= KILLING * 4  # the first may take several at once
        s.work = INNOCENT
        s.audit()
