"""The leads list: filters in the address, orders, export of what is filtered, owners in bulk."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from funnel.models import Assignment, LeadState
from funnel.services import lifecycle, owners
from leads.models import Lead, Source
from leads.services import attributes
from leads.services import leads as capturing
from smarketing.audit.models import AuditEntry
from smarketing.core import clock
from smarketing.users.models import User
from tests.funnel.conftest import DAY, NOW, asks_for_demo, capture_lead
from tests.funnel.views.conftest import HTMX, SignedIn

LIST = {**HTMX, "HX-Target": "div#list"}


def names(client: Client, query: str = "") -> list[str]:
    """The leads that the list shows, in order."""
    shown = client.get(f"/leads/{query}", headers=LIST)
    assert shown.status_code == 200
    return [row.person_name.split()[-1] for row in shown.context["list"].table.rows]


def number(lead: Lead) -> str:
    return lead.person.last_name.removeprefix("Lovelace ")


@pytest.fixture
def old(web: Source) -> Lead:
    """A lead that came four days ago, from a referral, and asked for a demo."""
    lead = capture_lead(web, at=NOW - 4 * DAY, origin="referral", company="Umbrella")
    asks_for_demo(lead, at=NOW)
    return lead


@pytest.fixture
def new(web: Source) -> Lead:
    """A lead that came today, from a webinar, with a title that does not fit as well."""
    return capture_lead(web, at=NOW, origin="webinar", title="Clerk")


def test_the_newest_lead_stands_first(signed_in: SignedIn, olga: User, old: Lead, new: Lead) -> None:
    assert names(signed_in(olga)) == [number(new), number(old)]


def test_a_row_shows_the_lead_and_escapes_what_strangers_wrote(
    signed_in: SignedIn, sam: User, web: Source
) -> None:
    lead = capture_lead(web, at=NOW - DAY, origin="<b>fair</b>", company="Ham & <i>Eggs</i>")
    shown = " ".join(signed_in(sam).get("/leads/", headers=LIST).content.decode().split())
    row = shown[shown.index("<tr data-row>") : shown.index("</tr>", shown.index("<tr data-row>"))]
    assert f'<a href="/leads/{lead.pk}/" class="who-name">Ada Lovelace {number(lead)}</a>' in row
    assert '<span class="who-sub">Ham &amp; &lt;i&gt;Eggs&lt;/i&gt;</span>' in row
    assert '<td data-label="Origin">&lt;b&gt;fair&lt;/b&gt;</td>' in row
    assert f'name="id" value="{lead.pk}" form="bulk" data-pick aria-label="Select Ada Lovelace' in row
    assert '<td data-label="Interest" title="Nurture">' in row
    assert '<td class="nowrap" data-label="Owner">–</td>' in row
    assert row.count("<td") == 9


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?q=umbrella", "old"),
        ("?q=webinar", ""),
        ("?stage=lead", "new"),
        ("?stage=mql", "old"),
        ("?stage=mql&stage=lead", "new old"),
        ("?owner=nobody", "new"),
        ("?origin=webinar", "new"),
        ("?channel=none", "new old"),
        ("?source=web", "new old"),
        ("?fit=A", ""),
        ("?interest=1", "old"),
        ("?action=hand_off", "old"),
        ("?captured_before=2026-03-01", "old"),
        ("?captured_after=2026-03-02&captured_before=2026-03-02", "new"),
        ("?open=true", "new old"),
        ("?open=false", ""),
        ("?sort=fit", "new old"),
        ("?sort=-fit", "old new"),
        ("?sort=captured", "old new"),
        ("?sort=-interest", "old"),
    ],
)
def test_filters_and_orders_in_the_address_narrow_and_arrange_the_list(
    signed_in: SignedIn, rita: User, old: Lead, new: Lead, query: str, found: str
) -> None:
    wanted = {"old": number(old), "new": number(new)}
    assert names(signed_in(rita), query) == [wanted[name] for name in found.split()]


def test_custom_attributes_are_filters(signed_in: SignedIn, rita: User, old: Lead, new: Lead) -> None:
    for key, kind in (("seats", "number"), ("plan-x", "choice"), ("vip", "boolean"), ("renews", "date")):
        attributes.define(subject="lead", key=key, type=kind, choices=["gold", "tin"], actor=None, now=NOW)
    capturing.update(
        lead=old,
        changes={"attributes": {"seats": 40, "plan-x": "gold", "vip": True, "renews": "2026-05-01"}},
        expected_version=None,
        actor=None,
        now=NOW,
    )
    client = signed_in(rita)
    for query in ("lead_seats_min=30", "lead_plan-x=gold", "lead_vip=true", "lead_renews=2026-05-01"):
        assert names(client, f"?{query}") == [number(old)], query
    for query in ("lead_seats_max=30", "lead_plan-x=tin", "lead_vip=false", "lead_renews=2026-05-02"):
        assert names(client, f"?{query}") == [], query
    chips = client.get("/leads/?lead_seats_min=30", headers=LIST).content.decode()
    assert "Seats from" in chips


@pytest.mark.parametrize(
    "query",
    ["?owner=%27%3B--", "?captured_after=never", "?stage=nowhere", "?lead_seats__gte=1", "?sort=email"],
)
def test_a_filter_that_can_not_be_read_is_no_fault(
    signed_in: SignedIn, rita: User, new: Lead, query: str
) -> None:
    assert signed_in(rita).get(f"/leads/{query}").status_code == 200


def test_the_number_of_queries_does_not_grow_with_the_rows(
    signed_in: SignedIn, rita: User, web: Source
) -> None:
    client = signed_in(rita)
    capture_lead(web)
    client.get("/leads/")
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get("/leads/")
    for day in range(8):
        asks_for_demo(capture_lead(web, at=NOW - day * DAY), at=NOW - day * DAY)
    with CaptureQueriesContext(connection) as many:
        client.get("/leads/")
    assert len(many) <= len(few) + 1  # the calendar of the clocks


def exported(client: Client, query: str = "") -> list[dict[str, str]]:
    answer = client.get(f"/leads/export.csv{query}")
    assert isinstance(answer, StreamingHttpResponse)
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[arg-type]
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.django_db(transaction=True)
def test_the_export_holds_exactly_what_is_filtered_and_no_formula(
    signed_in: SignedIn, rita: User, web: Source
) -> None:
    capture_lead(web, at=NOW - DAY, origin="webinar")
    wanted = capture_lead(web, at=NOW, origin="=cmd()", company="")
    capture_lead(web, at=NOW - 2 * DAY, origin="=cmd()", company="")
    rows = exported(signed_in(rita), "?origin=%3Dcmd()")
    assert len(rows) == 2
    assert rows[0]["lead"] == str(wanted.pk)
    assert rows[0]["origin"] == "'=cmd()"
    assert rows[0]["email"].endswith("@initech.example")
    assert AuditEntry.objects.get(action="leads_exported").actor_id == rita.pk


def test_who_may_not_export_is_refused(signed_in: SignedIn, olga: User, new: Lead) -> None:
    assert signed_in(olga).get("/leads/export.csv").status_code == 403
    assert "leads/export.csv" not in signed_in(olga).get("/leads/").content.decode()


def test_a_manager_gives_leads_to_another_owner_and_takes_it_back(
    signed_in: SignedIn, sam: User, rita: User, rob: User, old: Lead, new: Lead
) -> None:
    before = dict(LeadState.objects.values_list("lead_id", "owner_id"))
    client = signed_in(sam)
    answer = client.post("/leads/owner/", {"id": [old.pk, new.pk], "owner": rob.pk, "query": "sort=captured"})
    assert (answer.status_code, answer["Location"]) == (303, "/leads/?sort=captured")
    assert set(LeadState.objects.values_list("owner_id", flat=True)) == {rob.pk}

    shown = client.get("/leads/").content.decode()
    undo = shown.split('action="/leads/owner/undo/')[1].split('"')[0]
    assert client.post(f"/leads/owner/undo/{undo}").status_code == 303
    assert dict(LeadState.objects.values_list("lead_id", "owner_id")) == before

    ledger = Assignment.objects.count()
    assert client.post(f"/leads/owner/undo/{undo}").status_code == 409
    assert Assignment.objects.count() == ledger


def test_a_change_of_owner_stands_after_ten_seconds(
    signed_in: SignedIn, sam: User, rob: User, new: Lead
) -> None:
    now = clock.now() - timedelta(seconds=11)
    owners.assign_many(leads=[new], owner=rob, actor=sam, now=now)
    micros = int(now.timestamp()) * 1_000_000
    assert signed_in(sam).post(f"/leads/owner/undo/{rob.pk}/{micros}/").status_code == 409
    assert LeadState.objects.get(pk=new.pk).owner_id == rob.pk


def test_whoever_may_not_change_owners_is_refused_and_nothing_changes(
    signed_in: SignedIn, rita: User, rob: User, new: Lead
) -> None:
    assert signed_in(rita).post("/leads/owner/", {"id": new.pk, "owner": rob.pk}).status_code == 403
    assert LeadState.objects.get(pk=new.pk).owner_id is None


@pytest.mark.parametrize("data", [{}, {"id": "1"}, {"owner": "x"}, {"id": "-1"}, {"id": "99999999999"}])
def test_a_change_without_leads_or_owner_is_refused(
    signed_in: SignedIn, sam: User, rob: User, new: Lead, data: dict[str, str]
) -> None:
    answer = signed_in(sam).post("/leads/owner/", {"owner": rob.pk, **data} if "id" in data else data)
    assert answer.status_code in (404, 422)
    assert LeadState.objects.get(pk=new.pk).owner_id is None


def test_an_empty_list_says_where_leads_come_from(signed_in: SignedIn, rita: User) -> None:
    text = signed_in(rita).get("/leads/").content.decode()
    assert "Everybody who showed interest appears here" in text
    assert 'href="/leads/new/"' in text


def test_a_closed_lap_is_found_by_its_filter(signed_in: SignedIn, rita: User, sam: User, new: Lead) -> None:
    lifecycle.move(lead=new, to="disqualified", cause="manual", reason="A test.", actor=sam, at=NOW, now=NOW)
    assert names(signed_in(rita), "?open=false") == [number(new)]


def test_the_heading_says_what_a_qualified_lead_is(signed_in: SignedIn, olga: User, web: Source) -> None:
    text = signed_in(olga).get("/leads/").content.decode()
    assert "What is a qualified lead?" in text
    assert "(version 1 of the definition)" in text
