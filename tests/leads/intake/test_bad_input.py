"""Whatever strangers send: 200, or 4xx that says why; never 5xx, and bad events harm no others (I-3, I-4)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leads.domain.tracking import Message
from leads.models import EventInbox, WriteKey
from tests.leads.intake.conftest import basic, track

pytestmark = pytest.mark.django_db

NASTY = (
    "",
    "\x00",
    "\ud800",
    "\udfff\ud800",
    "\u202e\ufeff\u2028",
    "\ufffe\uffff",
    "Z" + "\u0301" * 5_000,
    "x" * 40_000,
    "=1+1",
    "'; DROP TABLE leads_event; --",
    "<script>alert(1)</script>",
    "{{7*7}}",
    "%00",
    "javascript:alert(1)",
    "//h",
    "0000-00-00",
    "٣",
    "1e99999",
    "\r\nBcc: x@y.example",
    "ﷺ" * 200,
    "👩‍👩‍👧‍👦",
    "null",
    "NaN",
)
LEAVES: tuple[Any, ...] = (
    None,
    True,
    0,
    -0.0,
    2**31,
    2**53,
    2**63,
    -(2**70),
    10**400,
    1e308,
    5e-324,
    float("nan"),
    float("inf"),
    [],
    {},
    [[]],
    {"": ""},
    *NASTY,
)
FIELDS = (
    "type",
    "messageId",
    "anonymousId",
    "userId",
    "previousId",
    "groupId",
    "event",
    "name",
    "timestamp",
    "originalTimestamp",
    "sentAt",
    "properties",
    "traits",
    "context",
    "integrations",
)
CONTEXT = (
    "page",
    "campaign",
    "traits",
    "ip",
    "userAgent",
    "locale",
    "groupId",
    "consent",
    "cookieless",
    "library",
)
TIMES = (
    0,
    -1,
    1e18,
    1764241200,
    1764241200000,
    "0001-01-01",
    "9999-12-31T23:59:59.999999999Z",
    "10000-01-01",
    "2026-02-30",
    "2026-06-30T23:59:60Z",
    "24:00",
    "2026-11-27T10:00:00+14:00",
    "2026-11-27T10:00:00-15:00",
    "2026-W48-5",
    "2026-03-29T02:30:00",
    "infinity",
    "now",
    "2126-11-27T10:00:00Z",
    "1990-01-01T00:00:00+00:00",
)


@pytest.fixture
def post(client: Client, browser_key: WriteKey) -> Any:
    header = basic(browser_key.public_key)

    def send(body: bytes, path: str = "/v1/batch", **headers: str) -> Any:
        return client.post(
            path,
            body,
            content_type="text/plain",
            headers={"Authorization": header, **headers},
            REMOTE_ADDR="2001:db8::1",
        )

    return send


@pytest.fixture(autouse=True)
def _no_rates(settings: Any) -> None:
    settings.INTAKE_NETWORK_PER_MINUTE = 10**9


def raw(value: Any) -> bytes:
    """JSON without Python's own guards: keeps half surrogates, NaN and thousands of digits."""
    return json.dumps(value, ensure_ascii=True).encode()


def check(response: Any, sent: int) -> None:
    """The answer is one that we promise, names what is bad, and all the rest is stored whole."""
    assert response.status_code in (200, 400), response.content
    body = response.json()
    refused = body.get("refused", [])
    assert all(r["code"] and r["detail"] and 0 <= r["index"] < sent for r in refused)
    if response.status_code == 400:
        assert body["error"]["code"]
    for row in EventInbox.objects.values_list("body", flat=True):
        assert json.loads(Message.from_json(row).to_json()) == row


@pytest.mark.parametrize("field", FIELDS)
def test_any_value_in_any_field(post: Any, field: str) -> None:
    calls = [track(n, **{field: value}) for n, value in enumerate((*LEAVES, *TIMES))]
    for start in range(0, len(calls), 10):
        part = calls[start : start + 10]
        response = post(raw({"batch": [*part, track(9000 + start)]}))
        if response.status_code != 413:  # forty thousand characters, several times
            check(response, 11)
            assert EventInbox.objects.filter(body__message_id=f"m-{9000 + start}").exists()


