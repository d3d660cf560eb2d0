"""Alerts: what was asked for is told once, in time, at a cost that does not grow with their number."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from funnel.models import Alert, AlertHit, AlertHours, LeadState, Stage
from funnel.services import alert_hits, alerts, owners
from funnel.services.alerts import About
from leads.events import EventsJoined
from leads.models import Company, Event, Person, Source
from leads.services import activities, merging, unmerging
from leads.services import events as behaviour
from leads.services.events import EventInput
from smarketing.core import events
from smarketing.notifications.models import Delivery, Notification, Outbox
from smarketing.notifications.services import outbox
from smarketing.web.models import SavedView
from tests.funnel.conftest import DAY, NOW, capture_lead, record

pytestmark = pytest.mark.django_db
SOON = NOW + timedelta(minutes=1)


def wants(user, **more):
    return alerts.create(user=user, now=NOW, **{"trigger": "page", "pattern": "/pricing", **more})


def about(lead):
    return About(person=lead.person)


def told(user):
    outbox.fan_out(now=SOON, limit=100)
    return list(Notification.objects.filter(user=user, topic="alert.raised").order_by("pk"))


def visits(lead, url="https://www.example.com/pricing", *, at=SOON, now=None):
    record(lead, "page", "Prices", at=at, url=url, now=now)


def test_a_page_view_of_a_watched_person_is_told_at_once(rita, lead):
    wants(rita, about=about(lead))
    visits(lead)
    (note,) = told(rita)
    assert note.text.startswith(f"{lead.person.name} (Initech) visited /pricing.")
    assert note.link == f"/people/{lead.person_id}/"
    hit = AlertHit.objects.get()
    assert (hit.raised_at, hit.told_at, hit.contacted_at) == (SOON, SOON, None)
    assert not Delivery.objects.exists()


def test_other_pages_and_other_people_tell_nothing(rita, lead, web):
    wants(rita, about=about(lead))
    visits(lead, "https://www.example.com/pricing-old")
    visits(capture_lead(web))
    record(lead, "track", "/pricing", at=SOON)
    assert not AlertHit.objects.exists()


@pytest.mark.parametrize(
    ("pattern", "url", "is_meant"),
    [
        ("/pricing", "https://a.example/pricing/?plan=x#top", True),
        ("/Pricing/", "http://a.example/PRICING", True),
        ("/docs/*", "https://a.example/docs", True),
        ("/docs/*", "https://a.example/docs/api/v1", True),
        ("/docs/*", "https://a.example/docsearch", False),
        ("/doc*", "https://a.example/docsearch", True),
        ("*pricing*", "https://a.example/de/pricing/eur", True),
        ("/*/pricing", "https://a.example/de/pricing", True),
        ("/*/pricing", "https://a.example/pricing", False),
        ("shop.example/cart", "https://shop.example/cart", True),
        ("https://shop.example/cart?x=1", "https://shop.example/cart", True),
        ("shop.example/cart", "https://www.example/cart", False),
        ("shop.example", "https://shop.example/", True),
        ("shop.example/*", "https://shop.example/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p", True),
        ("/a/b/c/d/e/f/g/h/i/j/k/l/m/n/*", "https://x.example/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o", True),
        ("/", "https://a.example", True),
        ("/", "not an address at all", False),
    ],
)
def test_a_pattern_means_the_pages_one_expects(rita, lead, pattern, url, is_meant):
    wants(rita, about=about(lead), pattern=pattern)
    visits(lead, url)
    assert AlertHit.objects.exists() is is_meant


def test_anybody_of_a_company_in_a_stage_or_of_my_own_leads_is_meant(rita, rob, mara, lead):
    company = Company.objects.get()
    wants(rita, about=About(company=company))
    wants(mara, about=About(stage=Stage.objects.get(code="lead")))
    wants(mara, about=About(stage=Stage.objects.get(code="customer")))
    wants(rob, about=About(is_mine=True))
    visits(lead)
    assert set(AlertHit.objects.values_list("alert__user__name", flat=True)) == {"Rita Rep", "Mara Marketer"}
    owners.assign(lead=lead, owner=rob, reason="test", actor=None, now=SOON)
    visits(lead, at=SOON + DAY + DAY)
    assert AlertHit.objects.filter(alert__user=rob).count() == 1


def test_a_saved_view_of_leads_is_a_segment(rita, web):
    inside, outside = capture_lead(web, title="CEO"), capture_lead(web, title="Intern")
    view = SavedView.objects.create(
        user=rita, page="funnel:leads", name="Mine", query=f"q={inside.person.last_name.split()[1]}&sort=-fit"
    )
    Person.objects.filter(pk=inside.person_id).update(search_text="lovelace zzz-inside")
    SavedView.objects.filter(pk=view.pk).update(query="q=zzz-inside&sort=-fit")
    wants(rita, about=About(segment=view))
    visits(inside)
    visits(outside)
    assert [hit.person_id for hit in AlertHit.objects.all()] == [inside.person_id]


def test_an_action_is_meant_by_its_name_and_its_properties(rita, lead):
    wants(
        rita,
        about=about(lead),
        trigger="action",
        name="Trial Started",
        conditions=[{"property": "seats", "operator": "at_least", "value": 10}],
    )
    source = Source.objects.get(code="web")
    for number, seats in enumerate([5, None, 12]):
        row = EventInput(
            source=source, message_id=f"t{number}", kind="track", name="trial started",
            person_id=lead.person_id, occurred_at=SOON, properties={} if seats is None else {"seats": seats},
        )  # fmt: skip
        behaviour.record(rows=[row], now=SOON)
    (hit,) = AlertHit.objects.all()
    assert Event.objects.get(pk=hit.event_id).properties == {"seats": 12}


def test_forms_clicks_and_returns_are_told(rita, lead):
    wants(rita, about=about(lead), trigger="form")
    wants(rita, about=about(lead), trigger="email_click")
    wants(rita, about=about(lead), trigger="return", after_days=14)
    record(lead, "form", "Contact", at=SOON)
    record(lead, "email_click", "", at=SOON + timedelta(hours=1))
    record(lead, "page", "Home", at=SOON + 13 * DAY)
    record(lead, "page", "Home", at=SOON + 28 * DAY)
    record(lead, "page", "Home", at=SOON + 28 * DAY + timedelta(minutes=1))
    triggers = list(AlertHit.objects.order_by("occurred_at").values_list("alert__trigger", "occurred_at"))
    assert triggers == [
        ("form", SOON),
        ("email_click", SOON + timedelta(hours=1)),
        ("return", SOON + 28 * DAY),
    ]
    assert [n.text.split(" (Initech) ")[1] for n in told(rita)][2].startswith("is back after 14 days or more")


def test_the_same_is_not_told_again_within_its_window_in_whatever_order_it_arrives(rita, lead):
    wants(rita, about=about(lead), repeat_after_seconds=3600)
    minutes = [0, 30, 59, 60, 61, 125, -10, -70]
    for minute in minutes:
        visits(lead, at=SOON + timedelta(minutes=minute), now=SOON + timedelta(hours=3))
    found = sorted((h.occurred_at - SOON).total_seconds() / 60 for h in AlertHit.objects.all())
    assert found == [-70, 0, 60, 125]


def test_the_same_event_again_tells_nothing_new(rita, lead):
    wants(rita, about=about(lead), repeat_after_seconds=60)
    visits(lead)
    ids = [hit.event_id for hit in AlertHit.objects.all()]
    assert alert_hits.raise_for(event_ids=ids, members=lambda *_: set(), now=SOON) == 0
    assert Outbox.objects.filter(topic="alert.raised").count() == 1


def test_history_that_arrives_late_tells_nobody(rita, lead):
    wants(rita, about=about(lead))
    visits(lead, at=SOON - 2 * DAY, now=SOON)
    assert not AlertHit.objects.exists()


def test_a_snoozed_or_stopped_alert_tells_nothing_until_it_is_awake(rita, lead):
    alert = wants(rita, about=about(lead), repeat_after_seconds=60)
    alerts.snooze(alert=alert, until=SOON + timedelta(hours=1), actor=rita, now=NOW)
    visits(lead)
    assert not AlertHit.objects.exists()
    visits(lead, at=SOON + timedelta(hours=2))
    alerts.stop(alert=alert, actor=rita, now=SOON)
    visits(lead, at=SOON + timedelta(hours=4))
    assert AlertHit.objects.count() == 1
    alerts.resume(alert=alert, actor=rita, now=SOON)
    visits(lead, at=SOON + timedelta(hours=6))
    assert AlertHit.objects.count() == 2


def test_quiet_hours_wait_until_morning_in_the_users_zone_and_come_as_one(rita, lead, web):
    rita.time_zone = "Asia/Kolkata"  # 10:01 UTC is 15:31 there
    rita.save(update_fields=["time_zone"])
    alerts.set_hours(user=rita, quiet_from=time(15), quiet_until=time(9), digest_at=time(8), now=NOW)
    wants(rita, about=about(lead), delivery="mail", repeat_after_seconds=60)
    visits(lead)
    visits(lead, "https://x.example/pricing", at=SOON + timedelta(minutes=5))
    assert told(rita) == []
    morning = datetime(2026, 3, 3, 3, 30, tzinfo=UTC)  # 09:00 there
    assert alert_hits.tell_due(now=morning - timedelta(seconds=1), limit=50) == 0
    assert alert_hits.tell_due(now=morning, limit=50) == 2
    (note,) = told(rita)
    assert note.text.startswith("2 alerts while you were away:\n")
    assert note.text.count("visited /pricing.") == 2
    assert Delivery.objects.get().email == "rita@example.com"
    assert alert_hits.tell_due(now=morning + DAY, limit=50) == 0


def test_a_digest_comes_once_a_day_by_mail(rita, lead):
    alerts.set_hours(user=rita, quiet_from=None, quiet_until=None, digest_at=time(18), now=NOW)
    wants(rita, about=about(lead), delivery="digest")
    visits(lead)
    assert AlertHit.objects.get().tell_at == datetime(2026, 3, 2, 18, tzinfo=UTC)
    assert alert_hits.tell_due(now=NOW.replace(hour=18), limit=50) == 1
    told(rita)
    assert Delivery.objects.count() == 1


def test_the_first_human_attempt_after_an_alert_is_its_answer(rita, lead):
    wants(rita, about=about(lead))
    visits(lead)
    for minutes, kind in [(-5, "call"), (40, "mail"), (25, "call"), (10, "note")]:
        activities.log(
            person=lead.person, kind=kind, direction="outbound" if kind != "note" else "internal",
            occurred_at=SOON + timedelta(minutes=minutes), actor=rita, now=SOON + timedelta(hours=1),
        )  # fmt: skip
    assert AlertHit.objects.get().contacted_at == SOON + timedelta(minutes=25)


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"pattern": ""}, "pattern"),
        ({"pattern": "two words"}, "pattern"),
        ({"pattern": "/" + "x" * 200}, "pattern"),
        ({"pattern": "*****"}, "pattern"),
        ({"trigger": "sneeze"}, "trigger"),
        ({"trigger": "action", "name": "  "}, "name"),
        ({"trigger": "return"}, "after_days"),
        ({"trigger": "return", "after_days": 366}, "after_days"),
        ({"delivery": "pigeon"}, "delivery"),
        ({"repeat_after_seconds": 59}, "repeat_after_seconds"),
        (
            {"conditions": [{"property": "a b.c d.", "operator": "equals", "value": 1}]},
            "conditions.0.property",
        ),
        ({"conditions": [{"property": "a", "operator": "like", "value": 1}]}, "conditions.0.operator"),
        ({"conditions": [{"property": "a", "operator": "at_least", "value": "x"}]}, "conditions.0.value"),
        ({"conditions": [{"property": "a", "operator": "at_least", "value": "nan"}]}, "conditions.0.value"),
        ({"conditions": [{"property": "a", "operator": "equals", "value": [1]}]}, "conditions.0.value"),
        ({"conditions": [{"property": "a", "operator": "known"}] * 6}, "conditions"),
        ({"about": About()}, "subject"),
    ],
)
def test_a_wish_that_cannot_be_kept_is_refused_with_its_field(rita, lead, wish, field):
    with pytest.raises(alerts.BadAlert) as refused:
        wants(rita, **{"about": about(lead), **wish})
    assert [e.field for e in refused.value.errors] == [field]
    assert not Alert.objects.exists()


def test_quiet_hours_need_both_ends(rita):
    with pytest.raises(alerts.BadAlert) as refused:
        alerts.set_hours(user=rita, quiet_from=time(22), quiet_until=None, digest_at=time(8), now=NOW)
    assert [e.field for e in refused.value.errors] == ["quiet_until"]
    assert not AlertHours.objects.exists()


def test_nobody_touches_the_alert_of_another(rita, rob, lead):
    alert = wants(rita, about=about(lead))
    for deed in (alerts.stop, alerts.resume):
        with pytest.raises(alerts.NoSuchAlert):
            deed(alert=alert, actor=rob, now=NOW)
    alert.refresh_from_db()
    assert alert.stopped_at is None


def ours(queries):
    return [q["sql"] for q in queries.captured_queries if "funnel_alert" in q["sql"]]


def test_ten_thousand_alerts_cost_an_event_no_more_than_a_few(rita, lead, web):
    """Whether they are about other people or about the same stage and other pages: same statements, and
    the index finds the two that are meant among them."""
    stage = LeadState.objects.get(lead=lead).stage
    wants(rita, about=about(lead))
    with CaptureQueriesContext(connection) as few:
        visits(lead)
    others = [
        Alert(
            user=rita, subject="stage", stage=stage, subject_key=f"stage:{stage.pk}", trigger="page",
            pattern=f"/other/{n}", trigger_key=f"page:/other/{n}",
        )
        for n in range(10_000)
    ]  # fmt: skip
    Alert.objects.bulk_create(others, batch_size=2000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE funnel_alert")
    with CaptureQueriesContext(connection) as many:
        visits(lead, at=SOON + 2 * DAY)
    assert len(ours(many)) == len(ours(few))
    assert AlertHit.objects.count() == 2
    statement = next(sql for sql in ours(many) if "w(subject, key)" in sql)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT TEXT) {statement}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "alert_lookup" in plan
    assert "Seq Scan on funnel_alert" not in plan


def test_what_a_stranger_did_just_before_they_were_known_is_told_when_they_are(rita, lead):
    wants(rita, about=about(lead))
    source = Source.objects.get(code="web")
    row = EventInput(
        source=source, message_id="s1", kind="page", url="https://x.example/pricing", occurred_at=SOON
    )
    (key,) = behaviour.record(rows=[row], now=SOON)
    assert not AlertHit.objects.exists()
    Event.objects.filter(pk=key).update(person=lead.person)
    with transaction.atomic():
        events.publish(EventsJoined((key,), SOON + timedelta(minutes=3)))
    assert AlertHit.objects.get().event_id == key


def test_what_a_machine_did_tells_nobody(rita, lead):
    wants(rita, about=about(lead), trigger="email_click")
    record(lead, "email_click", "", at=SOON)
    AlertHit.objects.all().delete()
    Event.objects.update(screened="scanner")
    keys = list(Event.objects.values_list("pk", flat=True))
    assert alert_hits.raise_for(event_ids=keys, members=lambda *_: set(), now=SOON) == 0


def test_an_alert_about_a_merged_person_hears_of_the_survivor_and_goes_back_when_taken_apart(rita, web):
    survivor, merged = capture_lead(web), capture_lead(web)
    wants(rita, about=about(merged))
    done = merging.merge(survivor=survivor.person, merged=merged.person, actor=None, now=SOON)
    visits(survivor, at=SOON + timedelta(minutes=1))
    hit = AlertHit.objects.get()
    assert (hit.person_id, Alert.objects.get().person_id) == (survivor.person_id, survivor.person_id)
    unmerging.unmerge(merge=done, actor=None, now=SOON + timedelta(minutes=5))
    alert = Alert.objects.get()
    assert (alert.person_id, alert.subject_key) == (merged.person_id, f"person:{merged.person_id}")
    visits(merged, at=SOON + timedelta(minutes=6))
    assert AlertHit.objects.filter(person=merged.person).count() == 1


def test_what_was_told_about_both_does_not_keep_them_from_being_merged(rita, web):
    survivor, merged = capture_lead(web), capture_lead(web)
    wants(rita, about=About(company=Company.objects.get()))
    visits(survivor)
    visits(merged)
    merging.merge(survivor=survivor.person, merged=merged.person, actor=None, now=SOON)
    assert AlertHit.objects.count() == 2
