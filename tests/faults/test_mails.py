"""Mails of quiet hours and digests survive kills of their sender: none lost, none in two mails (F-28)."""

from __future__ import annotations

import email
import email.policy
import random
import re
import socket
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from aiosmtpd.controller import Controller

from smarketing.embedded import paths
from smarketing.embedded.servers import used
from tests.faults.servers import PROJECT, environment, manage, wait_for

pytestmark = pytest.mark.fault
NOTICES, KILLS = 240, 5

_CHOOSE = """
from datetime import time
from smarketing.core import clock
from smarketing.notifications.domain.quiet import Rhythm
from smarketing.notifications.selectors.preferences import Wish
from smarketing.notifications.services import preferences
from smarketing.users.models import User
now = clock.now()
local = [time((now.hour + h) % 24) for h in (23, 2)]
for user in User.objects.filter(email__startswith="quiet"):
    hours = preferences.Hours(quiet_from=local[0], quiet_until=local[1])
    preferences.choose(user=user, choices={}, hours=hours, version=None, now=now)
for user in User.objects.filter(email__startswith="daily"):
    wishes = {"delivery": Wish(mail=Rhythm.DAILY)}
    preferences.choose(user=user, choices=wishes, hours=preferences.Hours(), version=None, now=now)
"""
_PUT = """
INSERT INTO notifications_outbox (dedupe_key, topic, payload, notice)
SELECT 'k' || n, 'handoff.delivered', '{}',
       jsonb_build_object('text', 'notice-' || n || '.', 'mail', true,
                          'user_ids', (SELECT jsonb_agg(id) FROM users_user WHERE email IS NOT NULL))
  FROM generate_series(1, %s) n
"""


class Sink:
    """Takes mails, and now and then says that it is busy."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, str, str]] = []
        self.lock = threading.Lock()
        self.busy = 0

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        body = message.get_body(("plain",))
        with self.lock:
            self.busy += 1
            if self.busy % 25 == 0:
                return "451 busy"
            told = (envelope.rcpt_tos[0], message["Message-ID"], body.get_content() if body else "")
            self.mails.append(told)
        return "250 OK"


def test_kills_of_the_sender_lose_no_mail_and_tell_nothing_in_two(home: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    sink, dice = Sink(), random.Random(4)
    server = Controller(sink, hostname="127.0.0.1", port=port)
    server.start()
    env = environment(
        home,
        SMARKETING_PROCESS="worker",
        EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend",
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=str(port),
    )

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "manage.py", "runloops", "outbox", "digests", "deliveries"]
        return subprocess.Popen(command, cwd=PROJECT, env=env, stdout=subprocess.DEVNULL)

    with used(["postgres"], home):
        for name in ("once", "quiet", "daily"):
            manage(
                home,
                "adduser",
                "--role",
                "rep",
                "--name",
                name,
                "--email",
                f"{name}@example.com",
                "--no-password",
            )
        subprocess.run(
            [sys.executable, "manage.py", "shell", "-c", _CHOOSE], cwd=PROJECT, env=env, check=True
        )
        link = psycopg2.connect(
            host=str(paths.socket_directory(home)), user=paths.ROLE, dbname=paths.DATABASE
        )
        link.autocommit = True
        cursor = link.cursor()
        cursor.execute(_PUT, [NOTICES])

        def pending() -> int:
            cursor.execute("UPDATE notifications_delivery SET not_before = now() WHERE state = 'pending'")
            # The night is over again and again, so that digests are made while their maker dies.
            cursor.execute("UPDATE notifications_waitingmail SET due_at = now() WHERE settled_at IS NULL")
            cursor.execute(
                "SELECT (SELECT count(*) FROM notifications_delivery WHERE state = 'pending')"
                " + (SELECT count(*) FROM notifications_outbox WHERE fanned_out_at IS NULL)"
                " + (SELECT count(*) FROM notifications_waitingmail WHERE settled_at IS NULL)"
            )
            (count,) = cursor.fetchone() or (0,)
            return int(count)

        sender = start()
        try:
            for _ in range(KILLS):
                enough = len(sink.mails) + dice.randint(5, 30)
                wait_for(lambda goal=enough: pending() and len(sink.mails) >= goal, what="some mails")  # type: ignore[misc]
                sender.kill()
                sender.wait()
                cursor.execute("UPDATE notifications_delivery SET lease_until = NULL WHERE state = 'pending'")
                sender = start()
            wait_for(lambda: pending() == 0, what="all sent")
        finally:
            sender.kill()
            sender.wait()
            server.stop()
        manage(home, "audit")
        link.close()
    for name in ("once", "quiet", "daily"):
        of_user = {key: text for to, key, text in sink.mails if to == f"{name}@example.com"}
        told = Counter(n for text in of_user.values() for n in re.findall(r"notice-\d+\.", text))
        assert set(told) == {f"notice-{n}." for n in range(1, NOTICES + 1)}  # none lost
        assert set(told.values()) == {1}  # none in two mails
    repeated = len(sink.mails) - len({key for _to, key, _text in sink.mails})
    assert repeated <= 2 * KILLS  # a mail in flight when its sender dies comes again as the same message
