"""Browser files: all there, found by name, hashed in production."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import call_command

from smarketing.assets.finders import NpmFinder

WEB = Path(finders.find("web/css/main.css") or "").parents[1]


def test_every_listed_vendor_file_is_installed() -> None:
    assert NpmFinder().check() == []


def test_a_missing_vendor_file_is_reported_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "NPM_STATIC", {"vendor/x.js": "nothing/x.js"})
    (error,) = NpmFinder().check()
    assert "nothing/x.js" in error.msg
    assert "npm ci" in str(error.hint)


def test_nothing_but_the_listed_files_of_a_package_is_served() -> None:
    assert finders.find("vendor/package.json") is None
    assert NpmFinder().find("vendor/../../package.json") == []


def test_every_module_of_the_import_map_exists_and_every_script_is_in_it() -> None:
    assert [p for p in settings.IMPORTMAP.values() if finders.find(p) is None] == []
    written = {f"web/js/{p.name}" for p in (WEB / "js").glob("*.js")} - {"web/js/main.js"}
    assert written == {p for p in settings.IMPORTMAP.values() if p.startswith("web/js/")}


def test_scripts_import_only_names_of_the_map() -> None:
    for script in (WEB / "js").glob("*.js"):
        names = re.findall(r'(?:from|import|import\()\s*"([^"]+)"', script.read_text())
        assert [n for n in names if n not in settings.IMPORTMAP] == [], script.name


def test_every_style_sheet_is_imported_by_the_entry() -> None:
    entry = (WEB / "css" / "main.css").read_text()
    imported = set(re.findall(r'url\("([^"]+)"\)', entry))
    written = {str(p.relative_to(WEB / "css")) for p in (WEB / "css").rglob("*.css")}
    assert imported == written - {"main.css", "plain.css"}


def test_collected_files_get_hashed_names(tmp_path: Path, settings: pytest.FixtureRequest) -> None:
    settings.STATIC_ROOT = tmp_path  # type: ignore[attr-defined]
    settings.INSTALLED_APPS = ["smarketing.web", "django.contrib.staticfiles"]  # type: ignore[attr-defined]
    settings.NPM_STATIC = {k: v for k, v in settings.NPM_STATIC.items() if "echarts" not in k}  # type: ignore[attr-defined]
    settings.STORAGES = {  # type: ignore[attr-defined]
        "staticfiles": {"BACKEND": "smarketing.assets.storage.HashedStorage"}
    }
    finders.get_finder.cache_clear()
    try:
        call_command("collectstatic", interactive=False, verbosity=0)
    finally:
        finders.get_finder.cache_clear()
    main = next((tmp_path / "web" / "css").glob("main.*.css")).read_text()
    assert "@import" not in main
    assert "@layer components {\n.tag {" in main
    assert "@media print {" in main
    assert re.search(r'url\("../img/chevron\.[0-9a-f]{12}\.svg"\)', main)
    assert re.search(r'url\("../../vendor/inter\.[0-9a-f]{12}\.woff2"\)', main)
    assert list((tmp_path / "vendor").glob("htmx.*.js.br"))
    assert not (tmp_path / "web" / "css" / "main.css").exists()
