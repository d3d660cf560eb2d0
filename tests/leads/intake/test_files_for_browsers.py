"""What browsers fetch: the tracker within its size, and the set-up documents of the SDKs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import brotli
import pytest
from django.test import Client

from leads.intake import sdkfiles
from leads.models import Source, WriteKey

pytestmark = pytest.mark.django_db
MOST_BYTES = 2560  # of brotli


def test_the_tracker_is_small(client: Client) -> None:
    response = client.get("/t.js", headers={"Accept-Encoding": "gzip, br"})
    assert response["Content-Encoding"] == "br"
    assert len(response.content) <= MOST_BYTES
    assert brotli.decompress(response.content) == sdkfiles.tracker()


def test_the_tracker_comes_plain_where_brotli_is_not_known(client: Client) -> None:
    response = client.get("/t.js")
    assert response.content == sdkfiles.tracker()
    assert response["Content-Type"] == "text/javascript; charset=utf-8"
    assert response["Access-Control-Allow-Origin"] == "*"
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert not any(line.startswith("//") for line in response.content.decode().splitlines())


def test_the_tracker_is_fetched_again_only_when_it_has_changed(client: Client) -> None:
    tag = client.get("/t.js")["ETag"]
    again = client.get("/t.js", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")


def test_the_segment_sdk_is_told_to_send_to_us(client: Client, browser_key: WriteKey, settings: Any) -> None:
    settings.SITE_URL = "https://crm.example.com"
    response = client.get(f"/v1/projects/{browser_key.public_key}/settings", headers={"Host": "evil.example"})
    ours = response.json()["integrations"]["Segment.io"]
    assert (ours["apiHost"], ours["protocol"]) == ("crm.example.com/v1", "https")
    assert ours["apiKey"] == browser_key.public_key


def test_the_rudderstack_sdk_finds_a_source_without_destinations(
    client: Client, browser_key: WriteKey, site: Source
) -> None:
    response = client.get(f"/sourceConfig/?writeKey={browser_key.public_key}&p=npm&v=3")
    source = response.json()["source"]
    assert (source["id"], source["writeKey"]) == (site.code, browser_key.public_key)
    assert (source["destinations"], source["enabled"]) == ([], True)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/projects/wk_no/settings",
        "/sourceConfig/?writeKey=wk_no",
        "/analytics.js/v1/wk_no/analytics.min.js",
    ],
)
def test_a_key_that_is_not_known_has_no_set_up(client: Client, path: str) -> None:
    response = client.get(path)
    assert (response.status_code, response.json()["error"]["code"]) == (404, "unknown_key")


def test_a_server_key_has_no_set_up_for_browsers(client: Client, server_key: str) -> None:
    assert client.get(f"/v1/projects/{server_key}/settings").status_code == 404


def test_the_segment_sdk_is_served_where_it_is_installed(
    client: Client, browser_key: WriteKey, settings: Any, tmp_path: Path
) -> None:
    address = f"/analytics.js/v1/{browser_key.public_key}/analytics.min.js"
    settings.NPM_ROOT = tmp_path
    assert client.get(address).json()["error"]["code"] == "sdk_not_installed"
    package = tmp_path / "@segment" / "analytics-next" / "dist" / "umd"
    package.mkdir(parents=True)
    (package / "standalone.js").write_text("analytics")
    (package / "part.bundle.js").write_text("part")
    assert client.get(address).content == b"analytics"
    assert client.get("/analytics-next/bundles/part.bundle.js").content == b"part"
    assert client.get("/analytics-next/bundles/..%2f..%2fpackage.js").status_code == 404
