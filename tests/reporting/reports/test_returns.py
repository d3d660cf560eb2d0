"""Returns and appeals, counted by reason and by rep."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from funnel.models import Handoff
from funnel.services import handoffs
from leads.models import Source
from reporting.domain.results import Rate
from reporting.reports import catalogue
from smarketing.users.domain.roles import Role
from smarketing.users.models import User
from tests.funnel.conftest import NOW, asks_for_demo, capture_lead

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=2)


def test_reasons_and_reps_show_what_was_contested_and_overturned():
    rita = User.objects.create(email="rita@example.com", name="Rita Rep", role=Role.REP)
    for _number in range(4):
        lead = capture_lead(Source.objects.get(code="web"))
        asks_for_demo(lead, at=NOW + timedelta(hours=1))
    first, second, third, _waits = Handoff.objects.order_by("pk")
    for handoff, reason in ((first, "no_need"), (second, "no_need"), (third, "unreachable")):
        handoffs.return_(handoff=handoff, reason=reason, actor=rita, now=LATER)
    Handoff.objects.filter(pk=first.pk).update(state="overturned")
    Handoff.objects.filter(pk=second.pk).update(state="upheld")
    result = catalogue.get("returns").run({}, zone=ZoneInfo("UTC"), now=LATER)
    figures = {figure.column.key: figure.value for figure in result.figures}
    assert figures["return_rate"] == Rate(3, 4)
    assert figures["overturn_rate"] == Rate(1, 2)
    assert figures["entropy"] == 0.92
    by_reason, by_rep = result.tables
    assert [(row.key, row.values["returned"], row.values["overturned"]) for row in by_reason.rows] == [
        ("reason:no_need", 2, 1),
        ("reason:unreachable", 1, 0),
    ]
    assert by_reason.rows[0].values["meaning"] == ""
    assert [(row.key, row.values["return_rate"]) for row in by_rep.rows] == [(f"owner:{rita.pk}", Rate(3, 4))]
