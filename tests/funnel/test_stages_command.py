"""``manage.py stages``."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from funnel.models import LeadState

pytestmark = pytest.mark.django_db


def run(*words: str) -> str:
    out = io.StringIO()
    call_command("stages", *words, stdout=out)
    return out.getvalue()


def test_stages_are_listed_and_a_lead_is_moved_by_somebody_who_may(lead, mara, olga) -> None:
    told = {row["stage"]: row["here"] for row in json.loads(run("list", "--format", "json"))}
    assert (told["lead"], told["mql"]) == (1, 0)
    move = ("move", "--lead", str(lead.pk), "--to", "mql", "--reason", "Met at the fair")
    for refused in (move, (*move, "--user", olga.email), (*move, "--user", "nobody@example.com")):
        with pytest.raises(CommandError):
            run(*refused)
    assert LeadState.objects.get(lead=lead).stage.code == "lead"
    assert "stage mql" in run(*move, "--user", mara.email)
    moves = json.loads(run("moves", "--lead", str(lead.pk), "--format", "json"))
    assert [(m["seq"], m["stage"], m["cause"], m["stage_version"]) for m in moves] == [
        (1, "lead", "captured", 1),
        (2, "mql", "manual", 1),
    ]
    with pytest.raises(CommandError):
        run("moves", "--lead", "0")
