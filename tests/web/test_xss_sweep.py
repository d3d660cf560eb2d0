"""T7, T9: what strangers send is text on every page of every role, and nothing else.

A marker goes in by every door that is open to strangers (``DOORS``: add yours), then every page that a
role may open is parsed: the marker may stand only as text or as the value of an attribute that runs nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser

import pytest
from django.apps import apps
from django.core.cache import caches
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver

from leads.models import Company, Form, FormSubmission, Lead, Person
from leads.services import activities
from smarketing.core import clock
from smarketing.users.domain.roles import CAPABILITIES, Role
from smarketing.users.models import User
from smarketing.web.pages import Address, addresses
from tests.leads.forms import BROWSER, published

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


DOORS: tuple[Callable[[Form], None], ...] = (
    by_hosted_form,
    by_quarantine,
    by_json,
    by_web_to_lead,
    by_hubspot,
)


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
    lead = Lead.objects.select_related("person").first()
    assert lead is not None
    assert MARKER in lead.person.last_name
    activities.log(
        person=lead.person, lead=lead, kind="note", subject=PAYLOAD, body=PAYLOAD, actor=None,
        occurred_at=clock.now(), now=clock.now(),
    )  # fmt: skip


@pytest.mark.parametrize("role", list(Role))
def test_a_marker_is_text_on_every_page_of_every_role(role: Role, marked: None) -> None:
    client = Client()
    client.force_login(User.objects.create(email=f"{role}@example.com", name="Sara Kohl", role=role))
    seen, faults = 0, []
    for path in paths(role):
        answer = client.get(path)
        if answer.status_code >= 400 or "text/html" not in answer.get("Content-Type", ""):
            assert answer.status_code < 500, path
            continue
        text = answer.content.decode()
        seen += MARKER in text
        reader = Reader()
        reader.feed(text)
        faults += [f"{path}: {fault}" for fault in reader.faults]
    assert faults == []
    assert seen >= 6  # the marker does stand on pages, so the sweep looked at something


def test_looking_changes_nothing(marked: None) -> None:
    """T16: no page that an admin opens writes a row, but for when they were last seen."""
    client = Client()
    client.force_login(User.objects.create(email="admin@example.com", name="Adam", role=Role.ADMIN))
    writes: list[str] = []
    for path in paths(Role.ADMIN):
        with CaptureQueriesContext(connection) as asked:
            client.get(path)
        writes += [f"{path}: {q['sql'][:120]}" for q in asked.captured_queries if WRITES.match(q["sql"])]
    assert [line for line in writes if not any(f'"{table}"' in line for table in LOOKED)] == []


def paths(role: Role) -> Iterator[str]:
    """Every page that the role may open by GET, with the numbers of records that exist."""
    for address in addresses():
        rule = address.rule
        if rule is None or "GET" not in rule.methods or address.route.startswith("accounts/"):
            continue
        if rule.capability is None or rule.capability in CAPABILITIES[role]:
            yield from _filled(address)


def _filled(address: Address) -> Iterator[str]:
    route = address.route
    if "<" not in route:
        yield f"/{route}"
        return
    if route.count("<") != 1 or "<int:" not in route:
        return
    head, _, rest = route.partition("<")
    tail = rest.partition(">")[2]
    for model in _models(head):
        most = 5 if model is FormSubmission else 2
        for pk in model.objects.order_by("pk").values_list("pk", flat=True)[:most]:
            yield f"/{head}{pk}{tail}"


def _models(head: str) -> list[type]:
    named = {
        "people/": Person,
        "leads/": Lead,
        "companies/": Company,
        "forms/": Form,
        "answers/": FormSubmission,
    }
    known = named.get(head)
    if known is not None:
        return [known]
    word = head.strip("/").split("/")[-1].rstrip("s")
    return [m for m in apps.get_models() if m._meta.model_name == word and m._meta.app_label != "auth"]


def test_the_sweep_reaches_the_pages_of_records(marked: None) -> None:
    found = list(paths(Role.ADMIN))
    routes = {get_resolver().resolve(path).view_name for path in found}
    assert {"leads:lead", "leads:person", "leads:company", "leads:answer", "leads:form_show"} <= routes


def test_the_reader_sees_what_would_run() -> None:
    for text in (PAYLOAD, f'<a href="{SCRIPTS}">', f'<p on{MARKER}="x">', f"<script>{MARKER}</script>"):
        reader = Reader()
        reader.feed(text)
        assert reader.faults, text
