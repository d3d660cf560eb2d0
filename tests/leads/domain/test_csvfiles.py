"""The reader of tables: encodings, delimiters, hostile files, ragged rows."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leads.domain import csvfiles
from leads.domain.csvfiles import BadFile, Table

CORPUS = Path(__file__).parents[4] / "shared" / "data" / "csv"


@pytest.fixture
def file(tmp_path):
    def write(data: bytes | str) -> Path:
        path = tmp_path / "table.csv"
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    return write


def read(table: Table) -> tuple[list[list[str]], list[tuple[int, str]]]:
    """(records, (row, reason) of rejected rows)."""
    rejected: list[tuple[int, str]] = []
    rows = [cells for _, _, cells in table.rows(lambda row, line, reason: rejected.append((row, reason)))]
    return rows, rejected


def records(path: Path) -> list[list[str]]:
    return read(csvfiles.inspect(path))[0]


@pytest.mark.parametrize(
    ("encoding", "found"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("utf-16", "utf-16"), ("utf-16-le", "utf-16-le"),
     ("utf-16-be", "utf-16-be"), ("utf-32", "utf-32"), ("cp1252", "cp1252")],
)  # fmt: skip
def test_encodings(file, encoding, found):
    table = csvfiles.inspect(file("name;city\nMüller;Köln – “Süd”\n".encode(encoding)))
    assert (table.encoding, table.delimiter, table.header) == (found, ";", ("name", "city"))
    assert read(table) == ([["Müller", "Köln – “Süd”"]], [])


def test_a_stray_byte_far_into_the_file_decides_for_cp1252(file):
    table = csvfiles.inspect(file(b"a,b\n" + b"1,2\n" * 300_000 + b"caf\xe9,3\n"))
    assert table.encoding == "cp1252"
    assert read(table)[0][-1] == ["café", "3"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters(file, delimiter):
    other = "1,5; x|y".replace(delimiter, "")
    table = csvfiles.inspect(file(f"a{delimiter}b\n{other}{delimiter}2\n"))
    assert table.delimiter == delimiter
    assert read(table)[0] == [[other, "2"]]


def test_one_column_needs_no_delimiter(file):
    assert records(file("email\na@b.example\n\nc@d.example\n")) == [["a@b.example"], ["c@d.example"]]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_newlines(file, newline):
    data = newline.join(["a,b", "1,2", '"x', 'y",4', ""])
    assert records(file(data)) == [["1", "2"], [f"x{newline}y", "4"]]


def test_mixed_newlines(file):
    assert records(file("a,b\r\n1,2\r3,4\n5,6")) == [["1", "2"], ["3", "4"], ["5", "6"]]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "empty"), (b" \r\n\t\n", "empty"), (b"\xef\xbb\xbf", "empty"), (b",,\n1,2,3\n", "blank"),
        (b"<!DOCTYPE html><html>", "web page"), (b"\n <HTML lang=en>", "web page"),
        (gzip.compress(b"a,b\n1,2\n"), "gzip"), (b"PK\x03\x04rest", "Excel"), (b"%PDF-1.7", "PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "Excel"), (b"a," * 10_001, "columns"), (b"a,b\nx\x00y,2\n", "NUL"),
        (b"Name,name \n1,2\n", "Two columns"), (b'"a,b\n1,2', "quote"), (b"a,b\n\x81,1\n", "cp1252"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_is_no_table_is_refused_with_its_name(file, data, told):
    with pytest.raises(BadFile, match=told):
        csvfiles.inspect(file(data))


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"a,b\n1,2\n" + b"x" * 9_000_000, "longer than"),
        (b"a,b\n1,2\n" + b"x" * 7_000_000 + b",2\n", "more than 131,072 characters"),
        (b'a,b\n1,2\n3,"never closed\n5,6\n', "never closed"),
        (b"a,b\n" + b"1,2\n" * 40_000 + b"x\x00y,2\n", "NUL"),
    ],
    ids=["endless line", "huge cell", "open quote", "NUL far below"],
)
def test_reading_stops_where_it_can_not_go_on(file, data, told):
    with pytest.raises(BadFile, match=told):
        read(csvfiles.inspect(file(data)))


def test_bad_rows_are_told_by_their_spreadsheet_row_and_the_rest_is_read(file):
    rows, rejected = read(
        csvfiles.inspect(file('a,b,c\n1,2\n\n4,5,6\n7,8,9,10\n1,2,3,,\n,,\n1,"x" y,2\n7,8,9\n'))
    )
    assert rows == [["4", "5", "6"], ["1", "2", "3"], ["7", "8", "9"]]
    assert [row for row, _ in rejected] == [2, 5, 8]
    assert rejected[0][1] == "has 2 cells where the header has 3"


def test_row_and_line_numbers_differ_after_a_cell_of_two_lines(file):
    table = csvfiles.inspect(file('a,b\n"1\n2",x\n3,4\n'))
    assert [(row, line) for row, line, _ in table.rows(lambda *_: None)] == [(2, 3), (3, 4)]


def test_the_digest_is_that_of_the_bytes(file):
    data = b"a,b\n1,2\n"
    assert csvfiles.inspect(file(data)).digest == hashlib.sha256(data).hexdigest()


def test_a_named_encoding_that_does_not_fit_is_refused(file):
    with pytest.raises(BadFile, match="utf-8"):
        csvfiles.inspect(file(b"a,b\n\xff,1\n"), encoding="utf-8")
    with pytest.raises(BadFile, match="klingon"):
        csvfiles.inspect(file(b"a,b\n1,2\n"), encoding="klingon")


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the sample data is not beside the project")
@pytest.mark.parametrize(
    "name",
    ["comma_in_quotes", "empty", "empty_crlf", "escaped_quotes", "json", "newlines", "newlines_crlf",
     "quotes_and_newlines", "simple", "utf8"],
)  # fmt: skip
def test_the_csv_spectrum(name):
    table = csvfiles.inspect(CORPUS / "csv-spectrum" / "csvs" / f"{name}.csv")
    found = [dict(zip(table.header, row, strict=True)) for row in read(table)[0]]
    expected = json.loads((CORPUS / "csv-spectrum" / "json" / f"{name}.json").read_text())
    assert [{k: v.replace("\r\n", "\n") for k, v in row.items()} for row in found] == [
        {k: v.replace("\r\n", "\n") for k, v in row.items()} for row in expected
    ]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=400))
def test_no_bytes_break_the_reader(file, data):
    try:
        table = csvfiles.inspect(file(data))
        rows, _ = read(table)
    except BadFile:
        return
    assert all(len(row) == len(table.header) for row in rows)


cells = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00\ufeff"), min_size=1, max_size=8
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(cells, cells, cells), max_size=20), delimiter=st.sampled_from(",;\t|"))
def test_what_was_written_is_read(file, rows, delimiter):
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([("a", "b", "c"), *rows])
    table = csvfiles.inspect(file(out.getvalue()), delimiter=delimiter)
    assert read(table) == ([list(row) for row in rows], [])
