"""A real Chromium, signed-in pages, and the complaints a page must not cause."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page
from pytest_django.live_server_helper import LiveServer

from smarketing.users.models import User

Open = Callable[..., Page]


@pytest.fixture
def complaints() -> list[str]:
    """What the browser has complained about so far: errors, failed requests, policy violations."""
    return []


@pytest.fixture
def visit(chromium: Browser, live_server: LiveServer, complaints: list[str]) -> Iterator[Open]:
    """``visit(user, "/path", scheme="dark", size=(390, 844))``: a page of a signed-in user."""
    contexts: list[BrowserContext] = []

    def open_page(
        user: User | None, path: str, *, scheme: str = "light", size: tuple[int, int] = (1280, 900)
    ) -> Page:
        context = chromium.new_context(
            color_scheme="dark" if scheme == "dark" else "light",
            viewport={"width": size[0], "height": size[1]},
            reduced_motion="reduce",
        )
        contexts.append(context)
        if user is not None:
            client = Client()
            client.force_login(user)
            context.add_cookies(
                [{"name": "sid", "value": client.cookies["sid"].value, "url": live_server.url}]
            )
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda line: complaints.append(line.text) if line.type in ("error", "warning") else None,
        )
        page.goto(live_server.url + path)
        page.wait_for_selector("html[data-ready]")
        return page

    yield open_page
    for context in contexts:
        context.close()


def accessibility_faults(page: Page) -> list[str]:
    """What axe finds on the page as it is now."""
    found = Axe().run(page, options={"preload": False}).response["violations"]
    return [f"{v['id']}: {node['html'][:160]}" for v in found for node in v["nodes"]]
