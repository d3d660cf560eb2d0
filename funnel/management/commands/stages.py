"""``manage.py stages``: how the stages stand, the moves of a lead, and a move by hand."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from funnel.models import StageTransition
from funnel.selectors import stage_figures
from funnel.services import hand_moves
from leads.models import Lead
from smarketing.core import clock
from smarketing.core.errors import DomainError
from smarketing.users.models import User
from smarketing.users.selectors import organisation


class Command(BaseCommand):
    """``list`` prints the figures, ``moves --lead 7`` its ledger, ``move`` takes a lead to a stage."""

    help = "Show stages and moves of leads, and move one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=["list", "moves", "move"])
        parser.add_argument("--lead", type=int, help="the number of the lead")
        parser.add_argument("--to", default="", help="the code of the stage")
        parser.add_argument("--reason", default="", help="why it moves")
        parser.add_argument("--user", default="", help="e-mail address of who moves it")
        parser.add_argument("--format", choices=["json", "text"], default="text", dest="style")

    def handle(self, *args: Any, **options: Any) -> None:
        match options["what"]:
            case "list":
                rows = _figures()
            case "move":
                _move(options)
                rows = _moves(options)[-1:]
            case _:
                rows = _moves(options)
        if options["style"] == "json":
            self.stdout.write(json.dumps(rows, ensure_ascii=False, indent=2))
            return
        for row in rows:
            self.stdout.write(
                "  ".join(f"{name} {value}" for name, value in row.items() if value is not None)
            )


def _figures() -> list[dict[str, Any]]:
    now = clock.now()
    month = now.astimezone(organisation.zone()).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return [
        {
            "stage": f.stage.code, "here": f.here, "late": f.late, "median_seconds": f.median_seconds,
            "came_this_month": f.came_this_month, "came": f.came, "known": f.known, "further": f.further,
        }
        for f in stage_figures.all_of(owner=None, month=month, now=now)
    ]  # fmt: skip


def _lead(options: dict[str, Any]) -> Lead:
    found = Lead.objects.filter(pk=options["lead"] or 0).first()
    if found is None:
        raise CommandError("Name a lead by its number: --lead 7")
    return found


def _moves(options: dict[str, Any]) -> list[dict[str, Any]]:
    moves = StageTransition.objects.filter(lead=_lead(options)).select_related("to_stage").order_by("seq")
    return [
        {
            "seq": m.seq, "stage": m.to_stage.code, "implied": m.is_implied, "cause": m.cause,
            "stage_version": m.stage_version, "at": m.effective_at.isoformat(), "reason": m.reason or None,
        }
        for m in moves
    ]  # fmt: skip


def _move(options: dict[str, Any]) -> None:
    actor = User.objects.filter(email__iexact=options["user"], is_active=True).first()
    if actor is None:
        raise CommandError("Name who moves it by their e-mail address: --user ada@example.com")
    try:
        hand_moves.move(
            lead=_lead(options), to=options["to"], reason=options["reason"], actor=actor, now=clock.now()
        )
    except DomainError as refused:
        raise CommandError(refused.detail) from refused
