"""The command that fills an installation with the demo company."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from funnel.models import StageTransition
from leads.models import Lead, Person, Touchpoint
from smarketing.demo.management.commands import demo_data
from smarketing.users.domain.roles import Role
from smarketing.users.models import User
from tests.demo.conftest import tell


@pytest.mark.django_db
def test_it_refuses_where_real_users_work() -> None:
    User.objects.create(email="real@example.com", name="Real", role=Role.ADMIN)
    with pytest.raises(CommandError, match="not demo users"):
        call_command("demo_data")
    assert User.objects.count() == 1
    assert not Lead.objects.exists()


@pytest.mark.django_db
def test_a_second_start_leaves_the_company_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(demo_data.SIZES, "small", 3)
    first = StringIO()
    call_command("demo_data", end="2026-03-04", stdout=first)
    leads = Lead.objects.count()
    second = StringIO()
    call_command("demo_data", if_fresh=True, stdout=second)
    assert Lead.objects.count() == leads == 3
    assert "rep@brightwater.example" in second.getvalue()
    assert all(user.is_demo for user in User.objects.all())
    with pytest.raises(CommandError, match="here already"):
        call_command("demo_data")


@pytest.mark.django_db
def test_the_same_seed_tells_the_same_year() -> None:
    assert _told(seed=7) == _told(seed=7)


@pytest.mark.django_db
def test_another_seed_tells_another_year() -> None:
    assert _told(seed=7) != _told(seed=8)


def _told(*, seed: int) -> list[tuple[object, ...]]:
    """Who came when and what happened, of a year that is then taken back."""
    with transaction.atomic():
        tell(count=4, seed=seed)
        people = Person.objects.order_by("pk").values_list("first_name", "last_name", "title")
        touches = Touchpoint.objects.order_by("pk").values_list("kind", "occurred_at", "title")
        moves = StageTransition.objects.order_by("pk").values_list("cause", "effective_at", "seq")
        told = [*people, *touches, *moves]
        transaction.set_rollback(True)
    assert len(told) > 8
    return told
