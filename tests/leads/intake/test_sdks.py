"""Unmodified SDKs against a running server: what they send arrives, once, and nothing of it is refused."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer
from segment.analytics.client import Client as SegmentClient

from leads.models import DeadLetter, Event, EventInbox, IntakeCount, KeyKind, Source, WriteKey
from leads.services import inbox, sources, write_keys
from smarketing.core import clock

pytestmark = pytest.mark.django_db(transaction=True)
NODE = Path(__file__).parent / "node"


@pytest.fixture
def key(db: None) -> str:
    """The text of a server key."""
    now = clock.now()
    source = sources.ensure(code="app", name="App", kind="api", now=now)
    return write_keys.issue(source=source, name="SDKs", kind=KeyKind.SERVER, actor=None, now=now).text


def apply_all() -> None:
    while inbox.run_once(now=clock.now(), limit=500):
        pass


def outcomes() -> dict[str, int]:
    return dict(IntakeCount.objects.values_list("outcome", "events"))


def bodies() -> list[dict[str, Any]]:
    return list(EventInbox.objects.order_by("id").values_list("body", flat=True))


@pytest.mark.parametrize("packed", [False, True])
def test_segment_for_python(live_server: LiveServer, key: str, packed: bool) -> None:
    failures: list[Any] = []
    client = SegmentClient(
        key, host=live_server.url, gzip=packed, on_error=lambda error, _items: failures.append(error)
    )
    moment = datetime(2026, 11, 1, 10, 0, tzinfo=UTC)
    client.identify(
        "u-1",
        {"email": "ada@engines.example", "createdAt": datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)},
        timestamp=moment,
    )
    client.group("u-1", "g-1", {"name": "Engines"})
    client.page("u-1", "Docs", "Home", {"url": "https://x.example/docs?utm_source=News"})
    client.screen("u-1", "App", "Start")
    client.alias("a-1", "u-1")
    for number in range(250):
        client.track("u-1", "Item Viewed", {"n": number, "price": 1.5, "name": "ü"})
    client.track(None, "Seen", anonymous_id="a-2")
    client.shutdown()
    assert failures == []
    assert outcomes() == {"stored": 256}
    kinds = [body["type"] for body in bodies()]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "identify": 1, "group": 1, "page": 1, "screen": 1, "alias": 1, "track": 251,
    }  # fmt: skip
    apply_all()
    assert (Event.objects.count(), EventInbox.objects.count(), DeadLetter.objects.count()) == (256, 0, 0)
    # Corrected by what lies between sending and arriving, which is nearly nothing here.
    assert abs(Event.objects.get(kind="identify").occurred_at - moment) < timedelta(seconds=30)


def test_segment_for_python_waits_when_it_is_told_to(
    live_server: LiveServer, key: str, settings: Any
) -> None:
    settings.INTAKE_INBOX_ROWS = 1
    assert WriteKey.objects.update(per_minute=10**6) == 1
    client = SegmentClient(key, host=live_server.url, sync_mode=True, max_retries=0)
    client.track("u-1", "First")
    with pytest.raises(Exception, match="503|inbox|wait"):
        client.track("u-1", "Second")
    assert [body["name"] for body in bodies()] == ["First"]


@pytest.mark.skipif(not importlib.util.find_spec("rudderstack"), reason="rudder-sdk-python is not installed")
def test_rudderstack_for_python(live_server: LiveServer, key: str) -> None:
    done = run_python(
        "import sys, rudderstack.analytics as r\n"
        "r.write_key, r.dataPlaneUrl, r.sync_mode = sys.argv[1], sys.argv[2], True\n"
        "r.track('u-1', 'Seen', {'n': 1}); r.identify('u-1', {'email': 'a@x.example'}); r.flush()",
        key,
        live_server.url,
    )
    assert done.returncode == 0, done.stderr
    assert sorted(body["type"] for body in bodies()) == ["identify", "track"]


def run_python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def node_modules() -> Path:
    """Where the SDKs for Node are installed (``npm ci`` in ``tests/leads/intake/node``)."""
    place = NODE / "node_modules"
    if not place.exists() or shutil.which("node") is None:
        message = "The SDKs for Node are not installed: npm ci --ignore-scripts in tests/leads/intake/node"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return place


@pytest.mark.parametrize("sdk", ["segment", "rudderstack"])
def test_sdks_for_node(live_server: LiveServer, key: str, sdk: str) -> None:
    node_modules()
    done = subprocess.run(
        ["node", f"{sdk}.mjs", live_server.url, key],
        cwd=NODE, capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    sent = json.loads(done.stdout.splitlines()[-1])["sent"]
    assert outcomes() == {"stored": sent}
    apply_all()
    assert (Event.objects.count(), EventInbox.objects.count()) == (sent, 0)
    assert Source.objects.get(code="app").pk == Event.objects.first().source_id  # type: ignore[union-attr]
