"""Signing in, being slowed down, and how sessions end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core import mail
from django.test import Client
from time_machine import travel

from smarketing.core import clock
from smarketing.notifications.models import Outbox
from smarketing.notifications.services import deliveries
from smarketing.users.domain.roles import Role
from smarketing.users.models import SignInFailures, User
from smarketing.users.services import throttle, users

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
GOOD = "correct horse battery staple"


@pytest.fixture
def ada() -> User:
    return users.create(
        name="Ada Admin", email="ada@example.com", role=Role.ADMIN, actor=None, now=NOW, password=GOOD
    )


def sign_in(client: Client, password: str = GOOD, email: str = "ada@example.com", **extra: Any) -> bool:
    client.post("/accounts/login/", {"login": email, "password": password}, **extra)
    return "_auth_user_id" in client.session


def signed_in(client: Client) -> bool:
    return client.get("/api/v1/me").status_code == 200


def test_the_right_password_signs_in_and_the_session_key_changes(ada: User, client: Client) -> None:
    client.get("/accounts/login/")
    client.session.save()
    before = client.session.session_key
    assert sign_in(client)
    assert client.session.session_key != before
    assert signed_in(client)


def test_a_wrong_password_and_an_unknown_account_look_the_same(ada: User, client: Client) -> None:
    wrong = client.post("/accounts/login/", {"login": "ada@example.com", "password": "x" * 12})
    unknown = client.post("/accounts/login/", {"login": "bob@example.com", "password": "x" * 12})
    strip = lambda page, email: page.content.decode().replace(email, "")  # noqa: E731
    a, b = strip(wrong, "ada@example.com"), strip(unknown, "bob@example.com")
    assert a.count("not correct") == b.count("not correct") >= 1
    assert wrong.status_code == unknown.status_code


def test_after_five_failures_each_try_waits_twice_as_long(ada: User, client: Client) -> None:
    with travel(NOW, tick=False) as time:
        for _ in range(6):
            assert not sign_in(client, "wrong password 1")
        assert not sign_in(client)  # the right one, but too early
        time.shift(3)
        assert sign_in(client)
    assert SignInFailures.objects.count() == 1  # the account's own counter fades by itself


def test_pauses_double_and_end_at_a_quarter_of_an_hour() -> None:
    waits = []
    for _ in range(20):
        throttle.failed(email="a@example.com", address="192.0.2.1", now=NOW)
        waits.append(throttle.seconds_to_wait(email="A@example.com", address="192.0.2.1", now=NOW))
    assert waits[:9] == [0, 0, 0, 0, 0, 3, 5, 9, 17]
    assert waits[-1] == 901
    assert throttle.seconds_to_wait(email="a@example.com", address="192.0.2.9", now=NOW) == 0
    assert throttle.seconds_to_wait(email="b@example.com", address="192.0.2.1", now=NOW) == 0


def test_an_account_attacked_from_many_addresses_waits_a_minute_at_most() -> None:
    for number in range(60):
        throttle.failed(email="a@example.com", address=f"192.0.2.{number}", now=NOW)
    assert throttle.seconds_to_wait(email="a@example.com", address="198.51.100.1", now=NOW) == 61
    later = NOW + timedelta(hours=25)
    assert throttle.forget_old(now=later, limit=1000) == 61


def test_a_session_ends_after_eight_idle_hours_and_after_seven_days(ada: User, client: Client) -> None:
    with travel(NOW, tick=False) as time:
        assert sign_in(client)
        assert signed_in(client)
        time.shift(timedelta(hours=7, minutes=59))
        assert signed_in(client)
        time.shift(timedelta(hours=8, minutes=6))
        assert not signed_in(client)
        assert sign_in(client)
        for _ in range(6 * 4):
            time.shift(timedelta(hours=7))
            assert signed_in(client)
        time.shift(timedelta(hours=7))
        assert not signed_in(client)


def test_deactivating_ends_every_session_at_once(ada: User, client: Client) -> None:
    bob = users.create(name="Bob", email="bob@example.com", role=Role.REP, actor=None, now=NOW, password=GOOD)
    assert sign_in(client, email="bob@example.com")
    assert signed_in(client)
    users.deactivate(user=bob, actor=ada, now=NOW)
    assert not signed_in(client)
    assert not sign_in(Client(), email="bob@example.com")


def test_changing_the_password_ends_the_other_sessions(ada: User, client: Client) -> None:
    other = Client()
    assert sign_in(client)
    assert sign_in(other)
    new = "another horse battery staple"
    client.post("/accounts/password/change/", {"oldpassword": GOOD, "password1": new, "password2": new})
    ada.refresh_from_db()
    assert ada.check_password(new)
    assert signed_in(client)
    assert not signed_in(other)


def totp_code(secret: str) -> str:
    counter = next(iter(yield_hotp_counters_from_time()))
    return str(format_hotp_value(hotp_value(secret, counter)))


@pytest.mark.django_db(transaction=True)  # allauth tells of the new factor after the commit
def test_adding_a_second_factor_ends_the_other_sessions_and_a_code_works_once(
    ada: User, client: Client
) -> None:
    other = Client()
    with travel(NOW, tick=False) as time:
        assert sign_in(client)
        assert sign_in(other)
        assert client.get("/accounts/2fa/totp/activate/").status_code == 302
        client.post("/accounts/reauthenticate/", {"password": GOOD})
        client.get("/accounts/2fa/totp/activate/")
        secret = client.session["mfa.totp.secret"]
        client.post("/accounts/2fa/totp/activate/", {"code": totp_code(secret)})
        assert signed_in(client)
        assert not signed_in(other)
        time.shift(60)
        third, fourth = Client(), Client()
        assert not sign_in(third)
        assert not sign_in(fourth)
        code = totp_code(secret)
        third.post("/accounts/2fa/authenticate/", {"code": code})
        assert signed_in(third)
        fourth.post("/accounts/2fa/authenticate/", {"code": code})
        assert not signed_in(fourth)


def test_reset_link_ignores_the_host(ada: User, client: Client, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    settings.SITE_URL = "https://crm.example.com"
    client.post("/accounts/password/reset/", {"email": "ada@example.com"}, headers={"Host": "evil.example"})
    assert mail.outbox == []  # a mail server that is away would hold up nobody
    kept = Outbox.objects.get(topic="account.letter")
    assert "reset/key" not in str(kept.notice)
    deliveries.run_once(now=clock.now(), limit=10)
    (message,) = mail.outbox
    assert message.to == ["ada@example.com"]
    assert "https://crm.example.com/accounts/password/reset/key/" in message.body
    assert "evil.example" not in message.body


def test_nobody_signs_up(client: Client) -> None:
    client.post("/accounts/signup/", {"email": "x@example.com", "password1": GOOD, "password2": GOOD})
    assert User.objects.get_queryset().count() == 0
