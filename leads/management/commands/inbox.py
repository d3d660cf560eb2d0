"""``manage.py inbox``: what waits to be applied, and to go on after a stop."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand
from django.db.models import Count, Min, Q

from leads.models import DeadLetter, EventInbox, InboxStop
from leads.services import inbox
from smarketing.core import clock, loops


class Command(BaseCommand):
    """The consumer stops when too many messages fail; a person who has looked lets it go on."""

    help = (
        "Say how many accepted messages wait, fail or are dead letters; “resume” gives those that have"
        " failed five fresh attempts."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """What to do."""
        parser.add_argument("action", nargs="?", choices=["status", "resume"], default="status")

    def handle(self, *_arguments: Any, **options: Any) -> None:
        """Look or resume."""
        if options["action"] == "resume":
            resumed = inbox.resume(now=clock.now())
            loops.sender("inbox")
            self.stdout.write(f"{resumed} messages get five fresh attempts.")
            return
        found = EventInbox.objects.aggregate(
            waiting=Count("pk"), failing=Count("pk", filter=~Q(last_error="")), oldest=Min("received_at")
        )
        stop = InboxStop.objects.filter(resumed_at=None).first()
        if stop is not None:
            self.stdout.write(
                f"STOPPED since {stop.stopped_at:%Y-%m-%d %H:%M:%S} UTC: {stop.failing} messages failed while"
                f" {stop.applied} were applied. Find the reason, then: manage.py inbox resume"
            )
        dead = DeadLetter.objects.filter(discarded_at=None).count()
        self.stdout.write(
            f"waiting {found['waiting']}, of which failing {found['failing']}; dead letters {dead}"
        )
        if found["oldest"]:
            self.stdout.write(f"oldest received {found['oldest']:%Y-%m-%d %H:%M:%S} UTC")
