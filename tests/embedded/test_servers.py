"""The embedded servers: started for whoever needs them, stopped after the last one."""

from __future__ import annotations

import pytest
from django.db import connection

from smarketing import env


@pytest.mark.django_db
def test_the_database_of_the_tests_keeps_its_promises() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('fsync'), current_setting('synchronous_commit')")
        assert cursor.fetchone() == ("on", "on")


@pytest.mark.django_db(transaction=True)
def test_what_a_test_commits_is_gone_afterwards() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE left_behind (id int)")


@pytest.mark.django_db(transaction=True)
def test_nothing_is_left_of_the_test_before() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('left_behind')")
        assert cursor.fetchone() == (None,)


def test_the_tests_have_a_home_of_their_own() -> None:
    assert env.HOME != env.BASE_DIR / "var"
    assert env.TESTING
