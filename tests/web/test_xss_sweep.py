"""T7, T9: what strangers send is text on every page of every role, and nothing else.

A marker goes in by every door that is open to strangers (``DOORS``: add yours), then every page that a
role may open is parsed: the marker may stand only as text or as the value of an attribute that runs nothing.
"""

from __future__ import annotations

import csv
import io
import json
import re
import uuid
from collections.abc import Callable, Iterator
from html.parser import HTMLParser

import pytest
from django.apps import apps
from django.core.cache import caches
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver

from leads.models import (
    Company,
    DeadLetter,
    Event,
    Form,
    FormSubmission,
    ImportRun,
    ImportState,
    Lead,
    Person,
    Session,
    SourceKind,
    WriteKey,
)
from leads.services import activities, inbox, sources, write_keys
from leads.services.imports import execution
from smarketing.core import clock
from smarketing.users.domain.roles import CAPABILITIES, Capability, Role
from smarketing.users.models import User
from smarketing.web.pages import Address, addresses
from tests.leads.forms import BROWSER, published
from tests.rest import client_for

pytestmark = pytest.mark.django_db
MARKER = "xssmark"
PAYLOAD = f"<{MARKER}>\"'><img src=x onerror={MARKER}()>{{{{7*7}}}}</script><script>{MARKER}()</script>"
SCRIPTS = f"javascript:{MARKER}()"
# Where the word in an address is not the name of the record.
NAMED = {
    "people/": Person,
    "leads/": Lead,
    "companies/": Company,
    "forms/": Form,
    "answers/": FormSubmission,
    "imports/": ImportRun,
    "settings/tracking/": WriteKey,
}
WRITES = re.compile(r"\s*(INSERT INTO|UPDATE|DELETE FROM)\s")
# Looking may note that somebody looked or took a file away, and nothing else.
LOOKED = ("django_session", "users_user", "audit_auditentry")
# Attributes whose value runs, loads or leads somewhere.
ACTIVE = frozenset({"href", "src", "action", "formaction", "srcdoc", "style", "poster", "data"})


def by_hosted_form(form: Form) -> None:
    given = dict.fromkeys(("first", "last", "firm", "heard", "need"), PAYLOAD)
    Client(**BROWSER).post(
        f"/f/{form.key}/",
        {
            **given,
            "email": "one@b.example",
            "_page": SCRIPTS,
            "_ref": SCRIPTS,
            "_aid": PAYLOAD,
            PAYLOAD: PAYLOAD,
        },
        HTTP_USER_AGENT=PAYLOAD,
        headers={"Referer": f"https://a.example/{PAYLOAD}"},
    )


def by_quarantine(form: Form) -> None:
    Client(**BROWSER).post(f"/f/{form.key}/", {"last": PAYLOAD, "email": "two@b.example", "_trap": PAYLOAD})


def by_json(form: Form) -> None:
    body = {
        "fields": {"email": "three@b.example", "last": PAYLOAD},
        "context": {
            "page": f"https://a.example/?utm_source={PAYLOAD}&utm_campaign={PAYLOAD}",
            "referrer": SCRIPTS,
        },
    }
    Client(**BROWSER).post(f"/f/{form.key}/", json.dumps(body), content_type="application/json")


def by_web_to_lead(form: Form) -> None:
    given = {"oid": form.key, "last_name": PAYLOAD, "email": "four@b.example", "lead_source": PAYLOAD[:100]}
    Client(**BROWSER).post(
        "/servlet/servlet.WebToLead", {**given, "company": PAYLOAD, "Campaign_ID": PAYLOAD}
    )


def by_hubspot(form: Form) -> None:
    fields = [{"name": "email", "value": "five@b.example"}, {"name": "lastname", "value": PAYLOAD}]
    Client(**BROWSER).post(
        f"/submissions/v3/integration/submit/1/{form.guid}",
        json.dumps({"fields": fields, "context": {"pageUri": SCRIPTS, "hutk": PAYLOAD}}),
        content_type="application/json",
    )


