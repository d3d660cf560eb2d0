"""An import whose process is killed in the middle changes nothing by halves, and is taken up again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from smarketing.embedded.servers import used
from tests.faults.servers import PROJECT, Installation, environment, wait_for

pytestmark = [pytest.mark.fault, pytest.mark.quick]
ROWS = 5_000  # seconds of writing
_ASK = """
from leads.services.imports import asking, uploads
from smarketing.core import clock
from smarketing.users.domain.roles import Role
from smarketing.users.services import users
now = clock.now()
actor = users.create(name="Mara", email="mara@x.example", role=Role.MARKETING_MANAGER, actor=None, now=now)
lines = ["Lead ID,First Name,Email,Create Date"]
lines += [f"L{n},Ada {n},ada{n}@example.com,2025-01-02" for n in range(%d)]
run = uploads.receive(chunks=["\\n".join(lines).encode()], file_name="leads.csv", kind="leads",
                      source="HubSpot", actor=actor, now=now)
columns = {"Lead ID": "external_id", "First Name": "first_name", "Email": "email",
           "Create Date": "captured_at"}
run = uploads.map_columns(run=run, columns=columns, now=now)
asking.start(run=run, actor=actor, unchecked=True, now=now)
"""
_RUN = "SELECT state, attempts, created_count FROM leads_importrun"
_OTHERS = " FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
# Whoever has written for a while and not committed: no statement of it needs to be met by chance.
_BUSY = f"SELECT count(*) {_OTHERS} AND backend_xid IS NOT NULL AND now() - xact_start > interval '0.3 s'"  # noqa: S608
_OPEN = f"SELECT count(*) {_OTHERS} AND xact_start IS NOT NULL"  # noqa: S608


def test_a_killed_import_leaves_nothing_of_it_and_goes_in_whole_with_the_next_process(home: Path) -> None:
    env = environment(home, SMARKETING_PROCESS="worker")

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "manage.py", "runimports"], cwd=PROJECT, env=env)

    with used(["postgres"], home):
        s = Installation(home)

        def ask() -> int:
            s.manage("shell", "-c", _ASK % ROWS)
            return ROWS

        def has_begun() -> bool:
            return bool(s.rows(_RUN)[0][0] == "running" and s.rows(_RUN)[0][1] == 1)

        def is_writing() -> bool:
            return bool(s.rows(_RUN)[0][1] == 2 and s.number(_BUSY) > 0)

        s.load(ask)
        for attempt, moment in enumerate((has_begun, is_writing), start=1):
            process = start()
            try:
                wait_for(moment, seconds=60, what=f"the moment of attempt {attempt}")
            finally:
                process.kill()
                process.wait()
            wait_for(lambda: s.number(_OPEN) == 0, seconds=120, what="the end of its transaction")
            assert s.rows("SELECT state, attempts FROM leads_importrun") == [("running", attempt)]
            for table in ("leads_lead", "leads_person", "funnel_leadstate", "leads_importtrace"):
                assert s.number(f"SELECT count(*) FROM {table}") == 0  # noqa: S608
        process = start()
        try:
            wait_for(lambda: s.rows(_RUN)[0][0] == "done", seconds=120, what="the import")
        finally:
            process.kill()
            process.wait()
        assert s.rows(_RUN) == [("done", 3, ROWS)]
        for table in ("leads_lead", "leads_person", "funnel_leadstate", "leads_touchpoint"):
            assert s.number(f"SELECT count(*) FROM {table}") == ROWS  # noqa: S608
        s.audit()
