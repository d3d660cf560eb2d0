"""Regions of a page that downstream apps fill.

The lead page belongs to ``leads``, but its score comes from ``funnel`` and its clocks from ``sla``.
Those apps register a panel for a region ("lead.main", "lead.side") and the page never imports them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from django.utils.functional import Promise

from smarketing.users.domain.roles import Capability
from smarketing.users.models import User

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Panel:
    """What to show: a template with its own context, in a card when ``title`` is given."""

    template: str
    context: Mapping[str, Any]
    title: Text = ""
    sub: Text = ""
    id: str = ""


class Build(Protocol):
    """Read what the panel shows about ``subject``; ``None`` leaves it out."""

    def __call__(self, subject: Any, /, *, viewer: User, now: datetime) -> Panel | None: ...


@dataclass(frozen=True, slots=True)
class _Registered:
    build: Build
    order: int
    capability: Capability
    key: str = field(default="")


_regions: dict[str, dict[str, _Registered]] = defaultdict(dict)


def register(
    region: str, key: str, build: Build, *, order: int = 100, capability: Capability = Capability.VIEW
) -> None:
    """Fill ``region`` with the panel that ``build`` returns. Called from ``wiring.connect`` only."""
    _regions[region][key] = _Registered(build, order, capability, key)


def build(region: str, subject: Any, *, viewer: User, now: datetime) -> list[Panel]:
    """The panels of ``region`` about ``subject`` that ``viewer`` may see, in order."""
    known = sorted(_regions[region].values(), key=lambda r: (r.order, r.key))
    panels = (r.build(subject, viewer=viewer, now=now) for r in known if viewer.may(r.capability))
    return [p for p in panels if p is not None]


def regions() -> Mapping[str, list[str]]:
    """Which keys fill which region, for the wiring table."""
    return {name: sorted(known) for name, known in sorted(_regions.items())}
