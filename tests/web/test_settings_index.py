"""The index of the settings, and columns that apps add to lists of others."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from smarketing.users.domain.roles import Capability
from smarketing.users.models import User
from smarketing.web import cells, settings_pages
from smarketing.web.cells import Added
from smarketing.web.settings_pages import SettingsPage
from tests.web.conftest import SignIn

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings_pages, "_pages", {})
    settings_pages.register(
        SettingsPage("Profile", "Yours", "user", "web:profile", "You", notice=lambda: "not signed yet")
    )
    settings_pages.register(
        SettingsPage("Keys", "Secret", "key", "web:home", "Here", capability=Capability.MANAGE_KEYS)
    )
    settings_pages.register(SettingsPage("Gone", "No address", "x", "nowhere:page", "Here"))


def test_the_index_shows_the_pages_of_the_role_and_what_needs_attention(
    signed_in: SignIn, pages: None
) -> None:
    text = signed_in("read_only").get("/settings/").content.decode()
    assert 'href="/profile"' in text
    assert "not signed yet" in text
    assert "Keys" not in text
    assert "Gone" not in text
    assert "Keys" in signed_in("admin").get("/settings/").content.decode()


def test_added_cells_are_read_once_for_all_rows(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    monkeypatch.setattr(cells, "_lists", {"leads": {}})
    asked: list[list[int]] = []

    def provide(keys: list[int], *, viewer: User, now: datetime) -> dict[int, dict[str, str]]:
        asked.append(list(keys))
        return {keys[0]: {"word": "late"}}

    cells.register("leads", Added("clock", "SLA", provide, "x.html"))
    found = cells.fill("leads", [3, 4], viewer=User(), now=NOW)
    assert asked == [[3, 4]]
    assert found[3][0].context == {"word": "late"}
    assert found[4][0].context is None
