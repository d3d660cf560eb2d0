"""Users choose how they are told; quiet hours and digests delay mails and lose none."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime, time, timedelta

import pytest

from smarketing.notifications.domain.quiet import Rhythm
from smarketing.notifications.models import (
    Delivery,
    NoticeChoice,
    NoticeHours,
    Notification,
    Outbox,
    WaitingMail,
)
from smarketing.notifications.selectors import preferences as reads
from smarketing.notifications.selectors.preferences import Wish
from smarketing.notifications.services import deliveries, digests, outbox, preferences
from smarketing.notifications.services.preferences import ChoiceChanged, ChoiceInvalid, Hours
from smarketing.users.models import User
from smarketing.users.services import profiles, users
from tests.notifications.conftest import Sink

pytestmark = pytest.mark.django_db
NIGHT = Hours(quiet_from=time(20), quiet_until=time(7))
DAY = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)  # a Wednesday, 11:00 in Berlin
EVENING = datetime(2026, 3, 4, 21, 0, tzinfo=UTC)
MORNING = datetime(2026, 3, 5, 6, 0, tzinfo=UTC)  # 07:00 in Berlin


@pytest.fixture
def rita(rep: User) -> User:
    rep.time_zone = "Europe/Berlin"
    rep.save(update_fields=["time_zone"])
    return rep


def choose(user: User, at: datetime = DAY, hours: Hours | None = None, **mails: Rhythm) -> None:
    wishes = {kind: Wish(mail=mail) for kind, mail in mails.items()}
    preferences.choose(user=user, choices=wishes, hours=hours or Hours(), version=None, now=at)


def tell(user: User, text: str, at: datetime, *, topic: str = "handoff.delivered", mail: bool = True) -> None:
    notice = outbox.Notice(text=text, user_ids=(user.pk,), link="/leads/7/", mail=mail)
    outbox.put(topic=topic, payload={}, dedupe_key=text, now=at, notify=notice)
    outbox.fan_out(now=at, limit=100)


def mails(sink: Sink) -> list[tuple[str, str]]:
    found = []
    for raw in sink.mails:
        message = email.message_from_bytes(raw, policy=email.policy.default)
        found.append((message["Subject"], message.get_body(("plain",)).get_content()))
    return found


def test_without_a_choice_the_notice_decides(rita: User) -> None:
    tell(rita, "Delivered", DAY)
    tell(rita, "Accepted", DAY, topic="handoff.accepted", mail=False)
    assert [d.outbox.dedupe_key for d in Delivery.objects.all()] == ["Delivered"]
    assert Notification.objects.count() == 2


def test_a_kind_can_be_switched_off_or_on_in_each_way(rita: User) -> None:
    wishes = {
        "delivery": Wish(in_app=False, mail=Rhythm.NEVER),
        "fate": Wish(mail=Rhythm.AT_ONCE),
        "breach": Wish(in_app=False),
    }
    preferences.choose(user=rita, choices=wishes, hours=Hours(), version=0, now=DAY)
    tell(rita, "Delivered", DAY)
    tell(rita, "Accepted", DAY, topic="handoff.accepted", mail=False)
    tell(rita, "Overdue", DAY, topic="clock.breached", mail=False)
    assert [n.text for n in Notification.objects.all()] == ["Accepted"]
    assert [d.outbox.dedupe_key for d in Delivery.objects.all()] == ["Accepted"]
    assert reads.choices_of(rita)["breach"] == Wish(in_app=False)
    preferences.choose(user=rita, choices={"breach": Wish()}, hours=Hours(), version=1, now=DAY)
    assert sorted(NoticeChoice.objects.values_list("kind", flat=True)) == ["delivery", "fate"]


def test_quiet_hours_hold_mails_and_send_all_of_them_in_one(rita: User, sink: Sink) -> None:
    choose(rita, hours=NIGHT)
    for n in range(3):
        tell(rita, f"Lead {n}", EVENING + timedelta(minutes=n))
    assert Notification.objects.count() == 3
    assert digests.run_once(now=MORNING - timedelta(seconds=1), limit=10) == 0
    assert deliveries.run_once(now=MORNING - timedelta(seconds=1), limit=10) == 0
    assert digests.run_once(now=MORNING, limit=10) == 1
    assert digests.run_once(now=MORNING, limit=10) == 0
    assert deliveries.run_once(now=MORNING, limit=10) == 1
    ((subject, text),) = mails(sink)
    assert subject == "Your quiet hours: 3 notices"
    assert [n for n in range(3) if f"- Lead {n}  http://127.0.0.1:8000/leads/7/" in text] == [0, 1, 2]
    assert "Leads for me" in text
    carrier = Outbox.objects.get(topic="digest")
    assert set(WaitingMail.objects.values_list("carrier", "settled_at")) == {(carrier.pk, MORNING)}


def test_what_is_too_much_for_one_mail_comes_in_the_next(
    rita: User, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digests, "LINES", 2)
    choose(rita, hours=NIGHT)
    for n in range(5):
        tell(rita, f"Lead {n}.", EVENING)
    while digests.run_once(now=MORNING, limit=10):
        pass
    deliveries.run_once(now=MORNING, limit=10)
    told = "".join(subject + text for subject, text in mails(sink))
    assert [told.count(f"- Lead {n}.") for n in range(4)] == [1, 1, 1, 1]
    assert (len(sink.mails), "Lead 4." in told) == (3, True)


def test_a_single_mail_of_the_night_comes_as_itself(rita: User, sink: Sink) -> None:
    choose(rita, hours=NIGHT)
    tell(rita, "Lead 1", EVENING)
    digests.run_once(now=MORNING, limit=10)
    deliveries.run_once(now=MORNING, limit=10)
    assert [subject for subject, _text in mails(sink)] == ["Lead 1"]
    assert Outbox.objects.filter(topic="digest").count() == 0


def test_a_daily_digest_gathers_kind_by_kind(rita: User, sink: Sink) -> None:
    choose(rita, fate=Rhythm.DAILY, breach=Rhythm.WEEKLY, delivery=Rhythm.DAILY)
    tell(rita, "Accepted", DAY, topic="handoff.accepted", mail=False)
    tell(rita, "Overdue", DAY, topic="clock.breached", mail=False)
    tell(rita, "Delivered", DAY)
    eight = datetime(2026, 3, 5, 7, 0, tzinfo=UTC)  # 08:00 in Berlin
    assert digests.run_once(now=eight - timedelta(seconds=1), limit=10) == 0
    digests.run_once(now=eight, limit=10)
    deliveries.run_once(now=eight, limit=10)
    monday = datetime(2026, 3, 9, 7, 0, tzinfo=UTC)
    digests.run_once(now=monday, limit=10)
    deliveries.run_once(now=monday, limit=10)
    (daily, text), (weekly, later) = mails(sink)
    assert (daily, weekly) == ("Your digest: 2 notices", "Your digest: 1 notice")
    assert text.index("Leads for me") < text.index("- Delivered") < text.index("- Accepted")
    assert "- Overdue" in later
    html = email.message_from_bytes(sink.mails[0], policy=email.policy.default).get_body(("html",))
    assert '<a href="http://127.0.0.1:8000/leads/7/"' in html.get_content()


def test_a_new_choice_moves_what_waits(rita: User) -> None:
    choose(rita, fate=Rhythm.WEEKLY, delivery=Rhythm.WEEKLY)
    tell(rita, "Delivered", DAY)
    tell(rita, "Accepted", DAY, topic="handoff.accepted", mail=False)
    later = DAY + timedelta(hours=1)
    choose(rita, later, delivery=Rhythm.AT_ONCE, fate=Rhythm.NEVER)
    told = {w.outbox.dedupe_key: (w.due_at, w.settled_at, w.carrier) for w in WaitingMail.objects.all()}
    assert told == {"Delivered": (later, None, None), "Accepted": (told["Accepted"][0], later, None)}
    assert digests.run_once(now=later, limit=10) == 1
    assert Delivery.objects.get().outbox.dedupe_key == "Delivered"


def test_whoever_has_left_gets_no_digest(rita: User) -> None:
    choose(rita, delivery=Rhythm.DAILY)
    tell(rita, "Delivered", DAY)
    User.objects.filter(pk=rita.pk).update(is_active=False)
    assert digests.run_once(now=DAY + timedelta(days=2), limit=10) == 0
    waited = WaitingMail.objects.get()
    assert (waited.settled_at, waited.carrier) == (DAY + timedelta(days=2), None)
    assert Delivery.objects.count() == 0


def test_a_second_fan_out_adds_nothing_to_what_waits(rita: User) -> None:
    choose(rita, hours=NIGHT)
    tell(rita, "Delivered", EVENING)
    Outbox.objects.update(fanned_out_at=None)
    outbox.fan_out(now=MORNING, limit=10)
    assert (WaitingMail.objects.count(), Delivery.objects.count(), Notification.objects.count()) == (1, 0, 1)


def test_a_sender_that_dies_between_lease_and_answer_repeats_the_same_message(rita: User, sink: Sink) -> None:
    choose(rita, hours=NIGHT)
    tell(rita, "One", EVENING)
    tell(rita, "Two", EVENING)
    digests.run_once(now=MORNING, limit=10)
    (held,) = deliveries.claim(now=MORNING, limit=10)  # and then its process is gone
    assert digests.run_once(now=MORNING, limit=10) == 0
    assert deliveries.run_once(now=MORNING + timedelta(seconds=29), limit=10) == 0
    assert deliveries.run_once(now=MORNING + timedelta(seconds=31), limit=10) == 1
    assert deliveries.run_once(now=MORNING + timedelta(minutes=5), limit=10) == 0
    (raw,) = sink.mails
    assert email.message_from_bytes(raw)["Message-ID"] == f"<{held.msg_id}@127.0.0.1>"


@pytest.mark.parametrize(
    ("hours", "kind", "field"),
    [
        (Hours(quiet_from=time(20)), "delivery", "quiet_until"),
        (Hours(time(7), time(7)), "delivery", "quiet_until"),
        (Hours(digest_hour=24), "delivery", "digest_hour"),
        (Hours(digest_weekday=7), "delivery", "digest_weekday"),
        (Hours(), "weather", "kinds.weather"),
    ],
)
def test_what_makes_no_sense_is_refused(rita: User, hours: Hours, kind: str, field: str) -> None:
    with pytest.raises(ChoiceInvalid) as refused:
        preferences.choose(user=rita, choices={kind: Wish()}, hours=hours, version=0, now=DAY)
    assert [error.field for error in refused.value.errors] == [field]
    assert NoticeHours.objects.count() == 0


def test_two_windows_do_not_overwrite_each_other(rita: User) -> None:
    preferences.choose(user=rita, choices={}, hours=NIGHT, version=0, now=DAY)
    with pytest.raises(ChoiceChanged):
        preferences.choose(user=rita, choices={}, hours=Hours(), version=0, now=DAY)
    assert NoticeHours.objects.get().quiet_from == time(20)


def test_queries_of_a_fan_out_do_not_grow_with_users(
    rita: User, django_assert_max_num_queries: object
) -> None:
    people = [User.objects.create(name=f"U{n}", email=f"u{n}@example.com") for n in range(20)]
    for person in people:
        choose(person, hours=NIGHT, delivery=Rhythm.DAILY)
    notice = outbox.Notice(text="All", user_ids=tuple(p.pk for p in people), mail=True)
    outbox.put(topic="handoff.delivered", payload={}, dedupe_key="all", now=DAY, notify=notice)
    with django_assert_max_num_queries(11):  # type: ignore[operator]
        outbox.fan_out(now=DAY, limit=10)
    assert WaitingMail.objects.count() == 20


def test_what_waits_for_the_morning_follows_a_user_to_another_zone(rita: User, admin: User) -> None:
    choose(rita, hours=NIGHT)
    tell(rita, "Lead", EVENING)
    assert WaitingMail.objects.get().due_at == MORNING
    given = {"name": rita.name, "locale": rita.locale, "now": EVENING + timedelta(minutes=5)}
    profiles.change(user=rita, time_zone="America/New_York", **given)
    # 16:00 there: no quiet hours, so it leaves at once.
    assert WaitingMail.objects.get().due_at == given["now"]
    users.update(user=rita, actor=admin, now=given["now"], time_zone="Asia/Tokyo")
    # 06:05 there: an hour later.
    assert WaitingMail.objects.get().due_at == datetime(2026, 3, 4, 22, 0, tzinfo=UTC)
    profiles.change(user=rita, time_zone="Asia/Tokyo", **{**given, "name": "Rita R."})
    assert WaitingMail.objects.get().due_at == datetime(2026, 3, 4, 22, 0, tzinfo=UTC)
