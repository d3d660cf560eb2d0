"""Clocks after hours without any sweep, under kills and crashes (F-12, F-13, F-14, F-15; I-8, I-9)."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import psutil
import psycopg2
import pytest

from smarketing.embedded import paths
from smarketing.embedded.servers import used
from tests.faults.servers import PROJECT, environment, manage, wait_for

pytestmark = pytest.mark.fault
CLOCKS, LEVELS, SWEEPERS, KILLS, HELD = 12_000, 4, 3, 6, 10

_BEGIN = """
from datetime import timedelta
from smarketing.core import clock
from funnel.services import handoffs
from tests.sla.conftest import deliver, make_lead, make_user
now = clock.now() - timedelta(hours=6)
rep = make_user("rep", "Rita Rep")
for n in range(20):
    lead = make_lead(f"Lead {n}", now - timedelta(hours=1))
    handoffs.accept(handoff=deliver(rep, now, lead=lead), actor=rep, now=now)
"""
# Clones of the first responses, whose four levels came due one after the other in the last five hours.
_CLONE = """
CREATE TEMPORARY TABLE model AS SELECT c.*, row_number() OVER (ORDER BY c.id) - 1 AS n
  FROM sla_clock c WHERE kind = 'respond';
ALTER TABLE model DROP COLUMN id;
INSERT INTO funnel_handoff ({handoff})
SELECT {handoff_of} FROM funnel_handoff h, generate_series(1, %(each)s);
INSERT INTO sla_clock ({clock}, handoff_id, thresholds, fired, next_at, due_at)
SELECT {clock_of}, h.id, t.levels, 0, t.first, t.breach
  FROM funnel_handoff h JOIN model m ON m.n = h.id %% 20,
       LATERAL (SELECT jsonb_agg(jsonb_build_object('level', l, 'name', 'n' || l, 'at', at,
                       'kind', CASE l WHEN 4 THEN 'breach' ELSE 'warning' END) ORDER BY l) AS levels,
                       min(at) AS first, max(at) AS breach
                  FROM (SELECT l, now() - interval '5 hours' + l * interval '1 hour'
                               + (h.id %% 3000) * interval '1 second' / 3 AS at
                          FROM generate_series(1, 4) l) x) t
 WHERE NOT EXISTS (SELECT 1 FROM sla_clock c WHERE c.handoff_id = h.id)
"""
_COLUMNS = """
SELECT string_agg(column_name, ', '), string_agg(%(prefix)s || column_name, ', ')
  FROM information_schema.columns
 WHERE table_name = %(table)s AND column_name <> ALL (%(without)s)
"""
_FIRED = "SELECT count(*) FROM sla_clockevent"
_FIRED_OF = "SELECT count(*) FROM sla_clockevent WHERE clock_id = ANY (%s)"
_DUE = "SELECT count(*) FROM sla_clock WHERE next_at < now()"
_DUE_ROWS = "SELECT id FROM sla_clock WHERE next_at < now()"
_WRONG = """
SELECT count(*) FROM sla_clock c CROSS JOIN LATERAL jsonb_array_elements(c.thresholds) t
  FULL JOIN sla_clockevent e ON e.clock_id = c.id AND e.level = (t->>'level')::int
 WHERE (t->>'at')::timestamptz < %s AND e.due_at IS DISTINCT FROM (t->>'at')::timestamptz
"""
_TOLD = "SELECT count(*) FROM notifications_outbox WHERE topic IN ('clock.warning', 'clock.breached')"


def test_five_hours_of_levels_fire_once_whatever_happens_to_the_sweepers(home: Path) -> None:
    env = environment(home, SMARKETING_PROCESS="worker", SMARKETING_TESTING="")
    dice = random.Random(14)

    def sweeper() -> subprocess.Popen[bytes]:
        command = [sys.executable, "manage.py", "runloops", "clocks"]
        return subprocess.Popen(command, cwd=PROJECT, env=env, stdout=subprocess.DEVNULL)

    def connect() -> psycopg2.extensions.connection:
        link = psycopg2.connect(
            host=str(paths.socket_directory(home)), user=paths.ROLE, dbname=paths.DATABASE
        )
        link.autocommit = True
        return link

    def number(query: str, *parameters: object) -> int:
        try:
            with connect() as link, link.cursor() as cursor:
                cursor.execute(query, parameters)
                return int((cursor.fetchone() or (0,))[0])
        except psycopg2.Error:
            return -1  # it is coming up again

    with used(["postgres"], home):
        manage(home, "shell", "-c", _BEGIN)
        link = connect()
        cursor = link.cursor()
        without = ["id", "handoff_id", "thresholds", "fired", "next_at", "due_at"]
        cursor.execute(_COLUMNS, {"prefix": "m.", "table": "sla_clock", "without": without})
        clock, clock_of = cursor.fetchone() or ("", "")
        cursor.execute(_COLUMNS, {"prefix": "h.", "table": "funnel_handoff", "without": ["id"]})
        handoff, handoff_of = cursor.fetchone() or ("", "")
        names = {"clock": clock, "clock_of": clock_of, "handoff": handoff, "handoff_of": handoff_of}
        cursor.execute(_CLONE.format(**names), {"each": CLOCKS // 20})
        cursor.execute("ANALYZE sla_clock; ANALYZE funnel_handoff")
        began = number(_FIRED)
        due = number(_DUE)
        assert due >= CLOCKS

        held = connect()
        held.autocommit = False
        holder = held.cursor()
        holder.execute(
            "SELECT id FROM sla_clock WHERE next_at < now() ORDER BY next_at LIMIT %s FOR UPDATE", [HELD]
        )
        stuck = [row[0] for row in holder.fetchall()]

        started = time.monotonic()
        runners = [sweeper() for _n in range(SWEEPERS)]
        try:
            for kill in range(KILLS):
                goal = number(_FIRED) + dice.randint(1, 3000)
                wait_for(lambda goal=goal: number(_FIRED) >= min(goal, began + due * 2), what="some levels")  # type: ignore[misc]
                victim = dice.randrange(SWEEPERS)
                runners[victim].kill()
                runners[victim].wait()
                if kill == KILLS // 2:  # the others fire, and what is stuck fires when it is released
                    wait_for(lambda: 0 <= number(_DUE) <= HELD, what="all but the stuck ones")
                    assert number(_FIRED_OF, stuck) == 0
                    held.rollback()
                    cursor.execute("SELECT pg_backend_pid()")
                    backend = (cursor.fetchone() or (0,))[0]
                    psutil.Process(backend).kill()  # PostgreSQL goes through its recovery
                runners[victim] = sweeper()
            wait_for(lambda: number(_DUE) == 0, what="all fired")
            seconds = time.monotonic() - started
        finally:
            for runner in runners:
                runner.kill()
                runner.wait()
        print(f"{due} clocks, {due * LEVELS} levels in {seconds:.1f} s with {KILLS} kills and a crash")  # noqa: T201
        assert number(_WRONG, "now") == 0
        assert number(_FIRED) - began >= CLOCKS * LEVELS
        assert number(_TOLD) >= CLOCKS * LEVELS
        manage(home, "audit", "--only", "I-8")
        manage(home, "audit", "--only", "I-9")
