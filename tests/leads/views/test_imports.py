"""The wizard in the browser: each step, its refusals, who may see a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from leads.models import ImportRun, ImportState, Lead
from leads.services.imports import execution, files
from smarketing.users.models import User
from tests.importing import NOW
from tests.workbooks import workbook

pytestmark = pytest.mark.django_db

LEADS = (
    "Lead ID,First Name,Email,Create Date,Shoe Size\n"
    "L1,Ada,ada@example.com,2025-01-02,38\n"
    "L2,Grace,grace@example.com,2025-01-03,39\n"
    "L3,<script>x</script>,not an address,2025-01-04,44\n"
)
COLUMNS = {
    "column-0": "external_id",
    "column-1": "first_name",
    "column-2": "email",
    "column-3": "captured_at",
    "column-4": "+",
    "key": "external_id",
    "dates": "",
}
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _home(settings: object, tmp_path: Path) -> None:
    settings.HOME = tmp_path  # type: ignore[attr-defined]


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def address(name: str, run: ImportRun | None = None) -> str:
    return reverse(f"leads:{name}", args=[run.pk] if run else [])


def send(client: Client, content: str | bytes = LEADS, name: str = "leads.csv", **more: str) -> object:
    data = content.encode() if isinstance(content, str) else content
    fields = {"kind": "leads", "source": "HubSpot", "file": SimpleUploadedFile(name, data), **more}
    return client.post(address("import_new"), fields)


def work() -> None:
    execution.work(clock=lambda: NOW, watch=execution.unwatched)


def uploaded(client: Client, content: str | bytes = LEADS, name: str = "leads.csv") -> ImportRun:
    send(client, content, name)
    return ImportRun.objects.latest("pk")


def checked(client: Client) -> ImportRun:
    run = uploaded(client)
    client.post(address("import_columns", run), COLUMNS)
    work()
    run.refresh_from_db()
    return run


def test_a_file_goes_from_upload_to_its_leads(mara: User) -> None:
    client = signed_in(mara)
    assert client.get(address("import_new")).status_code == 200
    response = send(client)
    run = ImportRun.objects.get()
    assert (response.status_code, response["Location"]) == (303, address("import_file", run))
    page = client.get(address("import_file", run)).content.decode()
    assert "ada@example.com" in page
    assert "<script>x</script>" not in page
    page = client.get(address("import_columns", run)).content.decode()
    assert 'name="column-2"' in page
    assert '<option value="email" selected>' in page
    assert "Keep as an attribute (Number)" in page
    response = client.post(address("import_columns", run), COLUMNS)
    assert (response.status_code, response["Location"]) == (303, address("import_cells", run))
    assert 'hx-trigger="every 1s"' in client.get(address("import_cells", run)).content.decode()
    work()
    page = client.get(address("import_cells", run)).content.decode()
    assert "not an address" in page
    assert "Import 2 rows" in page
    assert not Lead.objects.exists()
    response = client.post(address("import_start", run))
    assert response["Location"] == address("import", run)
    assert 'hx-trigger="every 1s"' in client.get(address("import", run)).content.decode()
    work()
    page = client.get(address("import", run)).content.decode()
    assert f"/leads/?import_run={run.pk}" in page
    assert "hx-trigger" not in page.partition('id="import-run"')[2][:300]
    listed = client.get(f"/leads/?import_run={run.pk}").content.decode()
    assert "Ada" in listed
    assert Lead.objects.get(external_id="L1").attributes == {"shoe_size": 38}


def test_a_bad_cell_is_mended_in_place_and_the_row_goes_in(mara: User) -> None:
    client = signed_in(mara)
    run = checked(client)
    cell = {"row": 4, "position": 2}
    response = client.post(address("import_cell", run), {**cell, "text": "still bad"}, headers=HTMX)
    assert response.status_code == 200
    assert "Email is not an e-mail address." in response.content.decode()
    response = client.post(address("import_cell", run), {**cell, "text": "alan@example.com"}, headers=HTMX)
    told = response.content.decode()
    assert "Mended; the import takes it in." in told
    assert 'id="import-start"' in told
    assert "Import with what was mended" in told
    client.post(address("import_check", run))
    work()
    page = client.get(address("import_cells", run)).content.decode()
    assert "Import 3 rows" in page
    client.post(address("import_start", run))
    work()
    assert Lead.objects.get(external_id="L3").person.emails.get().email == "alan@example.com"


def test_a_row_is_left_out_and_taken_in_again(mara: User) -> None:
    client = signed_in(mara)
    run = checked(client)
    cell = {"row": 4, "position": 2}
    page = client.post(address("import_cell", run), {**cell, "is_out": "true"}, headers=HTMX).content.decode()
    assert "This row is left out." in page
    run.refresh_from_db()
    assert run.corrections["without"] == [4]
    response = client.post(address("import_cell", run), {**cell, "is_out": "false"})
    assert response.status_code == 303
    run.refresh_from_db()
    assert run.corrections["without"] == []


def test_an_upload_sent_twice_is_one(mara: User) -> None:
    client = signed_in(mara)
    first = send(client, once="a-number-used-once")
    second = send(client, once="a-number-used-once")
    assert first["Location"] == second["Location"]
    assert ImportRun.objects.count() == 1


def test_going_back_after_the_start_leads_to_the_run_and_changes_nothing(mara: User) -> None:
    client = signed_in(mara)
    run = checked(client)
    client.post(address("import_start", run))
    work()
    for name in ("import_file", "import_columns", "import_cells"):
        assert client.get(address(name, run))["Location"] == address("import", run)
    client.post(address("import_columns", run), {**COLUMNS, "column-2": "-"})
    client.post(address("import_start", run))
    work()
    run.refresh_from_db()
    assert (run.state, run.created_count, Lead.objects.count()) == (ImportState.DONE, 2, 2)


@pytest.mark.parametrize(
    ("content", "name", "told"),
    [
        (b"", "empty.csv", "The submitted file is empty"),
        (b"\x1f\x8b\x08\x00abc", "leads.csv", "gzip archive"),
        (b"<html><body>Please sign in</body></html>", "leads.csv", "web page"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "leads.xls", "old Excel workbook"),
        (b"email,name\n\0,\0\n", "leads.csv", "NUL characters"),
        (b"email,Email\na@x.example,b@x.example\n", "leads.csv", "Two columns are called"),
    ],
)
def test_a_file_that_is_none_is_refused_beside_the_form(
    mara: User, content: bytes, name: str, told: str
) -> None:
    response = send(signed_in(mara), content, name)
    assert response.status_code == 422
    assert told in response.content.decode()
    assert not ImportRun.objects.exists()
    assert not files.folder().exists() or list(files.folder().iterdir()) == []


def test_two_columns_for_one_field_are_refused(mara: User) -> None:
    client = signed_in(mara)
    run = uploaded(client)
    response = client.post(address("import_columns", run), {**COLUMNS, "column-1": "email"})
    assert response.status_code == 422
    assert "Two columns are mapped to" in response.content.decode()
    run.refresh_from_db()
    assert (run.state, run.mapping) == (ImportState.UPLOADED, {})


def test_the_sheet_and_the_characters_can_be_chosen(mara: User, tmp_path: Path) -> None:
    client = signed_in(mara)
    book = workbook(
        tmp_path / "two.xlsx", {"One": [["email"], ["a@x.example"]], "Two": [["email"], ["b@x.example"]]}
    )
    run = uploaded(client, book.read_bytes(), "two.xlsx")
    client.post(address("import_file", run), {"sheet": "Two"})
    assert "b@x.example" in client.get(address("import_file", run)).content.decode()
    run = uploaded(client, "email,name\nli@x.example,李雷\n".encode("gb18030"))
    assert "李雷" not in client.get(address("import_file", run)).content.decode()
    client.post(address("import_file", run), {"encoding": "gb18030", "delimiter": ","})
    assert "李雷" in client.get(address("import_file", run)).content.decode()
    assert client.post(address("import_file", run), {"encoding": "rot13"}).status_code == 422
    response = client.post(address("import_file", run), {"encoding": "utf-8", "delimiter": ","})
    assert response.status_code == 422
    run.refresh_from_db()
    assert run.choices["encoding"] == "gb18030"


def test_a_rep_sees_nothing_of_imports_and_a_marketer_none_of_users(
    rita: User, mara: User, adam: User
) -> None:
    run = checked(signed_in(mara))
    rep = signed_in(rita)
    for name in ("import", "import_file", "import_columns", "import_cells", "import_errors"):
        assert rep.get(address(name, run)).status_code == 403
    for name in ("import_check", "import_start", "import_cancel", "import_discard", "import_cell"):
        assert rep.post(address(name, run)).status_code == 403
    assert rep.get(address("imports")).status_code == 403
    admin = signed_in(adam)
    admin.post(
        address("import_new"),
        {
            "kind": "users",
            "source": "HR",
            "file": SimpleUploadedFile("u.csv", b"name,email\nA,a@x.example\n"),
        },
    )
    users = ImportRun.objects.latest("pk")
    assert users.kind == "users"
    marketer = signed_in(mara)
    absent = marketer.get(reverse("leads:import", args=[999_999]))
    for name in ("import", "import_file", "import_errors"):
        assert marketer.get(address(name, users)).status_code == absent.status_code == 404
    assert marketer.post(address("import_discard", users)).status_code == 404
    assert send(marketer, b"name,email\nA,a@x.example\n", kind="users").status_code == 422
    assert "u.csv" not in marketer.get(address("imports")).content.decode()
    run.refresh_from_db()
    assert run.state == ImportState.CHECKED


def test_the_list_of_faults_runs_nothing_in_a_spreadsheet(mara: User) -> None:
    client = signed_in(mara)
    run = uploaded(client, "email,=cmd|' /C calc'!A0\nx,1\n")
    client.post(address("import_columns", run), {"column-0": "email", "column-1": "+", "key": "external_id"})
    work()
    response = client.get(address("import_errors", run))
    assert response["Content-Disposition"].startswith("attachment")
    assert response["X-Content-Type-Options"] == "nosniff"
    text = b"".join(response.streaming_content).decode()
    assert text.splitlines()[1].startswith("2,email,")


def test_an_import_is_taken_back_from_its_page(mara: User) -> None:
    client = signed_in(mara)
    run = checked(client)
    client.post(address("import_start", run))
    work()
    assert "Take it back" in client.get(address("import", run)).content.decode()
    assert "Take this import back?" in client.get(address("import_undo", run)).content.decode()
    assert Lead.objects.count() == 2
    assert client.post(address("import_undo", run)).status_code == 303
    assert 'hx-trigger="every 1s"' in client.get(address("import", run)).content.decode()
    client.post(address("import_undo", run))
    work()
    page = client.get(address("import", run)).content.decode()
    assert "2 leads" in page
    assert not Lead.objects.exists()


def test_an_upload_is_thrown_away_with_its_file(
    mara: User, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    client = signed_in(mara)
    run = uploaded(client)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        assert client.post(address("import_discard", run)).status_code == 303
    assert not ImportRun.objects.exists()
    assert list(files.folder().iterdir()) == []


def test_the_list_asks_no_more_for_more_runs(
    mara: User, django_assert_max_num_queries: Callable[..., object]
) -> None:
    client = signed_in(mara)
    for _ in range(12):
        uploaded(client)
    client.get(address("imports"))
    with django_assert_max_num_queries(14):  # type: ignore[attr-defined]
        assert client.get(address("imports")).content.decode().count("leads.csv") == 12


def test_what_an_import_changed_is_listed_with_links_and_former_values(mara: User, rita: User) -> None:
    client = signed_in(mara)
    for content in (LEADS, LEADS.replace("L1,Ada", "L1,Augusta")):
        run = uploaded(client, content)
        client.post(address("import_columns", run), COLUMNS)
        work()
        client.post(address("import_start", run))
        work()
    page = client.get(address("import", run)).content.decode()
    assert address("import_changes", run) in page
    listed = client.get(address("import_changes", run)).content.decode()
    person = Lead.objects.get(external_id="L1").person
    assert person.first_name == "Augusta"
    assert f'href="/people/{person.pk}/"' in listed
    assert "<bdi>Ada</bdi> → <bdi>Augusta</bdi>" in listed
    assert listed.count("data-row") == 1
    assert signed_in(rita).get(address("import_changes", run)).status_code == 403
    first = ImportRun.objects.earliest("pk")
    assert "changed no person" in client.get(address("import_changes", first)).content.decode()
    assert client.get(address("import_changes", run), {"table": "users_user"}).status_code == 200
