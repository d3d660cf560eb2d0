"""Who may do what to whom, and that it is kept in the audit trail."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, transaction

from smarketing.audit.models import AuditEntry
from smarketing.core.errors import Denied, Invalid
from smarketing.users.domain.roles import CAPABILITIES, Capability, Role
from smarketing.users.models import Membership, Team, User, UserRef
from smarketing.users.services import teams, users

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
GOOD = "correct horse battery staple"


def make(role: str = Role.ADMIN, name: str = "Ada Lovelace", email: str | None = "Ada@Example.com ") -> User:
    return users.create(name=name, email=email, role=role, actor=None, now=NOW, password=GOOD)


def actions() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


def test_a_new_user_has_a_tidy_address_and_can_sign_in() -> None:
    ada = make()
    assert (ada.email, ada.role, ada.check_password(GOOD)) == ("ada@example.com", "admin", True)
    assert actions() == ["user_added"]
    assert GOOD not in str(AuditEntry.objects.values_list("after", flat=True))


@pytest.mark.parametrize(
    "password",
    ["short", "password1234567", "smarketing-2026", "adalovelace1815", "x" * 257, "example.com.ada1"],
)
def test_weak_passwords_are_refused_and_nobody_is_added(password: str) -> None:
    with pytest.raises(Invalid) as refusal:
        users.create(
            name="Ada Lovelace", email="ada@example.com", role="rep", actor=None, now=NOW, password=password
        )
    assert refusal.value.errors[0].field == "password"
    assert (User.objects.get_queryset().count(), actions()) == (0, [])


@pytest.mark.parametrize("email", ["no", "a b@example.com", "a@b@c", "x@example.com\nBcc: y@example.com"])
def test_bad_addresses_are_refused(email: str) -> None:
    with pytest.raises(Invalid):
        make(email=email)


def test_an_address_belongs_to_one_user() -> None:
    make()
    with pytest.raises(users.EmailTaken):
        make(email="ADA@example.com")
    assert User.objects.get_queryset().count() == 1


@pytest.mark.parametrize("role", [role for role in Role if Capability.MANAGE_USERS not in CAPABILITIES[role]])
def test_only_who_manages_users_changes_them(role: Role) -> None:
    admin, actor = make(), make(role, "Some One", "one@example.com")
    before = len(actions())
    for attempt in (
        lambda: users.create(name="X", email=None, role="rep", actor=actor, now=NOW),
        lambda: users.update(user=admin, actor=actor, now=NOW, name="X"),
        lambda: users.change_role(user=actor, role="admin", actor=actor, now=NOW),
        lambda: users.deactivate(user=admin, actor=actor, now=NOW),
        lambda: users.set_password(user=admin, password=GOOD, actor=actor, now=NOW),
        lambda: teams.create(name="T", side="sales", actor=actor, now=NOW),
    ):
        with pytest.raises(Denied):
            attempt()
    admin.refresh_from_db()
    actor.refresh_from_db()
    assert (admin.name, admin.is_active, actor.role, len(actions())) == ("Ada Lovelace", True, role, before)


def test_a_role_is_changed_by_its_own_service_only() -> None:
    ada, bob = make(), make(Role.REP, "Bob", "bob@example.com")
    with pytest.raises(Invalid):
        users.update(user=bob, actor=ada, now=NOW, role="admin")
    with pytest.raises(Invalid):
        users.change_role(user=bob, role="emperor", actor=ada, now=NOW)
    users.change_role(user=bob, role="sales_manager", actor=ada, now=NOW)
    bob.refresh_from_db()
    assert (bob.role, bob.version) == ("sales_manager", 2)
    entry = AuditEntry.objects.get(action="role_changed")
    assert (entry.before, entry.after, entry.actor) == ({"role": "rep"}, {"role": "sales_manager"}, ada)


def test_the_last_admin_stays() -> None:
    ada = make()
    with pytest.raises(users.LastAdmin):
        users.deactivate(user=ada, actor=ada, now=NOW)
    with pytest.raises(users.LastAdmin):
        users.change_role(user=ada, role="rep", actor=ada, now=NOW)
    ada.refresh_from_db()
    assert (ada.is_active, ada.role) == (True, "admin")
    make(Role.ADMIN, "Bob", "bob@example.com")
    users.deactivate(user=ada, actor=ada, now=NOW)
    assert not User.objects.get(pk=ada.pk).is_active


def test_deactivating_and_letting_in_again_are_kept() -> None:
    ada, bob = make(), make(Role.REP, "Bob", "bob@example.com")
    users.deactivate(user=bob, actor=ada, now=NOW)
    users.deactivate(user=bob, actor=ada, now=NOW)
    users.reactivate(user=bob, actor=ada, now=NOW)
    assert actions()[2:] == ["user_deactivated", "user_reactivated"]
    assert User.objects.get(pk=bob.pk).is_active


def test_teams_have_members_of_any_role() -> None:
    ada, bob = make(), make(Role.REP, "Bob", "bob@example.com")
    team = teams.create(name=" Inside  Sales ", side="sales", actor=ada, now=NOW)
    teams.add_member(team=team, user=bob, actor=ada, now=NOW)
    teams.add_member(team=team, user=bob, actor=ada, now=NOW, is_lead=True)
    assert Team.objects.get().name == "Inside Sales"
    assert Membership.objects.get().is_lead
    with pytest.raises(teams.Conflict):
        teams.create(name="inside sales", side="sales", actor=ada, now=NOW)
    teams.remove_member(team=team, user=bob, actor=ada, now=NOW)
    assert Membership.objects.count() == 0


def test_an_id_of_another_system_belongs_to_one_user() -> None:
    ada, bob = make(), make(Role.REP, "Bob", "bob@example.com")
    UserRef.objects.create(user=ada, source="crm", external_id="7")
    with pytest.raises(IntegrityError), transaction.atomic():
        UserRef.objects.create(user=bob, source="crm", external_id="7")
    assert UserRef.objects.get().user == ada
