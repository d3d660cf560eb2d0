"""``manage.py questionnaire``: start, show or cancel a round of the blind questionnaire."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from funnel.models import Questionnaire
from funnel.selectors import questionnaires as read
from funnel.services import questionnaires
from smarketing.core import clock
from smarketing.core.errors import DomainError


class Command(BaseCommand):
    """Answers are given by people, in the browser or over the API."""

    help = "Show all rounds, start one, or cancel the open one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("do", choices=["show", "start", "cancel"])
        parser.add_argument("--quorum", type=int, default=3, help="people of each team who have to answer")
        parser.add_argument("--days", type=int, default=0, help="the round ends after so many days")
        parser.add_argument("--statement", action="append", default=[], help="to be rated besides the rules")
        parser.add_argument("--format", choices=["json", "text"], default="text", dest="style")

    def handle(self, *args: Any, **options: Any) -> None:
        now = clock.now()
        try:
            if options["do"] == "start":
                closes_at = now + timedelta(days=options["days"]) if options["days"] else None
                questionnaires.start(
                    quorum=options["quorum"],
                    statements=options["statement"],
                    closes_at=closes_at,
                    actor=None,
                    now=now,
                )
            elif options["do"] == "cancel":
                questionnaires.cancel(questionnaire=_open_round(), actor=None, now=now)
        except DomainError as error:
            places = [f"{problem.field}: {problem.detail}" for problem in error.errors]
            raise CommandError("\n".join([error.detail, *places])) from error
        told = [_told(found) for found in Questionnaire.objects.all()]
        if options["style"] == "json":
            self.stdout.write(json.dumps(told, indent=2))
            return
        for row in told:
            self.stdout.write(" ".join(f"{name}={value}" for name, value in row.items() if value is not None))


def _open_round() -> Questionnaire:
    found = Questionnaire.objects.filter(revealed_at=None).first()
    if found is None:
        raise CommandError("No round is open.")
    return found


def _told(found: Questionnaire) -> dict[str, Any]:
    state = "open" if found.revealed_at is None else "revealed" if read.is_shown(found) else "cancelled"
    return {
        "id": found.pk,
        "state": state,
        "started_at": found.started_at.isoformat(),
        "closes_at": found.closes_at.isoformat() if found.closes_at else None,
        "kappa": found.kappa,
        "agreement": found.agreement,
    }
