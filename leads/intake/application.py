"""The WSGI callable of the tracking intake, and which addresses are its.

``smarketing.wsgi`` asks it first and hands all other addresses to Django. It never answers 5xx but 503
with Retry-After, and 503 only when the database is away or the inbox is full.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from typing import Any

import structlog

from leads.intake import reading, sdkfiles, spool
from leads.intake.answers import CORS, PIXEL, STORED, Answer, Refusal, preflight, unavailable
from leads.intake.calls import Calls, objection, take
from leads.intake.pixel import call_of
from leads.intake.reading import Environ
from leads.intake.stores import Store, Unavailable, Unstorable
from smarketing.core import clock
from smarketing.web import metrics

StartResponse = Callable[..., Any]
log = structlog.get_logger(__name__)

_TYPES = ("track", "page", "screen", "identify", "group", "alias")
_SHORT = {"t": "track", "p": "page", "s": "screen", "i": "identify", "g": "group", "a": "alias"}
_PIXEL_SECONDS = 0.25  # a picture waits no longer for the database
CALLS = {
    **{f"/v1/{name}": name for name in _TYPES},
    **{f"/v1/{letter}": name for letter, name in _SHORT.items()},
    **dict.fromkeys(("/v1/batch", "/v1/b", "/v1/import", "/beacon/v1/batch"), ""),
}
PIXELS = {f"/v1/pixel/{name}": name for name in _TYPES}
METRICS = "/v1/m"  # what SDKs report about themselves; nobody asked
_OURS = ("/v1/", "/analytics.js/", "/analytics-next/")
_ALONE = frozenset({"/v1", "/t.js", "/sourceConfig", "/sourceConfig/", "/beacon/v1/batch"})


def is_ours(path: str) -> bool:
    """Whether the intake answers this address."""
    return path.startswith(_OURS) or path in _ALONE


class Intake:
    """Answers one request at a time per thread; the store decides how they share a commit."""

    def __init__(self, store: Store) -> None:
        self.calls = Calls(store)
        self._counters: dict[tuple[str, str], Any] = {}

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """WSGI; ``REMOTE_ADDR`` must already be the client's."""
        method = str(environ.get("REQUEST_METHOD", "GET"))
        answer = self.answer(environ, method)
        body = b"" if method == "HEAD" else answer.body
        length = () if answer.status in (204, 304) else (("Content-Length", str(len(answer.body))),)
        start_response(answer.line, [*answer.headers, *CORS, *length])
        return [body]

    def answer(self, environ: Environ, method: str) -> Answer:
        """The answer to a request, whatever it is."""
        try:
            found = self._route(environ, method)
        except Refusal as refusal:
            found = refusal.answer()
        except Exception:  # a fault of ours: the sender keeps its messages and comes back
            log.exception("intake_fault")
            found = unavailable(seconds=30).answer()
        self._counter(method, found.status).inc()
        return found

    def _counter(self, method: str, status: int) -> Any:
        key = (method if method in ("GET", "POST", "OPTIONS", "HEAD") else "other", str(status))
        counter = self._counters.get(key)
        if counter is None:
            counter = self._counters[key] = metrics.requests.labels("intake", *key)
        return counter

    def _route(self, environ: Environ, method: str) -> Answer:
        path = str(environ.get("PATH_INFO", ""))
        if method == "OPTIONS":
            return preflight(str(environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "")))
        trimmed = path.rstrip("/")
        if trimmed in PIXELS:
            _need(method, "GET", "HEAD")
            return self._pixel(environ, PIXELS[trimmed])
        if trimmed in CALLS:
            _need(method, "POST")
            return self._call(environ, CALLS[trimmed])
        if trimmed == METRICS:
            _need(method, "POST")
            return STORED
        found = sdkfiles.route(trimmed)
        if found is None:
            raise Refusal(404, "no_such_address", "There is no such address in the tracking interface.")
        _need(method, "GET", "HEAD")
        return found(environ, self.calls)

    def _call(self, environ: Environ, type: str) -> Answer:
        now = clock.now()
        try:
            payload = reading.payload(environ)
            key = reading.write_key(environ, payload)
            return self.calls.handle(environ, payload, key=key, type=type, now=now)
        except Refusal as refusal:
            # Guessed keys and rubbish count against the network, so that they can't be sent without end.
            if refusal.status in (400, 401, 413):
                if refusal.code in ("unreadable", "too_large", "no_batch", "bad_length"):
                    self.calls.store.count(None, refusal.code)
                self.calls.admit_network(environ, None, 1)
            raise

    def _pixel(self, environ: Environ, type: str) -> Answer:
        """Always the picture: whatever is wrong is counted, not told."""
        with contextlib.suppress(Refusal, Unstorable):  # counted where they are raised
            self._take_pixel(environ, type)
        return PIXEL

    def _take_pixel(self, environ: Environ, type: str) -> None:
        calls, now = self.calls, clock.now()
        call = call_of(reading.query(environ))
        if call is None:
            calls.store.count(None, "unreadable")
            return
        state = calls.state(seconds=_PIXEL_SECONDS)
        sender = calls.sender(environ, reading.write_key(environ, call), state)
        calls.admit_key(sender, 1, now)
        calls.admit_network(environ, sender.source_id, 1)
        reason = objection(environ)
        if reason:
            calls.store.count(sender.source_id, reason)
            return
        arrival = calls.arrival(environ, sender, state, now=now, payload=call, is_pixel=True)
        taken = take([call], arrival, type=type, consent=sender.consent_category)
        try:
            calls.store_pixel(sender, taken, seconds=_PIXEL_SECONDS)
        except Unavailable:
            if not spool.keep(taken.rows):
                calls.store.count(sender.source_id, "spool_full")


def _need(method: str, *allowed: str) -> None:
    if method not in allowed:
        detail = f"Use {' or '.join(allowed)} here."
        raise Refusal(405, "wrong_method", detail, headers=(("Allow", ", ".join((*allowed, "OPTIONS"))),))
