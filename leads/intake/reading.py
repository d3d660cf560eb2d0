"""Reading a request: the body within limits, whoever compressed it; the key, wherever it stands."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from leads.domain import untrusted
from leads.intake.answers import Refusal

MAX_BODY = 500 * 1024  # bytes, compressed and not
_GZIP = b"\x1f\x8b"
Environ = Mapping[str, Any]


def payload(environ: Environ) -> Any:
    """The JSON value of the body; an empty body is ``None``. Raises :class:`Refusal`."""
    body = inflated(_body(environ), str(environ.get("HTTP_CONTENT_ENCODING", "")).strip().lower())
    if not body.strip():
        return None
    try:
        return untrusted.read(body)
    except untrusted.Unreadable as error:
        raise Refusal(400, "unreadable", f"The body is not JSON: {error}.") from None


def _body(environ: Environ) -> bytes:
    length = str(environ.get("CONTENT_LENGTH") or "")
    if length and not (length.isascii() and length.isdigit()):
        raise Refusal(400, "bad_length", "Content-Length is not a number.")
    if length and (len(length) > 12 or int(length) > MAX_BODY):
        raise too_large()
    if not length and "chunked" not in str(environ.get("HTTP_TRANSFER_ENCODING", "")).lower():
        return b""  # there is no body; some servers would wait for one
    stream = environ["wsgi.input"]
    parts, left = [], int(length) if length else MAX_BODY + 1
    while left > 0 and (part := stream.read(left)):
        parts.append(part)
        left -= len(part)
    body = b"".join(parts)
    if len(body) > MAX_BODY:
        raise too_large()
    return body


def too_large() -> Refusal:
    """More than a request may hold."""
    return Refusal(413, "too_large", "Send at most 500 KB and 2,500 events at a time.")


def inflated(body: bytes, encoding: str) -> bytes:
    """The body unpacked, when its header or its first bytes say that it is packed.

    Some SDKs say so and send plain text, some send gzip and call it a form. Never more than the limit comes
    out, whatever went in. Raises :class:`Refusal`.
    """
    if body.startswith(_GZIP):
        bits = 31
    elif encoding == "deflate" and body[:1] == b"\x78":
        bits = 15
    else:
        return body
    unpacker = zlib.decompressobj(wbits=bits)
    try:
        found = unpacker.decompress(body, MAX_BODY + 1)
    except zlib.error:
        raise Refusal(400, "unreadable", "The body is not valid gzip.") from None
    if len(found) > MAX_BODY:
        raise too_large()
    if not unpacker.eof:
        raise Refusal(400, "unreadable", "The compressed body ends too early.")
    return found


def write_key(environ: Environ, payload: Any) -> str:
    """The key: the user name of Basic; else ``writeKey`` of the body, of its first event or of the query."""
    scheme, _space, credentials = str(environ.get("HTTP_AUTHORIZATION", "")).partition(" ")
    if scheme.lower() == "basic":
        try:
            user = base64.b64decode(credentials.strip(), validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            raise Refusal(401, "bad_credentials", "Basic credentials are base64(writeKey + “:”).") from None
        if user:
            return user
    if isinstance(payload, dict):
        batch = payload.get("batch")
        for holder in (payload, batch[0] if isinstance(batch, list) and batch else None):
            if isinstance(holder, dict) and isinstance(holder.get("writeKey"), str) and holder["writeKey"]:
                return str(holder["writeKey"])
    return query(environ).get("writeKey", "")


def query(environ: Environ) -> dict[str, str]:
    """The parameters of the query, of each name the first; none when there are absurdly many."""
    text = str(environ.get("QUERY_STRING", ""))
    if not text:
        return {}
    try:
        found = parse_qs(text, keep_blank_values=True, errors="replace", max_num_fields=1000)
    except ValueError:
        return {}
    return {name: values[0] for name, values in found.items()}
