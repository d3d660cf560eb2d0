"""What browsers fetch before they call: our own tracker, and the set-up documents of the two browser SDKs.

With these a page needs no host but ours. The Segment SDK itself is served when an operator has
installed its npm package beside the others; it is no part of the product.
"""

from __future__ import annotations

import hashlib
import mimetypes
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import brotli
from django.conf import settings
from django.contrib.staticfiles import finders

from leads.domain.writekeys import digest_of
from leads.intake import reading
from leads.intake.answers import Answer, Refusal, as_json
from leads.intake.calls import Calls
from leads.intake.reading import Environ
from leads.selectors.intake import Sender

Handler = Callable[[Environ, Calls], Answer]

TRACKER = "tracker/t.js"  # in the static tree
_PACKAGE = "@segment/analytics-next/dist/umd"
_TRACKER_SECONDS, _SETTINGS_SECONDS, _SDK_SECONDS = 3600, 300, 86_400
_COMMENT = re.compile(r"^\s*//.*$|^\s*\n", re.MULTILINE)


def route(path: str) -> Handler | None:
    """What answers a GET of this address, if anything."""
    for pattern, handler in _ROUTES:
        found = pattern.fullmatch(path)
        if found:
            word = found.group(1) if pattern.groups else ""
            return lambda environ, calls: handler(environ, calls, word)
    return None


def tracker() -> bytes:
    """Our tracker as it is sent: the source without its comment lines and indentation."""
    return _packed_tracker()[0]


def _tracker(environ: Environ, calls: Calls, _word: str) -> Answer:
    plain, packed, tag = _packed_tracker() if not settings.DEBUG else _packed_tracker.__wrapped__()
    headers = (
        ("Content-Type", "text/javascript; charset=utf-8"),
        ("Cache-Control", f"public, max-age={_TRACKER_SECONDS}"),
        ("Vary", "Accept-Encoding"),
        ("ETag", tag),
    )
    if tag in str(environ.get("HTTP_IF_NONE_MATCH", "")):
        return Answer(304, b"", headers)
    if "br" in [
        word.split(";")[0].strip() for word in str(environ.get("HTTP_ACCEPT_ENCODING", "")).split(",")
    ]:
        return Answer(200, packed, (*headers, ("Content-Encoding", "br")))
    return Answer(200, plain, headers)


@cache
def _packed_tracker() -> tuple[bytes, bytes, str]:
    place = finders.find(TRACKER) or Path(settings.STATIC_ROOT) / TRACKER
    source = Path(str(place)).read_text()
    lines = _COMMENT.sub("", source).splitlines()
    plain = "\n".join(line.strip() for line in lines if line.strip()).encode()
    return plain, brotli.compress(plain, mode=brotli.MODE_TEXT), f'"{hashlib.sha256(plain).hexdigest()[:16]}"'


def _known(calls: Calls, key: str) -> Sender:
    """The holder of a browser key. Raises :class:`Refusal`."""
    sender = calls.state().senders.get(digest_of(key))
    if sender is None or sender.is_server:
        raise Refusal(404, "unknown_key", "This write key is not known here, or it was revoked.")
    return sender


def _segment_settings(environ: Environ, calls: Calls, key: str) -> Answer:
    """As analytics-next reads it: no destinations, and our host for all that it sends."""
    _known(calls, key)
    scheme, _separator, host = settings.SITE_URL.partition("://")
    everything = {"__default": {"enabled": True, "integrations": {}}}
    ours = {
        "apiKey": key,
        "apiHost": f"{host}/v1",
        "protocol": scheme,
        "unbundledIntegrations": [],
        "addBundledMetadata": True,
        "maybeBundledConfigIds": {},
        "versionSettings": {"version": "4.4.7", "componentTypes": ["browser"]},
    }
    return as_json(
        {
            "integrations": {"Segment.io": ours},
            "plan": {"track": everything, "identify": everything, "group": everything},
            "edgeFunction": {},
            "analyticsNextEnabled": True,
            "middlewareSettings": {},
            "enabledMiddleware": {},
            "metrics": {"sampleRate": 0},
            "legacyVideoPluginsEnabled": False,
            "remotePlugins": [],
        },
        seconds=_SETTINGS_SECONDS,
    )


def _rudder_settings(environ: Environ, calls: Calls, _word: str) -> Answer:
    """As @rudderstack/analytics-js reads it: a source without destinations."""
    key = reading.write_key(environ, None)
    sender = _known(calls, key)
    source: dict[str, Any] = {
        "id": sender.source_code,
        "name": sender.source_name,
        "writeKey": key,
        "enabled": True,
        "config": {"statsCollection": {"errors": {"enabled": False}, "metrics": {"enabled": False}}},
        "destinations": [],
        "dataplanes": {},
        "workspaceId": "smarketing",
    }
    return as_json(
        {"source": source, "consentManagementMetadata": {}, "isHosted": True}, seconds=_SETTINGS_SECONDS
    )


def _sdk(environ: Environ, calls: Calls, key: str) -> Answer:
    _known(calls, key)
    return _sdk_file("standalone.js")


def _sdk_part(environ: Environ, calls: Calls, name: str) -> Answer:
    return _sdk_file(name)


def _sdk_file(name: str) -> Answer:
    """A file of the Segment SDK's npm package, if the operator has installed it."""
    place = Path(settings.NPM_ROOT) / _PACKAGE / name
    if not place.is_file():
        detail = "The Segment SDK is not installed here. /t.js is; see the guide for integrations."
        raise Refusal(404, "sdk_not_installed", detail)
    kind = mimetypes.guess_type(name)[0] or "text/javascript"
    headers = (
        ("Content-Type", f"{kind}; charset=utf-8"),
        ("Cache-Control", f"public, max-age={_SDK_SECONDS}"),
    )
    return Answer(200, place.read_bytes(), headers)


_KEY = r"([A-Za-z0-9_-]{1,255})"
_ROUTES = (
    (re.compile(r"/t\.js"), _tracker),
    (re.compile(r"/sourceConfig"), _rudder_settings),
    (re.compile(rf"/v1/projects/{_KEY}/settings"), _segment_settings),
    (re.compile(rf"/analytics\.js/v1/{_KEY}/analytics\.min\.js"), _sdk),
    (re.compile(r"/analytics-next/bundles/([A-Za-z0-9_.-]{1,120}\.js)"), _sdk_part),
)
