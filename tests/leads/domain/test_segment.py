"""Calls of the SDKs become messages, or are refused by name."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leads.domain import untrusted
from leads.domain.segment import Arrival, Refused, message_of
from leads.domain.tagging import campaign_of
from leads.domain.tracking import Message, MessageType, event_id
from leads.domain.visits import network_of, read_time
from tests.importing import real

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
ARRIVAL = Arrival(7, "site", NOW, address="203.0.113.9", user_agent="Mozilla/5.0")


def call(**changes: Any) -> dict[str, Any]:
    whole = {"type": "track", "event": "Signed Up", "messageId": "m-1", "anonymousId": "a-1"}
    return {key: value for key, value in (whole | changes).items() if value is not ...}


def accepted(**changes: Any) -> Message:
    return message_of(call(**changes), arrival=ARRIVAL)


def refusal(**changes: Any) -> str:
    with pytest.raises(Refused) as caught:
        accepted(**changes)
    return caught.value.code


def test_a_message_has_the_key_of_its_source_and_message_id() -> None:
    assert accepted().id == event_id(source_code="site", message_id="m-1")


def test_a_message_survives_the_inbox_whole() -> None:
    message = accepted(
        timestamp="2026-11-27T11:00:00Z",
        properties={"a": [1, 2.5, None, {"b": "ü"}]},
        context={
            "page": {"url": "https://x.example/?utm_source=News"},
            "groupId": 5,
            "traits": {"email": "e"},
        },
    )
    assert Message.from_json(json.loads(message.to_json())) == message


@pytest.mark.parametrize("nothing", [None, "", "  ", ...])
def test_null_and_empty_ids_are_absent(nothing: object) -> None:
    assert accepted(userId=nothing).user_id == ""
    assert refusal(anonymousId=nothing, userId=nothing) == "no_identity"


def test_ids_may_be_numbers() -> None:
    assert accepted(userId=42).user_id == "42"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"userId": {"a": 1}}, "bad_id"),
        ({"userId": True}, "bad_id"),
        ({"userId": "u" * 256}, "id_too_long"),
        ({"messageId": "m" * 256}, "id_too_long"),
        ({"type": "delete"}, "unknown_type"),
        ({"type": ["track"]}, "unknown_type"),
        ({"type": ...}, "unknown_type"),
        ({"event": ...}, "no_event_name"),
        ({"event": {"a": 1}}, "no_event_name"),
        ({"properties": ["a"]}, "not_an_object"),
        ({"type": "identify", "traits": "name"}, "not_an_object"),
        ({"type": "group"}, "no_group"),
        ({"type": "alias"}, "no_user"),
        ({"type": "alias", "anonymousId": "", "userId": "u"}, "no_previous"),
        ({"properties": {"a": "x" * 32_768}}, "event_too_large"),
        ({"properties": {"a": [0] * 2_000}}, "too_complex"),
        ({"properties": json.loads('{"a":' * 40 + "1" + "}" * 40)}, "too_complex"),
    ],
)
def test_what_can_not_be_an_event_is_refused_by_name(changes: dict[str, Any], code: str) -> None:
    assert refusal(**changes) == code


def test_a_scalar_is_no_event() -> None:
    for item in (None, 1, "track", [], True):
        with pytest.raises(Refused, match="JSON object"):
            message_of(item, arrival=ARRIVAL)


def test_the_clock_of_the_sender_is_corrected() -> None:
    message = accepted(originalTimestamp="2026-11-27T10:00:00Z", sentAt="2026-11-27T10:00:30Z")
    assert message.occurred_at == NOW - timedelta(seconds=30)
    assert message.claimed_at == datetime(2026, 11, 27, 10, 0, tzinfo=UTC)


def test_a_batch_says_for_its_items_when_it_was_sent() -> None:
    sent = Arrival(7, "site", NOW, sent_at=datetime(2030, 1, 1, tzinfo=UTC))
    message = message_of(call(timestamp="2029-12-31T23:59:00+00:00"), arrival=sent)
    assert message.occurred_at == NOW - timedelta(minutes=1)
    assert message.flags == frozenset()


@pytest.mark.parametrize(
    ("written", "occurred", "flags"),
    [
        (None, NOW, set()),
        ("2026-11-27T11:59:00", NOW - timedelta(minutes=1), set()),
        ("2026-11-27T12:04:00Z", NOW, set()),
        ("2027-11-27T12:00:00Z", NOW, {"future_time"}),
        ("9999-12-31T23:59:59Z", NOW, {"future_time"}),
        ("2026-11-24T12:00:00Z", NOW - timedelta(days=3), {"late"}),
        ("2016-11-27T12:00:00+00:00", NOW.replace(year=2016), {"late"}),
        ("yesterday", NOW, {"bad_time"}),
        ("0001-01-01T00:00:00+14:00", NOW, {"bad_time"}),
        ("2026-02-30T00:00:00Z", NOW, {"bad_time"}),
        ("2026-11-27T11:00:00+25:00", NOW, {"bad_time"}),
        ("٢٠٢٦-11-27T11:00:00Z", NOW, {"bad_time"}),
        (1e300, NOW, {"bad_time"}),
        ([], NOW, set()),
        ({"a": 1}, NOW, {"bad_time"}),
        (True, NOW, {"bad_time"}),
    ],
)
def test_times(written: object, occurred: datetime, flags: set[str]) -> None:
    message = accepted(timestamp=written)
    assert message.occurred_at == occurred
    assert message.flags - {"cleaned_number"} == flags


def test_counts_of_seconds_milliseconds_and_microseconds_are_the_same_instant() -> None:
    seconds = NOW.timestamp()
    assert read_time(seconds) == read_time(int(seconds * 1e3)) == read_time(int(seconds * 1e6)) == NOW


def test_characters_and_numbers_that_can_not_be_stored_are_mended_and_flagged() -> None:
    message = accepted(
        event="Sig\x00ned",
        properties={"\ud800": "\udfff\ud800", "n": 10**400, "f": float("inf"), "t": 1e-300, "ok": 1.5},
    )
    assert message.name == "Sig\ufffdned"
    assert message.properties == {
        "\ufffd": "\ufffd\ufffd",
        "n": str(10**400),
        "f": "inf",
        "t": "1e-300",
        "ok": 1.5,
    }
    assert message.flags == {"cleaned_text", "cleaned_number"}
    assert Message.from_json(json.loads(message.to_json())) == message


def test_long_names_and_addresses_are_cut_and_flagged() -> None:
    message = accepted(event="n" * 300, context={"page": {"url": "https://x.example/" + "u" * 3000}})
    assert (len(message.name), len(message.page.url)) == (255, 2000)
    assert message.flags == {"cut_text"}


def test_a_page_call_says_what_was_viewed() -> None:
    message = accepted(
        type="page",
        name="Docs",
        properties={"url": "https://x.example/docs", "referrer": "$direct"},
        context={"page": {"url": "https://x.example/old", "title": "Docs", "search": "?a=1"}},
    )
    assert message.type is MessageType.PAGE
    assert (message.page.url, message.page.title, message.page.search) == (
        "https://x.example/docs",
        "Docs",
        "?a=1",
    )
    assert message.page.referrer == ""


def test_traits_of_the_person_stand_apart_from_those_of_the_company() -> None:
    around = {"traits": {"email": "a@x.example", "plan": "free"}}
    assert accepted(type="identify", traits={"plan": "pro"}, context=around).traits == {
        "email": "a@x.example",
        "plan": "pro",
    }
    group = accepted(type="group", groupId="g", traits={"name": "Initech"}, context=around)
    assert (group.traits, group.person_traits) == ({"name": "Initech"}, around["traits"])


def test_what_a_batch_says_around_its_items_holds_for_each() -> None:
    around = Arrival(7, "site", NOW, context={"ip": "198.51.100.77", "locale": "de-DE", "page": {"url": "u"}})
    message = message_of(call(context={"locale": "en-GB"}), arrival=around)
    assert (message.network, message.locale, message.page.url) == ("198.51.100.0/24", "en-GB", "u")


def test_without_a_message_id_the_same_call_of_the_same_time_is_the_same_event() -> None:
    first, second = (accepted(messageId=None, timestamp="2026-11-27T11:00:00Z") for _ in range(2))
    assert first.id == second.id
    assert accepted(messageId=None).id != accepted(messageId=None).id


def test_without_cookies_the_visitor_is_known_for_a_day() -> None:
    def visitor(salt: bytes, address: str = "203.0.113.9") -> Message:
        arrival = Arrival(7, "site", NOW, address=address, user_agent="UA", cookieless_salt=salt)
        return message_of(call(anonymousId=None, context={"cookieless": True}), arrival=arrival)

    monday, again = visitor(b"monday"), visitor(b"monday")
    assert monday.anonymous_id == again.anonymous_id
    assert monday.flags == {"cookieless"}
    assert (
        len(
            {
                monday.anonymous_id,
                visitor(b"tuesday").anonymous_id,
                visitor(b"monday", "203.0.113.8").anonymous_id,
            }
        )
        == 3
    )
    assert refusal(anonymousId=None, context={"cookieless": True}) == "no_identity"


def test_consent_of_the_visitor_is_kept() -> None:
    choices = {"Analytics": True, "advertising": False, "odd": "yes"}
    message = accepted(context={"consent": {"categoryPreferences": choices}})
    assert message.flags == {"consent:analytics", "no_consent:advertising"}


def test_tags_come_from_the_query_and_the_context_goes_first() -> None:
    search = "?utm_source=%20News%20&UTM_MEDIUM=Email&gclid=AbC&utm_source=second&x=1"
    assert campaign_of({"name": "Spring", "source": ""}, search=search) == {
        "utm_source": "news",
        "utm_medium": "email",
        "gclid": "AbC",
        "utm_campaign": "spring",
    }
    assert campaign_of({"medium": "Social"}, url="https://x.example/?utm_medium=cpc#f") == {
        "utm_medium": "social"
    }
    assert campaign_of({}, search="&".join("a=1" for _ in range(300))) == {}


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("fe80::1%eth0", "fe80::/48"),
        ("unknown", ""),
        ("", ""),
    ],
)
def test_of_an_address_only_the_network_is_kept(address: str, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b'{"a":1}x', b"{'a':1}", b"[" * 100_000, b"{All: true}", b"\xff\xfe\x00", b"1 2"],
)
def test_what_is_no_json_is_unreadable(body: bytes) -> None:
    with pytest.raises(untrusted.Unreadable):
        untrusted.read(body)


def test_json_is_read_in_the_encodings_that_json_has_had() -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"):
        assert untrusted.read('{"a":"ü"}'.encode(encoding)) == {"a": "ü"}
    assert untrusted.read(b'{"a":"\xff"}') == {"a": "\ufffd"}
    assert untrusted.read(b'{"a":%s}' % (b"9" * 5000)) == {"a": "9" * 300}


def test_the_examples_of_the_specification_are_events_or_named_refusals() -> None:
    examples = json.loads(real("segment/spec_examples.json").read_text())
    outcomes: dict[str, list[str]] = {}
    for example in examples:
        if "payload" not in example:
            continue
        try:
            found = message_of(example["payload"], arrival=ARRIVAL).type.value
        except Refused as refused:
            found = refused.code
        outcomes.setdefault(found, []).append(f"{example['source']} {example['n']}")
    assert {outcome: len(names) for outcome, names in outcomes.items()} == {
        "alias": 2,
        "track": 13,
        "group": 1,
        "identify": 2,
        "page": 1,
        "no_identity": 3,
    }


_NUMBERS = st.one_of(
    st.integers(-(10**18), 10**18),
    st.floats(allow_nan=True),
    st.sampled_from([10**15, 10**15 + 1, -1e15, 1e15, 1e-15, 9.9e-16, 0.0, -0.0, 123456789012345]),
)
_TEXTS = st.one_of(
    st.text(max_size=5),
    st.sampled_from(["\x00", "a\ud800", "NaN", ":1e5", "[1234567890123456", "\\u0000", "ü"]),
)
_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), _NUMBERS, _TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(_TEXTS, inner, max_size=4)),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(_VALUES)
def test_the_look_at_the_whole_finds_all_that_a_walk_through_every_value_would_mend(value: Any) -> None:
    found = untrusted.clean(value)
    walk = untrusted._Walk()
    walked = walk.clean(value, 0)
    assert json.dumps(found.value) == json.dumps(walked)
    assert found.size == len(orjson.dumps(walked))
    assert (found.text_changed, found.number_changed) == (walk.text_changed, walk.number_changed)


def test_what_nests_too_deeply_or_holds_too_much_is_refused_however_it_is_written() -> None:
    deep: Any = "x"
    for _n in range(untrusted.MAX_DEPTH):
        deep = [deep]
    assert untrusted.clean(deep).value == deep
    assert untrusted.clean(list(range(untrusted.MAX_VALUES - 1))).value[-1] == untrusted.MAX_VALUES - 2
    for refused in ([deep], list(range(untrusted.MAX_VALUES)), {"a": [0] * untrusted.MAX_VALUES}):
        with pytest.raises(untrusted.TooComplex):
            untrusted.clean(refused)
