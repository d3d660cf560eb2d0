"""Naughty strings through every road in: what is stored is what was sent, or it was refused by name.

The big list of naughty strings is taken where it lies beside the project, else a list of our own.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence

import pytest
from django.core.cache import caches
from django.test import Client

from leads.models import Event, FormSubmission, Lead, SourceKind
from leads.services import inbox, sources, write_keys
from smarketing.core import clock
from smarketing.users.models import User
from tests.importing import DATA, counts, take
from tests.leads.forms import BROWSER, published
from tests.leads.imports.conftest import Written, written
from tests.rest import client_for

pytestmark = pytest.mark.django_db
__all__ = ["written"]
REFUSALS = {"bad_value", "null_characters_not_allowed"}
# Marks that turn the direction of what follows are taken out of forms: they disguise names.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
BLNS = DATA / "csv" / "naughty_strings" / "blns.json"
OWN = (
    "undefined", "NULL", "null", "None", "nil", "true", "-1", "1e400", "0x0", "NaN", "Infinity", "1/0", "٣",
    "=1+1", "+SUM(A1)", "-2", "@cmd|' /C calc'!A0", "'; DROP TABLE leads_lead; --", "' OR 1=1 -- 1", "%s%d%n",
    "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "{{7*7}}", "{% include 'x' %}", "${7*7}",
    "../../etc/passwd", "C:\\Windows", "%00", "%0d%0aSet-Cookie: a=b", "a\r\nBcc: x@y.example",
    "\ttab", "a\nb",
    "é", "e\u0301", "ﷺ" * 20, "Z" + "\u0301" * 300, "👩‍👩‍👧‍👦", "🇩🇪", "אבג",
    "\u202eoverridden", "\u2066iso\u2069",
    "\ufeffbom", "zero\u200bwidth", "\u00a0", "\u2028line", "\ufffe", "ｆｕｌｌ", "𝕓𝕠𝕝𝕕", "ẞß", "İi",
    "Ｏ'Reilly",
    "O\u2019Neill; \"quoted\", comma", "CON", "javascript:alert(1)", "//evil.example",
    "http://[::1", "1,2;3\t4",
)  # fmt: skip


@pytest.fixture(scope="module")
def strings() -> list[str]:
    """Naughty ones that say something; each once."""
    found = json.loads(BLNS.read_text(encoding="utf-8")) if BLNS.exists() else []
    return [text for text in dict.fromkeys([*OWN, *found]) if _plain(text)]


def _plain(text: str) -> str:
    """Text as fields keep it: without blanks around it, line ends as one character."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def _visible(text: str) -> str:
    """What of a cell is kept: control characters, which no file should hold, become blanks."""
    return " ".join(_CONTROL.sub(" ", text).split())


def test_through_a_form_the_answer_is_kept_as_it_was_given(strings: Sequence[str]) -> None:
    form = published(clock.now())
    strings = [
        *strings[: len(OWN)],
        *strings[len(OWN) :: 4],
    ]  # each answer makes a lead, which takes its time
    for number in range(0, len(strings), 4):
        some = strings[number : number + 4]
        fields = dict(zip(("first", "firm", "heard", "need"), some, strict=False))
        caches["counters"].clear()  # one visitor who has all day
        body = {"fields": {**fields, "last": f"Number {number}", "email": f"n{number}@nice.example"}}
        answer = Client(**BROWSER).post(f"/f/{form.key}/", json.dumps(body), content_type="application/json")
        if answer.status_code == 422:
            assert {fault["pointer"].rpartition("/")[2] for fault in answer.json()["errors"]} <= set(fields)
            continue
        assert answer.status_code == 201, (some, answer.content)
        raw = FormSubmission.objects.latest("pk").raw["fields"]
        kept = {name: [_plain(text) for text in raw[name]] for name in fields}
        assert kept == {name: [_plain(_TURNING.sub("", text))] for name, text in fields.items()}
    taken = FormSubmission.objects.count()
    assert taken >= 0.95 * len(strings) / 4
    assert not FormSubmission.objects.filter(state="received").exists()  # each was made a lead, or waits


def test_through_tracking_names_and_properties_come_back(strings: Sequence[str]) -> None:
    site = sources.ensure(code="site", name="Our site", kind=SourceKind.WEB, now=clock.now())
    key = write_keys.issue(source=site, name="Key", kind="browser", actor=None, now=clock.now()).key
    calls = [
        {
            "type": "track", "event": text[:255], "messageId": f"m-{number}", "anonymousId": "a",
            "properties": {"text": text, "list": [text], text[:200]: 1}, "context": {"locale": text},
        }
        for number, text in enumerate(strings)
    ]  # fmt: skip
    for start in range(0, len(calls), 250):
        body = {"batch": calls[start : start + 250], "writeKey": key.public_key}
        answer = Client(**BROWSER).post("/v1/batch", json.dumps(body), content_type="text/plain")
        assert answer.json() == {"success": True}
    while inbox.run_once(now=clock.now(), limit=500):
        pass
    assert Event.objects.count() == len(strings)
    kept = {event.properties["text"]: event for event in Event.objects.all()}
    for text in strings:
        event = kept[text]
        assert event.properties["list"] == [text]
        assert event.properties[text[:200]] == 1
        assert event.name == text[:255].strip()


def test_through_a_file_cells_come_back_or_are_told(strings: Sequence[str], written: Written) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["id", "last_name", "email", "description"])
    writer.writerows((n, f"Number {n}", f"n{n}@nice.example", s) for n, s in enumerate(strings))
    report = take("leads", written(text.getvalue().encode("utf-8")))
    created, updated, unchanged, rejected = counts(report)
    assert (created + rejected, updated, unchanged) == (len(strings), 0, 0)
    assert rejected == 0
    kept = dict(Lead.objects.values_list("external_id", "description"))
    assert {n: _visible(s) for n, s in enumerate(strings)} == {int(n): _visible(s) for n, s in kept.items()}


def test_through_the_interface_they_come_back_or_are_refused(strings: Sequence[str], mara: User) -> None:
    client = client_for(mara)
    rows = [
        {
            "person": {"last_name": s[:120], "email": f"n{n}@nice.example", "title": s[:200]},
            "origin": s[:120], "description": s, "external_id": f"x{n}",
        }
        for n, s in enumerate(strings)
    ]  # fmt: skip
    told = client.post("/api/v1/leads/bulk", {"rows": rows}, format="json").json()
    assert told["created"] + told["refused"] == len(strings)
    for result in told["results"]:
        if result["status"] == "refused":
            assert {e["code"] for e in result["errors"]} <= {"bad_value", "null_characters_not_allowed"}, (
                result
            )
    kept = {lead.external_id: lead for lead in Lead.objects.select_related("person")}
    assert len(kept) == told["created"] >= 0.95 * len(strings)
    for number, text in enumerate(strings):
        lead = kept.get(f"x{number}")
        if lead is not None:
            assert _plain(lead.description) == _plain(text)
            assert lead.person.last_name == text[:120].strip()


def test_found_again_by_search_and_filter_without_a_fault(strings: Sequence[str], mara: User) -> None:
    """As words of a search they find something or nothing; never an error."""
    page, api = Client(), client_for(mara)
    page.force_login(mara)
    for text in strings[:: max(1, len(strings) // 25)]:
        assert page.get("/leads/", {"q": text}).status_code == 200
        assert api.get("/api/v1/people", {"search": text}).status_code in (200, 400)
