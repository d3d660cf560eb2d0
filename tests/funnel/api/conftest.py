"""The API of the funnel, asked at a fixed instant."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from time_machine import travel

from funnel.models import Handoff
from leads.models import Lead
from smarketing.users.models import User
from tests.funnel.conftest import NOW

TODAY = NOW + timedelta(hours=2)


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    """Two hours after the leads of the cast were captured."""
    with travel(TODAY, tick=False):
        yield


@pytest.fixture
def waiting(rita: User, lead: Lead, qualify: Callable[[Lead], Lead]) -> Handoff:
    """A handoff that waits for rita's answer."""
    return Handoff.objects.get(lead=qualify(lead), state="delivered")
