"""Homes for fault tests: migrated once per run, copied per test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import servers


@pytest.fixture(scope="session")
def prepared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a migrated database, from which tests copy theirs."""
    return servers.prepared(tmp_path_factory.mktemp("prepared") / "home")


@pytest.fixture
def home(prepared_home: Path, tmp_path: Path) -> Path:
    """A home of this test alone."""
    return servers.copied(prepared_home, tmp_path / "home")
