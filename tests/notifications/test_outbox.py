"""Rows put in the transaction of a fact become notifications and deliveries, once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from smarketing.notifications.models import Delivery, Notification, Outbox
from smarketing.notifications.selectors import notifications as reads
from smarketing.notifications.services import endpoints, notifications, outbox
from smarketing.users.models import User
from tests.notifications.conftest import NOW, Hook

pytestmark = pytest.mark.django_db


def put(key: str = "k", topic: str = "handoff.delivered", **notice: Any) -> None:
    outbox.put(
        topic=topic,
        payload={"id": 7},
        dedupe_key=key,
        now=NOW,
        notify=outbox.Notice(**notice) if notice else None,
    )


def test_the_same_key_is_kept_once() -> None:
    put()
    put(topic="other")
    assert list(Outbox.objects.values_list("dedupe_key", "topic")) == [("k", "handoff.delivered")]


@pytest.mark.django_db(transaction=True)
def test_a_row_outside_a_transaction_is_refused() -> None:
    with pytest.raises(RuntimeError):
        put()
    assert Outbox.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_a_row_vanishes_with_its_transaction() -> None:
    with transaction.atomic():
        put()
        transaction.set_rollback(True)
    assert Outbox.objects.count() == 0


def test_users_are_told_once_in_the_product_and_by_mail(admin: User, rep: User) -> None:
    gone = User.objects.create(name="Gone", email="gone@example.com", is_active=False)
    put(
        text="A lead for you",
        link="/leads/7",
        user_ids=(rep.pk, gone.pk),
        mail=True,
        emails=("x@example.com",),
    )
    assert outbox.fan_out(now=NOW, limit=10) == 1
    assert outbox.fan_out(now=NOW, limit=10) == 0
    told = Notification.objects.get()
    assert (told.user, told.text, told.link, told.read_at) == (rep, "A lead for you", "/leads/7", None)
    addresses = Delivery.objects.order_by("email").values_list("email", "channel", "state")
    assert list(addresses) == [("rita@example.com", 0, "pending"), ("x@example.com", 0, "pending")]


def test_a_notice_bears_the_time_of_its_fact_however_late_it_is_told(rep: User) -> None:
    put(text="A lead for you", user_ids=(rep.pk,))
    outbox.fan_out(now=NOW + timedelta(hours=3), limit=10)
    assert Notification.objects.get().created_at == NOW


def test_a_second_fan_out_of_a_row_adds_nothing(rep: User) -> None:
    put(text="Hello", user_ids=(rep.pk,), mail=True)
    outbox.fan_out(now=NOW, limit=10)
    Outbox.objects.update(fanned_out_at=None)
    outbox.fan_out(now=NOW, limit=10)
    assert (Notification.objects.count(), Delivery.objects.count()) == (1, 1)


def test_receivers_get_the_topics_they_asked_for(admin: User, hook: Hook) -> None:
    for name, topics in [("all", ["*"]), ("handoffs", ["handoff.*"]), ("one", ["opportunity.won"])]:
        endpoints.create(name=name, url=hook.url, topics=topics, actor=admin, now=NOW)
    put("a", topic="handoff.delivered")
    put("b", topic="opportunity.won")
    put("c", topic="handoffs.other")
    outbox.fan_out(now=NOW, limit=10)
    pairs = Delivery.objects.values_list("outbox__dedupe_key", "endpoint__name")
    assert sorted(pairs) == [("a", "all"), ("a", "handoffs"), ("b", "all"), ("b", "one"), ("c", "all")]


def test_reading_marks_only_ones_own(admin: User, rep: User) -> None:
    put("a", text="One", user_ids=(admin.pk, rep.pk))
    put("b", text="Two", user_ids=(rep.pk,))
    outbox.fan_out(now=NOW, limit=10)
    assert reads.unread_count(rep) == 2
    of_admin = Notification.objects.get(user=admin)
    assert notifications.mark_read(user=rep, now=NOW, ids=[of_admin.pk]) == 0
    assert notifications.mark_read(user=rep, now=NOW) == 2
    assert (reads.unread_count(rep), reads.unread_count(admin)) == (0, 1)
    assert [n.text for n in reads.visible_to(rep)] == ["Two", "One"]
