"""A process that dies after its commit and before what follows it loses no effect (F-27, I-21)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psycopg2
import pytest

from smarketing.embedded import paths
from smarketing.embedded.servers import used
from tests.faults.servers import PROJECT, environment, manage

pytestmark = pytest.mark.fault
DEATHS = 3

# The nudge after the commit is where the process goes: no broker has heard of the row.
_DIE = """
import os
from django.db import transaction
from smarketing.core import clock, loops
from smarketing.notifications.services import outbox
loops.sender.send = lambda _loop: os._exit(9)
with transaction.atomic():
    outbox.put(topic="lead.captured", payload={}, dedupe_key="death-%(n)d", now=clock.now(),
               notify=outbox.Notice(text="Still told", user_ids=(%(user)d,)))
"""
_FIND = """
from smarketing.core import clock, loops
print(loops.get("outbox").run_once(now=clock.now(), limit=100))
"""


def test_what_was_committed_is_found_by_the_next_sweep(home: Path) -> None:
    env = environment(home, SMARKETING_PROCESS="worker")
    with used(["postgres"], home):
        manage(home, "adduser", "--role", "rep", "--name", "R", "--email", "r@example.com", "--no-password")
        link = psycopg2.connect(
            host=str(paths.socket_directory(home)), user=paths.ROLE, dbname=paths.DATABASE
        )
        link.autocommit = True
        cursor = link.cursor()
        cursor.execute("SELECT id FROM users_user WHERE email = 'r@example.com'")
        (user,) = cursor.fetchone() or (0,)
        for n in range(DEATHS):
            script = _DIE % {"n": n, "user": user}
            died = subprocess.run(
                [sys.executable, "manage.py", "shell", "-c", script],
                cwd=PROJECT,
                env=env,
                check=False,
                timeout=60,
            )
            assert died.returncode == 9
        cursor.execute("SELECT count(*) FROM notifications_outbox WHERE fanned_out_at IS NULL")
        assert cursor.fetchone() == (DEATHS,)
        assert manage(home, "shell", "-c", _FIND).split()[-1] == str(DEATHS)
        cursor.execute("SELECT count(*) FROM notifications_notification WHERE text = 'Still told'")
        assert cursor.fetchone() == (DEATHS,)
        manage(home, "audit")
        link.close()
