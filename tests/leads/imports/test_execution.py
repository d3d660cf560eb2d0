"""Runs in the background: each step once, stopped without a trace, taken up again after a death."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection, connections

from leads.models import Company, ImportMapping, ImportRun, ImportState, Lead, Person, Source
from leads.services import people
from leads.services.imports import asking, execution, files, uploads
from leads.services.imports.asking import NotReady
from leads.services.imports.kinds import KindNotAllowed
from leads.services.imports.plans import UnreadableFile
from leads.services.imports.uploads import FileGone, NotOpen
from leads.services.imports.watching import Cancelled, Watch
from smarketing.core import locks, loops, processes
from smarketing.users.models import User
from tests.importing import NOW

pytestmark = pytest.mark.django_db

LEADS = (
    "Lead ID,First Name,Email,Create Date,Shoe Size\n"
    "L1,Ada,ada@example.com,2025-01-02,38\n"
    "L2,Grace,grace@example.com,2025-01-03,39\n"
    "L3,Alan,not an address,2025-01-04,44\n"
)
COLUMNS = {
    "Lead ID": "external_id",
    "First Name": "first_name",
    "Email": "email",
    "Create Date": "captured_at",
}


@pytest.fixture(autouse=True)
def _home(settings: object, tmp_path: Path) -> None:
    settings.HOME = tmp_path  # type: ignore[attr-defined]


def upload(actor: User, text: str | bytes = LEADS, kind: str = "leads") -> ImportRun:
    data = text.encode() if isinstance(text, str) else text
    return uploads.receive(
        chunks=[data[:10], data[10:]],
        file_name="leads.csv",
        kind=kind,
        source="HubSpot",
        actor=actor,
        now=NOW,
    )


def prepared(actor: User, text: str = LEADS) -> ImportRun:
    run = upload(actor, text)
    return uploads.map_columns(run=run, columns=COLUMNS, now=NOW)


def work() -> int:
    return execution.work(clock=lambda: NOW, watch=execution.unwatched)


def state(run: ImportRun) -> str:
    run.refresh_from_db()
    return run.state


def test_a_file_is_stored_by_a_random_name_for_its_owner_alone(mara: User) -> None:
    run = uploads.receive(
        chunks=[LEADS.encode()],
        file_name="../../etc/passwd",
        kind="leads",
        source="x",
        actor=mara,
        now=NOW,
    )
    place = files.path_of(name=run.stored_file)
    assert place.read_text() == LEADS
    assert (os.stat(place).st_mode & 0o777, os.stat(place.parent).st_mode & 0o777) == (0o600, 0o700)
    assert run.file_name == "../../etc/passwd"
    assert (run.state, run.header[0], run.file_size) == (ImportState.UPLOADED, "Lead ID", len(LEADS))


def test_what_is_no_table_leaves_nothing(mara: User) -> None:
    with pytest.raises(UnreadableFile, match="gzip"):
        upload(mara, b"\x1f\x8b\x08\x00abcdefghij")
    assert not ImportRun.objects.exists()
    assert list(files.folder().iterdir()) == []


def test_a_kind_that_the_role_may_not_bring_in_is_refused_before_the_file_is_stored(
    mara: User, rita: User, adam: User
) -> None:
    for kind in ("users", "opportunities", "products"):
        with pytest.raises(KindNotAllowed):
            upload(mara, kind=kind)
    with pytest.raises(KindNotAllowed):
        upload(rita)
    assert not ImportRun.objects.exists()
    assert list(files.folder().iterdir()) == []
    assert upload(adam, "name,email\nAda,ada@x.example\n", kind="users").kind == "users"


def test_columns_are_guessed_and_the_choice_is_offered_for_the_same_header_again(mara: User) -> None:
    run = upload(mara)
    assert uploads.guess(run=run) == {**COLUMNS, "Shoe Size": "-"}
    uploads.map_columns(run=run, columns={**COLUMNS, "Shoe Size": "+"}, dates="dmy", now=NOW)
    again = upload(mara)
    assert uploads.guess(run=again) == {**COLUMNS, "Shoe Size": "+"}
    assert (again.choices["dates"], again.choices["remembered"]) == ("dmy", True)
    assert ImportMapping.objects.count() == 1


def test_a_check_tells_counts_and_the_bad_cells_and_changes_nothing(mara: User) -> None:
    run = asking.check(run=prepared(mara), now=NOW)
    assert work() == 1
    assert state(run) == ImportState.CHECKED
    report = run.check_report
    assert (report["created"], report["rejected"], report["rows"]) == (2, 1, 3)
    fault = report["errors"][0]
    assert (fault["row"], fault["column"], fault["position"], fault["value"]) == (
        4,
        "Email",
        2,
        "not an address",
    )
    assert not Lead.objects.exists()
    assert run.error_file


def test_a_check_tells_of_new_people_who_look_like_somebody_here(mara: User) -> None:
    known = people.create(
        first_name="Wilhelmina",
        last_name="Featherstonehaugh",
        emails=["wilhelmina@acme.example"],
        phones=["+49 30 901820"],
        company=Company.objects.create(name="Acme", name_key="acme"),
        city="Berlin",
        actor=mara,
        now=NOW,
    )
    text = (
        "Lead ID,First Name,Last Name,Email,Company,City,Phone\n"
        "L1,Wilhelmina,Featherstonehaugh,w.featherstonehaugh@acme.example,Acme,Berlin,+49 30 901820\n"
        "L2,Ada,Lovelace,ada@example.com,Other,Paris,\n"
    )
    run = uploads.take_guess(run=upload(mara, text), now=NOW)
    asking.check(run=run, now=NOW)
    work()
    run.refresh_from_db()
    told = run.check_report["lookalikes"]
    assert (told["looked_at"], told["found"]) == (2, 1)
    assert (told["people"][0]["row"], told["people"][0]["person_id"]) == (2, known.pk)
    assert Person.objects.count() == 1


def test_a_mended_cell_and_a_row_left_out_go_in_as_said(mara: User) -> None:
    run = asking.check(run=prepared(mara), now=NOW)
    work()
    uploads.correct(run=run, row=4, position=2, text="alan@example.com", now=NOW)
    uploads.leave_out(run=run, row=2, is_out=True, now=NOW)
    run.refresh_from_db()
    asking.start(run=run, actor=mara, now=NOW)
    work()
    assert state(run) == ImportState.DONE
    assert sorted(Lead.objects.values_list("external_id", flat=True)) == ["L2", "L3"]
    assert (run.created_count, run.rejected_count) == (2, 0)
    assert set(Lead.objects.values_list("import_run", flat=True)) == {run.pk}


def test_a_kept_column_becomes_an_attribute_and_the_rest_is_left_out(mara: User) -> None:
    run = upload(mara)
    uploads.map_columns(run=run, columns={**COLUMNS, "Shoe Size": "+", "First Name": "-"}, now=NOW)
    asking.check(run=run, now=NOW)
    work()
    asking.start(run=run, actor=mara, now=NOW)
    work()
    lead = Lead.objects.get(external_id="L1")
    assert (lead.attributes, lead.person.first_name) == ({"shoe_size": 38}, "")


def test_starting_twice_is_once(mara: User) -> None:
    run = asking.check(run=prepared(mara), now=NOW)
    work()
    for _ in range(3):
        asking.start(run=run, actor=mara, now=NOW)
    assert work() == 1
    asking.start(run=run, actor=mara, now=NOW)
    assert work() == 0
    assert Lead.objects.count() == 2


def test_nothing_is_started_unchecked_and_nothing_prepared_once_started(mara: User) -> None:
    run = prepared(mara)
    with pytest.raises(NotReady):
        asking.start(run=run, actor=mara, now=NOW)
    asking.check(run=run, now=NOW)
    with pytest.raises(NotOpen):
        uploads.map_columns(run=run, columns=COLUMNS, now=NOW)
    work()
    asking.start(run=run, actor=mara, now=NOW)
    with pytest.raises(NotOpen):
        uploads.correct(run=run, row=4, position=2, text="x", now=NOW)
    assert state(run) == ImportState.WAITING


def test_a_stopped_run_is_where_it_was_before(mara: User) -> None:
    run = asking.check(run=prepared(mara), now=NOW)
    asking.cancel(run=run, now=NOW)
    assert work() == 0
    assert state(run) == ImportState.UPLOADED
    asking.check(run=run, now=NOW)
    work()
    asking.start(run=run, actor=mara, now=NOW)

    @contextmanager
    def stopping(*, run: ImportRun) -> Iterator[Watch]:
        class Stop:
            def read(self, *, rows: int) -> None:
                raise Cancelled("stopped")

        yield Stop()

    execution.work(clock=lambda: NOW, watch=stopping)
    assert state(run) == ImportState.CHECKED
    assert not Lead.objects.exists()
    with pytest.raises(NotReady):
        asking.cancel(run=run, now=NOW)


def test_a_run_cancelled_while_it_writes_writes_nothing(mara: User) -> None:
    run = asking.check(run=prepared(mara), now=NOW)
    work()
    asking.start(run=run, actor=mara, now=NOW)

    @contextmanager
    def late(*, run: ImportRun) -> Iterator[Watch]:
        class Late:
            def read(self, *, rows: int) -> None:
                ImportRun.objects.filter(pk=run.pk).update(is_cancelled=True)

        yield Late()

    execution.work(clock=lambda: NOW, watch=late)
    assert (state(run), Lead.objects.count()) == (ImportState.CHECKED, 0)


def test_a_run_that_ends_its_process_is_tried_three_times(mara: User) -> None:
    run = asking.check(run=prepared(mara), now=NOW)
    work()
    asking.start(run=run, actor=mara, now=NOW)

    class Killed(BaseException):
        pass

    @contextmanager
    def dying(*, run: ImportRun) -> Iterator[Watch]:
        class Die:
            def read(self, *, rows: int) -> None:
                raise Killed

        yield Die()

    for _ in range(3):
        with pytest.raises(Killed):
            execution.work(clock=lambda: NOW, watch=dying)
        assert state(run) == ImportState.RUNNING
    work()
    assert state(run) == ImportState.FAILED
    assert "3 times" in run.problem
    assert not Lead.objects.exists()
    asking.start(run=run, actor=mara, now=NOW)
    work()
    assert (state(run), Lead.objects.count()) == (ImportState.DONE, 2)


def test_a_file_of_only_bad_rows_fails_and_says_why(mara: User) -> None:
    run = prepared(mara, LEADS.split("\n")[0] + "\nL1,Ada,nonsense,2025-01-02,1\n")
    asking.check(run=run, now=NOW)
    work()
    asking.start(run=run, actor=mara, now=NOW)
    work()
    assert state(run) == ImportState.FAILED
    assert run.problem.startswith("None of the 1 rows could be used; nothing was changed.")


def test_the_loop_starts_one_process_while_something_is_due(
    mara: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []
    monkeypatch.setattr(processes, "start", lambda command: started.append(command) or 1)
    loop = loops.get(asking.LOOP)
    loop.run_once(now=NOW, limit=10)
    assert started == []
    asking.check(run=prepared(mara), now=NOW)
    loop.run_once(now=NOW, limit=10)
    assert started == ["runimports"]
    with locks.session(locks.Namespace.IMPORT, 1) as ours:
        assert ours
        loop.run_once(now=NOW, limit=10)
    assert started == ["runimports"]


def test_files_are_removed_when_nobody_has_touched_the_run_for_a_month(mara: User) -> None:
    run = prepared(mara)
    name = run.stored_file
    assert execution.sweep(now=NOW + timedelta(days=29), limit=10) == 0
    assert execution.sweep(now=NOW + timedelta(days=31), limit=10) == 1
    assert not files.path_of(name=name).exists()
    run.refresh_from_db()
    with pytest.raises(FileGone):
        asking.check(run=run, now=NOW)


def test_a_discarded_upload_takes_its_file_along(
    mara: User, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    run = prepared(mara)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        asking.discard(run=run, actor=mara, now=NOW)
    assert not ImportRun.objects.exists()
    assert list(files.folder().iterdir()) == []
    assert Source.objects.filter(code="hubspot").exists()


@pytest.mark.django_db(transaction=True)
def test_progress_is_told_and_a_cancel_cuts_the_statement_off(mara: User) -> None:
    run = prepared(mara)
    ImportRun.objects.filter(pk=run.pk).update(state=ImportState.RUNNING)

    def stop_soon() -> None:
        time.sleep(1.0)
        ImportRun.objects.filter(pk=run.pk).update(is_cancelled=True)
        connections.close_all()

    person = threading.Thread(target=stop_soon)
    person.start()
    begun = time.monotonic()

    def long_statement() -> None:
        with execution.watched(run=run) as watch, connection.cursor() as cursor:
            watch.read(rows=17)
            cursor.execute("SELECT pg_sleep(30)")

    with pytest.raises(Cancelled):
        long_statement()
    assert time.monotonic() - begun < 10
    person.join()
    run.refresh_from_db()
    assert run.rows_read == 17
