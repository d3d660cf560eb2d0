"""“Tell me when…” on the pages of people and companies, and the page of one's alerts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from funnel.models import Alert, AlertHit, AlertHours
from funnel.services import alerts
from funnel.services.alerts import About
from leads.models import Company
from smarketing.web.models import SavedView
from tests.funnel.conftest import NOW, capture_lead, record
from tests.funnel.views.conftest import HTMX

pytestmark = pytest.mark.django_db
WISH = {
    "about": "person", "trigger": "page", "pattern": "/pricing", "delivery": "app",
    "repeat_after_seconds": "86400",
}  # fmt: skip


def hit(user, lead, *, at=NOW + timedelta(minutes=5), pattern="/pricing"):
    alert = alerts.create(
        user=user, about=About(person=lead.person), trigger="page", pattern=pattern, now=NOW
    )
    record(lead, "page", "Prices", at=at, url=f"https://x.example{pattern}")
    return alert


def test_a_lead_a_person_and_a_company_offer_to_tell(signed_in, rita, lead):
    client = signed_in(rita)
    for address, query in [
        (f"/leads/{lead.pk}/", f"person={lead.person_id}"),
        (f"/people/{lead.person_id}/", f"person={lead.person_id}"),
        (f"/companies/{lead.company_id}/", f"company={lead.company_id}"),
    ]:
        html = client.get(address).content.decode()
        assert f'hx-get="/alerts/new/?{query}"' in html
        assert 'id="ask"' in html
    dialog = client.get(f"/alerts/new/?person={lead.person_id}", headers=HTMX).content.decode()
    assert lead.person.name in dialog
    assert "Anybody of Initech" in dialog
    assert "Anybody in stage" not in dialog


def test_asking_makes_the_alert_and_goes_back_to_the_person(signed_in, rita, lead):
    answer = signed_in(rita).post(f"/alerts/new/?person={lead.person_id}", WISH)
    assert (answer.status_code, answer["Location"]) == (303, f"/people/{lead.person_id}/")
    alert = Alert.objects.get()
    assert (alert.user, alert.person_id, alert.pattern) == (rita, lead.person_id, "/pricing")


def test_a_stage_my_own_leads_and_a_saved_view_can_be_asked_about(signed_in, rita, mara):
    SavedView.objects.create(user=mara, page="funnel:leads", name="Hot ones", query="q=x", is_shared=True)
    SavedView.objects.create(user=mara, page="leads:companies", name="Firms", query="q=x", is_shared=True)
    html = signed_in(rita).get("/alerts/new/").content.decode()
    assert "Anybody whose lead I own" in html
    assert "Anybody in stage" in html
    assert "Hot ones" in html
    assert "Firms" not in html


def test_a_wish_without_its_page_comes_back_with_what_to_mend(signed_in, rita, lead):
    answer = signed_in(rita).post(f"/alerts/new/?person={lead.person_id}", {**WISH, "pattern": ""})
    assert answer.status_code == 422
    assert "Write a page such as /pricing" in answer.content.decode()
    assert not Alert.objects.exists()


def test_a_condition_on_a_property_is_kept(signed_in, rita, lead):
    wish = {
        **WISH,
        "trigger": "action",
        "name": "Trial",
        "property": "plan",
        "operator": "equals",
        "value": "pro",
    }
    signed_in(rita).post(f"/alerts/new/?person={lead.person_id}", wish)
    alert = Alert.objects.get()
    assert alert.conditions == [{"property": "plan", "operator": "equals", "value": "pro"}]
    html = signed_in(rita).get("/alerts/").content.decode()
    assert "does “Trial” (plan is pro)" in html
    edit = signed_in(rita).get(f"/alerts/{alert.pk}/edit/").content.decode()
    assert 'value="plan"' in edit


def test_my_alerts_shows_what_was_told_and_how_soon_somebody_reacted(signed_in, rita, rob, lead):
    alert = hit(rita, lead)
    AlertHit.objects.update(contacted_at=NOW + timedelta(minutes=47))
    html = signed_in(rita).get("/alerts/").content.decode()
    assert f"{lead.person.name} visits /pricing" in html
    assert "first attempt after 42 min (median of 1)" in html
    assert "told once" in html
    assert lead.person.name in signed_in(rita).get(f"/alerts/{alert.pk}/").content.decode()
    assert lead.person.name not in signed_in(rob).get("/alerts/").content.decode()
    assert signed_in(rob).get(f"/alerts/{alert.pk}/").status_code == 404
    assert signed_in(rob).post(f"/alerts/{alert.pk}/stop/").status_code == 404


def test_snooze_stop_and_wake_with_undo(signed_in, rita, lead):
    client, alert = signed_in(rita), hit(rita, lead)
    assert client.post(f"/alerts/{alert.pk}/snooze/", {"length": "7d"}).status_code == 303
    alert.refresh_from_db()
    assert alert.snoozed_until - NOW > timedelta(days=7)
    assert "snoozed" in client.get("/alerts/").content.decode()
    client.post(f"/alerts/{alert.pk}/stop/")
    client.post(f"/alerts/{alert.pk}/resume/")
    alert.refresh_from_db()
    assert (alert.snoozed_until, alert.stopped_at) == (None, None)


def test_quiet_hours_are_set_on_ones_own_wall_clock(signed_in, rita):
    client = signed_in(rita)
    assert "UTC" in client.get("/alerts/hours/").content.decode()
    wrong = client.post("/alerts/hours/", {"quiet_from": "22:00", "quiet_until": "", "digest_at": "08:00"})
    assert wrong.status_code == 422
    assert not AlertHours.objects.exists()
    client.post("/alerts/hours/", {"quiet_from": "22:00", "quiet_until": "07:00", "digest_at": "08:30"})
    assert "Quiet 22:00–07:00" in client.get("/alerts/").content.decode()


def test_the_page_reads_the_same_number_of_times_for_two_alerts_and_for_twenty(signed_in, rita, web):
    client = signed_in(rita)
    for number in range(2):
        hit(rita, capture_lead(web), pattern=f"/a{number}")
    client.get("/alerts/")
    with CaptureQueriesContext(connection) as few:
        client.get("/alerts/")
    for number in range(18):
        hit(rita, capture_lead(web), pattern=f"/b{number}")
    with CaptureQueriesContext(connection) as many:
        client.get("/alerts/")
    assert len(many) == len(few)


def test_an_empty_page_says_what_alerts_are_for(signed_in, rita):
    html = signed_in(rita).get("/alerts/").content.decode()
    assert "Be told within seconds" in html


def test_an_address_with_an_unknown_person_is_404(signed_in, rita):
    assert signed_in(rita).get(f"/alerts/new/?person={2**70}").status_code == 404
    assert Company.objects.count() == 0
    assert signed_in(rita).get("/alerts/new/?company=1").status_code == 404
