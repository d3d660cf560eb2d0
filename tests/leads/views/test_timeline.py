"""The timeline on the page: its tabs, whose facts, its live top."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from leads.models import Activity, Lead
from smarketing.users.models import User
from tests.leads.conftest import NOW
from tests.leads.views.conftest import SignedIn

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


def notes(ada: Lead, count: int, *, after: int = 0) -> None:
    Activity.objects.bulk_create(
        Activity(
            person=ada.person,
            source=ada.source,
            kind="note",
            direction="internal",
            subject=f"Note {number}",
            occurred_at=NOW + timedelta(minutes=number),
        )
        for number in range(after, after + count)
    )


def address_of_the_live_top(html: str) -> tuple[str, str]:
    head = html.split('id="timeline-head"')[1]
    return (
        head.split('hx-get="')[1].split('"')[0].replace("&amp;", "&"),
        head.split("data-etag='")[1].split("'")[0],
    )


def test_the_live_top_is_304_until_something_happens_and_then_holds_it(
    signed_in: SignedIn, rita: User, ada: Lead
) -> None:
    notes(ada, 40)
    client = signed_in(rita)
    url, tag = address_of_the_live_top(client.get(f"/people/{ada.person_id}/").content.decode())
    assert url.startswith(f"/people/{ada.person_id}/timeline/live/?floor=2026-03-02T")
    assert client.get(url, headers={**HTMX, "If-None-Match": tag}).status_code == 304
    notes(ada, 2, after=40)
    answer = client.get(url, headers={**HTMX, "If-None-Match": tag})
    html = answer.content.decode()
    assert (answer.status_code, html.count("timeline-entry")) == (200, 27)
    assert "Note 41" in html
    assert 'id="entry-activity-' in html
    assert client.get(url, headers={**HTMX, "If-None-Match": answer["ETag"]}).status_code == 304


def test_when_too_much_is_new_the_timeline_begins_anew(signed_in: SignedIn, rita: User, ada: Lead) -> None:
    notes(ada, 40)
    client = signed_in(rita)
    url, tag = address_of_the_live_top(client.get(f"/people/{ada.person_id}/").content.decode())
    notes(ada, 60, after=40)
    answer = client.get(url, headers={**HTMX, "If-None-Match": tag})
    assert (answer["HX-Retarget"], answer["HX-Reswap"]) == ("#record-timeline", "innerHTML")
    assert answer.content.decode().count("timeline-entry") == 25


def test_whose_facts_and_the_tab_stay_chosen_together(signed_in: SignedIn, rita: User, ada: Lead) -> None:
    notes(ada, 30)
    client = signed_in(rita)
    html = client.get(f"/people/{ada.person_id}/timeline/?only=activity&of=sales").content.decode()
    assert html.count("timeline-entry") == 25
    assert "only=activity&amp;of=sales" in html
    assert client.get(f"/people/{ada.person_id}/timeline/?of=nobody&only=x").status_code == 200
    nothing = client.get(f"/people/{ada.person_id}/timeline/?only=activity&of=person").content.decode()
    assert "Nothing of this kind has happened yet." in nothing


def test_a_made_up_floor_is_refused(signed_in: SignedIn, rita: User, ada: Lead) -> None:
    assert signed_in(rita).get(f"/people/{ada.person_id}/timeline/live/?floor=x~y~z").status_code == 400


def test_a_missing_fact_opens_its_form_where_one_may_edit(
    signed_in: SignedIn, rita: User, olga: User, ada: Lead
) -> None:
    edit = f"/facts/person/{ada.person_id}/title/edit/"
    html = signed_in(rita).get(f"/leads/{ada.pk}/").content.decode()
    assert f'class="chip" hx-get="{edit}" hx-target="#fact-person-{ada.person_id}-title"' in html
    assert f'class="chip" hx-get="{edit}"' not in signed_in(olga).get(f"/leads/{ada.pk}/").content.decode()


def test_a_company_shows_its_people_rolled_up(signed_in: SignedIn, rita: User, ada: Lead) -> None:
    notes(ada, 3)
    client = signed_in(rita)
    html = client.get(f"/companies/{ada.company_id}/").content.decode()
    assert "Note 2" in html
    assert f'<a href="/people/{ada.person_id}/">Ada Lovelace</a>' in html
    url, tag = address_of_the_live_top(html)
    assert url.startswith(f"/companies/{ada.company_id}/timeline/live/")
    assert client.get(url, headers={**HTMX, "If-None-Match": tag}).status_code == 304


def test_the_live_top_reads_the_same_number_of_times_however_much_there_is(
    signed_in: SignedIn, rita: User, ada: Lead
) -> None:
    client = signed_in(rita)
    url = f"/people/{ada.person_id}/timeline/live/?floor="
    client.get(url)
    with CaptureQueriesContext(connection) as few:
        client.get(url)
    notes(ada, 45)
    with CaptureQueriesContext(connection) as many:
        client.get(url)
    assert len(many) == len(few)