@pytest.mark.parametrize("field", CONTEXT)
def test_any_value_in_any_field_of_the_context(post: Any, field: str) -> None:
    values = (
        *LEAVES,
        {"url": "http://[::1", "search": "?a=" + "b" * 3000, "utm_source": None},
        {"name": {"a": 1}},
    )
    calls = [track(n, context={field: value}) for n, value in enumerate(values)]
    for call in calls:
        check(post(raw(call), "/v1/track"), 1)
    for value in values:
        response = post(raw({"batch": [track()], "context": {field: value}, "sentAt": value}))
        assert response.status_code in (200, 400)


def test_a_body_cut_off_anywhere(post: Any) -> None:
    body = raw(
        {"batch": [track(1), track(2, properties={"a": [1.5, "ü\ud83d"]})], "sentAt": "2026-11-27T10:00:00Z"}
    )
    for end in range(len(body)):
        assert post(body[:end]).status_code == 400
    assert not EventInbox.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf{}",
        b"[]",
        b"[1,2]",
        b'{"batch":{}}',
        b'{"batch":null}',
        b'{"batch":[[[[1]]]]}',
        b"{" * 2000,
        b'{"a":' * 1001 + b"1" + b"}" * 1001,
        b'{"batch":[{}],"batch":[]}',
        b"/* x */ {}",
        b'{"batch":[{"type":"track","properties":{"n":' + b"9" * 5000 + b"}}]}",
        b"\x1f\x8b",
        b"\x00" * 100,
        '{"batch":[]}'.encode("utf-16"),
        b"\xff" * 64,
        b"--x\r\nContent-Disposition: form-data\r\n\r\n--x--",
    ],
)
def test_bodies_of_every_kind(post: Any, body: bytes) -> None:
    assert post(body).status_code in (200, 400)
    assert not EventInbox.objects.exists()


def test_many_keys_and_deep_nests_are_refused_alone(post: Any) -> None:
    deep: Any = 1
    for _ in range(500):
        deep = {"a": deep}
    many = {f"k{n}": n for n in range(2_100)}
    response = post(raw({"batch": [track(1, properties=deep), track(2, properties=many), track(3)]}))
    assert response.json()["accepted"] == 1
    assert {r["code"] for r in response.json()["refused"]} == {"too_complex"}


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Encoding": "br"},
        {"Content-Encoding": "gzip, gzip"},
        {"Origin": "null"},
        {"Referer": "http://["},
        {"User-Agent": "\x80\xff" * 500},
        {"X-Forwarded-For": "'; --"},
        {"Sec-GPC": "yes"},
        {"Expect": "100-continue"},
        {"X-HTTP-Method-Override": "DELETE"},
    ],
)
def test_headers_of_every_kind(post: Any, headers: dict[str, str]) -> None:
    assert post(raw({"batch": [track()]}), **headers).status_code == 200


bad_text = (
    st.text(max_size=60) | st.sampled_from(NASTY[:12]) | st.text("\x00\u202e\ufeff\u2028=+-@\t\r", min_size=1)
)
leaf = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | bad_text
anything = st.recursive(
    leaf,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(bad_text, inner, max_size=4),
    max_leaves=20,
)
event = st.dictionaries(
    st.sampled_from(FIELDS),
    st.sampled_from(["track", "page", "u-1", "Name"]) | anything,
    max_size=len(FIELDS),
)


@settings(max_examples=150, derandomize=True, suppress_health_check=list(HealthCheck))
@given(batch=st.lists(event | anything, max_size=8))
def test_any_batch(post: Any, batch: list[Any]) -> None:
    response = post(raw({"batch": [*batch, track()]}))
    if response.status_code != 413:
        check(response, len(batch) + 1)
        assert response.status_code == 200
