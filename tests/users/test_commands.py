"""adduser, token and createsuperuser."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command

from smarketing.core import clock
from smarketing.users.models import ApiToken, User
from smarketing.users.services import tokens

pytestmark = pytest.mark.django_db
GOOD = "correct horse battery staple"


def add(monkeypatch: pytest.MonkeyPatch, password: str = GOOD) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(password + "\n"))
    call_command(
        "adduser", "--email", "ada@example.com", "--name", "Ada", "--role", "admin", "--password-stdin"
    )


def test_adduser_adds_somebody_who_can_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    add(monkeypatch)
    ada = User.objects.get()
    assert (ada.email, ada.role, ada.check_password(GOOD)) == ("ada@example.com", "admin", True)


def test_adduser_says_why_not(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match="password: "):
        add(monkeypatch, "short")
    add(monkeypatch)
    with pytest.raises(CommandError, match="Another user"):
        add(monkeypatch)
    assert User.objects.get_queryset().count() == 1


@pytest.mark.parametrize("who", ["ada@example.com", "ADA@example.com", "ada", "Ada"])
def test_token_prints_one_that_works(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], who: str
) -> None:
    add(monkeypatch)
    capsys.readouterr()
    call_command("token", "--user", who, "--scope", "read", "--days", "1")
    secret = capsys.readouterr().out.strip()
    token = tokens.authenticate(presented=secret, now=clock.now())
    assert token.scopes == ["read"]
    assert bytes(ApiToken.objects.get().digest) != secret.encode()
    assert secret.startswith(f"sm_{token.prefix}_")


def test_token_for_nobody_or_two_of_a_name_is_refused() -> None:
    with pytest.raises(CommandError, match="No user, or more than one"):
        call_command("token", "--user", "ada", "--scope", "read")
    User.objects.create(name="Ada")
    User.objects.create(name="ada")
    with pytest.raises(CommandError, match="No user, or more than one"):
        call_command("token", "--user", "ada", "--scope", "read")
    assert ApiToken.objects.count() == 0


def test_createsuperuser_points_to_adduser() -> None:
    with pytest.raises(CommandError, match="adduser"):
        call_command("createsuperuser")
