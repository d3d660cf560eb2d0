"""One story of five unmodified SDKs: the server is killed and started again while each sends (Show 1).

``STORY_CALLS=1000 script/test tests/faults/test_sdk_story.py -s`` tells it at full length.
"""

from __future__ import annotations

import contextlib
import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route

from tests.faults.senders import applied, write_key
from tests.faults.servers import Installation, environment, scenario, wait_for

pytestmark = [pytest.mark.fault, pytest.mark.browser]
CALLS = int(os.environ.get("STORY_CALLS", "80"))
SECONDS = max(8.0, CALLS / 40)  # for which each SDK is used, so that kills fall into the sending
NODE = Path(__file__).parents[1] / "leads" / "intake" / "node"
BUNDLES = NODE / "node_modules" / "@segment" / "analytics-next" / "dist" / "umd"
PYTHON, IN_NODE = ("segment_python", "rudder_python"), ("segment_node", "rudder_node")
_PAGE = """<!doctype html><title>Shop</title><script>
var analytics = window.analytics = []; analytics._writeKey = "{key}"; analytics._cdn = "{host}";
analytics.invoked = true; analytics.push(["page"]);
</script><script async src="{host}/analytics.js/v1/{key}/analytics.min.js"></script>"""
# The first tenth before the visitor says who they are: that joins backwards.
_CALL = """([count, seconds]) => {
  let n = 0;
  const timer = setInterval(() => {
    if (n === Math.floor(count / 10)) analytics.identify('u-browser', {email: 'u-browser@story.example'});
    else analytics.track('Story Told', {n, sdk: 'browser'});
    if (++n >= count) { clearInterval(timer); window.told = true; }
  }, seconds * 1000 / count);
}"""
_STORED = "SELECT (SELECT count(*) FROM leads_event) + (SELECT count(*) FROM leads_eventinbox)"
_BY_PERSON = """
SELECT e.properties->>'sdk', e.properties->>'n', array_agg(DISTINCT p.email), count(*)
FROM leads_event e LEFT JOIN leads_personemail p ON p.person_id = e.person_id
WHERE e.name = 'Story Told' GROUP BY 1, 2
"""


def test_every_call_is_one_event_of_the_right_person(home: Path, chromium: Browser) -> None:
    if not BUNDLES.exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("npm ci --ignore-scripts in " + str(NODE))
    with scenario(home, seed=1) as s, contextlib.ExitStack() as stack:
        server, browser = write_key(s, code="app", kind="server"), write_key(s, code="shop", kind="browser")
        page = stack.enter_context(_shop(chromium, s.address, browser))
        programs = [_program(s, sdk, server) for sdk in (*PYTHON, *IN_NODE)]
        stack.callback(lambda: [program.kill() for program in programs])
        page.evaluate(_CALL, [CALLS, SECONDS])
        total = CALLS * 5 + 1  # and the first page view
        for part, share in (("web", 0.15), ("worker", 0.3), ("web", 0.45), ("worker", 0.6)):
            wait_for(lambda share=share: s.number(_STORED) >= total * share, what=f"{share:.0%}")  # type: ignore[misc]
            s.back(part, instead_of=s.kill(part))
            print(f"{part} killed at {share:.0%}")  # noqa: T201
        assert [program.wait(SECONDS + 90) for program in programs] == [0, 0, 0, 0]
        page.wait_for_function("window.told", timeout=(SECONDS + 60) * 1000)
        s.load(lambda: total)
        s.settle(lambda: s.number(_STORED) >= total and applied(s), timeout=90)
        assert s.number("SELECT count(*) FROM leads_event") == total
        assert _owners(s) == _expected()
        assert s.number("SELECT count(*) FROM leads_deadletter") == 0
        s.audit()


def _expected() -> dict[tuple[str, int], str]:
    """Whose each call is."""
    programs = {
        (sdk, n): f"u-{sdk}-{n % 10}@story.example" for sdk in (*PYTHON, *IN_NODE) for n in range(10, CALLS)
    }
    named = CALLS // 10
    return programs | {("browser", n): "u-browser@story.example" for n in range(CALLS) if n != named}


def _owners(s: Installation) -> dict[tuple[str, int], str]:
    """Whose each event is; one that is there twice, or of nobody, fails."""
    found = {}
    for sdk, n, emails, events in s.rows(_BY_PERSON):
        assert events == 1, f"call {n} of {sdk} is {events} events"
        assert len(emails) == 1, f"call {n} of {sdk} belongs to {emails}"
        found[sdk, int(n)] = emails[0]
    return found


def _program(s: Installation, sdk: str, key: str) -> subprocess.Popen[bytes]:
    """An application that uses the SDK, in a process of its own."""
    script = [sys.executable, "sdk_story.py"] if sdk in PYTHON else ["node", "story.mjs"]
    return subprocess.Popen(
        [*script, sdk, s.address, key, str(CALLS), str(SECONDS)],
        cwd=Path(__file__).parent if sdk in PYTHON else NODE,
        env=environment(s.home),
        stdout=subprocess.DEVNULL,
    )


@contextlib.contextmanager
def _shop(chromium: Browser, host: str, key: str) -> Iterator[Page]:
    """A page of another origin on which the browser SDK runs; its own files come from its npm package."""
    body = _PAGE.format(host=host, key=key).encode()

    class Shop(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            return

    site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    threading.Thread(target=site.serve_forever, daemon=True).start()
    context = chromium.new_context()
    try:
        page = context.new_page()
        page.route("**/analytics.min.js", lambda route: _sdk_file(route, "standalone.js"))
        page.route("**/bundles/*", lambda route: _sdk_file(route, route.request.url.rsplit("/", 1)[1]))
        page.goto(f"http://127.0.0.1:{site.server_port}/")
        page.wait_for_function("window.analytics && window.analytics.initialized")
        yield page
    finally:
        context.close()
        site.shutdown()


def _sdk_file(route: Route, name: str) -> Any:
    place = BUNDLES / name
    route.fulfill(
        path=str(place), content_type="text/javascript", headers={"Access-Control-Allow-Origin": "*"}
    )
