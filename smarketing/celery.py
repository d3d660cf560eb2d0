"""The Celery application: its messages only ever mean "look now".

Started with ``celery -A smarketing.celery worker`` and ``… beat``; the web imports it to send nudges.
What is due stands in the database, so nothing here may be lost by losing a message.
"""

from __future__ import annotations

import os
from typing import Any

from celery import Celery, signals
from django_structlog.celery.steps import DjangoStructLogInitStep

from smarketing.core import loops

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smarketing.settings")

_RUN_LOOP, _CANARY = "smarketing.run_loop", "smarketing.canary"  # in smarketing.core.tasks
_CANARY_SECONDS = 60.0

app = Celery("smarketing")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.set_default()
app.autodiscover_tasks()
app.steps["worker"].add(DjangoStructLogInitStep)


def send(loop: loops.Loop) -> None:
    """Publish a nudge; it is of no use to anybody after a minute."""
    app.send_task(_RUN_LOOP, kwargs={"name": loop.name}, queue=loop.queue, expires=60)


def schedule() -> dict[str, dict[str, Any]]:
    """What beat sends: each loop at its pace, and the canary. A message that waits too long is dropped."""
    entries: dict[str, dict[str, Any]] = {
        f"loop {loop.name}": {
            "task": _RUN_LOOP,
            "kwargs": {"name": loop.name},
            "schedule": loop.every_seconds,
            "options": {"queue": loop.queue, "expires": max(loop.every_seconds, 5.0)},
        }
        for loop in loops.all_loops()
    }
    entries["canary"] = {
        "task": _CANARY,
        "schedule": _CANARY_SECONDS,
        "options": {"expires": _CANARY_SECONDS},
    }
    return entries


@signals.setup_logging.connect
def _keep_logging(**_signal: Any) -> None:
    """Our settings have set up the logs; a receiver of this signal keeps Celery from doing so again."""


@signals.import_modules.connect(sender=app)
def _plan(**_signal: Any) -> None:
    """Read the registry of loops once the apps, which fill it, are loaded."""
    app.conf.beat_schedule = schedule()


loops.sender.send = send
