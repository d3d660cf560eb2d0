"""``manage.py model``: train and evaluate the predictive likelihood, from the funnel or from a file."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError

from funnel.domain.traits import Value
from funnel.services import model_training, training, training_runs
from leads.domain import csvfiles
from smarketing.core import clock
from smarketing.core.errors import DomainError

_TOLD = ("model", "state", "form", "split", "n", "won", "held_out", "rival", "quality", "why", "moved")
_WON = frozenset({"1", "yes", "true", "won", "customer", "converted", "y"})


class Command(BaseCommand):
    """``train`` keeps a model, ``evaluate`` measures the one in use, ``try`` learns from a file for once."""

    help = "Train and evaluate the predictive likelihood of leads."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["train", "evaluate", "try"])
        parser.add_argument("file", nargs="?", type=Path, help="with try: a CSV file of leads")
        parser.add_argument("--outcome", default="", help="with try: the column of the outcome")
        parser.add_argument("--source", default="", help="only leads of this source")
        parser.add_argument("--run", type=int, help="the training that was asked for on the page")
        parser.add_argument(
            "--mature-days", type=int, default=model_training.MATURE.days,
            help="a lead older than this that is no customer counts as one that did not become one",
        )  # fmt: skip
        parser.add_argument("--min-won", type=int, default=training.MIN_WON, help="customers it takes")
        parser.add_argument("--format", choices=["json", "text"], default="text", dest="style")

    def handle(self, *args: Any, **options: Any) -> None:
        mature = timedelta(days=options["mature_days"])
        if options["run"]:
            training_runs.carry_out(run_id=options["run"], train=model_training.train, clock=clock.now)
            return
        try:
            if options["action"] == "evaluate":
                told = model_training.evaluate(source=options["source"], mature=mature, now=clock.now())
            elif options["action"] == "try":
                told = _try(options["file"], options["outcome"], options["min_won"])
            else:
                model = model_training.train(
                    source=options["source"],
                    mature=mature,
                    min_won=options["min_won"],
                    actor=None,
                    now=clock.now(),
                )
                told = {"model": model.number, "state": model.state, **model.card}
        except DomainError as error:
            raise CommandError(error.detail) from error
        except (training.TooFewOutcomes, csvfiles.BadFile) as error:
            raise CommandError(str(error)) from error
        told.pop("shares", None)  # for machines: which share of leads each bin held
        if options["style"] == "json":
            self.stdout.write(json.dumps(told, ensure_ascii=False, indent=2))
        else:
            self._say(told)

    def _say(self, told: dict[str, Any]) -> None:
        for name in _TOLD:
            if name in told:
                value = told[name]
                shown = {k: v for k, v in value.items() if k != "curve"} if isinstance(value, dict) else value
                self.stdout.write(f"{name:9} {shown}")
        for column in told.get("columns", ()):
            guard, known = column["guard"] or "used", column["known"]
            self.stdout.write(f"{column['auc']:.3f}  known {known:.2f}  {guard:11}  {column['label']}")


def _try(file: Path | None, outcome: str, min_won: int) -> dict[str, Any]:
    """Learn from a file as if its columns were known at capture, and say what came out."""
    if file is None or not file.is_file():
        raise CommandError("Name a file that exists: manage.py model try FILE --outcome COLUMN")
    table = csvfiles.inspect(file)
    if outcome not in table.header:
        raise CommandError(f"--outcome names no column of the file. It has: {', '.join(table.header)}")
    rows = [cells for _row, _line, cells in table.rows(lambda *_fault: None)]
    place = table.header.index(outcome)
    won = np.array([float(cells[place].strip().lower() in _WON) for cells in rows])
    columns = {
        f"file.{name}": [_value(cells[i]) for cells in rows]
        for i, name in enumerate(table.header)
        if i != place
    }
    labels = {key: key.partition(".")[2] for key in columns}
    now = clock.now()
    cases = training.Cases(columns, labels, won, [now] * len(rows))
    trained = training.train(cases=cases, min_won=min_won)
    return model_training.card_of(trained=trained, cases=cases)


def _value(text: str) -> Value:
    text = text.strip()
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        return text
