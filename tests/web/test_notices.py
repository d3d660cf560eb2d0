"""The page and the interface on which one says how one wants to be told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time

import pytest
from django.test import Client

from smarketing.notifications import topics
from smarketing.notifications.models import NoticeChoice, NoticeHours
from smarketing.users.domain.roles import Role
from smarketing.users.models import User
from tests.rest import assert_problem, client_for

pytestmark = pytest.mark.django_db
Person = Callable[..., User]
PAGE = "/notifications/choices"


def answers(**changed: str) -> dict[str, str]:
    usual = {f"app_{kind.code}": "on" for kind in topics.kinds()}
    return {**usual, "digest_hour": "8", "digest_weekday": "0", "version": "0", **changed}


def test_the_page_shows_every_kind_and_keeps_what_is_chosen(client: Client, person: Person) -> None:
    rita = person(Role.REP)
    client.force_login(rita)
    shown = client.get(PAGE).content.decode()
    assert [str(k.label) for k in topics.kinds() if str(k.label) not in shown] == []
    saved = client.post(
        PAGE, answers(mail_fate="weekly", quiet_from="20:00", quiet_until="07:00", digest_hour="9")
    )
    assert saved.status_code == 303
    hours = NoticeHours.objects.get(user=rita)
    assert (hours.quiet_from, hours.quiet_until, hours.digest_hour) == (time(20), time(7), 9)
    assert list(NoticeChoice.objects.values_list("kind", "in_app", "mail")) == [("fate", True, "weekly")]
    assert 'value="weekly" selected' in client.get(PAGE).content.decode()


def test_the_page_says_what_is_wrong_and_keeps_nothing(client: Client, person: Person) -> None:
    client.force_login(person(Role.REP))
    refused = client.post(PAGE, answers(quiet_from="20:00"))
    assert refused.status_code == 422
    assert "Name both ends of the quiet hours, or neither." in refused.content.decode()
    stale = client.post(PAGE, answers(version="3"))
    assert stale.status_code == 422
    assert "You changed this in another window." in stale.content.decode()
    assert client.post(PAGE, answers(mail_fate="hourly")).status_code == 422
    assert NoticeHours.objects.count() == 0


def test_the_interface_changes_what_is_named_and_leaves_the_rest(person: Person) -> None:
    client = client_for(person(Role.REP))
    first = client.patch(
        "/api/v1/me/notices",
        {"quiet_from": "20:00", "quiet_until": "07:00", "kinds": [{"kind": "fate", "mail": "daily"}]},
        format="json",
    ).json()
    assert (first["quiet_from"], first["digest_hour"]) == ("20:00", 8)
    client.patch(
        "/api/v1/me/notices",
        {"digest_hour": 10, "kinds": [{"kind": "breach", "in_app": False}]},
        format="json",
    )
    now = client.get("/api/v1/me/notices").json()
    assert (now["quiet_from"], now["quiet_until"], now["digest_hour"]) == ("20:00", "07:00", 10)
    told = {kind["kind"]: (kind["in_app"], kind["mail"]) for kind in now["kinds"]}
    assert (told["fate"], told["breach"], told["delivery"]) == ((True, "daily"), (False, ""), (True, ""))


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"quiet_from": None, "quiet_until": "07:00"}, "/quiet_from"),
        ({"digest_hour": 24}, "/digest_hour"),
        ({"kinds": [{"kind": "weather"}]}, "/kinds/weather"),
        ({"kinds": [{"kind": "fate", "mail": "hourly"}]}, "/kinds/0/mail"),
    ],
)
def test_the_interface_refuses_with_a_pointer(person: Person, body: object, pointer: str) -> None:
    client = client_for(person(Role.REP))
    refused = client.patch("/api/v1/me/notices", body, format="json")
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
    assert NoticeHours.objects.count() == 0


def test_topics_are_listed_and_a_receiver_catches_up(person: Person) -> None:
    client = client_for(person())
    listed = client.get("/api/v1/webhook-topics").json()["topics"]
    names = [topic["name"] for topic in listed]
    assert names == sorted(names)
    for wanted in ("handoff.delivered", "clock.breached", "clock.met", "agreement.signed", "opportunity.won"):
        assert wanted in names
    hook = {"name": "H", "url": "https://hooks.example.com/in", "topics": ["handoff.*"], "format": "slack"}
    made = client.post("/api/v1/webhooks", hook, format="json")
    assert made.json()["endpoint"]["format"] == "slack"
    path = f"{made['Location']}/recover"
    assert_problem(client.post(path, {"since": "2026-01-01T00:00:00Z"}, format="json"), 422, "invalid")
    since = made.json()["endpoint"]["created_at"]
    done = client.post(path, {"since": since}, format="json").json()
    assert done == {"again": 0, "new": 0, "next_since": None}
    assert client_for(person(Role.REP, "Rita Rep")).post(path, {"since": since}).status_code == 403
