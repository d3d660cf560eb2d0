"""While the database can't be reached every answer is a 503 that says when to try again, never a 500."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from django.test import Client

from smarketing.users.models import User
from tests.rest import assert_problem, client_for

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def database_away() -> Iterator[None]:
    """The next connection finds nobody; the present one is gone."""
    host = connection.settings_dict["HOST"]
    connection.close()
    connection.settings_dict["HOST"] = "/nowhere"
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["HOST"] = host


def test_the_interface_answers_503_to_reads_and_writes(person: Callable[..., User]) -> None:
    client = client_for(person())
    with database_away():
        for answer in (
            client.get("/api/v1/leads"),
            client.post("/api/v1/leads", {"person": {"email": "a@new.example"}}, format="json"),
        ):
            assert_problem(answer, 503, "unavailable")
            assert answer["Retry-After"] == "5"
    assert client.get("/api/v1/leads").status_code == 200


def test_pages_answer_503_whether_the_session_or_the_page_needs_it(person: Callable[..., User]) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(person())
    with database_away():
        answer = client.get("/leads/")
        assert (answer.status_code, answer["Retry-After"]) == (503, "5")
        assert b"Temporarily unavailable" in answer.content
    assert client.get("/leads/").status_code == 200
