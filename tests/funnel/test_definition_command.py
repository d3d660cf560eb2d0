"""``manage.py definition``."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from funnel.domain.definitions import default_document
from funnel.models import DefinitionVersion
from smarketing.users.models import User

pytestmark = pytest.mark.django_db


def run(*words: str) -> str:
    out = io.StringIO()
    call_command("definition", *words, stdout=out)
    return out.getvalue()


def test_a_document_is_checked_drafted_compared_and_proposed(tmp_path: Path) -> None:
    file = tmp_path / "definition.json"
    file.write_text(json.dumps(default_document() | {"half_life_days": 10}))
    assert run("check", "--file", str(file)) == "It can be used.\n"
    assert run("draft", "--file", str(file)).startswith("version 2 ")
    changes = json.loads(run("changes", "--version-number", "2", "--format", "json"))
    assert [change["after"] for change in changes] == ["What a signal counts for halves every 10 days."]
    file.write_text(json.dumps(default_document() | {"half_life_days": 12}))
    run("draft", "--file", str(file))
    assert DefinitionVersion.objects.get(number=2).body["half_life_days"] == 12
    assert "waits for two signatures" in run("propose", "--version-number", "2", "--on", "2199-01-01")
    assert "In force from" in run("show", "--version-number", "2")
    assert "version 1 (in_force)" in run("show")


def test_both_sides_sign_what_they_have_read(sam: User, monkeypatch: pytest.MonkeyPatch) -> None:
    sam.set_password("correct horse battery")
    sam.save(update_fields=["password"])
    run("draft")
    run("propose", "--version-number", "2")
    digest = DefinitionVersion.objects.get(number=2).digest
    words = ("sign", "--version-number", "2", "--user", sam.email)
    for given, read, told in (
        ("correct horse battery", "", "Name what was read"),
        ("wrong", digest, "not their password"),
        ("correct horse battery", "0" * 64, "has changed since you read it"),
    ):
        monkeypatch.setattr("sys.stdin", io.StringIO(given + "\n"))
        with pytest.raises(CommandError, match=told):
            run(*words, "--digest", read)
    assert not DefinitionVersion.objects.get(number=2).signatures.exists()
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery\n"))
    assert "is signed by" in run(*words, "--digest", digest)
    assert DefinitionVersion.objects.get(number=2).signatures.get().signer == sam


def test_what_is_wrong_is_named_and_nothing_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "definition.json"
    file.write_text(json.dumps(default_document() | {"half_life_days": 0}))
    with pytest.raises(CommandError, match="half_life_days: Give a number"):
        run("check", "--file", str(file))
    with pytest.raises(CommandError, match="half_life_days: Give a number"):
        run("draft", "--file", str(file))
    with pytest.raises(CommandError, match="Only a draft can be proposed"):
        run("propose")
    for words in (("check",), ("check", "--file", "nowhere.json"), ("show", "--version-number", "9")):
        with pytest.raises(CommandError):
            run(*words)
    assert DefinitionVersion.objects.count() == 1
