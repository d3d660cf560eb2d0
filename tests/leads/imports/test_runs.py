"""A file goes in whole or not at all; bad rows are told of; a second time changes nothing."""

from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from leads.models import (
    AttributeDefinition,
    Company,
    ImportRun,
    ImportState,
    Lead,
    Person,
    PersonEmail,
    PersonHistory,
    Source,
)
from leads.services.imports.plans import BadOption, UnreadableFile
from tests.importing import NOW, counts, take
from tests.leads.imports.conftest import Written

pytestmark = pytest.mark.django_db

LEADS = """\
Lead ID,First Name,Last Name,Email,Company,Phone,Lead Source,Create Date,Landing Page
L1,Ada,Lovelace,ada@example.com,Acme Inc.,+49 30 901820,paid_search,2025-01-02,/demo
L2,Grace,Hopper,GRACE@Example.com,ACME,,referral,2025-02-03 10:30,/price
L3,Alan,Turing,alan@example.com,Bletchley Ltd,,,2025-03-04,
"""


def everything() -> dict[str, int]:
    tables = (Lead, Person, Company, PersonEmail, ImportRun, Source, AttributeDefinition, PersonHistory)
    return {model.__name__: model.objects.count() for model in tables}


def test_run_is_recorded_with_mapping_and_counts(written: Written) -> None:
    report = take("leads", written(LEADS, "leads.csv"))
    assert counts(report) == (3, 0, 0, 0)
    assert report.mapping["Lead Source"] == "origin"
    run = ImportRun.objects.get()
    assert (run.kind, run.source.code, run.file_name, run.state) == (
        "leads",
        "crm",
        "leads.csv",
        ImportState.DONE,
    )
    assert (run.created_count, run.updated_count, run.unchanged_count, run.rejected_count) == (3, 0, 0, 0)
    assert run.mapping["Lead ID"] == "external_id"
    assert len(run.file_digest) == 64
    assert set(Lead.objects.values_list("import_run", flat=True)) == {run.pk}


def test_second_run_of_the_same_file_changes_nothing_but_is_recorded(written: Written) -> None:
    path = written(LEADS)
    take("leads", path)
    before = list(Person.objects.order_by("pk").values()) + list(Lead.objects.order_by("pk").values())
    amounts = everything()
    report = take("leads", path, now=NOW.replace(hour=12))
    assert counts(report) == (0, 0, 3, 0)
    assert list(Person.objects.order_by("pk").values()) + list(Lead.objects.order_by("pk").values()) == before
    assert everything() == {**amounts, "ImportRun": 2}
    assert PersonHistory.objects.count() == 0


def test_dry_run_tells_the_same_counts_and_changes_nothing(written: Written) -> None:
    path = written(LEADS + "L4,,,not an address,,,,2025-01-01,\n")
    before = everything()
    dry = take("leads", path, dry_run=True, keep_unmapped=True)
    assert everything() == before
    assert counts(dry) == counts(take("leads", path, keep_unmapped=True)) == (3, 0, 0, 1)


def test_bad_rows_are_told_with_row_column_and_reason_and_the_rest_goes_in(
    written: Written, tmp_path: Path
) -> None:
    path = written(
        "id,email,created,name\n"
        "1,ann@example.com,2025-01-01,Ann One\n"
        "2,not-an-address,2025-01-01,Bob Two\n"
        "3,cy@example.com,31/02/2025,Cy Three\n"
        "4,dee@example.com,03/04/2025,Dee Four\n"
        "5,eve@example.com\n"
        "6,fay@example.com,2099-01-01,Fay Six\n"
        ",,2025-01-01,Nobody Known\n"
        "8,hal@example.com,2025-01-08,Hal Eight\n"
    )
    errors = tmp_path / "errors.csv"
    report = take("leads", path, errors=errors)
    assert counts(report) == (2, 0, 0, 6)
    rows = list(csv.DictReader(errors.open(encoding="utf-8")))
    assert [(row["row"], row["column"]) for row in rows] == [
        ("3", "email"),
        ("4", "created"),
        ("5", "created"),
        ("6", ""),
        ("7", "created"),
        ("8", "id"),
    ]
    assert rows[0]["reason"] == "email is not an e-mail address."
    assert "--dates" in rows[2]["reason"]
    assert "future" in rows[4]["reason"]
    assert sorted(Lead.objects.values_list("external_id", flat=True)) == ["1", "8"]


def test_file_of_only_bad_rows_changes_nothing_and_fails(written: Written) -> None:
    before = everything()
    path = written("id,email\n1,nonsense\n2,more nonsense\n")
    with pytest.raises(CommandError, match="None of the 2 rows could be used; nothing was changed"):
        call_command("import", "leads", str(path), "--source", "crm", stdout=StringIO())
    assert everything() == before


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html><body>please sign in</body></html>",
        b"\x1f\x8b\x08\x00abc",
        b"PK\x03\x04abc",
        b"email,name\nann@example.com,\x00Ann\n",
        b'email,name\nann@example.com,"' + b"x" * 10_000_000 + b'"\n',
        b'email,name\nann@example.com,"open\n',
        b"email,Email\na@example.com,b@example.com\n",
        b"colour,taste\nred,sweet\n",
        b"ann@example.com,Ann\nbob@example.com,Bob\n",
    ],
    ids=[
        "empty",
        "html",
        "gzip",
        "xlsx",
        "nul",
        "ten-megabytes",
        "open-quote",
        "doubled",
        "nothing-known",
        "no-header",
    ],
)
def test_bad_file_is_refused_with_a_message_and_nothing_changes(written: Written, content: bytes) -> None:
    before = everything()
    path = written(content)
    with pytest.raises(UnreadableFile):
        take("leads", path)
    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("import", "leads", str(path), "--source", "crm", stdout=StringIO())
    assert everything() == before


