"""Show 6: a visitor becomes a customer on the second lap, and each lap is told for itself."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from funnel.models import Interest, LeadState, Nurture
from funnel.services import handoffs, nurture_returns, opportunities, qualifications
from leads.domain.tracking import Message, MessageType, PageContext
from leads.models import Lead
from leads.services import leads as capturing
from leads.services import tracking, visitors
from leads.services.companies import CompanyInput
from leads.services.people import PersonInput
from reporting.domain.results import Rate
from reporting.reports import funnel, parameters
from tests.funnel.conftest import DAY, NOW, asks_for_demo, mara, max_, rita, rob, sam, web  # noqa: F401

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def stages(lead):
    return list(lead.transitions.order_by("seq").values_list("to_stage__code", flat=True))


def test_a_visitor_becomes_a_customer_on_the_second_lap(web, rita, mara, client, monkeypatch):  # noqa: F811
    # a visitor looks around
    pages = [
        Message(
            id=uuid4(),
            message_id=f"v{n}",
            source_id=web.pk,
            type=MessageType.PAGE,
            occurred_at=NOW + n * HOUR / 60,
            received_at=NOW + n * HOUR / 60,
            anonymous_id="browser-1",
            page=PageContext(url="https://us.example/"),
        )
        for n in range(2)
    ]
    tracking.apply(messages=pages, now=NOW + HOUR)
    assert not Lead.objects.exists()

    # … says who they are: a lead, and the visits are theirs
    person = PersonInput(first_name="Ada", last_name="L", emails=["ada@initech.example"], title="Director")
    lead = capturing.capture(
        source=web, person=person, company=CompanyInput(name="Initech"), captured_at=NOW + HOUR,
        origin="Webinar", actor=None, now=NOW + HOUR,
    ).lead  # fmt: skip
    visitors.join(source=web, anonymous_id="browser-1", person=lead.person, at=NOW + HOUR, now=NOW + HOUR)
    assert Interest.objects.get(person=lead.person).key is not None

    # … asks for a demo: an MQL, delivered; sales returns it as not ready
    asks_for_demo(lead, at=NOW + DAY)
    first = lead.handoffs.get()
    handoffs.return_(handoff=first, reason="not_ready", actor=rita, now=NOW + DAY + HOUR)
    assert stages(lead) == ["lead", "mql", "nurture"]
    assert Nurture.objects.get().owner == mara

    # the rep who is about to call is warned
    client.force_login(rita)
    monkeypatch.setattr("smarketing.core.clock.now", lambda: NOW + 2 * DAY)
    form = client.get(f"/people/{lead.person_id}/log/call/", headers={"HX-Request": "true"})
    assert "Speak with Mara Marketer first." in form.content.decode()
    assert "please do not contact them now" in client.get(f"/leads/{lead.pk}/").content.decode()

    # weeks later they ask again: lap 2, delivered, won
    asks_for_demo(lead, at=NOW + 40 * DAY)
    nurture_returns.run_once(now=NOW + 41 * DAY, limit=10)
    again = Lead.objects.get(person=lead.person, lap=2)
    handoffs.accept(handoff=again.handoffs.get(), actor=rita, now=NOW + 42 * DAY)
    qualifications.record(
        lead=again, need="Alarms", budget=Decimal(9000), currency="EUR", actor=rita, now=NOW + 43 * DAY
    )
    deal = opportunities.open(
        lead=again, name="Alarms", amount=Decimal(9000), currency="EUR", owner=rita, actor=rita,
        opened_at=NOW + 44 * DAY, now=NOW + 44 * DAY,
    )  # fmt: skip
    opportunities.move(opportunity=deal, to="won", actor=rita, now=NOW + 60 * DAY)
    assert stages(lead) == ["lead", "mql", "nurture", "recycled"]
    assert stages(again) == ["lead", "mql", "sql", "opportunity", "customer"]
    assert LeadState.objects.get(lead=lead).high_water.code == "mql"

    # each lap converts for itself
    params = parameters.parse({}, zone=ZoneInfo("UTC"), groupings=())
    result = funnel.run(params, now=NOW + 61 * DAY)
    laps = {row.key: row.values for row in result.tables[1].rows}
    assert laps["lap1"] == {
        "lap": "First lap", "lead": 1, "mql": 1, "sql": 0, "opportunity": 0, "customer": 0,
        "lap_rate": Rate(0, 1),
    }  # fmt: skip
    assert laps["lap2"] == {
        "lap": "Second lap", "lead": 1, "mql": 1, "sql": 1, "opportunity": 1, "customer": 1,
        "lap_rate": Rate(1, 1),
    }  # fmt: skip
    assert set(laps) == {"lap1", "lap2"}
    won = funnel.behind(params, row="lap2", cell="customer", now=NOW + 61 * DAY)
    assert [journey.lead_id for journey in won] == [again.pk]
