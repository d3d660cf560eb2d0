"""Keepers: servers live exactly as long as somebody uses them, whatever is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import pytest

from smarketing.embedded import paths
from smarketing.embedded.process import StartError
from smarketing.embedded.servers import PROJECT, Use, used


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    for name in ("postgres", "valkey"):
        Use(name, tmp_path).stop()


def select_one(home: Path) -> int:
    link = psycopg2.connect(
        host=str(paths.socket_directory(home)), user=paths.ROLE, dbname=paths.DATABASE, connect_timeout=5
    )
    try:
        with link.cursor() as cursor:
            cursor.execute("SELECT 1")
            row = cursor.fetchone()
            return int(row[0]) if row else 0
    finally:
        link.close()


def soon(condition: Callable[[], bool], seconds: float = 15.0) -> bool:
    """Poll with a deadline instead of sleeping."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


def works(home: Path) -> bool:
    try:
        return select_one(home) == 1
    except psycopg2.OperationalError:
        return False


def postmaster(home: Path) -> int:
    return int((home / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0])


def test_two_users_share_one_server_and_the_last_one_ends_it(home: Path) -> None:
    first, second = Use("postgres", home), Use("postgres", home)
    first.join()
    keeper = first.keeper_pid()
    second.join()
    assert second.keeper_pid() == keeper
    first.leave()
    time.sleep(0.3)
    assert works(home)
    second.leave()
    assert soon(lambda: first.keeper_pid() is None)
    assert not works(home)


def test_a_server_that_dies_is_started_again(home: Path) -> None:
    with used(["postgres"], home):
        os.kill(postmaster(home), signal.SIGKILL)
        assert soon(lambda: works(home))


def test_a_killed_user_leaves_no_server_behind(home: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from smarketing.embedded.servers import Use;"
        "Use('valkey', Path(sys.argv[1])).join(); print('joined', flush=True); time.sleep(60)"
    )
    user = subprocess.Popen(
        [sys.executable, "-c", code, str(home)], cwd=PROJECT, stdout=subprocess.PIPE, start_new_session=True
    )
    assert user.stdout is not None
    assert user.stdout.readline() == b"joined\n"
    assert Use("valkey", home).keeper_pid() is not None
    user.kill()
    user.wait()
    user.stdout.close()
    assert soon(lambda: Use("valkey", home).keeper_pid() is None)


def test_a_killed_keeper_takes_its_server_along_and_is_replaced(home: Path) -> None:
    with used(["postgres"], home) as (use,):
        keeper = use.keeper_pid()
        assert keeper is not None
        os.kill(keeper, signal.SIGKILL)
        assert soon(lambda: use.keeper_pid() is None)
        use.ensure()
        assert use.keeper_pid() not in {None, keeper}
        assert works(home)


def test_what_a_power_cut_leaves_is_cleared_away(home: Path) -> None:
    with used(["postgres"], home):
        os.kill(Use("postgres", home).keeper_pid() or 0, signal.SIGKILL)
        assert soon(lambda: not works(home))
    # The file of a postmaster whose number now belongs to another program: this one.
    assert soon(lambda: not (home / "postgres" / "postmaster.pid").exists())
    (home / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n{home}/postgres\n")
    with used(["postgres"], home):
        assert works(home)


def test_data_of_another_version_are_refused_with_what_to_do(home: Path) -> None:
    with used(["postgres"], home):
        pass
    assert soon(lambda: Use("postgres", home).keeper_pid() is None)
    (home / "postgres" / "PG_VERSION").write_text("11\n")
    with pytest.raises(StartError, match="written by PostgreSQL 11"):
        Use("postgres", home).join()


def test_a_home_with_a_long_path_has_short_sockets(tmp_path: Path) -> None:
    home = tmp_path / ("long-" * 30)
    sockets = paths.socket_directory(home)
    assert len(os.fsencode(paths.postgres_socket(home))) <= 107
    with used(["postgres"], home):
        assert works(home)
        assert sockets.stat().st_mode & 0o777 == 0o700
    Use("postgres", home).stop()


def test_an_embedded_server_does_not_forget(home: Path) -> None:
    with used(["postgres"], home):
        link = psycopg2.connect(
            host=str(paths.socket_directory(home)), user=paths.ROLE, dbname=paths.DATABASE
        )
        with link.cursor() as cursor:
            cursor.execute(
                "SELECT name, setting FROM pg_settings WHERE name IN"
                " ('fsync', 'full_page_writes', 'synchronous_commit', 'data_checksums', 'listen_addresses')"
            )
            assert dict(cursor.fetchall()) == {
                "fsync": "on",
                "full_page_writes": "on",
                "synchronous_commit": "on",
                "data_checksums": "on",
                "listen_addresses": "",
            }
            cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
            assert cursor.fetchone() == (False,)
        link.close()
