"""How tests bring files in: small ones written on the spot, and the real ones beside the project."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from leads.services.imports import runs
from leads.services.imports.plans import Options
from leads.services.imports.runs import Report

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
DATA = Path(
    os.environ.get("SMARKETING_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data"
).resolve()


def real(*parts: str) -> Path:
    """A real file, which is never part of the project; the test is skipped where it is absent."""
    path = DATA.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"the real data {'/'.join(parts)} is not beside the project (SMARKETING_DATA names it)")
    return path


def take(kind: str, path: Path, source: str = "crm", now: datetime = NOW, **options: Any) -> Report:
    """Import ``path`` as ``kind``."""
    report = runs.run(kind=kind, path=path, options=Options(source=source, **options), actor=None, now=now)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")  # an import ends its transaction; a test's goes on
    return report


def counts(report: Report) -> tuple[int, int, int, int]:
    """Created, updated, unchanged, rejected."""
    return report.created, report.updated, report.unchanged, report.rejected
