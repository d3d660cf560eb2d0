"""The tracker on somebody else's website, in a real browser: what it tells, keeps, and leaves alone."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from pytest_django.live_server_helper import LiveServer

from leads.models import EventInbox, IntakeCount, KeyKind, SourceKind, WriteKey
from leads.services import sources, write_keys
from smarketing.core import clock
from tests.faults.servers import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HOME = """<!doctype html><title>Shop</title>{tag}<h1>Shop</h1><div style="height:3000px"></div>
<a id=in href="/prices?utm_source=news">Prices</a> <a id=out href="http://elsewhere.example/x">Elsewhere</a>
<a id=file href="/price-list.pdf">List</a> <a id=mail href="mailto:sales@shop.example">Write</a>
<button id=spa onclick="history.pushState({{}}, '', '/spa')">Next</button>
<form id=demo action="/thanks" data-sm-identify><input name=email type=email><input name=action value=x>
<input name=secret type=password><input name=card autocomplete=cc-number><button>Send</button></form>"""


@pytest.fixture
def key(db: None) -> WriteKey:
    now = clock.now()
    source = sources.ensure(code="shop", name="Shop", kind=SourceKind.WEB, now=now)
    return write_keys.issue(source=source, name="Shop", kind=KeyKind.BROWSER, actor=None, now=now).key


Site = Callable[..., Page]


@pytest.fixture
def shop(chromium: Browser, live_server: LiveServer, key: WriteKey) -> Iterator[Site]:
    """``shop("data-consent")``: the shop's first page, on an origin of its own, with the tracker's tag."""
    tag = ""

    class Shop(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = HOME.format(tag=tag).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    contexts: list[BrowserContext] = []

    def open_shop(
        attributes: str = "", *, path: str = "/", init: str = "", before: str = "", **how: Any
    ) -> Page:
        nonlocal tag
        source = f'src="{live_server.url}/t.js" data-key="{key.public_key}"'
        tag = f"{before}<script async {source} {attributes}></script>"
        context = chromium.new_context(**how)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        if init:
            page.add_init_script(init)
        page.goto(f"http://127.0.0.1:{server.server_port}{path}")
        page.wait_for_function("!!(window.smarketing && window.smarketing.track)")
        return page

    yield open_shop
    for context in contexts:
        context.close()
    server.shutdown()


def told(name: str = "", kind: str = "track") -> list[dict[str, Any]]:
    rows = EventInbox.objects.filter(kind=kind).order_by("occurred_at", "id").values_list("body", flat=True)
    return [row for row in rows if not name or row.get("name") == name]


def wait_until_told(count: int, name: str = "", kind: str = "track") -> list[dict[str, Any]]:
    wait_for(lambda: len(told(name, kind)) >= count, seconds=15, what=f"{count} {kind} {name}")
    return told(name, kind)


def test_views_and_where_they_came_from(shop: Site) -> None:
    page = shop(
        path="/?utm_source=Google&utm_medium=cpc&gclid=AbC", user_agent="Mozilla/5.0 Test", locale="en-GB"
    )
    (view,) = wait_until_told(1, kind="page")
    assert view["page"]["title"] == "Shop"
    assert view["campaign"] == {"utm_source": "google", "utm_medium": "cpc", "gclid": "AbC"}
    assert (view["user_agent"], view["locale"], view["network"]) == (
        "Mozilla/5.0 Test",
        "en-GB",
        "127.0.0.0/24",
    )

    page.click("#spa")
    _first, second = wait_until_told(2, kind="page")
    assert second["page"]["path"] == "/spa"
    assert second["page"]["referrer"].endswith("gclid=AbC")
    page.click("#in")
    views = wait_until_told(3, kind="page")
    assert len({v["anonymous_id"] for v in views}) == 1
    assert len(views[0]["anonymous_id"]) == 32


def test_time_in_view_and_depth_are_told_when_the_page_is_left(shop: Site) -> None:
    page = shop()
    wait_until_told(1, kind="page")
    page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
    page.wait_for_timeout(1200)
    page.click("#in")
    (engaged,) = wait_until_told(1, "Page Engaged")
    assert engaged["properties"]["seconds"] >= 1
    assert engaged["properties"]["scroll"] == 100
    assert engaged["page"]["path"] == "/"


def test_links_outward_and_files(shop: Site) -> None:
    page = shop()
    page.evaluate("document.addEventListener('click', e => e.preventDefault())")
    for link in ("#out", "#file", "#mail", "#in"):
        page.click(link)
    (file,) = wait_until_told(1, "File Downloaded")
    clicked = wait_until_told(2, "Link Clicked")  # each is sent by itself: either may arrive first
    assert file["properties"]["url"].endswith("/price-list.pdf")
    assert {(told["properties"]["url"], told["properties"]["text"]) for told in clicked} == {
        ("http://elsewhere.example/x", "Elsewhere"),
        ("mailto:sales@shop.example", "Write"),
    }


def test_a_form_tells_its_fields_and_no_values_but_the_address_it_is_asked_for(shop: Site) -> None:
    page = shop()
    page.fill("[name=email]", "ada@shop.example")
    page.fill("[name=secret]", "hunter2")
    page.fill("[name=card]", "4111111111111111")
    page.click("#demo button")
    page.wait_for_url("**/thanks**")
    (form,) = wait_until_told(1, "Form Submitted")
    assert form["properties"] == {"formId": "demo", "action": "/thanks", "fields": ["email", "action"]}
    (person,) = wait_until_told(1, kind="identify")
    assert person["traits"] == {"email": "ada@shop.example"}
    stored = str(
        list(EventInbox.objects.exclude(kind="page").values_list("body__properties", "body__traits"))
    )
    assert "hunter2" not in stored
    assert "4111" not in stored


def test_calls_of_the_page_and_those_before_the_script_was_there(shop: Site) -> None:
    early = "<script>(window.smarketing = window.smarketing || []).push(['track', 'Early', {n: 1}])</script>"
    page = shop(before=early)
    wait_until_told(1, "Early")
    page.evaluate("smarketing.identify('u-7', {plan: 'pro'}); smarketing.group('g-1', {name: 'Initech'})")
    page.evaluate("smarketing.alias('u-8', 'u-7')")
    (person,) = wait_until_told(1, kind="identify")
    assert (person["user_id"], person["traits"]) == ("u-7", {"plan": "pro"})
    (group,) = wait_until_told(1, kind="group")
    assert (group["group_id"], group["user_id"]) == ("g-1", "u-7")
    (alias,) = wait_until_told(1, kind="alias")
    assert (alias["previous_id"], alias["user_id"]) == ("u-7", "u-8")


def test_before_consent_nothing_is_stored_in_the_browser(shop: Site) -> None:
    page = shop("data-consent")
    (first,) = wait_until_told(1, kind="page")
    assert first["anonymous_id"].startswith("day-")
    assert page.evaluate("Object.keys(localStorage).length + document.cookie.length") == 0

    page.evaluate("smarketing.consent({analytics: true, advertising: false}); smarketing.track('Agreed')")
    (agreed,) = wait_until_told(1, "Agreed")
    assert len(agreed["anonymous_id"]) == 32
    assert agreed["flags"] == ["consent:analytics", "no_consent:advertising"]
    page.click("#in")
    wait_until_told(2, kind="page")
    assert told(kind="page")[1]["anonymous_id"] == agreed["anonymous_id"]

    page.evaluate("smarketing.consent({analytics: false})")
    assert page.evaluate("localStorage.getItem('sm_id')") is None


def test_without_cookies_there_is_no_identifier_at_all(shop: Site) -> None:
    page = shop("data-cookieless")
    page.evaluate("smarketing.track('Seen')")
    (seen,) = wait_until_told(1, "Seen")
    assert seen["anonymous_id"].startswith("day-")
    assert "cookieless" in seen["flags"]
    assert page.evaluate("Object.keys(localStorage).length + document.cookie.length") == 0


def test_who_does_not_want_to_be_tracked_is_only_counted(shop: Site) -> None:
    page = shop(
        init="Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})",
        extra_http_headers={"Sec-GPC": "1"},
    )
    page.evaluate("smarketing.track('Seen'); smarketing.identify('u-1')")
    wait_for(lambda: IntakeCount.objects.filter(outcome="gpc").exists(), seconds=15, what="the count")
    assert not EventInbox.objects.exists()
    assert page.evaluate("Object.keys(localStorage).length + document.cookie.length") == 0


def test_what_could_not_be_sent_is_sent_later_and_is_one_event(shop: Site) -> None:
    page = shop()
    wait_until_told(1, kind="page")
    tries = []

    def fail(route: Any) -> None:
        tries.append(route.request.post_data_json)
        if len(tries) == 1:
            route.abort()
        elif len(tries) == 2:
            route.fulfill(status=503, headers={"Retry-After": "1", "Access-Control-Allow-Origin": "*"})
        else:
            route.continue_()

    page.route("**/v1/batch", fail)
    page.evaluate("smarketing.track('Late')")
    while not told("Late"):
        page.wait_for_function("Date.now()")  # answers to routes are given while the page is waited for
    (late,) = told("Late")
    assert len({body["batch"][0]["messageId"] for body in tries}) == 1
    assert len(tries) == 3
    assert late["message_id"] == tries[0]["batch"][0]["messageId"]
    page.wait_for_function("!Object.keys(localStorage).some(k => k.startsWith('sm_q'))")


def test_what_a_closed_page_could_not_send_is_sent_by_the_next(shop: Site) -> None:
    page = shop()
    wait_until_told(1, kind="page")
    page.route("**/v1/batch", lambda route: route.abort())
    page.evaluate("smarketing.track('Kept')")
    wait_for(lambda: page.evaluate("JSON.stringify(localStorage).includes('Kept')"), what="kept")
    page.unroute("**/v1/batch")
    page.reload()
    wait_until_told(1, "Kept")


SDKS = Path(__file__).parents[1] / "leads" / "intake" / "node" / "node_modules"
SNIPPET = """<script>
var analytics = window.analytics = []; analytics._writeKey = "{key}"; analytics._cdn = "{host}";
analytics.invoked = true; analytics.push(["page"]);
</script><script async src="{host}/analytics.js/v1/{key}/analytics.min.js"></script>"""


@pytest.mark.skipif(not SDKS.exists(), reason="npm ci --ignore-scripts in tests/leads/intake/node")
def test_the_browser_sdk_of_segment_needs_no_host_but_ours(
    shop: Site, live_server: LiveServer, key: WriteKey, settings: Any
) -> None:
    settings.NPM_ROOT, settings.SITE_URL = SDKS, live_server.url
    hosts: set[str] = set()
    page = shop(before=SNIPPET.format(host=live_server.url, key=key.public_key))
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    page.wait_for_function("window.analytics && window.analytics.initialized")
    page.evaluate(
        "analytics.identify('u-9', {email: 'ada@engines.example'}); analytics.track('Clicked', {n: 1})"
    )
    (clicked,) = wait_until_told(1, "Clicked")
    (person,) = wait_until_told(1, kind="identify")
    assert (clicked["user_id"], clicked["properties"]) == ("u-9", {"n": 1})
    assert person["traits"]["email"] == "ada@engines.example"
    assert clicked["message_id"].startswith("ajs-next-")
    assert hosts <= {live_server.url.split("/")[2], page.url.split("/")[2]}
