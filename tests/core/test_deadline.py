"""A database that falls silent costs seconds, not for ever (F-19)."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import psycopg2
import pytest
from django.db import connection
from psycopg2 import extensions

from smarketing.core import deadline

pytestmark = pytest.mark.django_db


@pytest.fixture
def half_a_second() -> Iterator[None]:
    deadline.install(seconds=0.5)
    yield
    extensions.set_wait_callback(None)


@pytest.mark.usefixtures("half_a_second")
def test_a_slow_query_is_cut_and_a_quick_one_is_not() -> None:
    parameters = {**connection.get_connection_params()}
    parameters.pop("cursor_factory", None)
    link = psycopg2.connect(**parameters)
    with link.cursor() as cursor:
        cursor.execute("SELECT sum(n) FROM generate_series(1, 1000) n")
        assert cursor.fetchone() == (500500,)
        started = time.monotonic()
        with pytest.raises(psycopg2.OperationalError, match="did not answer"):
            cursor.execute("SELECT pg_sleep(3)")
    assert time.monotonic() - started < 1.5
    assert link.closed


@pytest.mark.usefixtures("half_a_second")
def test_a_server_that_takes_the_connection_and_says_nothing_is_given_up() -> None:
    silent = socket.create_server(("127.0.0.1", 0))
    held: list[socket.socket] = []
    threading.Thread(target=lambda: held.append(silent.accept()[0]), daemon=True).start()
    started = time.monotonic()
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(host="127.0.0.1", port=silent.getsockname()[1], user="x", dbname="x")
    assert time.monotonic() - started < 2
    silent.close()
