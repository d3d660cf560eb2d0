"""A workbook goes in like a CSV file; what is none, or more than it seems, is refused by name."""

from __future__ import annotations

import contextlib
import zipfile
from pathlib import Path

import pytest

from leads.models import Lead
from leads.services.imports import workbooks
from leads.services.imports.plans import UnreadableFile
from tests.importing import counts, take
from tests.workbooks import sheet_of, workbook

pytestmark = pytest.mark.django_db

ROWS = [
    ["Lead ID", "First Name", "Email", "Create Date", "Revenue", "Won"],
    [1, "Ada", "ada@example.com", (45293.0,), 1234.5, True],
    [None, None, None, None, None, None],
    ["L2", "Grace", "grace@example.com", (45324.4375,), 7, False],
]


def read(path: Path, sheet: str | None = None) -> list[tuple[int, list[str]]]:
    return [(row, cells) for row, _, cells in workbooks.inspect(path=path, sheet=sheet).rows(lambda *_: None)]


def test_cells_are_read_as_they_would_be_typed_into_csv(tmp_path: Path) -> None:
    path = workbook(tmp_path / "leads.xlsx", {"Leads": ROWS})
    assert workbooks.inspect(path=path).header == (
        "Lead ID",
        "First Name",
        "Email",
        "Create Date",
        "Revenue",
        "Won",
    )
    assert read(path) == [
        (2, ["1", "Ada", "ada@example.com", "2024-01-02", "1234.5", "TRUE"]),
        (4, ["L2", "Grace", "grace@example.com", "2024-02-02 10:30:00", "7", "FALSE"]),
    ]


def test_rows_keep_their_number_where_the_table_begins_further_down(tmp_path: Path) -> None:
    path = workbook(tmp_path / "low.xlsx", {"Leads": ROWS}, start=(5, 3))
    assert [row for row, _ in read(path)] == [6, 8]


def test_the_first_visible_sheet_is_taken_or_the_one_that_is_named(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "three.xlsx",
        {"Notes": [["secret"]], "One": [["email"], ["a@example.com"]], "Two": [["email"], ["b@example.com"]]},
        hidden=["Notes"],
    )
    assert workbooks.inspect(path=path).sheets == ("One", "Two")
    assert [cells for _, cells in read(path)] == [["a@example.com"]]
    assert [cells for _, cells in read(path, "Two")] == [["b@example.com"]]
    with pytest.raises(UnreadableFile, match="no sheet “Three”. It has: One, Two"):
        take("leads", path, sheet="Three")


def test_a_workbook_is_imported_and_again_changes_nothing(tmp_path: Path) -> None:
    path = workbook(tmp_path / "leads.xlsx", {"Leads": ROWS})
    report = take("leads", path)
    assert counts(report) == (2, 0, 0, 0)
    assert report.encoding == "xlsx"
    assert {lead.external_id: f"{lead.captured_at:%Y-%m-%d %H:%M}" for lead in Lead.objects.all()} == {
        "1": "2024-01-02 00:00",
        "L2": "2024-02-02 10:30",
    }
    assert counts(take("leads", path)) == (0, 0, 2, 0)


def test_a_bad_cell_is_told_by_its_row_in_the_sheet(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "bad.xlsx", {"Leads": [["email"], ["a@example.com"], ["nonsense"]]}, start=(3, 1)
    )
    report = take("leads", path)
    assert [(fault["row"], fault["column"]) for fault in report.errors] == [(5, "email")]


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return path


def test_what_is_no_workbook_is_called_by_its_name(tmp_path: Path) -> None:
    ods = archive(tmp_path / "a.ods", {"mimetype": b"application/vnd.oasis.opendocument.spreadsheet"})
    xlsb = archive(tmp_path / "b.xlsb", {"xl/workbook.bin": b"\0"})
    zipped = archive(tmp_path / "c.xlsx", {"leads.csv": b"email\na@example.com\n"})
    torn = tmp_path / "d.xlsx"
    whole = workbook(tmp_path / "whole.xlsx", {"Leads": ROWS}).read_bytes()
    torn.write_bytes(whole[: len(whole) // 2])
    empty = workbook(tmp_path / "e.xlsx", {"Leads": []})
    for path, told in (
        (ods, "OpenDocument"),
        (xlsb, "binary Excel"),
        (zipped, "zip archive. Unpack it"),
        (torn, "damaged"),
        (empty, "is empty"),
    ):
        with pytest.raises(UnreadableFile, match=told):
            take("leads", path)
    assert not Lead.objects.exists()


def test_a_workbook_that_is_called_csv_is_read_all_the_same(tmp_path: Path) -> None:
    assert counts(take("leads", workbook(tmp_path / "leads.csv", {"Leads": ROWS}))) == (2, 0, 0, 0)


def test_import_bombs_are_refused_before_they_unfold(tmp_path: Path) -> None:
    plain = {"Leads": [["email"], ["a@example.com"]]}
    deep = workbook(tmp_path / "ratio.xlsx", plain, more={"xl/media/nothing.bin": b"\0" * 30_000_000})
    wide = workbook(tmp_path / "size.xlsx", plain, more={"x.bin": bytes(range(256)) * 220_000})
    many = workbook(tmp_path / "many.xlsx", plain, more={f"xl/m{i}.bin": b"" for i in range(1_001)})
    far = workbook(
        tmp_path / "far.xlsx",
        {},
        raw={"Leads": sheet_of('<row r="1"><c r="A1"><v>1</v></c><c r="XFD1048576"><v>1</v></c></row>')},
    )
    laughs = workbook(
        tmp_path / "laughs.xlsx",
        {},
        raw={"Leads": '<!DOCTYPE w [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>' + sheet_of("<row>&b;</row>")},
    )
    for path, told in (
        (deep, "unpacks to more"),
        (wide, "unpacks to more"),
        (many, "1007 parts"),
        (far, "more than 4,000,000 cells"),
        (laughs, "document type"),
    ):
        with pytest.raises(UnreadableFile, match=told):
            take("leads", path)


def test_a_member_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "lie.xlsx", {"Leads": ROWS}, more={"xl/big.bin": b"\0" * 1_000_000})
    data = path.read_bytes()
    told = (1_000_000).to_bytes(4, "little")
    path.write_bytes(data.replace(told, (1_000).to_bytes(4, "little")))
    with pytest.raises(UnreadableFile, match="damaged"):
        take("leads", path)


def test_names_inside_the_archive_are_never_used_as_paths(tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    inside = tmp_path / "in"
    inside.mkdir()
    path = workbook(
        inside / "up.xlsx",
        {"Leads": ROWS},
        more={"../outside.txt": b"written", "/etc/smarketing": b"written"},
    )
    assert counts(take("leads", path)) == (2, 0, 0, 0)
    assert not outside.exists()


@pytest.mark.parametrize("step", range(0, 40))
def test_a_damaged_workbook_is_refused_or_read_but_never_breaks(tmp_path: Path, step: int) -> None:
    data = bytearray(workbook(tmp_path / "x.xlsx", {"Leads": ROWS}).read_bytes())
    at = step * len(data) // 40
    data[at : at + 7] = bytes((value ^ 0x5A) for value in data[at : at + 7])
    path = tmp_path / "y.xlsx"
    path.write_bytes(bytes(data))
    with contextlib.suppress(UnreadableFile):
        assert take("leads", path, dry_run=True).rows >= 0
    assert not Lead.objects.exists()
