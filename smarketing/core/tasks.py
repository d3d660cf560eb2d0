"""The two recurring tasks: one runs a loop by name, one proves that messages travel."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from smarketing.core import clock, heartbeats, loops, runner


@shared_task(name="smarketing.run_loop")
def run_loop(*, name: str, **_later: Any) -> int:
    """Run the loop of that name until nothing is due or its time is up; beat comes back."""
    return runner.drain(loops.get(name), clock=clock.now)


@shared_task(name="smarketing.canary")
def canary(**_later: Any) -> None:
    """Leave a sign that a message has travelled through the broker and a worker (I-24)."""
    heartbeats.beat(name=heartbeats.CANARY, now=clock.now())
