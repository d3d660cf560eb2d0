"""Clients that send like the SDKs: with retries under the same message id, noting what was promised."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from leads.domain.tracking import event_id
from tests.faults.servers import Installation

SOURCE = "site"
_MAKE_KEY = """
from leads.services import sources, write_keys
from smarketing.core import clock
now = clock.now()
source = sources.ensure(code="%(code)s", name="Site", kind="web", now=now)
made = write_keys.issue(
    source=source, name="k", kind="%(kind)s", per_minute=10000000, actor=None, now=now)
print("key", made.text)
"""


def server_key(s: Installation) -> str:
    """A fresh server key of the installation."""
    return write_key(s, code=SOURCE, kind="server")


def write_key(s: Installation, *, code: str, kind: str) -> str:
    """A fresh key of that source, for a ``server`` or a ``browser``."""
    told = s.manage("shell", "-c", _MAKE_KEY % {"code": code, "kind": kind}).splitlines()
    return next(line.split()[1] for line in told if line.startswith("key"))


class Crowd:
    """So many clients at once; each sends one message after the other and never gives one up."""

    def __init__(self, address: str, key: str, *, clients: int, batch: int = 1) -> None:
        self.address, self.batch = urlsplit(address), batch
        self.headers = {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}
        self.promised: set[str] = set()
        self.statuses: Counter[int] = Counter()
        self.seconds: list[float] = []
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._send, args=(n,)) for n in range(clients)]

    @contextlib.contextmanager
    def sending(self) -> Iterator[None]:
        """Send for as long as the block takes; then finish what was begun."""
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join(120)

    def event_ids(self) -> set[str]:
        """Keys of the events that were promised."""
        return {str(event_id(source_code=SOURCE, message_id=text)) for text in self.promised}

    def percentile(self, part: float) -> float:
        """Seconds within which this part of the answers came."""
        found = sorted(self.seconds)
        return found[min(len(found) - 1, int(len(found) * part))]

    def _send(self, client: int) -> None:
        number = 0
        link: http.client.HTTPConnection | None = None
        while not self._stop.is_set():
            ids = [f"c{client}-{number}-{n}" for n in range(self.batch)]
            number += 1
            body = json.dumps({"batch": [_call(text, client) for text in ids]})
            until = time.monotonic() + 90
            while time.monotonic() < until:
                link = link or self._connected()
                status, link = self._try(link, body)
                if status == 200:
                    with self._lock:
                        self.promised.update(ids)
                    break
                time.sleep(0.05)

    def _connected(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.address.hostname or "", self.address.port, timeout=15)

    def _try(
        self, link: http.client.HTTPConnection, body: str
    ) -> tuple[int, http.client.HTTPConnection | None]:
        began = time.monotonic()
        try:
            link.request("POST", "/v1/batch", body, self.headers)
            answer = link.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            link.close()
            return 0, None  # nobody answered: the process is being started again
        with self._lock:
            self.statuses[answer.status] += 1
            self.seconds.append(time.monotonic() - began)
        if answer.status == 200:
            assert json.loads(text) == {"success": True}
        return answer.status, link


def _call(text: str, client: int) -> dict[str, Any]:
    return {"type": "track", "event": "Clicked", "messageId": text, "anonymousId": f"visitor-{client}"}


def applied(s: Installation) -> bool:
    """Whether nothing waits in the inbox."""
    return s.number("SELECT count(*) FROM leads_eventinbox") == 0


def check_promises(s: Installation, *crowds: Crowd) -> None:
    """Every promised message is one event (I-1, I-2), and nothing became a dead letter."""
    stored = {str(row[0]) for row in s.rows("SELECT id FROM leads_event")}
    for crowd in crowds:
        assert crowd.promised, "nothing was promised, so it shows nothing"
        assert crowd.event_ids() - stored == set()
        assert set(crowd.statuses) <= {200, 503, 429}, crowd.statuses
    assert s.number("SELECT count(*) FROM leads_deadletter") == 0
