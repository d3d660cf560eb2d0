"""The OpenAPI document and its page."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from django.core.management import call_command
from django.test import Client


def test_the_document_is_3_1_1_and_has_no_guesses(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn")
    document: dict[str, Any] = yaml.safe_load(capsys.readouterr().out)
    assert document["openapi"] == "3.1.1"
    assert all(path.startswith("/api/v1/") for path in document["paths"])
    problems = document["paths"]["/api/v1/users"]["get"]["responses"]["403"]["content"]
    assert list(problems) == ["application/problem+json"]


def test_the_docs_page_runs_scripts_of_ours_only(client: Client) -> None:
    page = client.get("/api/docs")
    assert page.status_code == 200
    policy = dict(part.strip().split(" ", 1) for part in page["Content-Security-Policy"].split(";"))
    assert set(policy["script-src"].split()) <= {"'self'"}
    assert b"<script>" not in page.content
    assert client.get("/api/docs?script=").headers["Content-Type"].startswith("application/javascript")


def test_unknown_addresses_answer_with_a_problem(client: Client) -> None:
    for path in ("/api/v1/nonsense", "/api/v1/users/", "/api/v2/users", "/api/"):
        response = client.get(path)
        assert response.status_code == 404
        assert response["Content-Type"] == "application/problem+json"
