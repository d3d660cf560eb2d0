"""What is sent to a person, by both teams."""

from __future__ import annotations

from datetime import datetime, timedelta

from leads.models import Activity, Campaign, Channel, Person, Source, Touchpoint
from leads.selectors import outreach
from smarketing.users.models import User


def test_both_sides_stand_beside_each_other_with_who_contacts(
    web: Source, direct: Channel, rita: User, now: datetime
) -> None:
    ada = Person.objects.create(first_name="Ada")
    spring = Campaign.objects.create(name="Spring", source=web)

    def act(days: int, **more: object) -> None:
        given = {"kind": "mail", "direction": "outbound", "actor": rita, "subject": f"{days} d", **more}
        Activity.objects.create(person=ada, source=web, occurred_at=now - timedelta(days=days), **given)

    act(1)
    act(2, kind="call", subject="")
    act(3, direction="inbound")
    act(4, kind="note", direction="internal")
    act(100)
    act(5, is_automated=True, actor=None, subject="Welcome")
    Touchpoint.objects.create(
        person=ada,
        source=web,
        channel=direct,
        campaign=spring,
        kind="email",
        title="Newsletter",
        occurred_at=now - timedelta(days=2),
    )
    Touchpoint.objects.create(
        person=ada, source=web, channel=direct, kind="visit", occurred_at=now - timedelta(days=2)
    )

    told = outreach.of_person(ada, now=now)

    assert [(s.title, s.by) for s in told.sales] == [
        ("1 d", "Rita Rep"),
        ("Call", "Rita Rep"),
        ("100 d", "Rita Rep"),
    ]
    assert [(s.title, s.by) for s in told.marketing] == [("Newsletter", "Spring"), ("Welcome", "")]
    assert (told.sales_count, told.marketing_count) == (2, 2)
    assert [(c.name, c.times) for c in told.contacters] == [("Rita Rep", 2)]
    assert not told.is_empty


def test_nobody_has_sent_anything(web: Source, now: datetime) -> None:
    assert outreach.of_person(Person.objects.create(first_name="Bob"), now=now).is_empty
