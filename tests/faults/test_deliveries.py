"""Webhooks survive the death of their sender: none lost, few repeated (F-28, I-22)."""

from __future__ import annotations

import http.server
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import psycopg2
import pytest

from smarketing.embedded import paths
from smarketing.embedded.servers import used
from tests.faults.servers import PROJECT, environment, manage, wait_for

pytestmark = pytest.mark.fault
MESSAGES, KILLS, FAILS_EVERY = 300, 6, 20

_ADD_RECEIVER = """
from smarketing.core import clock
from smarketing.notifications.services import endpoints
from smarketing.users.models import User
endpoints.create(name="r", url="{url}", topics=["*"], actor=User.objects.get(role="admin"), now=clock.now())
"""
_PUT = """
INSERT INTO notifications_outbox (dedupe_key, topic, payload)
SELECT 'k' || n, 'opportunity.won', jsonb_build_object('id', n) FROM generate_series(1, %s) n
"""


class Receiver(http.server.BaseHTTPRequestHandler):
    """Takes 19 of 20 messages."""

    got: Counter[str] = Counter()
    failed = 0
    lock = threading.Lock()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        with Receiver.lock:
            Receiver.got[self.headers["webhook-id"]] += 1
            fails = sum(Receiver.got.values()) % FAILS_EVERY == 0
            Receiver.failed += fails
        self.send_response(500 if fails else 204)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        return


def test_kills_of_the_sender_lose_nothing(home: Path) -> None:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    env = environment(home, OUTBOUND_NETWORKS="127.0.0.0/8", SMARKETING_PROCESS="worker")
    dice = random.Random(1)

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "manage.py", "runloops", "outbox", "deliveries"]
        return subprocess.Popen(command, cwd=PROJECT, env=env, stdout=subprocess.DEVNULL)

    with used(["postgres"], home):
        manage(home, "adduser", "--role", "admin", "--name", "A", "--email", "a@example.com", "--no-password")
        script = _ADD_RECEIVER.format(url=f"http://127.0.0.1:{server.server_port}/hook")
        subprocess.run(
            [sys.executable, "manage.py", "shell", "-c", script], cwd=PROJECT, env=env, check=True, timeout=60
        )
        link = psycopg2.connect(
            host=str(paths.socket_directory(home)), user=paths.ROLE, dbname=paths.DATABASE
        )
        link.autocommit = True
        cursor = link.cursor()
        cursor.execute(_PUT, [MESSAGES])

        def pending() -> int:
            cursor.execute(
                "SELECT count(*) FROM notifications_delivery WHERE state = 'pending'"
                " UNION ALL SELECT count(*) FROM notifications_outbox WHERE fanned_out_at IS NULL"
            )
            return sum(int(row[0]) for row in cursor.fetchall())

        sender = start()
        try:
            for _ in range(KILLS):
                seen = sum(Receiver.got.values())
                enough = seen + dice.randint(5, 40)
                wait_for(lambda goal=enough: sum(Receiver.got.values()) >= goal, what="some messages")  # type: ignore[misc]
                sender.kill()
                sender.wait()
                # What the dead one held is repeated when its lease runs out; tests need not wait for that.
                cursor.execute(
                    "UPDATE notifications_delivery SET lease_until = NULL WHERE lease_until IS NOT NULL"
                )
                sender = start()
            deadline = time.monotonic() + 60
            while pending() and time.monotonic() < deadline:
                cursor.execute("UPDATE notifications_delivery SET not_before = now() WHERE state = 'pending'")
                time.sleep(0.5)
            assert pending() == 0
        finally:
            sender.kill()
            sender.wait()
        manage(home, "audit")
        link.close()
    server.shutdown()
    repeated = sum(Receiver.got.values()) - len(Receiver.got)
    assert len(Receiver.got) == MESSAGES  # none lost
    assert repeated <= Receiver.failed + 2 * KILLS + 2
