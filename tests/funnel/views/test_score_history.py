"""The page that says why a score was what it was."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from funnel.models import Handoff
from leads.models import Source
from smarketing.users.models import User
from tests.funnel.conftest import NOW, asks_for_demo, capture_lead
from tests.funnel.views.conftest import HTMX, At, SignedIn


def test_the_score_of_an_instant_is_explained_to_the_last_point(
    signed_in: SignedIn, rita: User, delivered: Handoff, at: At
) -> None:
    at(NOW + timedelta(days=45))
    then = NOW + timedelta(days=30, minutes=1)
    answer = signed_in(rita).get(f"/leads/{delivered.lead_id}/score/", {"at": f"{then:%Y-%m-%dT%H:%M}"})
    told = answer.context["panel"]["told"]
    assert told.at == then
    assert told.interest == 27.2  # 15 and 40 points, dated at midnight, thirty days and ten hours later
    shown = [Decimal(str(s["shown"])) for s in answer.context["panel"]["signals"]]
    assert sum(shown) == Decimal(str(told.interest))
    text = answer.content.decode()
    assert "As it was on" in text
    assert "Interest then" in text


def test_a_time_before_the_capture_or_no_time_at_all_is_refused(
    signed_in: SignedIn, rita: User, delivered: Handoff
) -> None:
    for wrong in ("2020-01-01T00:00", "2031-01-01T00:00", "soon"):
        answer = signed_in(rita).get(f"/leads/{delivered.lead_id}/score/", {"at": wrong})
        assert answer.status_code == 422
        assert answer.context["panel"]["is_past"] is False


def test_the_chart_has_its_numbers_as_a_table(
    signed_in: SignedIn, olga: User, web: Source, rita: User, at: At
) -> None:
    lead = capture_lead(web)
    asks_for_demo(lead, at=NOW + timedelta(days=2))
    at(NOW + timedelta(days=10))
    text = signed_in(olga).get(f"/leads/{lead.pk}/score/chart/", headers=HTMX).content.decode()
    assert 'role="img"' in text
    assert "Interest band 1" in text
    assert "Show as table" in text
    assert "B1" in text
