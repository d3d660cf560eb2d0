"""The definition over the API."""

from __future__ import annotations

import pytest

from smarketing.users.models import User
from tests.rest import assert_problem, client_for

pytestmark = pytest.mark.django_db
DEFINITIONS = "/api/v1/definitions"


def test_the_version_in_force_is_told_as_data_and_in_sentences(olga: User) -> None:
    client = client_for(olga)
    current = client.get(f"{DEFINITIONS}/current").json()
    assert (current["number"], current["state"]) == (1, "in_force")
    assert client.get(f"{DEFINITIONS}/1").json() == current
    told = current["sentences"]
    assert "+25 when the company's employees is at least 50" in told["fit"]
    assert "+40 for: Form, when the event's name contains “demo” (counts once a day)" in told["interest"]
    assert "A1: Hand off" in told["cells"]
    assert len(told["fit"]) == len(current["body"]["fit"])
    assert len(told["interest"]) == len(current["body"]["signals"]) + 1


def test_the_list_leaves_the_documents_out(olga: User) -> None:
    client = client_for(olga)
    (row,) = client.get(f"{DEFINITIONS}?state=in_force").json()["results"]
    assert "body" not in row
    assert client.get(f"{DEFINITIONS}?state=draft").json()["results"] == []
    assert_problem(client.get(f"{DEFINITIONS}/{10**12}"), 404, "not_found")
    assert client.post(DEFINITIONS, {}, format="json").status_code == 405
