"""``manage.py audit`` finds what is broken and says which rows."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from smarketing.core import clock
from smarketing.users.models import IdempotentRequest, User

pytestmark = pytest.mark.django_db


def audit(*arguments: str) -> tuple[int, str]:
    out = io.StringIO()
    try:
        call_command("audit", *arguments, stdout=out)
    except SystemExit as stop:
        return int(str(stop.code)), out.getvalue()
    return 0, out.getvalue()


def test_a_fresh_database_breaks_nothing() -> None:
    code, text = audit()
    assert code == 0, text
    assert text.splitlines()[-1].endswith(" 0 broken")


def test_a_broken_row_is_printed_and_the_exit_code_says_so() -> None:
    user = User.objects.create(name="Ada")
    row = IdempotentRequest.objects.create(
        user=user, key="k", request_digest=b"x" * 32, created_at=clock.now()
    )
    code, text = audit()
    assert code == 1
    assert "BROKEN I-20" in text
    code, text = audit("--format", "json", "--only", "I-20")
    (finding,) = json.loads(text)
    assert (code, finding["holds"], finding["total"]) == (1, False, 1)
    assert (finding["rows"][0]["id"], finding["rows"][0]["user_id"]) == (row.pk, user.pk)


def test_a_sleeping_trigger_is_found() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_auditentry DISABLE TRIGGER audit_auditentry_no_upd")
    code, text = audit("--only", "I-18")
    assert code == 1
    assert "audit_auditentry" in text


def test_an_unknown_number_is_refused() -> None:
    with pytest.raises(CommandError):
        audit("--only", "I-999")


def test_the_audit_leaves_the_transaction_writable() -> None:
    audit()
    User.objects.create(name="Ada")
