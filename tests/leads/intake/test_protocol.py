"""The tracking interface as the SDKs use it: addresses, keys, bodies, answers."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from leads.models import DaySalt, EventInbox, IntakeCount, KeyKind, Source, WriteKey, WriteKeyUse
from leads.services import write_keys
from tests.importing import real
from tests.leads.intake.conftest import Send, basic, issued, track, waiting

pytestmark = pytest.mark.django_db
OK = {"success": True}


def outcomes() -> dict[str, int]:
    return dict(IntakeCount.objects.values_list("outcome", "events"))


# --- addresses --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("track", "track"), ("page", "page"), ("screen", "screen"),
        ("identify", "identify"), ("group", "group"), ("alias", "alias"),
        ("t", "track"), ("p", "page"), ("s", "screen"), ("i", "identify"), ("g", "group"), ("a", "alias"),
        ("track/", "track"),
    ],
)  # fmt: skip
def test_each_call_has_its_address_and_a_short_one(send: Send, path: str, kind: str) -> None:
    response = send(f"/v1/{path}", track(type=..., userId="u-2", previousId="u-1", groupId="g-1"))
    assert (response.status_code, response.json()) == (200, OK)
    assert EventInbox.objects.get().kind == kind


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/b", "/v1/import", "/beacon/v1/batch"])
def test_a_batch_holds_calls_of_several_types(send: Send, path: str) -> None:
    calls = [track(1), track(2, type="page", event=...), track(3, type="identify", traits={"a": 1})]
    response = send(path, {"batch": calls, "sentAt": "2026-11-27T10:00:00Z"})
    assert (response.status_code, response.json()) == (200, OK)
    assert waiting() == ["m-1", "m-2", "m-3"]


def test_an_empty_batch_is_fine(send: Send) -> None:
    assert send("/v1/batch", {"batch": []}).json() == OK


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/unknown", "/v1/batch/x", "/v1/pixel", "/v1/projects/x"])
def test_an_unknown_address_is_said_to_be_one(send: Send, path: str) -> None:
    response = send(path, track())
    assert (response.status_code, response.json()["error"]["code"]) == (404, "no_such_address")


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "head"])
def test_calls_are_posted(client: Client, method: str) -> None:
    response = getattr(client, method)("/v1/track")
    assert (response.status_code, response["Allow"]) == (405, "POST, OPTIONS")


def test_what_sdks_report_about_themselves_is_taken_and_forgotten(client: Client) -> None:
    response = client.post("/v1/m", b"{}", content_type="text/plain")
    assert (response.status_code, EventInbox.objects.count()) == (200, 0)


# --- who sends --------------------------------------------------------------------------------


def test_the_key_may_stand_in_the_body_its_first_event_or_the_query(
    send: Send, browser_key: WriteKey
) -> None:
    key, alone = browser_key.public_key, {"headers": {"Authorization": None}}
    assert send("/v1/track", track(1, writeKey=key), **alone).status_code == 200
    assert send("/v1/batch", {"batch": [track(2, writeKey=key)]}, **alone).status_code == 200
    assert send(f"/beacon/v1/batch?writeKey={key}", {"batch": [track(3)]}, **alone).status_code == 200
    bearer = {"headers": {"Authorization": "Bearer token"}}
    assert send("/v1/track", track(4, writeKey=key), **bearer).status_code == 200
    assert waiting() == ["m-1", "m-2", "m-3", "m-4"]


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        (None, "no_key"),
        ("Basic", "no_key"),
        ("Basic !!!", "bad_credentials"),
        ("Basic /w==", "bad_credentials"),
        (basic("wk_nobody"), "unknown_key"),
        (basic("k" * 3000), "unknown_key"),
        ("Bearer wk", "no_key"),
    ],
)
def test_who_has_no_key_is_not_heard(send: Send, authorization: str | None, code: str) -> None:
    response = send("/v1/track", track(), headers={"Authorization": authorization})
    assert (response.status_code, response.json()["error"]["code"]) == (401, code)
    assert not EventInbox.objects.exists()


def test_a_revoked_key_is_unknown_until_it_is_restored(
    send: Send, browser_key: WriteKey, now: datetime
) -> None:
    write_keys.revoke(key=browser_key, actor=None, now=now)
    assert send("/v1/track", track()).status_code == 401
    write_keys.restore(key=browser_key, actor=None, now=now)
    assert send("/v1/track", track()).status_code == 200


def test_of_a_server_key_only_the_digest_is_kept(server_key: str) -> None:
    key = WriteKey.objects.get(kind=KeyKind.SERVER)
    assert (key.public_key, key.prefix) == ("", server_key[:10])
    assert server_key not in str(WriteKey.objects.values())


def test_a_server_key_in_a_page_is_refused(send: Send, server_key: str) -> None:
    response = send("/v1/track", track(), key=server_key, headers={"Origin": "https://x.example"})
    assert (response.status_code, response.json()["error"]["code"]) == (403, "server_key_in_browser")
    assert send("/v1/track", track(), key=server_key).status_code == 200


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://www.example.com", 200),
        ("https://shop.example.org", 200),
        ("https://example.org", 403),
        ("http://www.example.com", 403),
        ("https://www.example.com.evil.example", 403),
        ("https://www.example.com:8443", 403),
        ("null", 403),
        (None, 403),
    ],
)
def test_a_browser_key_is_heard_from_its_sites_only(
    send: Send, site: Source, now: datetime, origin: str | None, status: int
) -> None:
    _key, text = issued(
        site, KeyKind.BROWSER, now, origins=["https://www.example.com/", "https://*.example.org"]
    )
    headers = {"Origin": origin}
    assert send("/v1/track", track(), key=text, headers=headers).status_code == status
    assert len(waiting()) == (status == 200)


# --- bodies -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "text/plain", "application/x-www-form-urlencoded", "x/y"],
)
def test_the_content_type_does_not_matter(send: Send, content_type: str) -> None:
    assert send("/v1/track", track(), content_type=content_type).status_code == 200


def test_packed_bodies_are_known_by_header_or_first_bytes(send: Send) -> None:
    def body(number: int) -> bytes:
        return json.dumps({"batch": [track(number)]}).encode()

    form = {"content_type": "application/x-www-form-urlencoded"}
    assert send("/v1/batch", gzip.compress(body(1)), headers={"Content-Encoding": "gzip"}).status_code == 200
    assert send("/v1/batch", gzip.compress(body(2)), **form).status_code == 200
    assert send("/v1/batch", body(3), headers={"Content-Encoding": "gzip"}).status_code == 200
    assert (
        send("/v1/batch", zlib.compress(body(4)), headers={"Content-Encoding": "deflate"}).status_code == 200
    )
    assert waiting() == ["m-1", "m-2", "m-3", "m-4"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "no_batch"),
        (b"{", 400, "unreadable"),
        (b"null", 400, "no_batch"),
        (b'"text"', 400, "no_batch"),
        (b"[" * 60_000, 400, "unreadable"),
        (b"\x1f\x8bnonsense", 400, "unreadable"),
        (gzip.compress(b"{}" * 1000, mtime=0)[:20], 400, "unreadable"),
        (gzip.compress(b" " * 600_000, mtime=0), 413, "too_large"),
        (b" " * 512_001, 413, "too_large"),
        (json.dumps({"batch": [1] * 2501}).encode(), 413, "too_large"),
        (json.dumps({"batch": [], "context": {"a": "x" * 9000}}).encode(), 400, "context_too_large"),
    ],
)
def test_a_body_that_can_not_be_taken(send: Send, body: bytes, status: int, code: str) -> None:
    response = send("/v1/batch", body)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    assert not EventInbox.objects.exists()


def test_a_bomb_is_not_unpacked(send: Send) -> None:
    bomb = gzip.compress(b"0" * 100_000_000)
    assert send("/v1/batch", bomb).status_code == 413


def test_the_limits_are_those_of_segment(send: Send) -> None:
    assert send("/v1/batch", {"batch": [track(n) for n in range(2500)]}).json() == OK
    assert EventInbox.objects.count() == 2500
    assert send("/v1/track", track(3000, properties={"a": "x" * 32_600})).status_code == 200
    assert send("/v1/track", track(3001, properties={"a": "x" * 32_769})).status_code == 400


# --- answers ----------------------------------------------------------------------------------


def test_bad_events_of_a_batch_are_named_and_the_others_stored(send: Send) -> None:
    calls = [track(1), {"type": "track"}, "no", track(2, userId={}), track(3)]
    response = send("/v1/batch", {"batch": calls})
    assert response.status_code == 200
    assert response.json()["accepted"] == 2
    assert [(r["index"], r["messageId"], r["code"]) for r in response.json()["refused"]] == [
        (1, None, "no_identity"),
        (2, None, "not_an_object"),
        (3, "m-2", "bad_id"),
    ]
    assert waiting() == ["m-1", "m-3"]
    assert outcomes() == {"stored": 2, "no_identity": 1, "not_an_object": 1, "bad_id": 1}


def test_a_call_that_is_no_event_is_refused_with_the_way_to_mend_it(send: Send) -> None:
    response = send("/v1/track", {"event": "x"})
    assert response.status_code == 400
    assert response.json()["error"] == {
        "code": "no_identity",
        "detail": "An event needs a userId or an anonymousId.",
    }


def test_the_same_message_again_is_one_and_counted_as_repeated(send: Send) -> None:
    for _ in range(3):
        assert send("/v1/batch", {"batch": [track(1), track(1), track(2)]}).json() == OK
    assert waiting() == ["m-1", "m-2"]


def test_what_a_key_sent_is_remembered(send: Send, browser_key: WriteKey) -> None:
    send("/v1/batch", {"batch": [track(1), track(2)]})
    assert WriteKeyUse.objects.get(key=browser_key).events == 2


def test_the_rows_say_what_the_call_said(send: Send, site: Source) -> None:
    send(
        "/v1/track",
        track(context={"page": {"url": "https://x.example/?gclid=A"}}),
        REMOTE_ADDR="203.0.113.77",
        headers={"User-Agent": "Mozilla/5.0"},
    )
    row = EventInbox.objects.get()
    assert (row.source_id, row.kind, row.attempts) == (site.pk, "track", 0)
    assert row.body["network"] == "203.0.113.0/24"
    assert row.body["campaign"] == {"gclid": "A"}
    assert "203.0.113.77" not in str(row.body)


def test_servers_are_not_visitors(send: Send, server_key: str) -> None:
    send("/v1/track", track(userId="u"), key=server_key, headers={"User-Agent": "analytics-python/2.4.0"})
    body = EventInbox.objects.get().body
    assert body["flags"] == ["server"]
    assert "user_agent" not in body
    assert "network" not in body


# --- browsers ---------------------------------------------------------------------------------


def test_a_preflight_is_answered_with_the_headers_it_asks_for(client: Client) -> None:
    asked = "anonymousid,authorization,content-type,sentat"
    response = client.options(
        "/v1/batch", headers={"Origin": "https://x.example", "Access-Control-Request-Headers": asked}
    )
    assert response.status_code == 204
    assert response["Access-Control-Allow-Origin"] == "*"
    assert response["Access-Control-Allow-Headers"] == asked
    assert response["Access-Control-Expose-Headers"] == "Retry-After"
    assert int(response["Access-Control-Max-Age"]) > 0


@pytest.mark.parametrize("status", [200, 400, 401, 404, 405])
def test_a_page_may_read_every_answer(send: Send, client: Client, status: int) -> None:
    response: Any = {
        200: lambda: send("/v1/track", track()),
        400: lambda: send("/v1/track", b"{"),
        401: lambda: send("/v1/track", track(), key="wk_x"),
        404: lambda: send("/v1/nothing", track()),
        405: lambda: client.get("/v1/track"),
    }[status]()
    assert response.status_code == status
    assert response["Access-Control-Allow-Origin"] == "*"
    assert response["Access-Control-Expose-Headers"] == "Retry-After"


@pytest.mark.parametrize(("header", "reason"), [("Sec-GPC", "gpc"), ("DNT", "dnt")])
def test_who_does_not_want_to_be_tracked_is_only_counted(send: Send, header: str, reason: str) -> None:
    assert send("/v1/batch", {"batch": [track(1), track(2)]}, headers={header: "1"}).json() == OK
    assert not EventInbox.objects.exists()
    assert outcomes() == {reason: 2}


def test_a_key_that_needs_consent_keeps_only_what_is_consented_to(
    send: Send, site: Source, now: datetime
) -> None:
    _key, text = issued(site, KeyKind.BROWSER, now, consent_category="Analytics")
    agreed = {"consent": {"categoryPreferences": {"analytics": True}}}
    calls = [track(1), track(2, context=agreed)]
    assert send("/v1/batch", {"batch": calls}, key=text).json() == OK
    assert waiting() == ["m-2"]
    assert outcomes() == {"no_consent": 1, "stored": 1}


def test_without_cookies_the_salt_of_the_day_tells_visitors_apart(send: Send) -> None:
    call = track(anonymousId=None, context={"cookieless": True})
    assert send("/v1/track", call, REMOTE_ADDR="203.0.113.1").status_code == 200
    assert send("/v1/track", call | {"messageId": "b"}, REMOTE_ADDR="203.0.113.2").status_code == 200
    first, second = EventInbox.objects.order_by("id").values_list("body__anonymous_id", flat=True)
    assert first.startswith("day-")
    assert first != second
    assert DaySalt.objects.count() == 1


# --- limits -----------------------------------------------------------------------------------


def test_a_key_has_a_rate(send: Send, site: Source, now: datetime) -> None:
    _key, text = issued(site, KeyKind.SERVER, now, per_minute=10)
    statuses = [
        send("/v1/batch", {"batch": [track(n * 2), track(n * 2 + 1)]}, key=text).status_code for n in range(8)
    ]
    refused = send("/v1/track", track(99), key=text)
    assert statuses.count(200) in (5, 8)  # 8 when a minute ended in between
    if statuses.count(200) == 5:
        assert refused.status_code == 429
        assert 1 <= int(refused["Retry-After"]) <= 60
        assert refused.json()["error"]["code"] == "key_rate"
        assert len(waiting()) == 10


def test_a_network_has_a_rate(send: Send, settings: Any) -> None:
    settings.INTAKE_NETWORK_PER_MINUTE = 5
    answers = [send("/v1/track", track(n), REMOTE_ADDR="198.51.100.9") for n in range(7)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
    assert 1 <= int(answers[-1]["Retry-After"]) <= 60
    assert send("/v1/track", track(50), REMOTE_ADDR="198.51.101.9").status_code == 200
    assert len(waiting()) == 6


def test_rubbish_counts_against_the_network(send: Send, settings: Any) -> None:
    settings.INTAKE_NETWORK_PER_MINUTE = 3
    answers = [send("/v1/track", b"{", REMOTE_ADDR="198.51.102.9").status_code for _ in range(5)]
    assert answers == [400, 400, 400, 429, 429]


def test_a_full_inbox_asks_to_come_back(send: Send, settings: Any) -> None:
    settings.INTAKE_INBOX_ROWS = 3
    assert send("/v1/batch", {"batch": [track(n) for n in range(3)]}).status_code == 200
    refused = send("/v1/track", track(9))
    assert (refused.status_code, refused["Retry-After"]) == (503, "30")
    assert refused.json()["error"]["code"] == "inbox_full"
    assert len(waiting()) == 3


# --- the picture ------------------------------------------------------------------------------


def encoded(call: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(call).encode()).decode().rstrip("=")


def test_a_picture_tracks_with_data_or_flat_parameters(client: Client, browser_key: WriteKey) -> None:
    key = browser_key.public_key
    first = client.get(f"/v1/pixel/track?data={encoded(track(1, writeKey=key))}")
    flat = "event=Opened&userId=u-1&messageId=m-2&properties.subject=Hello&context.campaign.source=News"
    second = client.get(f"/v1/pixel/track?writeKey={key}&{flat}")
    for response in (first, second):
        assert (response.status_code, response["Content-Type"]) == (200, "image/gif")
        assert response.content.startswith(b"GIF89a")
    assert waiting() == ["m-1", "m-2"]
    body = EventInbox.objects.get(body__message_id="m-2").body
    assert (body["properties"], body["campaign"], body["flags"]) == (
        {"subject": "Hello"},
        {"utm_source": "news"},
        ["pixel"],
    )


@pytest.mark.parametrize(
    "query", ["", "data=%%%", "data=AAAA", "writeKey=wk_no&event=x", "a.b=1&a=2&a.b.c=3", "data="]
)
def test_a_picture_is_always_shown(client: Client, query: str) -> None:
    response = client.get(f"/v1/pixel/page?{query}")
    assert (response.status_code, response["Content-Type"]) == (200, "image/gif")
    assert not EventInbox.objects.exists()


# --- real requests ----------------------------------------------------------------------------


def test_a_captured_request_of_the_node_sdk_replays_to_the_same(
    client: Client, site: Source, now: datetime
) -> None:
    captured = json.loads(real("segment/captured_node_sdk.json").read_text())
    WriteKey.objects.filter(pk=issued(site, KeyKind.SERVER, now)[0].pk).update(
        digest=write_keys.writekeys.digest_of("wk_test_node")
    )
    for _ in range(2):
        for request in captured:
            headers = {
                k: v for k, v in request["headers"].items() if k not in ("content-length", "connection")
            }
            response = client.post(
                request["path"],
                json.dumps(request["body"]),
                content_type=headers.pop("content-type"),
                headers=headers,
            )
            assert (response.status_code, response.json()) == (200, OK)
    sent = [item for request in captured for item in request["body"]["batch"]]
    assert waiting() == sorted(item["messageId"] for item in sent)
