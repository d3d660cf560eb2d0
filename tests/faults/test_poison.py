"""F-22: what raises, hangs, swallows memory or kills its process harms no other (I-6); so with uploads."""

from __future__ import annotations

import base64
import contextlib
import select
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from smarketing.embedded.servers import used
from tests.faults.senders import SOURCE, server_key
from tests.faults.servers import PROJECT, Installation, environment, scenario, wait_for

pytestmark = [pytest.mark.fault, pytest.mark.quick]
INNOCENT = 300
POISON = {"raise": 3, "kill": 2, "sleep": 2, "swallow": 2}

# The product's loop, with an ``apply`` that does to poison what a bug might; started again whenever it dies.
_CONSUMER = """
import os, resource, signal, time
import django, psutil
django.setup()
from leads.services import inbox, tracking
from smarketing.core import clock
honest = tracking.apply
def apply(*, messages, now):
    for message in messages:
        if message.name == "raise": raise ValueError("poison")
        if message.name == "kill": os.kill(os.getpid(), signal.SIGKILL)
        if message.name == "sleep": time.sleep(300)
        if message.name == "swallow": bytearray(2**30)
    honest(messages=messages, now=now)
tracking.apply = apply
inbox.LEASE = inbox.LEASE / 60  # half a second, so that five deaths fit into a test
inbox.BATCH_SECONDS, inbox.ALONE_SECONDS = 2.0, 0.5
room = psutil.Process().memory_info().vms + 2**29  # half of what is swallowed
resource.setrlimit(resource.RLIMIT_AS, (room, resource.RLIM_INFINITY))
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
names = ["good"] * %d + [name for name, count in %r.items() for _ in range(count)]
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
        s.manage("shell", "-c", _ACCEPT % (SOURCE, INNOCENT, POISON))
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
        assert dead == POISON
        assert s.number("SELECT count(*) FROM leads_event") == INNOCENT
        assert s.number("SELECT max(attempts) FROM leads_deadletter") == 5
        assert deaths >= POISON["kill"] * 4  # the first may take several at once
        s.work = INNOCENT
        s.audit()


def test_a_gigabyte_that_is_uploaded_is_refused_and_fills_nothing(home: Path) -> None:
    """F-22: neither tracking nor a page keeps what it will not take."""
    with scenario(home, seed=22) as s:
        basic = base64.b64encode(f"{server_key(s)}:".encode()).decode()
        web = s.process("web")

        def resident() -> int:
            return sum(p.memory_info().rss for p in [web, *web.children(recursive=True)])

        before = resident()
        for path in ("/v1/batch", "/f/nothing", "/api/v1/imports"):
            status = _upload(s.address, path, basic, size=2**30)
            assert status in (401, 403, 404, 413), path
        assert resident() - before < 150 * 2**20
        assert s.status("/livez") == 200
        s.load(lambda: 1)
        s.audit()


def _upload(address: str, path: str, basic: str, *, size: int) -> int:
    """Send so much as far as the server listens; its answer."""
    host, _, port = address.removeprefix("http://").partition(":")
    block = b"x" * 2**20
    with socket.create_connection((host, int(port)), timeout=60) as link:
        head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {size}\r\n"
        link.sendall((head + f"Authorization: Basic {basic}\r\n\r\n").encode())
        with contextlib.suppress(ConnectionError):
            for _ in range(size // len(block)):
                link.sendall(block)
                if select.select([link], [], [], 0)[0]:
                    break  # it has answered already
        return int(link.recv(64).split()[1])