def by_tracking(form: Form) -> None:
    """Every call with the marker in every part, of somebody who is known in the end; and one that fails."""
    context = {
        "page": {"url": f"https://a.example/{PAYLOAD}", "referrer": SCRIPTS, "title": PAYLOAD},
        "campaign": {"source": PAYLOAD, "name": PAYLOAD, "medium": PAYLOAD, "term": PAYLOAD},
        "locale": PAYLOAD, "userAgent": f"Mozilla/5.0 {PAYLOAD}", "ip": PAYLOAD,
    }  # fmt: skip
    whole = {"anonymousId": PAYLOAD, "context": context}
    traits = {
        "firstName": PAYLOAD,
        "lastName": PAYLOAD,
        "title": PAYLOAD,
        "phone": PAYLOAD,
        "website": SCRIPTS,
    }
    named = {**whole, "userId": PAYLOAD}
    calls: list[dict[str, object]] = [
        {**whole, "type": "page", "name": PAYLOAD, "properties": {"url": SCRIPTS, PAYLOAD: PAYLOAD}},
        {**whole, "type": "page", "context": {**context, "page": {"url": f"https://a.example/{PAYLOAD}"}}},
        {**whole, "type": "track", "event": PAYLOAD, "properties": {"url": SCRIPTS, PAYLOAD: [PAYLOAD]}},
        {**whole, "type": "track", "event": "Link Clicked", "properties": {"url": SCRIPTS, "text": PAYLOAD}},
        {**named, "type": "identify", "traits": {**traits, "email": "six@b.example"}},
        {**named, "type": "group", "groupId": PAYLOAD, "traits": {"name": PAYLOAD, "website": SCRIPTS}},
        {**named, "type": "alias", "previousId": PAYLOAD},
        {**named, "type": "screen", "name": PAYLOAD},
        {"type": "track", "event": PAYLOAD, "anonymousId": {PAYLOAD: PAYLOAD}},
    ]
    site = sources.ensure(code="site", name="Our site", kind=SourceKind.WEB, now=clock.now())
    key = write_keys.issue(source=site, name="Key", kind="browser", actor=None, now=clock.now()).key
    body = {"batch": calls, "writeKey": key.public_key}
    Client(**BROWSER).post("/v1/batch", json.dumps(body), content_type="text/plain")
    pixel = {"writeKey": key.public_key, "event": PAYLOAD, "anonymousId": "p", "properties.url": SCRIPTS}
    Client(**BROWSER).get("/v1/pixel/track", pixel)
    while inbox.run_once(now=clock.now(), limit=100):
        pass
    assert Event.objects.filter(source=site).count() == len(calls)  # one is refused, the pixel is one more
    letter = {"type": "track", "name": PAYLOAD, "source_id": site.pk, "message_id": PAYLOAD}
    DeadLetter.objects.create(
        origin="event", message_id=uuid.uuid4(), source_id=site.pk, body=letter, attempts=5, error=PAYLOAD,
        received_at=clock.now(), created_at=clock.now(),
    )  # fmt: skip


def by_import(form: Form) -> None:
    """A file from outside: its name, its columns, cells that are taken and cells that are refused."""
    admin = User.objects.create(email="importer@example.com", name="Ida", role=Role.ADMIN)
    client = Client()
    client.force_login(admin)
    head = ["Lead ID", "Last Name", "Email", "Company Name", PAYLOAD]
    rows = [["L1", PAYLOAD, "seven@b.example", PAYLOAD, PAYLOAD], [PAYLOAD, "x", PAYLOAD, "y", "z"]]
    text = io.StringIO(newline="")
    csv.writer(text).writerows([head, *rows])
    file = SimpleUploadedFile(f"{PAYLOAD.replace('/', '')}.csv", text.getvalue().encode())
    client.post("/imports/new/", {"kind": "leads", "source": "Elsewhere", "file": file})
    run = ImportRun.objects.get()
    names = ("external_id", "last_name", "email", "company")
    columns = {f"column-{n}": name for n, name in enumerate(names)}
    client.post(
        f"/imports/{run.pk}/columns/", {**columns, "column-4": "+", "key": "external_id", "dates": ""}
    )
    execution.work(clock=clock.now, watch=execution.unwatched)
    client.post(f"/imports/{run.pk}/start/")
    execution.work(clock=clock.now, watch=execution.unwatched)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")  # an import ends its transaction; a test's goes on
    run.refresh_from_db()
    assert run.state == ImportState.DONE, run.state


def by_rest(form: Form) -> None:
    """A program that hands on what strangers wrote."""
    boss = User.objects.create(email="program@example.com", name="Program", role=Role.ADMIN)
    person = {"first_name": PAYLOAD[:120], "last_name": PAYLOAD, "email": "eight@b.example", "title": PAYLOAD}
    body = {
        "person": person, "company": {"name": PAYLOAD}, "origin": PAYLOAD[:120], "landing_page": SCRIPTS,
        "description": PAYLOAD, "external_id": PAYLOAD,
    }  # fmt: skip
    made = client_for(boss).post("/api/v1/leads", body, format="json")
    assert made.status_code == 201, made.content


DOORS: tuple[Callable[[Form], None], ...] = (
    by_hosted_form,
    by_quarantine,
    by_json,
    by_web_to_lead,
    by_hubspot,
)
OTHER_DOORS = (by_tracking, by_import, by_rest)  # what comes in by these is no answer to a form


