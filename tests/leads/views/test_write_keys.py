"""The pages of tracking keys and dead letters, and the same over REST."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from leads.models import DeadLetter, EventInbox, InboxStop, IntakeCount, KeyKind, Source, SourceKind, WriteKey
from leads.services import sources, write_keys
from smarketing.audit.models import AuditEntry
from smarketing.core import clock
from smarketing.core.errors import Denied
from smarketing.users.models import User
from tests.leads.views.conftest import SignedIn
from tests.rest import assert_problem, client_for

pytestmark = pytest.mark.django_db
LIST = "/settings/tracking/"
V1 = "/api/v1"


@pytest.fixture
def site(now: datetime) -> Source:
    return sources.ensure(code="site", name="Our site", kind=SourceKind.WEB, now=now)


@pytest.fixture
def key(site: Source, now: datetime) -> WriteKey:
    return write_keys.issue(source=site, name="Main", kind=KeyKind.BROWSER, actor=None, now=now).key


@pytest.fixture
def letter(site: Source, now: datetime) -> DeadLetter:
    id = uuid.uuid4()
    body = {"id": str(id), "source_id": site.pk, "type": "track", "message_id": "m-1", "name": "<b>Seen"}
    return DeadLetter.objects.create(
        origin="event", message_id=id, source_id=site.pk, body=body, attempts=5,
        error="ValueError: <script>", received_at=now, created_at=now,
    )  # fmt: skip


def given(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Shop", "new_source": "Web shop", "kind": "browser", "origins": "https://shop.example\n",
        "per_minute": "600", "consent_category": "",
    } | changes  # fmt: skip


def test_a_key_is_made_with_a_new_source_and_its_tag_is_shown(signed_in: SignedIn, adam: User) -> None:
    client = signed_in(adam)
    response = client.post(f"{LIST}new/", given(), follow=True)
    key = WriteKey.objects.get()
    assert (key.source.code, key.source.kind, key.origins) == ("web-shop", "web", ["https://shop.example"])
    page = response.content.decode()
    assert f"data-key=&quot;{key.public_key}&quot;" in page
    assert "/t.js" in page
    assert AuditEntry.objects.filter(action="write_key_issued").count() == 1
    assert key.public_key not in str(list(AuditEntry.objects.values()))


def test_a_server_key_is_shown_once(signed_in: SignedIn, adam: User, site: Source) -> None:
    client = signed_in(adam)
    response = client.post(f"{LIST}new/", given(kind="server", origins="", source=site.pk, new_source=""))
    key = WriteKey.objects.get()
    page = response.content.decode()
    text = next(word.split('"')[0] for word in page.split('value="') if word.startswith("sk_"))
    assert bytes(key.digest) == write_keys.writekeys.digest_of(text)
    for address in (LIST, f"{LIST}{key.pk}/"):
        assert text not in client.get(address).content.decode()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"origins": "shop.example"}, "origins"),
        ({"origins": "javascript:alert(1)"}, "origins"),
        ({"kind": "server"}, "origins"),
        ({"per_minute": "0"}, "per_minute"),
        ({"name": " "}, "name"),
        ({"new_source": ""}, "new_source"),
    ],
)
def test_a_bad_setting_is_named_and_makes_nothing(
    signed_in: SignedIn, adam: User, changes: dict[str, str], field: str
) -> None:
    response = signed_in(adam).post(f"{LIST}new/", given(**changes))
    assert response.status_code == 422
    assert f'id="ask_{field}_error"' in response.content.decode() or field in response.content.decode()
    assert not WriteKey.objects.exists()
    assert not Source.objects.filter(code="web-shop").exists()


def test_a_key_is_changed_revoked_and_restored(signed_in: SignedIn, adam: User, key: WriteKey) -> None:
    client = signed_in(adam)
    client.post(f"{LIST}{key.pk}/edit/", given(name="Renamed", consent_category="Analytics"))
    key.refresh_from_db()
    assert (key.name, key.per_minute, key.consent_category) == ("Renamed", 600, "analytics")
    client.post(f"{LIST}{key.pk}/revoke/")
    key.refresh_from_db()
    assert key.revoked_at is not None
    client.post(f"{LIST}{key.pk}/restore/")
    key.refresh_from_db()
    assert key.revoked_at is None


def test_only_who_manages_keys_changes_them(mara: User, key: WriteKey, now: datetime) -> None:
    with pytest.raises(Denied):
        write_keys.revoke(key=key, actor=mara, now=now)
    with pytest.raises(Denied):
        write_keys.issue(source=key.source, name="x", kind="browser", actor=mara, now=now)
    key.refresh_from_db()
    assert (key.revoked_at, WriteKey.objects.count()) == (None, 1)


def test_the_page_tells_events_and_why_others_were_not_kept(
    signed_in: SignedIn, adam: User, key: WriteKey
) -> None:
    today = clock.now().date()
    for outcome, events in (("stored", 1234), ("gpc", 7), ("<i>odd", 3)):
        IntakeCount.objects.create(day=today, source=key.source, outcome=outcome, events=events)
    page = signed_in(adam).get(f"{LIST}{key.pk}/").content.decode()
    assert "1,234" in page
    assert "Global Privacy Control" in page
    assert "&lt;i&gt;odd" in page
    assert "<i>odd" not in page


def test_the_list_takes_as_many_queries_for_many_keys(signed_in: SignedIn, adam: User, key: WriteKey) -> None:
    client = signed_in(adam)

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert client.get(LIST).status_code == 200
        return len(seen)

    queries()
    few = queries()
    for _ in range(10):
        write_keys.issue(source=key.source, name="More", kind="browser", actor=None, now=clock.now())
    assert queries() == few


def test_dead_letters_are_tried_again_and_discarded(
    signed_in: SignedIn, adam: User, letter: DeadLetter
) -> None:
    client = signed_in(adam)
    page = client.get(f"{LIST}dead-letters/").content.decode()
    assert "ValueError: &lt;script&gt;" in page
    client.post(f"{LIST}dead-letters/discard/", {"id": letter.pk})
    letter.refresh_from_db()
    assert letter.discarded_at is not None
    client.post(f"{LIST}dead-letters/{letter.pk}/restore/")
    client.post(f"{LIST}dead-letters/replay/", {"id": [letter.pk, "x", "٣"]})
    assert not DeadLetter.objects.exists()
    assert EventInbox.objects.get().message_id == letter.message_id


def test_a_stop_is_shown_and_a_person_goes_on(signed_in: SignedIn, adam: User, now: datetime) -> None:
    InboxStop.objects.create(stopped_at=now, failing=20, applied=100)
    client = signed_in(adam)
    assert "Tracking is stopped." in client.get(LIST).content.decode()
    client.post(f"{LIST}resume/")
    assert "Tracking is stopped." not in client.get(LIST).content.decode()


# --- REST ---------------------------------------------------------------------------------------


def test_keys_over_rest(adam: User, site: Source) -> None:
    client = client_for(adam)
    body = {"source": "site", "name": "API", "kind": "server"}
    made = client.post(f"{V1}/write-keys", body, format="json")
    assert made.status_code == 201
    text = made.json()["text"]
    assert text.startswith("sk_")
    path = made["Location"]
    shown = client.get(path)
    assert text not in shown.content.decode()
    assert (shown.json()["source"], shown.json()["public_key"]) == ("site", "")
    changed = client.patch(path, {"per_minute": 5}, format="json", HTTP_IF_MATCH=shown.get("ETag", "*"))
    assert changed.status_code == 200, changed.content
    assert changed.json()["per_minute"] == 5
    assert client.post(f"{path}/revoke").json()["revoked_at"] is not None
    assert client.post(f"{path}/restore").json()["revoked_at"] is None
    assert_problem(
        client.post(f"{V1}/write-keys", {**body, "origins": ["x"]}, format="json"), 422, "bad_key_setting"
    )


def test_a_source_is_made_over_rest(adam: User, mara: User) -> None:
    body = {"code": "app", "name": "App", "kind": "api"}
    assert_problem(client_for(mara).post(f"{V1}/sources", body, format="json"), 403, "denied")
    assert not Source.objects.filter(code="app").exists()
    assert client_for(adam).post(f"{V1}/sources", body, format="json").status_code == 201
    assert "app" in [s["code"] for s in client_for(mara).get(f"{V1}/sources").json()["results"]]


def test_dead_letters_over_rest(adam: User, mara: User, letter: DeadLetter) -> None:
    client, path = client_for(adam), f"{V1}/dead-letters/{letter.pk}"
    assert_problem(client_for(mara).get(f"{V1}/dead-letters"), 403, "denied")
    assert client.get(f"{V1}/dead-letters").json()["results"][0]["error"] == "ValueError: <script>"
    assert client.post(f"{path}/discard").json()["discarded_at"] is not None
    assert client.post(f"{path}/replay").status_code == 204
    assert client.get(path).status_code == 404
    assert EventInbox.objects.count() == 1
