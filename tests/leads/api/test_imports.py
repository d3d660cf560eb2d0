"""Imports for programs: a file, its state, its faults, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from leads.models import ImportRun, ImportState, Lead
from leads.services.imports import execution, files
from smarketing.users.models import User
from tests.importing import NOW
from tests.rest import assert_problem, client_for

pytestmark = pytest.mark.django_db

ADDRESS = "/api/v1/imports"
LEADS = (
    "Lead ID,First Name,Email,Create Date\nL1,Ada,ada@example.com,2025-01-02\nL2,Bob,nonsense,2025-01-03\n"
)


@pytest.fixture(autouse=True)
def _home(settings: Any, tmp_path: Path) -> None:
    settings.HOME = tmp_path


@pytest.fixture
def api(mara: User) -> APIClient:
    return client_for(mara)


def work() -> None:
    execution.work(clock=lambda: NOW, watch=execution.unwatched)


def send(api: APIClient, text: str = LEADS, **more: str) -> Any:
    file = SimpleUploadedFile("leads.csv", text.encode())
    return api.post(ADDRESS, {"kind": "leads", "source": "HubSpot", "file": file, **more}, format="multipart")


def test_a_file_is_checked_mended_started_and_taken_back(api: APIClient) -> None:
    response = send(api, then="check")
    assert response.status_code == 201, response.content
    body = response.json()
    assert (body["state"], body["source"], body["columns"]["Email"]) == ("checking", "hubspot", "email")
    run = f"{ADDRESS}/{body['id']}"
    assert response["Location"].endswith(run)
    work()
    report = api.get(run).json()["check_report"]
    assert (report["created"], report["rejected"]) == (1, 1)
    assert api.get(f"{run}/errors").json() == {
        "results": [{"row": 3, "line": 3, "column": "Email", "reason": "Email is not an e-mail address."}],
        "next": None,
    }
    fixed = {"row": 3, "column": "Email", "text": "bob@example.com"}
    assert api.post(f"{run}/correct", fixed, format="json").status_code == 200
    assert api.post(f"{run}/start", {}, format="json").json()["state"] == "waiting"
    work()
    body = api.get(run).json()
    assert (body["state"], body["created_count"], body["rejected_count"]) == ("done", 2, 0)
    assert api.post(f"{run}/undo", {}, format="json").json()["state"] == "undoing"
    work()
    body = api.get(run).json()
    assert (body["state"], body["undo_report"]["removed"]["leads"]) == ("undone", 2)
    assert not Lead.objects.exists()


def test_the_body_may_be_the_file_itself(api: APIClient) -> None:
    address = f"{ADDRESS}?kind=leads&source=hubspot&file_name=a.csv&then=import"
    response = api.generic("POST", address, LEADS.encode(), content_type="text/csv")
    assert response.status_code == 201, response.content
    assert (response.json()["state"], response.json()["file_name"]) == ("waiting", "a.csv")
    work()
    assert api.get(f"{ADDRESS}/{response.json()['id']}").json()["created_count"] == 1


def test_the_same_key_is_one_upload(api: APIClient) -> None:
    address = f"{ADDRESS}?kind=leads&source=hubspot"
    first, second = (
        api.generic(
            "POST", address, LEADS.encode(), content_type="text/csv", headers={"Idempotency-Key": "once"}
        )
        for _ in range(2)
    )
    assert (first.json()["id"], second["Idempotent-Replayed"]) == (second.json()["id"], "true")
    assert ImportRun.objects.count() == 1


def test_columns_are_named_by_the_program(api: APIClient) -> None:
    run = f"{ADDRESS}/{send(api).json()['id']}"
    body = {"columns": {"First Name": "-", "Lead ID": "+"}, "key": "email", "dates": "dmy"}
    answer = api.post(f"{run}/columns", body, format="json")
    assert answer.status_code == 200, answer.content
    assert answer.json()["columns"] == {
        "Lead ID": "+",
        "First Name": "-",
        "Email": "email",
        "Create Date": "captured_at",
    }
    problem = assert_problem(
        api.post(f"{run}/columns", {"columns": {"Nope": "email"}}, format="json"), 422, "invalid"
    )
    assert problem["errors"][0]["pointer"] == "/columns/Nope"
    assert_problem(
        api.post(f"{run}/columns", {"columns": {"Email": "no_such"}}, format="json"), 422, "bad_option"
    )


def test_what_can_not_be_taken_is_a_problem_and_leaves_nothing(api: APIClient) -> None:
    assert_problem(send(api, ""), 422, "unreadable_file")
    assert_problem(send(api, "<html><body>sign in</body></html>"), 422, "unreadable_file")
    assert_problem(send(api, "email,name\nann@example.com,\x00Ann\n"), 422, "unreadable_file")
    huge = f'email,name\nann@example.com,"{"x" * 10_000_000}"\n'
    assert_problem(send(api, huge, then="check"), 422, "unreadable_file")
    assert_problem(send(api, kind="users"), 403, "denied")
    assert_problem(send(api, kind="planets"), 422, "unknown_kind")
    assert_problem(send(api, "colour,taste\nred,sweet\n", then="import"), 422, "unreadable_file")
    problem = assert_problem(api.post(ADDRESS, {"kind": "leads"}, format="multipart"), 422, "invalid")
    assert [error["pointer"] for error in problem["errors"]] == ["/source", "/file"]
    assert api.post(ADDRESS, {"kind": "leads"}, format="json").status_code == 415
    assert not ImportRun.objects.exists()
    assert list(files.folder().iterdir()) == []


def test_who_may_not_import_gets_nothing_and_a_foreign_run_reads_as_absent(
    api: APIClient, rita: User, mara: User, adam: User
) -> None:
    users = SimpleUploadedFile("u.csv", b"name,email\nA,a@x.example\n")
    made = client_for(adam).post(
        ADDRESS, {"kind": "users", "source": "HR", "file": users}, format="multipart"
    )
    run = made.json()["id"]
    for path in (f"{ADDRESS}/{run}", f"{ADDRESS}/999999", f"{ADDRESS}/{run}/errors"):
        assert_problem(api.get(path), 404, "not_found")
    for word in ("check", "start", "cancel", "undo"):
        assert_problem(api.post(f"{ADDRESS}/{run}/{word}", {}, format="json"), 404, "not_found")
    assert_problem(api.delete(f"{ADDRESS}/{run}"), 404, "not_found")
    rep = client_for(rita)
    assert_problem(rep.get(ADDRESS), 403, "denied")
    assert_problem(send(rep), 403, "denied")
    assert_problem(send(client_for(mara, "read")), 403, "scope_missing")
    assert api.get(ADDRESS).json()["results"] == []
    assert ImportRun.objects.get().state == ImportState.UPLOADED


def test_faults_come_page_by_page(api: APIClient) -> None:
    rows = "".join(f"L{i},A,nonsense,2025-01-02\n" for i in range(7))
    run = f"{ADDRESS}/{send(api, LEADS.splitlines()[0] + chr(10) + rows, then='check').json()['id']}"
    work()
    first = api.get(f"{run}/errors?limit=3").json()
    assert ([fault["row"] for fault in first["results"]], first["next"]) == ([2, 3, 4], 3)
    last = api.get(f"{run}/errors?limit=3&after=6").json()
    assert ([fault["row"] for fault in last["results"]], last["next"]) == ([8], None)
    assert_problem(api.get(f"{run}/errors?limit=nine"), 422, "invalid")


def test_a_program_reads_page_by_page_what_an_import_made_and_changed(api: APIClient, rita: User) -> None:
    first = send(api, then="import").json()["id"]
    work()
    again = LEADS.replace("Ada,ada@", "Augusta,ada@").replace("nonsense", "bob@example.com")
    second = send(api, again, then="import").json()["id"]
    work()
    ada = Lead.objects.get(person__emails__email="ada@example.com")
    made = api.get(f"{ADDRESS}/{first}/changes", {"kind": "person", "what": "created"}).json()
    assert made == {"results": [{"id": ada.person_id, "before": None, "after": None}], "next": None}
    (changed,) = api.get(f"{ADDRESS}/{second}/changes", {"kind": "person"}).json()["results"]
    assert (changed["id"], changed["before"]["first_name"], changed["after"]["first_name"]) == (
        ada.person_id,
        "Ada",
        "Augusta",
    )
    page = api.get(f"{ADDRESS}/{first}/changes", {"kind": "lead", "what": "created", "limit": 1}).json()
    assert (page["results"][0]["id"], page["next"]) == (ada.pk, ada.pk)
    rest = api.get(
        f"{ADDRESS}/{first}/changes", {"kind": "lead", "what": "created", "after": page["next"]}
    ).json()
    assert rest == {"results": [], "next": None}
    for query in ({"kind": "deal"}, {"what": "all"}, {"limit": 201}, {"after": "-1"}):
        assert_problem(api.get(f"{ADDRESS}/{first}/changes", query), 422, "invalid")
    assert_problem(client_for(rita).get(f"{ADDRESS}/{first}/changes"), 403, "denied")
