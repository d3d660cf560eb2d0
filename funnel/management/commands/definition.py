"""``manage.py definition``: read, check, compare, draft, propose and sign versions of the definition."""

from __future__ import annotations

import getpass
import json
import sys
from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from funnel.domain import drafts
from funnel.models import DefinitionVersion
from funnel.selectors import definition_changes, definition_prose, definitions
from funnel.services import definitions as services
from smarketing.core import clock
from smarketing.core.errors import DomainError
from smarketing.users.selectors import users


class Command(BaseCommand):
    """A signature is a person's: it asks for their password, or reads it as one line from a pipe."""

    help = "Show, check, compare, draft, propose or sign a version of the definition."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("do", choices=["show", "check", "changes", "draft", "propose", "sign"])
        parser.add_argument("--version-number", type=int, dest="number", help="by default the one in force")
        parser.add_argument("--file", default="", help="a document as JSON, for check and draft")
        parser.add_argument("--on", default="", help="for propose: the day from which it is to hold")
        parser.add_argument("--user", default="", help="for sign: who signs, by e-mail address")
        parser.add_argument("--digest", default="", help="for sign: what was read, as show tells it")
        parser.add_argument("--format", choices=["json", "text"], default="text", dest="style")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            told = getattr(self, f"_{options['do']}")(options)
        except DomainError as error:
            places = [f"{problem.field}: {problem.detail}" for problem in error.errors]
            raise CommandError("\n".join([error.detail, *places])) from error
        if options["style"] == "json":
            self.stdout.write(json.dumps(told, ensure_ascii=False, indent=2))
            return
        for line in told if isinstance(told, list) else told["lines"]:
            text = " ".join(filter(None, line.values())) if isinstance(line, dict) else line
            self.stdout.write(text)

    def _show(self, options: dict[str, Any]) -> dict[str, Any]:
        version = _version(options["number"])
        rules = definitions.rules_of(version)
        heading = f"version {version.number} ({version.state}) {version.digest}"
        lines = [heading, *(said.text for said in definition_prose.all_said(rules))]
        return {"number": version.number, "digest": version.digest, "body": version.body, "lines": lines}

    def _check(self, options: dict[str, Any]) -> list[str]:
        problems = drafts.validate(_document(options["file"]))
        if problems:
            raise CommandError("\n".join(f"{p.field}: {p.detail}" for p in problems))
        return ["It can be used."]

    def _changes(self, options: dict[str, Any]) -> list[dict[str, str]]:
        version = _version(options["number"])
        former = definition_changes.former_of(version)
        found = definition_changes.changes(version, former) if former else []
        return [{"change": c.change, "part": c.part, "before": c.before, "after": c.after} for c in found]

    def _draft(self, options: dict[str, Any]) -> list[str]:
        now = clock.now()
        body = _document(options["file"]) if options["file"] else None
        made = services.create_draft(actor=None, body=body, now=now)
        if body is not None and definitions.rules_of(made).digest != drafts.parse(body).digest:
            made = services.update_draft(definition=made, body=body, actor=None, now=now)
        return [f"version {made.number} {made.digest}"]

    def _propose(self, options: dict[str, Any]) -> list[str]:
        try:
            day = date.fromisoformat(options["on"]) if options["on"] else None
        except ValueError as error:
            raise CommandError(f"--on takes a day such as 2026-04-01 ({error})") from error
        version = _version(options["number"])
        made = services.propose(definition=version, effective_on=day or "keep", actor=None, now=clock.now())
        return [f"version {made.number} {made.digest} waits for two signatures"]

    def _sign(self, options: dict[str, Any]) -> list[str]:
        signer = users.find(options["user"]) if options["user"] else None
        if signer is None:
            raise CommandError("Name who signs with --user.")
        if not options["digest"]:
            raise CommandError("Name what was read with --digest.")
        if not signer.check_password(_password()):
            raise CommandError("This is not their password.")
        made = services.sign(
            definition=_version(options["number"]), digest=options["digest"], signer=signer, now=clock.now()
        )
        return [f"version {made.number} ({made.state}) {made.digest} is signed by {signer}"]


def _version(number: int | None) -> DefinitionVersion:
    if number is None:
        return definitions.in_force()
    found = definitions.numbered([number]).get(number)
    if found is None:
        raise CommandError(f"There is no version {number}.")
    return found


def _password() -> str:
    return getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")


def _document(name: str) -> Any:
    if not name:
        raise CommandError("Name the document with --file.")
    try:
        return json.loads(Path(name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CommandError(f"{name} can't be read as JSON: {error}") from error
