"""System checks of the kernel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error
from django.core.management.base import CommandError
from django.db import connections

# Off loses what was acknowledged when the power or the server goes: 1,465 events in one measured run.
_MUST_BE_ON = ("fsync", "synchronous_commit", "full_page_writes")


def forgetful_settings(alias: str = "default") -> list[str]:
    """Settings of the database server with which it forgets what it has confirmed."""
    found = []
    with connections[alias].cursor() as cursor:
        for name in _MUST_BE_ON:
            cursor.execute("SELECT current_setting(%s)", [name])
            row = cursor.fetchone()
            if row is not None and row[0] == "off":
                found.append(name)
    return found


def durable_database(*, databases: Sequence[str] | None = None, **_options: Any) -> list[CheckMessage]:
    """Refuse a database that forgets; run by ``migrate`` and ``check --database default``."""
    return [
        Error(
            f"{name} is off: the server may forget what it has confirmed.",
            hint=f"Set {name} = on in postgresql.conf.",
            id="core.E001",
        )
        for alias in databases or ()
        for name in forgetful_settings(alias)
    ]


def refuse_forgetful_database() -> None:
    """Raise ``CommandError`` when the database server may forget what it has confirmed."""
    found = forgetful_settings()
    if found:
        names = " and ".join(found)
        raise CommandError(f"{names} must be on: the database server may forget what it has confirmed")