class Reader(HTMLParser):
    """Collects what a browser would run or follow."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []
        self.script = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.script = tag if tag in ("script", "style") and not _is_data(attrs) else ""
        if MARKER in tag:
            self.faults.append(f"<{tag}>")
        for name, value in attrs:
            if MARKER in name or (name.startswith("on") and value and MARKER in value):
                self.faults.append(f"{tag} {name}={value}")
            elif name in ACTIVE and value and value.strip().lower().startswith(("javascript:", "data:text")):
                self.faults.append(f"{tag} {name}={value[:60]}")

    def handle_endtag(self, tag: str) -> None:
        self.script = ""

    def handle_data(self, data: str) -> None:
        if self.script and MARKER in data:
            self.faults.append(f"in {self.script}: {data[:80]}")


def _is_data(attrs: list[tuple[str, str | None]]) -> bool:
    return dict(attrs).get("type") in ("application/json", "importmap")


@pytest.fixture
def marked(db: None) -> None:
    """The marker has come in by every door."""
    caches["counters"].clear()
    form = published(clock.now())
    for door in DOORS:
        door(form)
    assert FormSubmission.objects.count() == len(DOORS)
    for door in OTHER_DOORS:
        door(form)
    lead = Lead.objects.select_related("person").first()
    assert lead is not None
    assert MARKER in lead.person.last_name
    activities.log(
        person=lead.person, lead=lead, kind="note", subject=PAYLOAD, body=PAYLOAD, actor=None,
        occurred_at=clock.now(), now=clock.now(),
    )  # fmt: skip


def test_a_marker_is_text_on_every_page_of_every_role_and_looking_changes_nothing(marked: None) -> None:
    """One pass with one set-up. T16: no page writes a row, but for when somebody was last seen."""
    for role in Role:
        _sweep(role)
    routes = {get_resolver().resolve(path).view_name for path in paths(Role.ADMIN)}
    assert {"leads:lead", "leads:person", "leads:company", "leads:answer", "leads:form_show"} <= routes
    assert {"leads:visit", "leads:merge_both", "leads:import", "leads:write_key"} <= routes


def _sweep(role: Role) -> None:
    client = Client()
    client.force_login(User.objects.create(email=f"{role}@example.com", name="Sara Kohl", role=role))
    seen, faults, writes = 0, [], []
    for path in paths(role):
        with CaptureQueriesContext(connection) as asked:
            answer = client.get(path)
        writes += [f"{path}: {q['sql'][:120]}" for q in asked.captured_queries if WRITES.match(q["sql"])]
        assert answer.status_code < 500, path
        text = answer.content.decode() if "text/html" in answer.get("Content-Type", "") else ""
        if MARKER in text and answer.status_code < 400:
            seen += 1
            reader = Reader()
            reader.feed(text)
            faults += [f"{path}: {fault}" for fault in reader.faults]
    assert faults == [], role
    assert seen >= 6, role  # the marker does stand on pages, so the sweep looked at something
    assert [line for line in writes if not any(f'"{table}"' in line for table in LOOKED)] == []


def paths(role: Role) -> Iterator[str]:
    """Every page that the role may open by GET, with the numbers of records that exist.

    An admin, who may open all, looks at more records of a kind than the others.
    """
    for address in addresses():
        rule = address.rule
        if rule is None or "GET" not in rule.methods or address.route.startswith("accounts/"):
            continue
        if rule.capability is None or rule.capability in CAPABILITIES[role]:
            yield from _filled(address, most=2 if role is Role.ADMIN else 1)
    for person, visit in Session.objects.exclude(person=None).values_list("person", "pk")[:2]:
        yield f"/people/{person}/visits/{visit}/"
    if Capability.MERGE_RECORDS in CAPABILITIES[role]:
        one, other = Person.objects.order_by("pk").values_list("pk", flat=True)[:2]
        yield f"/people/{one}/merge/{other}/"


def _filled(address: Address, *, most: int) -> Iterator[str]:
    route = address.route
    if "<" not in route:
        yield f"/{route}"
        return
    if route.count("<") != 1 or "<int:" not in route:
        return
    head, _, rest = route.partition("<")
    tail = rest.partition(">")[2]
    for model in _models(head):
        some = 5 if model is FormSubmission and most > 1 else most
        for pk in model.objects.order_by("pk").values_list("pk", flat=True)[:some]:
            yield f"/{head}{pk}{tail}"


def _models(head: str) -> list[type]:
    known = NAMED.get(head)
    if known is not None:
        return [known]
    word = head.strip("/").split("/")[-1].rstrip("s")
    return [m for m in apps.get_models() if m._meta.model_name == word and m._meta.app_label != "auth"]


def test_the_reader_sees_what_would_run() -> None:
    for text in (PAYLOAD, f'<a href="{SCRIPTS}">', f'<p on{MARKER}="x">', f"<script>{MARKER}</script>"):
        reader = Reader()
        reader.feed(text)
        assert reader.faults, text
