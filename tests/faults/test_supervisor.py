"""``manage.py up`` keeps everything running, and leaves nothing running."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import psycopg2
import pytest

from tests.faults.servers import PARTS, Installation, scenario, wait_for

pytestmark = pytest.mark.fault


def database_answers(product: Installation) -> bool:
    try:
        return product.number("SELECT 1") == 1
    except psycopg2.Error:
        return False


def all_gone(product: Installation) -> bool:
    return not product.processes()


@pytest.mark.quick
def test_a_command_uses_the_running_servers_and_a_message_reaches_the_worker(home: Path) -> None:
    with scenario(home) as product:
        postgres = product.process("postgres").pid
        product.canary_flies()
        assert product.process("postgres").pid == postgres
        # What the supervisor asks every few seconds to know a deaf worker from a working one.
        asked = "from smarketing.core import supervisor; print(supervisor.canary_age())"
        assert 0 <= float(product.manage("shell", "--no-imports", "-c", asked)) < 60

        began = time.monotonic()
        assert product.stop() == 0
        assert time.monotonic() - began < 30
        wait_for(lambda: all_gone(product), seconds=10, what="nothing is left")


@pytest.mark.quick
def test_everything_killed_at_once_comes_back(home: Path) -> None:
    with scenario(home) as product:
        victims = {part: product.kill(part) for part in PARTS}
        for part, number in victims.items():
            product.back(part, instead_of=number)
        wait_for(lambda: product.status("/accounts/login/") == 200, what="the web is back")
        wait_for(lambda: database_answers(product), what="the database is back")
        product.canary_flies()


def test_a_killed_supervisor_leaves_no_process_behind_and_can_be_started_again(home: Path) -> None:
    with scenario(home) as product:
        product.supervisor.kill()
        product.supervisor.wait()
        wait_for(lambda: all_gone(product), seconds=40, what="nothing is left")
        product.start()
        assert product.status("/accounts/login/") == 200


def test_control_c_at_the_terminal_stops_everything(home: Path) -> None:
    with scenario(home) as product:
        assert product.stop(signal.SIGINT) == 0
        wait_for(lambda: all_gone(product), seconds=10, what="nothing is left")


def test_a_killed_pool_child_is_replaced(home: Path) -> None:
    with scenario(home) as product:
        product.canary_flies()
        number = product.kill_pool_child()
        wait_for(
            lambda: any(child.pid != number for child in product.process("worker").children()),
            what="another pool child",
        )
        product.canary_flies()
