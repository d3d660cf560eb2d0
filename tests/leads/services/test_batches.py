"""A batch of leads: what is stored, what is refused, and that it is told once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from funnel.models import LeadScore, LeadState, StageTransition
from leads.events import LeadsCaptured, LeadsChanged, TouchpointsRecorded
from leads.models import Lead, Person, Source, Touchpoint
from leads.services import batches, leads
from leads.services.batches import CaptureInput
from leads.services.leads import Captured
from leads.services.people import PersonInput
from reporting.models import Journey
from smarketing.core import events
from smarketing.core.errors import DomainError
from smarketing.core.events import Fact

pytestmark = pytest.mark.django_db


def row(source: Source, at: datetime, email: str, **more: Any) -> CaptureInput:
    return CaptureInput(source=source, person=PersonInput(emails=[email]), captured_at=at, **more)


def told(monkeypatch: pytest.MonkeyPatch) -> list[Fact]:
    """What reaches subscribers from now on."""
    heard: list[Fact] = []
    for fact in (LeadsCaptured, LeadsChanged, TouchpointsRecorded):
        handlers = [*events._subscribers[fact], heard.append]
        monkeypatch.setitem(events._subscribers, fact, handlers)
    return heard


def test_a_batch_stores_what_single_captures_store(web: Source, now: datetime) -> None:
    rows = [row(web, now, f"p{n}@example.com", origin="fair") for n in range(3)]
    outcomes = batches.capture_many(rows=rows, actor=None, now=now)
    single = leads.capture(
        source=web,
        person=PersonInput(emails=["p9@example.com"]),
        captured_at=now,
        origin="fair",
        actor=None,
        now=now,
    )
    assert [isinstance(o, Captured) and o.created for o in outcomes] == [True, True, True]
    facts = [
        (
            LeadState.objects.values_list("stage__code", "seq", "entered_at").get(lead=lead),
            LeadScore.objects.values_list("fit", "fit_band", "interest_band", "action").get(lead=lead),
            StageTransition.objects.filter(lead=lead).count(),
            Journey.objects.values_list("origin", "captured_at").get(lead=lead),
            Touchpoint.objects.filter(lead=lead).count(),
        )
        for lead in Lead.objects.order_by("pk")
    ]
    assert len(facts) == 4
    assert facts == [facts[-1]] * 4
    assert single.created


def test_consequences_are_drawn_once_and_only_of_what_was_stored(
    web: Source, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = leads.capture(
        source=web, person=PersonInput(emails=["known@example.com"]), captured_at=now, actor=None, now=now
    ).lead
    heard = told(monkeypatch)
    rows = [
        row(web, now, "a@example.com"),
        row(web, now, "nonsense"),
        row(web, now, "known@example.com", origin="fair"),
        row(web, now, "a@example.com", origin="again"),
        row(web, now, "b@example.com", attributes={"nope": 1}),
    ]
    outcomes = batches.capture_many(rows=rows, actor=None, now=now)
    kinds = ["refused" if isinstance(o, DomainError) else o.created for o in outcomes]  # type: ignore[union-attr]
    assert kinds == [True, "refused", False, False, "refused"]
    new = Lead.objects.get(person__emails__email="a@example.com")
    captured, changed, touched = heard
    assert (captured.lead_ids, changed.lead_ids) == ((new.pk,), (known.pk,))  # type: ignore[attr-defined]
    assert set(touched.touchpoint_ids) < set(Touchpoint.objects.values_list("pk", flat=True))  # type: ignore[attr-defined]
    assert len(touched.touchpoint_ids) == 3  # type: ignore[attr-defined]
    assert (new.origin, Lead.objects.get(pk=known.pk).origin) == ("again", "fair")
    assert Person.objects.count() == 2


def test_nothing_to_tell_is_not_told(web: Source, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = told(monkeypatch)
    assert batches.capture_many(rows=[], actor=None, now=now) == []
    (refused,) = batches.capture_many(rows=[row(web, now, "nonsense")], actor=None, now=now)
    assert isinstance(refused, DomainError)
    assert heard == []
