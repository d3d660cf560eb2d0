"""Messages as the intake hands them over, and what the tables look like without their surrogate keys."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from leads.domain.tracking import Message, MessageType, PageContext
from leads.models import Source
from leads.services import tracking

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
Say = Callable[..., Message]


@pytest.fixture
def say(web: Source) -> Say:
    """A message; ``minute`` is its time after nine o'clock."""

    def made(
        type: str = "page",
        *,
        minute: float = 0,
        anonymous: str = "",
        user: str = "",
        key: str = "",
        url: str = "",
        referrer: str = "",
        campaign: dict[str, str] | None = None,
        **rest: Any,
    ) -> Message:
        at = START + timedelta(minutes=minute)
        content = f"{type} {minute} {anonymous} {user} {url} {key} {rest}"
        message_id = uuid.uuid5(uuid.NAMESPACE_OID, content)
        return Message(
            id=message_id,
            message_id=str(message_id),
            source_id=rest.pop("source_id", web.pk),
            type=MessageType(type),
            occurred_at=at,
            received_at=rest.pop("received_at", at),
            anonymous_id=anonymous,
            user_id=user,
            page=PageContext(url=url, referrer=referrer, title=rest.pop("title", "")),
            campaign=campaign or {},
            **rest,
        )

    return made


@pytest.fixture
def told() -> Callable[..., None]:
    """Apply messages at noon, when all of them have arrived."""

    def run(*messages: Message, now: datetime = START + timedelta(hours=3)) -> None:
        tracking.apply(messages=messages, now=now)

    return run
