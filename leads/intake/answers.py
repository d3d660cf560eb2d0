"""Answers of the intake: status, headers, bytes. Every one carries what a browser on another site needs."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Headers = tuple[tuple[str, str], ...]

_REASONS = {
    200: "OK",
    204: "No Content",
    304: "Not Modified",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Content Too Large",
    429: "Too Many Requests",
    503: "Service Unavailable",
}
# Any page may call, with a key and without cookies. Without the exposed Retry-After the browser SDKs come
# back at once when they are asked to wait.
CORS: Headers = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", "Retry-After"),
    ("Cross-Origin-Resource-Policy", "cross-origin"),
    ("X-Content-Type-Options", "nosniff"),
)
_JSON: Headers = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))
_GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_PREFLIGHT_SECONDS = "7200"


@dataclass(frozen=True, slots=True)
class Answer:
    """One response, without its CORS headers and length."""

    status: int
    body: bytes = b""
    headers: Headers = field(default=_JSON)

    @property
    def line(self) -> str:
        """The status line's end."""
        return f"{self.status} {_REASONS[self.status]}"


STORED = Answer(200, b'{"success":true}')
PIXEL = Answer(
    200,
    _GIF,
    (
        ("Content-Type", "image/gif"),
        ("Cache-Control", "no-store, private"),
        ("Referrer-Policy", "no-referrer"),
    ),
)


class Refusal(Exception):
    """A whole request that is not taken, with the answer that says why. ``code`` is counted."""

    def __init__(
        self, status: int, code: str, detail: str, *, retry_after: int | None = None, headers: Headers = ()
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.retry_after, self.headers = retry_after, headers

    def answer(self) -> Answer:
        """As JSON, with Retry-After in whole seconds where the sender should come back."""
        more = self.headers
        if self.retry_after is not None:
            more = (*more, ("Retry-After", str(max(1, self.retry_after))))
        body = {"success": False, "error": {"code": self.code, "detail": self.detail}}
        return Answer(self.status, _dumped(body), (*_JSON, *more))


def unavailable(*, seconds: int = 5) -> Refusal:
    """The database does not take messages now; nothing was promised."""
    detail = "The database is not available. Send the same messages again."
    return Refusal(503, "unavailable", detail, retry_after=seconds)


def partly(*, accepted: int, refused: Sequence[Mapping[str, Any]]) -> Answer:
    """What became of a batch of which some events could not be taken; they are named."""
    body: dict[str, Any] = {"success": accepted > 0, "accepted": accepted, "refused": list(refused)}
    if not accepted:
        first = refused[0]
        body["error"] = {"code": first["code"], "detail": first["detail"]}
    return Answer(200 if accepted else 400, _dumped(body))


def preflight(asked: str) -> Answer:
    """To a browser that asks before it calls: whatever headers it has in mind are fine.

    They are echoed, since ``*`` does not cover Authorization.
    """
    headers = asked if asked.isascii() and asked.isprintable() and len(asked) <= 1000 else ""
    return Answer(
        204,
        b"",
        (
            ("Access-Control-Allow-Methods", "GET, POST, OPTIONS"),
            ("Access-Control-Allow-Headers", headers or "content-type"),
            ("Access-Control-Max-Age", _PREFLIGHT_SECONDS),
            ("Vary", "Access-Control-Request-Headers"),
        ),
    )


def as_json(value: Any, *, seconds: int) -> Answer:
    """A JSON document that may be kept for a while."""
    headers = (("Content-Type", "application/json"), ("Cache-Control", f"public, max-age={seconds}"))
    return Answer(200, _dumped(value), headers)


def _dumped(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()
