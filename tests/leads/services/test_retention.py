"""Data goes when its time is up, and not before."""

from __future__ import annotations

from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client

from leads.domain import retention as classes
from leads.models import Event, FormSubmission, RetentionRule, Source
from leads.services import retention
from smarketing.audit.models import AuditEntry
from smarketing.notifications.models import Delivery, Notification, Outbox
from smarketing.users.domain.roles import Role
from smarketing.users.models import User
from tests.leads.forms import published

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(db: None) -> User:
    return User.objects.create(email="root@example.com", name="Alex Admin", role=Role.ADMIN)


@pytest.fixture
def traces(admin: User, web: Source, now: datetime) -> None:
    """Each class once just within its time and once just past it."""
    form = published(now)
    for each in classes.CLASSES:
        days = each.days or 1000
        for number, at in enumerate((now - timedelta(days=days - 1), now - timedelta(days=days + 1))):
            if each.code in ("answers", "quarantine"):
                state = "applied" if each.code == "answers" else "discarded"
                FormSubmission.objects.create(
                    form=form, render_id=f"{state}{number}", road="html", state=state, received_at=at
                )
            elif each.code == "anonymous_events":
                Event.objects.create(
                    id=f"00000000-0000-7000-8000-00000000000{number}", source=web, kind="page",
                    occurred_at=at, received_at=at,
                )  # fmt: skip
            elif each.code == "notifications":
                Notification.objects.create(user=admin, topic="t", text="x", created_at=at)
            elif each.code == "outbox":
                row = Outbox.objects.create(
                    dedupe_key=f"o{number}", topic="t", created_at=at, fanned_out_at=at
                )
                Delivery.objects.create(
                    outbox=row,
                    channel=0,
                    email="a@b.example",
                    msg_id=f"m{number}",
                    state="done",
                    not_before=at,
                )
            elif each.code == "audit":
                AuditEntry.objects.create(at=at, action="old", object_type="t", object_id=str(number))


def counts() -> dict[str, int]:
    return {
        "answers": FormSubmission.objects.filter(state="applied").count(),
        "quarantine": FormSubmission.objects.filter(state="discarded").count(),
        "events": Event.objects.count(),
        "notices": Notification.objects.count(),
        "outbox": Outbox.objects.filter(topic="t").count(),
        "deliveries": Delivery.objects.count(),
        "audit": AuditEntry.objects.filter(action="old").count(),
    }


def test_the_dry_run_says_what_is_due_and_removes_nothing(traces: None, now: datetime) -> None:
    before = counts()
    due = {each.data_class.code: each.due for each in retention.standing(now=now)}
    assert due == {
        "answers": 1, "quarantine": 1, "anonymous_events": 1, "dead_letters": 0, "notifications": 1,
        "outbox": 1, "audit": 0,
    }  # fmt: skip
    out = StringIO()
    call_command("retention", "--dry-run", stdout=out)
    assert "audit              kept for ever" in out.getvalue()
    assert counts() == before


def test_what_is_past_its_time_goes_and_the_rest_stays(traces: None, now: datetime) -> None:
    assert retention.run_once(now=now, limit=100) == 5
    assert counts() == {
        "answers": 1, "quarantine": 1, "events": 1, "notices": 1, "outbox": 1, "deliveries": 1, "audit": 2,
    }  # fmt: skip
    assert retention.run_once(now=now, limit=100) == 0
    assert RetentionRule.objects.get(data_class="answers").last_removed == 1
    assert all(each.due == 0 for each in retention.standing(now=now))


def test_the_audit_trail_goes_only_when_an_admin_says_so(
    traces: None, admin: User, rita: User, now: datetime
) -> None:
    with pytest.raises(retention.RetentionNotAllowed):
        retention.keep(data_class="audit", days=1000, actor=rita, now=now)
    for days in (0, 100_000):
        with pytest.raises(retention.BadRetention):
            retention.keep(data_class="audit", days=days, actor=admin, now=now)
    retention.keep(data_class="audit", days=1000, actor=admin, now=now)
    assert retention.run_all(now=now)["audit"] == 1
    assert AuditEntry.objects.filter(action="old").count() == 1
    assert AuditEntry.objects.filter(action="retention_set").count() == 1


def test_an_outbox_row_that_is_still_on_its_way_stays(admin: User, now: datetime) -> None:
    old = now - timedelta(days=400)
    row = Outbox.objects.create(dedupe_key="o", topic="t", created_at=old, fanned_out_at=old)
    Delivery.objects.create(outbox=row, channel=0, email="a@b.example", msg_id="m", not_before=now)
    Outbox.objects.create(dedupe_key="p", topic="t", created_at=old)
    assert retention.run_once(now=now, limit=100) == 0
    assert Outbox.objects.count() == 2


def test_the_page_shows_to_all_and_lets_admins_edit(admin: User, rita: User, now: datetime) -> None:
    client = Client()
    client.force_login(rita)
    page = client.get("/settings/retention/").content.decode()
    assert "for ever" in page
    assert "/settings/retention/audit/edit/" not in page
    assert client.post("/settings/retention/audit/edit/", {"days": 500}).status_code == 403
    client.force_login(admin)
    assert client.post("/settings/retention/nothing/edit/", {"days": 500}).status_code == 404
    assert client.post("/settings/retention/audit/edit/", {"days": 0}).status_code == 422
    assert client.post("/settings/retention/audit/edit/", {"days": 500}).status_code == 303
    assert RetentionRule.objects.get(data_class="audit").days == 500
    assert client.post("/settings/retention/audit/edit/", {"days": ""}).status_code == 303
    assert RetentionRule.objects.get(data_class="audit").days is None