def test_fault_far_below_undoes_what_went_in_before(written: Written) -> None:
    rows = "".join(f"{n},p{n}@example.com\n" for n in range(12_000))
    before = everything()
    with pytest.raises(UnreadableFile, match="never closed"):
        take("leads", written(f'id,email\n{rows}12001,"open\n'))
    assert everything() == before


def test_missing_file_and_wrong_options_are_refused(written: Written, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="no file"):
        take("leads", tmp_path / "absent.csv")
    for options in (
        {"mapping": ("Nothing=email",)},
        {"key": "phone"},
        {"zone": "Mars/Base"},
        {"dates": "ymd"},
    ):
        with pytest.raises(BadOption):
            take("leads", written(LEADS), **options)
    with pytest.raises(BadOption):
        take("leads", written(LEADS), source="!!")


def test_command_prints_the_mapping_and_json_counts(written: Written) -> None:
    out = StringIO()
    call_command("import", "leads", str(written(LEADS)), "--source", "CRM of old", stdout=out)
    assert "Lead Source → origin" in out.getvalue()
    assert "created 3, updated 0, unchanged 0, rejected 0 of 3 leads" in out.getvalue()
    out = StringIO()
    call_command(
        "import", "leads", str(written(LEADS)), "--source", "CRM of old", "--format", "json", stdout=out
    )
    told = json.loads(out.getvalue())
    assert (told["created"], told["updated"], told["unchanged"], told["rejected"]) == (0, 0, 3, 0)
    assert told["mapping"]["Email"] == "email"
    assert told["source"] == "crm-of-old"


def test_mapping_by_hand(written: Written) -> None:
    path = written("Key,Contact point,Wann\n1,ann@example.com,04.03.2025\n")
    take("leads", path, mapping=("Key=external_id", "Contact point=email", "Wann=captured_at"))
    lead = Lead.objects.get(external_id="1")
    assert lead.person.emails.get().email == "ann@example.com"
    assert lead.captured_at.date().isoformat() == "2025-03-04"


def test_unmapped_columns_become_typed_attributes(written: Written) -> None:
    path = written(
        "id,email,Seats,Is Partner,Renewal,Postal Code,Favourite,Empty\n"
        "1,ann@example.com,25,yes,2026-01-31,01067,Tea,\n"
        "2,bob@example.com,3.5,no,2026-02-01,10115,,\n"
    )
    assert counts(take("leads", path, keep_unmapped=True)) == (2, 0, 0, 0)
    types = dict(AttributeDefinition.objects.filter(subject="lead").values_list("key", "type"))
    assert types == {
        "seats": "number",
        "is_partner": "boolean",
        "renewal": "date",
        "postal_code": "text",
        "favourite": "text",
    }
    assert Lead.objects.get(external_id="1").attributes == {
        "seats": 25,
        "is_partner": True,
        "renewal": "2026-01-31",
        "postal_code": "01067",
        "favourite": "Tea",
    }
    assert Lead.objects.get(external_id="2").attributes["seats"] == 3.5
    assert counts(take("leads", path, keep_unmapped=True)) == (0, 0, 2, 0)
    changed = written("id,email,Seats\n1,ann@example.com,30\n2,bob@example.com,many\n")
    report = take("leads", changed, keep_unmapped=True)
    assert counts(report) == (0, 1, 0, 1)
    assert report.errors[0]["column"] == "Seats"
    assert Lead.objects.get(external_id="1").attributes["seats"] == 30


def test_without_keep_unmapped_other_columns_are_left(written: Written) -> None:
    report = take("leads", written("id,email,Seats\n1,ann@example.com,25\n"))
    assert report.unmapped == ["Seats"]
    assert Lead.objects.get().attributes == {}
    assert not AttributeDefinition.objects.exists()


def test_rows_that_repeat_an_id_become_one_record(written: Written) -> None:
    path = written(
        "id,email,title\n1,ann@example.com,Clerk\n2,bob@example.com,Boss\n1,ann@example.com,Chief\n"
    )
    report = take("leads", path)
    assert counts(report) == (2, 1, 0, 0)
    assert any("repeat an external id" in note for note in report.notes)
    assert Lead.objects.get(external_id="1").person.title == "Chief"
    assert counts(take("leads", path)) == (0, 0, 3, 0)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_any_encoding_gives_the_same_person(written: Written, encoding: str) -> None:
    take("people", written("id;First Name;Last Name\n1;José;Müller\n".encode(encoding)))
    assert Person.objects.get().name == "José Müller"


def test_text_that_would_end_a_copy_is_only_text(written: Written) -> None:
    path = written('id,last_name,title\n1,\\.,"a\n\\.\nb"\n2,"quo""te","x,y"\n3,\\N,NULL\n')
    assert counts(take("people", path)) == (3, 0, 0, 0)
    names = dict(Person.objects.order_by("pk").values_list("last_name", "title"))
    assert names == {"\\.": "a \\. b", 'quo"te': "x,y", "\\N": "NULL"}


def test_deleted_records_of_the_source_stay_out(written: Written) -> None:
    report = take("people", written("Id,Email,IsDeleted\n1,ann@example.com,false\n2,bob@example.com,true\n"))
    assert counts(report) == (1, 0, 0, 1)
    assert "deleted in the source" in report.errors[0]["reason"]
