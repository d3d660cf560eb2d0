"""The audit trail keeps what changed, masked, and can't be rewritten (I-30)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection, transaction

from smarketing.audit.domain.masking import MASK, masked
from smarketing.audit.models import AuditEntry
from smarketing.audit.selectors import entries as reads
from smarketing.audit.services import entries
from smarketing.core.changes import changed
from smarketing.users.domain.roles import Role
from smarketing.users.models import User

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)


def user(role: Role = Role.ADMIN) -> User:
    return User.objects.create(name=role.value, email=f"{role.value}@example.com", role=role)


def test_only_what_differs_is_kept_and_secrets_are_masked() -> None:
    ada = user()
    entry = entries.record(
        actor=ada,
        action="webhook_changed",
        obj=ada,
        before={"name": "A", "url": "x", "secret": "whsec_1", "nested": {"api_key": "k", "n": 1}},
        after={"name": "A", "url": "y", "secret": "whsec_2", "nested": {"api_key": "k", "n": 2}},
        now=NOW,
    )
    entry.refresh_from_db()
    assert entry.before == {"url": "x", "secret": MASK, "nested": {"api_key": MASK, "n": 1}}
    assert entry.after == {"url": "y", "secret": MASK, "nested": {"api_key": MASK, "n": 2}}
    assert (entry.object_type, entry.object_id, entry.actor) == ("users.user", str(ada.pk), ada)


def test_ordinary_names_are_not_masked() -> None:
    assert masked({"keyboard": "x", "monkey": 1, "prefix": "p"}) == {
        "keyboard": "x",
        "monkey": 1,
        "prefix": "p",
    }


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_auditentry SET action = 'x'",
        "DELETE FROM audit_auditentry",
        "TRUNCATE audit_auditentry",
    ],
)
def test_the_database_rejects_every_rewrite(statement: str) -> None:
    entries.record(actor=None, action="a", obj=user(), now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # else TRUNCATE stumbles over pending checks
        with pytest.raises(IntegrityError) as refusal, transaction.atomic():
            cursor.execute(statement)
    assert refusal.value.__cause__.pgcode == "23001"  # type: ignore[union-attr]
    assert AuditEntry.objects.get().action == "a"


def test_a_published_change_becomes_an_entry() -> None:
    ada = user()
    changed(
        actor=ada, action="role_changed", obj=ada, now=NOW, before={"role": "rep"}, after={"role": "admin"}
    )
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.before, entry.after) == ("role_changed", {"role": "rep"}, {"role": "admin"})


def test_only_who_may_reads_the_trail() -> None:
    ada, rita = user(), user(Role.REP)
    entries.record(actor=ada, action="a", obj=rita, now=NOW)
    assert [e.action for e in reads.about(rita, user=ada)] == ["a"]
    assert list(reads.visible_to(rita)) == []
