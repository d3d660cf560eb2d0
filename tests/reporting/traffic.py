"""Visits for the tests of the website: sessions with their pages, as tracking leaves them."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction

from leads.events import VisitsChanged
from leads.models import Channel, Event, Person, Session, Source, Visitor
from smarketing.core import events


def visit(
    who: str,
    at: datetime,
    *paths: str,
    person: Person | None = None,
    channel: str = "direct",
    campaign: str = "",
    tell: bool = True,
) -> Session:
    """A visit of the browser ``who``: a page a minute, 20 s of attention each."""
    web = Source.objects.get(code="web")
    paths = paths or ("/",)
    visitor, _made = Visitor.objects.get_or_create(
        source=web, anonymous_id=who, defaults={"first_seen_at": at, "last_seen_at": at}
    )
    if person is not None:
        Visitor.objects.filter(pk=visitor.pk).update(person=person)
    addresses = [f"https://www.example.com{path}" for path in paths]
    last = at + timedelta(minutes=len(paths) - 1)
    session = Session.objects.create(
        visitor=visitor, source=web, person=person, started_at=at, last_at=last, pages=len(paths),
        events=len(paths), engagement_seconds=20 * len(paths), entry_url=addresses[0], exit_url=addresses[-1],
        parameters={"utm_campaign": campaign} if campaign else {},
        channel=Channel.objects.get(code=channel),
    )  # fmt: skip
    Event.objects.bulk_create(
        Event(
            id=uuid.uuid4(), source=web, visitor=visitor, person=person, kind="page", name=f"Title of {path}",
            url=address, occurred_at=at + timedelta(minutes=minute), received_at=at,
            properties={"engagement_seconds": 20},
        )
        for minute, (path, address) in enumerate(zip(paths, addresses, strict=True))
    )  # fmt: skip
    if tell:
        tell_of(session, now=last)
    return session


def tell_of(session: Session, *, now: datetime) -> None:
    """What tracking publishes when a session is new or differs."""
    with transaction.atomic():
        day = session.started_at.astimezone(UTC).date()
        events.publish(VisitsChanged(((session.source_id, day),), now))


def content(*models: Any) -> set[tuple[Any, ...]]:
    """Rows of rollups without their keys."""
    return {
        (model.__name__, *map(str, row))
        for model in models
        for row in model.objects.values_list(
            *[f.attname for f in model._meta.concrete_fields if f.attname not in ("id", "computed_at")]
        )
    }
