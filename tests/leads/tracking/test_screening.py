"""Robots and colleagues are dropped and counted; machines that touch mails never count."""

from __future__ import annotations

import json
import sys

import pytest

from funnel.models import Interest
from leads.domain.screening import is_robot
from leads.models import Event, IntakeCount, Person, Screening
from leads.services import screening
from leads.services.fields import EditedMeanwhile
from leads.services.screening import BadNetwork
from tests.importing import real

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0"


def dropped() -> dict[str, int]:
    return dict(IntakeCount.objects.values_list("outcome", "events"))


def test_a_crawler_leaves_nothing_but_a_count(say, told):
    told(
        say(anonymous="v1", url="https://x.example/", user_agent="Mozilla/5.0 (compatible; Googlebot/2.1)"),
        say(anonymous="v2", url="https://x.example/", user_agent=CHROME),
    )
    assert Event.objects.get().anonymous_id == "v2"
    assert dropped() == {"robot": 1}


@pytest.mark.parametrize(
    "name",
    ["analytics-python/2.4.0", "analytics-node-next/latest", "python-requests/2.32", CHROME, ""],
)
def test_programs_that_send_for_visitors_are_no_robots(name):
    assert not is_robot(name)


def test_visits_from_our_networks_and_test_hosts_are_dropped_by_name(say, told, mara, now, db):
    screening.update(networks=["203.0.113.7"], hosts=["Staging.*"], expected_version=1, actor=mara, now=now)
    told(
        say(anonymous="v1", url="https://x.example/", network="203.0.113.0/24"),
        say(anonymous="v2", url="https://staging.x.example/"),
        say(anonymous="v3", url="https://x.example/", network="198.51.100.0/24"),
    )
    assert Event.objects.get().anonymous_id == "v3"
    assert dropped() == {"internal_network": 1, "internal_host": 1}


def test_what_is_no_network_is_refused_by_name(mara, now, db):
    with pytest.raises(BadNetwork, match="300.1.1.1"):
        screening.update(networks=["300.1.1.1"], hosts=[], expected_version=1, actor=mara, now=now)
    assert not Screening.objects.exists()


def test_settings_that_somebody_changed_meanwhile_are_not_overwritten(mara, now, db):
    screening.update(networks=[], hosts=["a.example"], expected_version=1, actor=mara, now=now)
    with pytest.raises(EditedMeanwhile):
        screening.update(networks=[], hosts=[], expected_version=1, actor=mara, now=now)
    assert Screening.objects.get().hosts == ["a.example"]


def mail(say, name, seconds, **properties):
    return say(
        "track",
        minute=seconds / 60,
        user="ada@x.example",
        name=f"Email {name}",
        properties={"email_id": "m1", **properties},
    )


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1)])
def test_a_click_within_three_seconds_of_delivery_is_a_scanner_in_any_order(say, told, order):
    sent = [
        mail(say, "Delivered", 0),
        mail(say, "Link Clicked", 2),
        mail(say, "Opened", 1),
        mail(say, "Link Clicked", 600),
    ]
    for number in order:
        told(sent[number])
    found = {(e.kind, e.occurred_at.minute): e.screened for e in Event.objects.exclude(kind="track")}
    assert found == {("email_click", 0): "scanner", ("email_open", 0): "machine", ("email_click", 10): ""}


def test_one_open_counts_per_mail(say, told):
    told(
        mail(say, "Opened", 60),
        mail(say, "Link Clicked", 61),
        mail(say, "Opened", 61),
        mail(say, "Opened", 99),
    )
    opens = Event.objects.filter(kind="email_open").order_by("occurred_at")
    assert [e.screened for e in opens] == ["", "implied", "implied"]


def test_what_a_machine_did_adds_no_interest(say, told):
    told(mail(say, "Delivered", 0), mail(say, "Link Clicked", 1))
    interest = Interest.objects.filter(person=Person.objects.get()).first()
    assert interest is None or not any(interest.masses)


def test_most_published_crawler_names_are_recognised():
    rows = json.loads(real("web/crawler-user-agents.json").read_text(encoding="utf-8"))
    names = [name for row in rows for name in row.get("instances", ())]
    found = sum(map(is_robot, names))
    sys.stdout.write(f"{found} of {len(names)} published crawler names are recognised\n")
    assert found / len(names) > 0.85


def test_score_cannot_be_inflated(say, told):
    """T26: a replayed call counts once, a capped signal at most so often a day, a robot's call not at all."""
    page = say(user="ada@x.example", url="https://x.example/pricing")
    told(page)
    before = Interest.objects.get(person=Person.objects.get()).masses
    for _again in range(20):
        told(page)
    assert Interest.objects.get().masses == before
    told(*(say(user="ada@x.example", url="https://x.example/pricing", minute=n / 60) for n in range(1, 60)))
    much = Interest.objects.get().masses
    told(*(say(user="ada@x.example", url="https://x.example/pricing", minute=1 + n / 60) for n in range(60)))
    assert Interest.objects.get().masses == much
    told(say(user="ada@x.example", url="https://x.example/pricing", minute=5, user_agent="Googlebot/2.1"))
    assert Interest.objects.get().masses == much
